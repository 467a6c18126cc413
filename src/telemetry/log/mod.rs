//! Log lines: pretty on a terminal, JSON elsewhere. Messages are constant; values go into fields. `limit` keeps what an
//! outage repeats short, `line` names the trace, `sink` has nobody wait for whoever reads the log.

mod limit;
mod line;
mod sink;

pub use sink::{Guard, dropped};

use std::io::IsTerminal;
use std::sync::Arc;

use limit::Limits;
use line::Lines;
use serde::Deserialize;
use sink::Sink;
use tracing_subscriber::EnvFilter;

/// `log.*` of the settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// `pretty` or `json`; without it pretty on a terminal, else JSON.
    pub format: Option<LogFormat>,
    /// `error`, `warn`, `info`, `debug` or `trace`, or a filter such as `info,chatflow_bridge::store=debug`.
    pub level: String,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { format: None, level: "info".to_owned() }
    }
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For a person at a terminal.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Why logging could not begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `log.level` is no filter.
    #[error("`log.level` is neither a level (error, warn, info, debug, trace) nor a filter: {0}")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// The thread that writes the log could not be started.
    #[error("the log's thread cannot be started: {0}")]
    Thread(std::io::Error),
    /// Another part of the process took the log already.
    #[error("logging was begun twice")]
    Twice,
}

/// Begins logging to standard error, for the whole process.
///
/// The last lines are written when what this gives is dropped: keep it to the end of `main`.
pub fn begin(settings: &LogSettings) -> Result<Guard, Error> {
    // What the server library says of its own start is said by `started`, and what it says of broken requests is
    // counted: whoever floods us would fill the log. Whoever wants it can ask for it.
    let filter =
        EnvFilter::try_new(format!("actix_server=warn,actix_http=off,{}", settings.level))?;
    let terminal = std::io::stderr().is_terminal();
    let format =
        settings.format.unwrap_or(if terminal { LogFormat::Pretty } else { LogFormat::Json });
    let limits = Arc::<Limits>::default();
    let (sink, guard) = Sink::to(std::io::stderr(), Arc::clone(&limits)).map_err(Error::Thread)?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(sink);
    match format {
        LogFormat::Pretty => {
            let form = tracing_subscriber::fmt::format();
            lines.with_ansi(terminal).event_format(Lines { form, format, limits }).try_init()
        }
        LogFormat::Json => {
            let form = tracing_subscriber::fmt::format();
            let form = form.json().flatten_event(true).with_current_span(false);
            lines.json().event_format(Lines { form, format, limits }).try_init()
        }
    }
    .map_err(|_| Error::Twice)?;
    Ok(guard)
}

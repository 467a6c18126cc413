//! Log lines: pretty on a terminal, JSON elsewhere. Messages are constant; values go into fields.

use std::io::IsTerminal;

use serde::Deserialize;
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
    /// Another part of the process took the log already.
    #[error("logging was begun twice")]
    Twice,
}

/// Begins logging to standard error, for the whole process.
pub fn begin(settings: &LogSettings) -> Result<(), Error> {
    // What the server library says of its own start is said by `started`; whoever wants it can ask for it.
    let filter = EnvFilter::try_new(format!("actix_server=warn,{}", settings.level))?;
    let terminal = std::io::stderr().is_terminal();
    let format =
        settings.format.unwrap_or(if terminal { LogFormat::Pretty } else { LogFormat::Json });
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Pretty => lines.with_ansi(terminal).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
    }
    .map_err(|_| Error::Twice)
}

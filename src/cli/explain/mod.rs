//! `explain`: for one event, what every rule saw and decided, where each value came from, and what would be sent.

mod condition;
pub(super) mod failure;
mod given;
mod short;
mod text;
mod value;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use serde_json::json;

use super::serve::settings_of;
use super::style::Style;
use super::test::Files;
use super::{Common, mappings};
use crate::decode;
use crate::event::EventId;
use crate::mapping::expr::nearest;
use crate::mapping::testing::Outside;
use crate::mapping::{Explained, Input, Set, Source};
use given::Given;

/// Headers that no rule can read.
const CREDENTIALS: &[&str] = &["authorization", "proxy-authorization", "cookie"];

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge explain --source typeform --body lead.json\n  curl -s https://example.com/lead.json | chatflow-bridge explain --source crm --body - --header 'X-Topic: lead.created'\n  chatflow-bridge explain --event 0000000000042\n  chatflow-bridge explain --event 0000000000042 --offline --json | jq '.events[].updates'"
)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["body", "event"]))]
pub(super) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// The source whose rules are asked; may be left out where there is only one
    #[arg(long, value_name = "SOURCE", conflicts_with = "event")]
    source: Option<String>,
    /// The body of the request: a file, or `-` for what is piped in
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// A header of the request
    #[arg(long, value_name = "NAME: VALUE", conflicts_with = "event")]
    header: Vec<String>,
    /// A parameter of the request's query, as it is encoded there
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "event")]
    query: Vec<String>,
    /// The content type of the body [default: that header, else by the file's name]
    #[arg(long, value_name = "TYPE", conflicts_with = "event")]
    content_type: Option<String>,
    /// A stored event, by the id that its sender was given; asked of the running bridge
    #[arg(long, value_name = "ID")]
    event: Option<EventId>,
    /// Open the store instead of asking the bridge, which must not run
    #[arg(long, conflicts_with = "body")]
    offline: bool,
    /// For a program: one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (settings, _) = settings_of(&arguments.common)?;
    let given = match (&arguments.body, arguments.event) {
        (Some(body), _) => given::request(arguments, body)?,
        (None, Some(id)) => {
            super::runtime()?.block_on(given::stored(id, arguments.offline, &settings))?
        }
        (None, None) => anyhow::bail!("`--body FILE` or `--event ID` says what to explain"),
    };
    let read = mappings::read(&settings.mappings.dir)?;
    let Some(set) = &read.set else {
        mappings::show(&read.reports, Style::of_stderr());
        anyhow::bail!("the mappings have errors, nothing can be explained");
    };
    let source = source(set, given.source.as_deref())?;
    let explained = explain(&source, &given)?;
    if arguments.json {
        let events: Vec<_> = explained.iter().map(Explained::to_json).collect();
        print(&serde_json::to_string_pretty(&json!({ "events": events }))?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let style = Style::of_stdout();
    let events: Vec<_> = explained
        .iter()
        .map(|explained| {
            text::event(explained, source.name.as_str(), &settings.chatflow, style).join("\n")
        })
        .collect();
    if events.is_empty() {
        print("no event: the array of `body.each` is there and empty, the request is ignored")?;
    } else {
        print(&events.join("\n\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a text that may be long: who reads it may have seen enough and hung up.
fn print(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The source that is named, or the only one.
fn source(set: &Set, named: Option<&str>) -> anyhow::Result<Arc<Source>> {
    let known = || set.iter().map(|source| source.name.as_str());
    let Some(named) = named else {
        let mut sources = set.iter();
        return match (sources.next(), sources.next()) {
            (Some(only), None) => Ok(Arc::clone(only)),
            _ => anyhow::bail!(
                "`--source` says whose rules are asked: {}",
                known().collect::<Vec<_>>().join(", ")
            ),
        };
    };
    let found = set.iter().find(|source| source.name.as_str() == named);
    found.map(Arc::clone).with_context(|| {
        let near = nearest(named, known()).map(|near| format!("; did you mean `{near}`?"));
        format!("no mapping describes the source `{named}`{}", near.unwrap_or_default())
    })
}

/// Explains a request as the door would hand it to the rules: decoded, with the headers that the mapping reads.
fn explain(source: &Source, given: &Given) -> anyhow::Result<Vec<Explained>> {
    let mut files =
        Files { folder: Path::new(&source.file).parent().map(Path::to_owned).unwrap_or_default() };
    let document = files
        .decode(source, given.content_type.as_deref(), &given.body)
        .map_err(|error| anyhow::anyhow!("the body cannot be read: {error}"))?;
    let kept = given
        .headers
        .iter()
        .filter(|(name, _)| source.headers.contains(name) && !CREDENTIALS.contains(&name.as_str()));
    let headers = decode::headers(kept.map(|(name, value)| (name.as_str(), value.as_str())));
    let query = decode::query(&given.query);
    let mut explained = source.explain(&Input {
        document: &document,
        headers: &headers,
        query: &query,
        received_at: given.received_at,
    });
    if let Some(item) = given.item {
        // Of a batch, the event that is meant; the mapping of today may split it otherwise.
        explained = explained.into_iter().skip(item).take(1).collect();
        anyhow::ensure!(
            !explained.is_empty(),
            "with the mapping as it is now the request has no event {item}: `body.each` has changed"
        );
    }
    Ok(explained)
}

#[cfg(test)]
mod tests;

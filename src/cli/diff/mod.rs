//! `diff`: what two sets of mappings make of the same events.

mod folder;
mod incoming;
mod show;
mod stored;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;

use self::incoming::{Incoming, Unreadable};
use super::style::Style;
use super::{Common, mappings};
use crate::mapping::Set;
use crate::mapping::comparing::Comparison;
use crate::units::Span;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge diff mappings new-mappings --events captured/\n  chatflow-bridge diff mappings new-mappings --stored --since 7d\n  chatflow-bridge diff mappings new-mappings --stored --offline --source typeform --json | jq .\n\nA folder of events has a file for each: `NAME.json` (or `.xml`, `.form`, …), in a subfolder named as its source or with --source; beside it, where it needs them, `NAME.meta.json` with `source`, `headers`, `query`, `content_type`.\nOf stored events only those headers are there that the mapping read under which they came.\n\nExit codes: 0 no difference, 1 differences, 2 the comparison could not be made."
)]
pub(super) struct Arguments {
    /// The folder with the mappings as they are
    old: PathBuf,
    /// The folder with the mappings as they would be
    new: PathBuf,
    /// Compare over the files of this folder
    #[arg(long, value_name = "DIR", required_unless_present = "stored")]
    events: Option<PathBuf>,
    /// Compare over the events that the running bridge has stored
    #[arg(long, conflicts_with = "events")]
    stored: bool,
    /// Read the store itself; no bridge may run on it
    #[arg(long, requires = "stored")]
    offline: bool,
    /// Only events that are not older, such as `7d`
    #[arg(long, value_name = "TIME", requires = "stored")]
    since: Option<Span>,
    /// As many events at most, the youngest
    #[arg(long, value_name = "N", requires = "stored", default_value_t = 1000)]
    limit: usize,
    /// Only events of this source; for a folder, the source of files that do not name one
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// The settings file [default: chatflow-bridge.yaml, where there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The store: `sqlite:PATH` or `postgres://…` [setting: store.url]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// For a program: one JSON object
    #[arg(long)]
    json: bool,
}

/// What came of comparing.
#[derive(Default)]
struct Found {
    comparison: Comparison,
    /// Events that one of the sets or both cannot read.
    unreadable: Vec<Unreadable>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match compare(arguments) {
        Ok(found) => {
            if arguments.json {
                let mut shown = serde_json::to_value(&found.comparison)?;
                if let Some(shown) = shown.as_object_mut() {
                    shown.insert("differs".to_owned(), json!(found.differs()));
                    shown.insert("unreadable".to_owned(), json!(found.unreadable));
                }
                println!("{}", serde_json::to_string_pretty(&shown)?);
            } else {
                print!("{}", show::text(&found, Style::of_stdout())?);
            }
            Ok(if found.differs() { ExitCode::from(1) } else { ExitCode::SUCCESS })
        }
        Err(error) => {
            eprintln!("{} {error:#}", Style::of_stderr().bad("error:"));
            Ok(ExitCode::from(2))
        }
    }
}

impl Found {
    fn differs(&self) -> bool {
        self.comparison.differs() || self.unreadable.iter().any(Unreadable::is_one_sided)
    }
}

fn compare(arguments: &Arguments) -> anyhow::Result<Found> {
    let (old, new) = (set(&arguments.old)?, set(&arguments.new)?);
    let mut found = Found::default();
    let mut take = |event: &Incoming| {
        event.compare(&old, &new, &mut found);
    };
    match &arguments.events {
        Some(folder) => {
            for event in folder::read(folder, arguments.source.as_deref())? {
                if old.get(&event.source).is_none() && new.get(&event.source).is_none() {
                    anyhow::bail!(
                        "`{}`: neither set has a source `{}`: name it with `--source`, in `{}`, or by a subfolder",
                        event.name,
                        event.source,
                        folder::META
                    );
                }
                take(&event);
            }
        }
        None => super::runtime()?.block_on(stored::each(arguments, &mut take))?,
    }
    if found.comparison.sources.is_empty() && found.unreadable.is_empty() {
        anyhow::bail!("there is no event to compare over");
    }
    Ok(found)
}

/// The flags that settings are read with.
fn common(arguments: &Arguments) -> Common {
    Common { config: arguments.config.clone(), mappings: None, store: arguments.store.clone() }
}

fn set(folder: &std::path::Path) -> anyhow::Result<Set> {
    let read = mappings::read(folder)?;
    if read.set.is_none() {
        mappings::show(&read.reports, Style::of_stderr());
    }
    read.set.with_context(|| format!("the mappings in `{}` have errors", folder.display()))
}

//! `events`: what came in and what became of it; dead letters mended, sent again, put away, forgotten.

mod ask;
mod change;
mod filter;
mod list;
mod outcome;
mod show;

use std::process::ExitCode;

use clap::Subcommand;

use super::door::Action;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  chatflow-bridge events list                        what came in and what became of it
  chatflow-bridge events list --causes               what is held and dead, and why
  chatflow-bridge events show 0000000000042/lead/0   one update, with the API's words
  chatflow-bridge events remap --state held --dry-run   what mended rules would make
  chatflow-bridge events replay --status 400 --yes   once more, since the tag is there

An event is named by its id, an update as EVENT_ID/RULE/ITEM, as `events list` shows them.
The commands ask the running bridge; with --offline they open the store themselves, while no bridge runs.
Exit codes: 0 done, 1 something was not found or not changed, 2 wrong usage.";

#[derive(Debug, Subcommand)]
enum Command {
    /// One line an update (and an event without updates), youngest first
    List(list::Arguments),
    /// One event or update, with all that is kept of it
    Show(show::Arguments),
    /// Send dead updates again as they were planned
    Replay(change::Replay),
    /// Map stored events again with today's rules
    Remap(change::Remap),
    /// Put held and dead updates away for good
    Discard(change::Discard),
    /// Forget events with all that is kept of them
    Purge(change::Purge),
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    super::runtime()?.block_on(async {
        match &arguments.command {
            Command::List(arguments) => list::run(arguments).await,
            Command::Show(arguments) => show::run(arguments).await,
            Command::Replay(arguments) => {
                let asked = arguments.asked();
                change::run(Action::Replay, &arguments.changing, asked, None).await
            }
            Command::Remap(arguments) => {
                let (asked, mappings) = (arguments.asked(), arguments.mappings.as_deref());
                change::run(Action::Remap, &arguments.changing, asked, mappings).await
            }
            Command::Discard(arguments) => {
                let asked = arguments.changing.asked();
                change::run(Action::Discard, &arguments.changing, asked, None).await
            }
            Command::Purge(arguments) => {
                let asked = arguments.changing.asked();
                change::run(Action::Purge, &arguments.changing, asked, None).await
            }
        }
    })
}

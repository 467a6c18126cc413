//! The command line: one file a command.
//!
//! Exit codes: 0 fine, 1 found problems, 2 wrong usage.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "commands speak to a person or a pipe"
)]

mod audit;
mod check;
mod config;
mod covered;
mod demo;
mod diff;
mod difference;
mod door;
mod events;
mod explain;
mod files;
mod healthcheck;
mod init;
mod junit;
mod mappings;
mod mock;
mod pause;
mod probe;
mod rejected;
mod request;
mod rewriting;
mod running;
mod schema;
mod secret;
mod send;
mod sender;
mod serve;
mod shipped;
mod store;
mod style;
mod suggest;
mod test;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Webhooks in, contact updates in Pabbly Chatflow out: in order, retried, never lost.
#[derive(Debug, Parser)]
#[command(name = "chatflow-bridge", version, about, after_help = EXAMPLES)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Arguments,
}

const EXAMPLES: &str = "\
Examples:
  chatflow-bridge demo                         see it work: no key, no server, nothing left behind
  chatflow-bridge init typeform                a shipped mapping for a sender that is known; `init --list` shows all
  chatflow-bridge suggest event.json --write . a first mapping from one captured event
  chatflow-bridge check                        what is wrong with the mappings in ./mappings
  chatflow-bridge test                         run the tests that stand in them
  chatflow-bridge explain --source S --body F  why an event becomes what it becomes
  chatflow-bridge diff mappings new --stored   what would become of the stored events under new mappings
  chatflow-bridge events list --causes         what is in the dead letters, and why
  BRIDGE_CHATFLOW__API_KEY=… chatflow-bridge   serve
  chatflow-bridge config                       which settings are in force, and where they come from";

#[derive(Debug, Subcommand)]
enum Command {
    /// Take webhooks and deliver (the default).
    Serve(serve::Arguments),
    /// Show the whole way on this machine: a mock Chatflow, sample mappings, sample webhooks.
    Demo(demo::Arguments),
    /// Check mapping files: every problem, each with its place.
    Check(check::Arguments),
    /// Run the tests that stand in the mapping files.
    Test(test::Arguments),
    /// Say for one event what every rule saw and decided, and what would be sent.
    Explain(explain::Arguments),
    /// Write shipped mappings, their events and a settings file into a folder.
    Init(init::Arguments),
    /// Suggest a first mapping, with tests, from one captured event.
    Suggest(suggest::Arguments),
    /// Compare two sets of mappings on the same events: what would change.
    Diff(diff::Arguments),
    /// Say whether a request would be believed, and what is wrong with it if not.
    Verify(verify::Arguments),
    /// Sign a body as its sender would and post it, or write the curl line that does.
    Send(send::Arguments),
    /// Look after the store's file while no bridge runs: check, recover, rekey.
    Store(store::Arguments),
    /// See what came in and what became of it; mend, replay, discard and purge dead letters.
    Events(events::Arguments),
    /// Pause delivery until `resume`, over restarts too.
    Pause(pause::Arguments),
    /// Have delivery go on after `pause`.
    Resume(pause::Arguments),
    /// Prove that nothing is unaccounted for: count what is stored against what came in.
    Audit(audit::Arguments),
    /// Forget a secret that a sender gave.
    Secret(secret::Arguments),
    /// Print the settings in force and where each came from.
    Config(config::Arguments),
    /// Run the mock Chatflow API alone.
    Mock(mock::Arguments),
    /// Find the wire forms that the API understands, on a contact of your own.
    Probe(probe::Arguments),
    /// Print the JSON Schema of a mapping file, for editors.
    Schema(schema::Arguments),
    /// Ask a running bridge whether it is ready; for containers.
    Healthcheck(healthcheck::Arguments),
}

/// Flags that several commands share.
#[derive(Debug, Clone, Default, clap::Args)]
struct Common {
    /// The settings file [default: chatflow-bridge.yaml, where there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder with the mapping files [setting: mappings.dir]
    #[arg(long, value_name = "DIR")]
    mappings: Option<PathBuf>,
    /// Where accepted work waits: `sqlite:PATH` or `postgres://…` [setting: store.url]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
}

/// Runs the command line and gives the exit code.
pub fn run() -> ExitCode {
    end_when_nobody_reads();
    let arguments = CommandLine::parse();
    let outcome = match arguments.command {
        None => serve::run(&arguments.serve),
        Some(Command::Serve(arguments)) => serve::run(&arguments),
        Some(Command::Demo(arguments)) => demo::run(&arguments),
        Some(Command::Check(arguments)) => check::run(&arguments),
        Some(Command::Test(arguments)) => test::run(&arguments),
        Some(Command::Explain(arguments)) => explain::run(&arguments),
        Some(Command::Init(arguments)) => init::run(&arguments),
        Some(Command::Suggest(arguments)) => suggest::run(&arguments),
        Some(Command::Diff(arguments)) => diff::run(&arguments),
        Some(Command::Verify(arguments)) => verify::run(&arguments),
        Some(Command::Send(arguments)) => send::run(&arguments),
        Some(Command::Store(arguments)) => store::run(&arguments),
        Some(Command::Events(arguments)) => events::run(&arguments),
        Some(Command::Pause(arguments)) => pause::run(&arguments, true),
        Some(Command::Resume(arguments)) => pause::run(&arguments, false),
        Some(Command::Audit(arguments)) => audit::run(&arguments),
        Some(Command::Secret(arguments)) => secret::run(&arguments),
        Some(Command::Config(arguments)) => config::run(&arguments),
        Some(Command::Mock(arguments)) => mock::run(&arguments),
        Some(Command::Probe(arguments)) => probe::run(&arguments),
        Some(Command::Schema(arguments)) => schema::run(&arguments),
        Some(Command::Healthcheck(arguments)) => healthcheck::run(&arguments),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("{} {error:#}", style::Style::of_stderr().bad("error:"));
        ExitCode::from(1)
    })
}

/// Who reads what is printed may have seen enough (`… | head`): then the program ends, without a word.
fn end_when_nobody_reads() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let message = panic.payload().downcast_ref::<String>().map_or("", String::as_str);
        if message.starts_with("failed printing to stdout") && message.contains("Broken pipe") {
            std::process::exit(0);
        }
        usual(panic);
    }));
}

/// A runtime for commands that wait.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build()?)
}

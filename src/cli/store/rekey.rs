//! `store rekey`: everything encrypted with the first key.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::Which;
use crate::store::rekey::{Progress, rekey};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  openssl rand -hex 32 | cat - old-keys > keys     a new key, before the old ones\n  chatflow-bridge store rekey                      everything is encrypted with it: the old ones can go\n  chatflow-bridge store rekey --store sqlite:/data/bridge.db\n\nNo bridge may run on the store meanwhile. What is interrupted goes on where it was with the next run. A file is written anew at the end, which needs as much free disk as it takes; in PostgreSQL what was there before goes with the next `VACUUM` of its tables."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    which: Which,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let settings = arguments.which.settings()?;
    let key_file = settings.store.encryption_key_file.as_deref().context(
        "no key to encrypt with: name a file that holds one in `store.encryption_key_file` (`openssl rand -hex 32` makes a key)",
    )?;
    let mut shown = Instant::now();
    let on_terminal = std::io::stderr().is_terminal();
    let show = |Progress { looked_at, of, .. }: Progress| {
        if on_terminal && shown.elapsed() > Duration::from_millis(200) {
            shown = Instant::now();
            eprint!("\r{looked_at} of {of} rows");
            drop(std::io::stderr().flush());
        }
    };
    let done = crate::cli::runtime()?.block_on(rekey(&settings.store, key_file, show))?;
    if on_terminal {
        eprint!("\r");
    }
    println!(
        "{} of {} rows were encrypted anew; all are encrypted with the first key of `{}`",
        done.sealed,
        done.of,
        key_file.display()
    );
    Ok(ExitCode::SUCCESS)
}

//! `store`: look after the file of the store, while no bridge runs on it.

mod check;
mod copy;
mod recover;
mod rekey;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;

use super::Common;
use super::serve::settings_of;
use crate::settings::Settings;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say whether the store is whole: its pages, its tables, its ledger.
    Check(check::Arguments),
    /// Make a whole store of what can be read of a damaged one; the damaged file is kept.
    Recover(recover::Arguments),
    /// Copy everything into a store of the same kind or the other, where none is yet.
    Copy(copy::Arguments),
    /// Encrypt everything with the first key of `store.encryption_key_file`.
    Rekey(rekey::Arguments),
}

/// Which store.
#[derive(Debug, clap::Args)]
struct Which {
    /// The settings file [default: chatflow-bridge.yaml, where there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the store is: `sqlite:PATH` or `postgres://…` [setting: store.url]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
}

impl Which {
    /// The settings, and the file; `instead` says what to do where the store is a PostgreSQL.
    fn file(&self, instead: &'static str) -> anyhow::Result<(Settings, PathBuf)> {
        let settings = self.settings()?;
        let path = settings.store.sqlite_path(instead).context("`store.url`")?;
        Ok((settings, path))
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        let (config, store) = (self.config.clone(), self.store.clone());
        let (settings, _) = settings_of(&Common { config, mappings: None, store })?;
        Ok(settings)
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        Command::Check(arguments) => check::run(arguments),
        Command::Recover(arguments) => recover::run(arguments),
        Command::Copy(arguments) => copy::run(arguments),
        Command::Rekey(arguments) => rekey::run(arguments),
    }
}

//! `store copy`: everything from one store into another.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;

use super::Which;
use crate::store::copy::{Copied, copy};
use crate::store::settings::{StoreSettings, StoreUrl};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge store copy sqlite:chatflow-bridge.db postgres://bridge@db.example.com/bridge --to-password-file password\n  chatflow-bridge store copy postgres://bridge@db.example.com/bridge sqlite:back.db --json\n\nNo bridge may run on either meanwhile. The copy is held against the ledger before it counts: it is there as a whole, or not at all. Password, certificates and keys of encryption are those of the settings, for both, unless they are named here. What is encrypted is encrypted for the copy with the first key of its own key file.\nExit codes: 0 it is copied, 1 it is not, 2 wrong usage."
)]
pub(super) struct Arguments {
    /// The store: `sqlite:PATH` or `postgres://…`
    from: String,
    /// Where none is yet: `sqlite:PATH` or `postgres://…`
    to: String,
    /// The settings file [default: chatflow-bridge.yaml, where there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The password of the one that is copied, where that is a PostgreSQL
    #[arg(long, value_name = "FILE")]
    from_password_file: Option<PathBuf>,
    /// The password of the copy, where that is a PostgreSQL
    #[arg(long, value_name = "FILE")]
    to_password_file: Option<PathBuf>,
    /// The keys with which the copy is encrypted
    #[arg(long, value_name = "FILE")]
    to_encryption_key_file: Option<PathBuf>,
    /// For a program: one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let which = Which { config: arguments.config.clone(), store: None };
    let settings = which.settings()?.store;
    let from = StoreSettings {
        url: StoreUrl::new(arguments.from.as_str()),
        password_file: arguments.from_password_file.clone().or(settings.password_file.clone()),
        ..settings.clone()
    };
    let to = StoreSettings {
        url: StoreUrl::new(arguments.to.as_str()),
        password_file: arguments.to_password_file.clone().or(settings.password_file.clone()),
        encryption_key_file: arguments
            .to_encryption_key_file
            .clone()
            .or(settings.encryption_key_file.clone()),
        ..settings
    };
    for store in [&from, &to] {
        store.place().with_context(|| format!("`{}`", store.url))?;
    }
    let on_terminal = std::io::stderr().is_terminal();
    let mut shown = Instant::now();
    let show = move |Copied { table, rows, of }: Copied| {
        if on_terminal && shown.elapsed() > Duration::from_millis(200) {
            shown = Instant::now();
            eprint!("\r{rows} of {of} rows ({table})\x1b[K");
            drop(std::io::stderr().flush());
        }
    };
    let copied = crate::cli::runtime()?.block_on(copy(&from, &to, show));
    if on_terminal {
        eprint!("\r\x1b[K");
    }
    let copied = copied?;
    if arguments.json {
        let told =
            json!({ "from": from.url.to_string(), "to": to.url.to_string(), "rows": copied.rows });
        println!("{told}");
    } else {
        println!(
            "{} rows were copied from `{}` to `{}`; the ledger holds",
            copied.rows, from.url, to.url
        );
    }
    Ok(ExitCode::SUCCESS)
}

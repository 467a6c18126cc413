//! `secret`: what became of secrets that senders gave.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use serde_json::json;

use super::Common;
use super::running;
use super::serve::settings_of;
use crate::clock::SystemClock;
use crate::event::SourceName;
use crate::server::open_offline;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Forget the secret that a sender gave (`secret: adopt`), so that the one it gives next is taken.
    Forget(Forget),
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge secret forget --source asana\n  chatflow-bridge secret forget --source asana --offline   while no bridge runs\n\nUntil the sender has given its next secret, the first request that brings one is believed: have it sent soon."
)]
struct Forget {
    /// The source
    #[arg(long, value_name = "SOURCE")]
    source: String,
    /// Open the store itself; refused while a bridge holds it, unless it is a PostgreSQL
    #[arg(long)]
    offline: bool,
    /// For a program: one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let What::Forget(arguments) = &arguments.what;
    let source = SourceName::try_from(arguments.source.as_str())?;
    let (settings, _) = settings_of(&arguments.common)?;
    let forgotten = super::runtime()?.block_on(async {
        if !arguments.offline {
            let path = format!("/api/sources/{source}/forget-secret");
            let answer = running::post(&settings, &path, &()).await?;
            return answer["forgotten"].as_bool().context("the bridge answers something else");
        }
        let store = open_offline(&settings.store, Arc::new(SystemClock)).await?;
        let forgotten = store.forget_secret(&source).await;
        store.close().await;
        Ok(forgotten?)
    })?;
    if arguments.json {
        println!("{}", json!({ "source": source, "forgotten": forgotten }));
    } else if forgotten {
        println!(
            "the secret of `{source}` is forgotten; the next one that its sender gives is taken"
        );
    } else {
        println!("no secret of `{source}` was kept");
    }
    Ok(if forgotten { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

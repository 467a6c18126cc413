//! `serve`: take webhooks and deliver, until told to stop.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;

use super::style::Style;
use super::{Common, mappings};
use crate::clock::SystemClock;
use crate::mapping::Set;
use crate::server::{Bridge, Parts};
use crate::settings::{Effective, Secrets, Settings, environment, load};
use crate::telemetry::log;
use crate::webhook::verify_of;

#[derive(Debug, Clone, Default, clap::Args)]
#[command(
    after_help = "Examples:\n  BRIDGE_CHATFLOW__API_KEY=… chatflow-bridge serve\n  chatflow-bridge serve --config bridge.yaml --mappings mappings --store sqlite:/data/bridge.db"
)]
pub(super) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Refuse to start while a source lacks its secret, instead of answering 503 for it
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (settings, _) = settings_of(&arguments.common)?;
    let _log = log::begin(&settings.log)?;
    let read = mappings::read(&settings.mappings.dir)?;
    let (errors, _) = mappings::show(&read, Style::of_stderr());
    let Some(set) = read.set else {
        anyhow::bail!("{errors} errors in the mappings; `chatflow-bridge check` shows them");
    };
    let secrets = Secrets::new(environment::variables());
    if arguments.strict {
        refuse_missing_secrets(&set, &secrets)?;
    }
    super::runtime()?.block_on(async {
        let bridge = Bridge::start(Parts {
            settings,
            mappings: Arc::new(set),
            secrets: Arc::new(secrets),
            clock: Arc::new(SystemClock),
        })
        .await?;
        told_to_stop().await?;
        bridge.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}

fn refuse_missing_secrets(set: &Set, secrets: &Secrets) -> anyhow::Result<()> {
    let missing: Vec<_> = set
        .iter()
        .filter_map(|source| {
            let why = verify_of(source).0?.resolve(secrets).err()?;
            Some(format!("source `{}`: {why}", source.name))
        })
        .collect();
    if !missing.is_empty() {
        anyhow::bail!("{}", missing.join("; "));
    }
    Ok(())
}

/// The settings in force for a command with these flags.
pub(super) fn settings_of(common: &Common) -> anyhow::Result<(Settings, Effective)> {
    let mut flags = Vec::new();
    if let Some(folder) = &common.mappings {
        flags.push(("mappings.dir", folder.display().to_string(), "--mappings"));
    }
    if let Some(url) = &common.store {
        flags.push(("store.url", url.clone(), "--store"));
    }
    let sources = environment::sources(common.config.as_deref(), flags)?;
    load(&sources).context("the settings are wrong")
}

/// Waits for SIGTERM or Ctrl-C.
pub(super) async fn told_to_stop() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}

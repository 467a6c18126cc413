//! `serve`: take webhooks and deliver, until told to stop.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::style::Style;
use super::{Common, mappings};
use crate::clock::SystemClock;
use crate::mapping::Set;
use crate::server::{Bridge, Mappings, Parts};
use crate::settings::reload::{Live, Offered, Unfit};
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
    /// Refuse to start while a source lacks its secret, instead of answering 503 for it, or while the mappings
    /// folder is broken, instead of going on with the set that worked last
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (settings, _) = settings_of(&arguments.common)?;
    let _log = log::begin(&settings.log)?;
    let offered = Offered::read(&settings.mappings.dir);
    let reports = match &offered.checked {
        Ok(fit) => &*fit.reports,
        Err(Unfit::Invalid(reports)) => reports,
        Err(_) => &[],
    };
    mappings::show(reports, Style::of_stderr());
    let secrets = Secrets::new(environment::variables());
    if arguments.strict {
        match &offered.checked {
            Ok(fit) => refuse_missing_secrets(&fit.set, &secrets)?,
            Err(unfit) => {
                anyhow::bail!("{unfit}; a strict start takes no set that was kept before")
            }
        }
    }
    super::runtime()?.block_on(async {
        // Before anything is told to be running: without a handler the signal ends the process.
        let (hangups, mut stop) = (signal(SignalKind::hangup())?, Stop::listen()?);
        let starting = Bridge::start(Parts {
            settings,
            mappings: Mappings::Folder(offered),
            secrets: Arc::new(secrets),
            clock: Arc::new(SystemClock),
        });
        let bridge = tokio::select! {
            biased;
            started = starting => started?,
            () = stop.told() => {
                tracing::info!("told to stop before it had started");
                return Ok(ExitCode::SUCCESS);
            }
        };
        let lost = tokio::select! {
            () = stop.told() => false,
            () = reload_on(hangups, bridge.mappings()) => false,
            () = bridge.lost() => true,
        };
        bridge.stop().await;
        if lost {
            anyhow::bail!(
                "the store failed again and again: see the log; `chatflow-bridge store check` says whether it is whole"
            );
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Reads the mappings and the secret files again at every SIGHUP; never returns.
async fn reload_on(mut hangups: Signal, mappings: &Live) {
    while hangups.recv().await.is_some() {
        let outcome = mappings.reload().await;
        tracing::info!(outcome = outcome.as_str(), "told by SIGHUP to reload");
    }
    std::future::pending::<()>().await;
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

/// SIGTERM and Ctrl-C: from when this is made they end nothing by themselves.
pub(super) struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for one of them, or for one that has come since.
    pub(super) async fn told(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

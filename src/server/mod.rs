//! Settings in, a running bridge out: the only place that knows which implementation stands behind a trait.
//!
//! [`Bridge::start`] opens the store, starts delivery and the three listeners; [`Bridge::stop`] drains: readiness
//! goes off, the listeners go on for `server.drain_delay`, then nothing new is taken, what is in flight is
//! finished, the store is closed.

mod key;
mod listeners;
mod start_error;

pub use start_error::StartError;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin;
use crate::chatflow::Client;
use crate::clock::{self, SharedClock};
use crate::delivery::{Delivery, PauseReason, Pauses, Policy};
use crate::mapping::Set;
use crate::secret::Secret;
use crate::settings::Settings;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;
use crate::telemetry::metrics::Metrics;
use crate::webhook::verify::SecretSource;
use crate::webhook::{Doors, Intake};

/// What a bridge is made of.
pub struct Parts {
    /// The settings.
    pub settings: Settings,
    /// The mappings in force.
    pub mappings: Arc<Set>,
    /// Where secrets come from.
    pub secrets: Arc<dyn SecretSource + Send + Sync>,
    /// The clock.
    pub clock: SharedClock,
}

/// Where the listeners are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// Where senders post.
    pub hooks: SocketAddr,
    /// Metrics and health.
    pub metrics: SocketAddr,
    /// The operator's door.
    pub admin: SocketAddr,
}

/// A bridge that runs.
pub struct Bridge {
    addresses: Addresses,
    admin_token: Secret,
    store: Arc<dyn Store>,
    state: web::Data<admin::State>,
    listeners: listeners::Listeners,
    delivery: CancellationToken,
    work: TaskTracker,
    clock: SharedClock,
    drain_delay: Duration,
    grace: Duration,
}

impl Bridge {
    /// Starts a bridge; on an error nothing of it runs.
    pub async fn start(parts: Parts) -> Result<Self, StartError> {
        let Parts { settings, mappings, secrets, clock } = parts;
        crate::chatflow::install_tls();
        let metrics = Arc::new(Metrics::new()?);
        let key = key::first(&settings.chatflow)?;
        let path = sqlite_path(&settings.store.url)?;
        let policy =
            Policy::new(&settings.delivery, &settings.contact, settings.chatflow.timeout.0)?;
        let client = Client::new(
            &settings.chatflow,
            &key,
            settings.delivery.concurrency,
            Arc::clone(&metrics),
        )?;
        if mappings.iter().any(|source| source.reads_phones()) {
            // It takes tens of milliseconds, and the first webhook is not to wait for it.
            tokio::task::spawn_blocking(crate::mapping::warm_phone_metadata);
        }
        let doors = Doors::build(mappings.iter().cloned(), &*secrets, &metrics)
            .map_err(StartError::Verify)?;
        let store =
            SqliteStore::open(&path, &settings.store, Arc::clone(&clock), Arc::clone(&metrics))?;
        let store: Arc<dyn Store> = store;
        metrics
            .queue_capacity_updates
            .with_label_values::<&str>(&[])
            .set(i64::try_from(settings.store.max_waiting).unwrap_or(i64::MAX));

        let work = TaskTracker::new();
        let intake = Intake::new(
            Arc::clone(&store),
            Arc::clone(&clock),
            Arc::clone(&metrics),
            settings.intake.clone(),
            work.clone(),
        );
        intake.install(doors);
        let delivery = Delivery::new(
            Arc::clone(&store),
            Arc::new(client.clone()),
            policy,
            Arc::clone(&clock),
            Arc::clone(&metrics),
        );
        let pauses = delivery.pauses();

        let token = admin_token(&settings, &path)?;
        let state = web::Data::new(admin::State::new(
            Arc::clone(&store),
            Arc::clone(&metrics),
            Arc::clone(&clock),
            look(&intake, &pauses, &mappings, &metrics),
        ));
        let guard =
            web::Data::new(admin::auth::Guard::new(token.clone(), settings.admin.hosts.clone()));
        let listeners = match listeners::Listeners::start(
            &settings.server,
            settings.intake.request_timeout.0,
            &intake,
            &state,
            &guard,
        ) {
            Ok(listeners) => listeners,
            Err(error) => {
                store.close().await;
                return Err(error);
            }
        };
        let stop = CancellationToken::new();
        work.spawn(delivery.run(stop.clone()));
        if let Some(file) = settings.chatflow.api_key_file.clone() {
            work.spawn(key::follow(file, client, pauses, stop.clone()));
        }
        work.close();
        let addresses = listeners.addresses;
        tracing::info!(
            hooks = %addresses.hooks,
            metrics = %addresses.metrics,
            admin = %addresses.admin,
            mappings = mappings.hash(),
            "started"
        );
        Ok(Self {
            addresses,
            admin_token: token,
            store,
            state,
            listeners,
            delivery: stop,
            work,
            clock,
            drain_delay: settings.server.drain_delay.0,
            grace: settings.server.shutdown_grace.0,
        })
    }

    /// Where the listeners are.
    pub const fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The token of the admin API.
    pub const fn admin_token(&self) -> &Secret {
        &self.admin_token
    }

    /// The store, for those who run a bridge within their own process.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Drains and stops; nothing is lost, and nothing waits longer than the grace.
    pub async fn stop(self) {
        self.state.drain();
        tracing::info!("readiness is off, draining");
        clock::sleep(&*self.clock, self.drain_delay).await;
        let rest = self.grace.saturating_sub(self.drain_delay);
        let finished = tokio::time::timeout(rest, async {
            self.listeners.stop_hooks().await;
            self.delivery.cancel();
            self.work.wait().await;
        })
        .await;
        self.delivery.cancel();
        self.store.close().await;
        // Last, so that the end can be watched.
        self.listeners.stop_others().await;
        if finished.is_ok() {
            tracing::info!("stopped");
        } else {
            tracing::warn!(
                "stopped before everything in flight was finished; it is sent again at the next start"
            );
        }
    }
}

/// The admin token that is given, or the one that was made at the first start.
fn admin_token(settings: &Settings, store: &Path) -> Result<Secret, StartError> {
    let given = key::given(settings.admin.token.as_ref(), settings.admin.token_file.as_deref())?;
    given.map_or_else(
        || {
            let file = admin::auth::token_file(store);
            let kept = admin::auth::kept_token(&file);
            kept.map_err(|error| StartError::AdminToken { path: file, error })
        },
        Ok,
    )
}

/// The path in a store's URL.
fn sqlite_path(url: &str) -> Result<PathBuf, StartError> {
    match url.strip_prefix("sqlite:") {
        Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
        Some(_) | None => Err(StartError::StoreUrl(url.to_owned())),
    }
}

/// What the operator's doors show of what is in force.
fn look(
    intake: &Arc<Intake>,
    pauses: &Arc<Pauses>,
    mappings: &Arc<Set>,
    metrics: &Metrics,
) -> Box<dyn Fn() -> admin::Overview + Send + Sync> {
    let hash = mappings.hash().to_owned();
    metrics.mappings_info.with_label_values(&[&hash]).set(1);
    let (intake, pauses) = (Arc::clone(intake), Arc::clone(pauses));
    Box::new(move || admin::Overview {
        mappings_hash: hash.clone(),
        sources: sources(&intake),
        paused: pauses.reasons().into_iter().map(PauseReason::as_str).collect(),
    })
}

fn sources(intake: &Intake) -> Vec<admin::SourceStatus> {
    let doors = intake.doors();
    let mut sources: Vec<_> = doors
        .iter()
        .map(|(source, missing)| admin::SourceStatus {
            source: source.name.to_string(),
            up: missing.is_none(),
            rules: source.rules.len(),
        })
        .collect();
    sources.sort_by(|one, other| one.source.cmp(&other.source));
    sources
}

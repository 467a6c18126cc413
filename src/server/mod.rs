//! Settings in, a running bridge out: the only place that knows which implementation stands behind a trait.
//!
//! [`Bridge::start`] opens the store, starts delivery and the three listeners; [`Bridge::stop`] drains: readiness
//! goes off, the listeners go on for `server.drain_delay` and end each connection with its answer, then nothing new is
//! taken, what is in flight is finished, the store is closed.

mod desk;
mod hooks;
mod key;
mod listeners;
mod mappings;
mod open_files;
mod senders;
mod start_error;
mod store;
mod tls;
mod traces;

pub(crate) use key::first as api_key;
pub use mappings::Mappings;
pub use start_error::StartError;
pub(crate) use store::open_offline;
pub use tls::Unusable as UnusableTls;

use desk::desk;
use listeners::{Listeners, Served};
use senders::SendersDoor;
use traces::Traces;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin;
use crate::chatflow::Client;
use crate::clock::{self, SharedClock};
use crate::delivery::{Delivery, PauseReason, Pauses, Peers, Policy};
use crate::secret::Secret;
use crate::settings::Settings;
use crate::settings::reload::{Live, SharedSecrets, Surroundings};
use crate::store::{Letters, Store};
use crate::telemetry::metrics::Metrics;
use crate::webhook::Intake;

/// What a bridge is made of.
pub struct Parts {
    /// The settings.
    pub settings: Settings,
    /// The mappings to begin with.
    pub mappings: Mappings,
    /// Where secrets come from.
    pub secrets: SharedSecrets,
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
    /// The operator's door; nothing where it is off.
    pub admin: Option<SocketAddr>,
}

/// A bridge that runs.
pub struct Bridge {
    addresses: Addresses,
    guard: Option<web::Data<admin::auth::Guard>>,
    live: Arc<Live>,
    store: Arc<dyn Store>,
    intake: Arc<Intake>,
    state: web::Data<admin::State>,
    listeners: Listeners,
    delivery: CancellationToken,
    work: TaskTracker,
    traces: Traces,
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
        let policy =
            Policy::new(&settings.delivery, &settings.contact, settings.chatflow.timeout.0)?;
        let client = Client::new(
            &settings.chatflow,
            &key,
            settings.delivery.concurrency,
            Arc::clone(&metrics),
        )?;
        let (tracer, handing_over) = Traces::begin(&settings.telemetry, &clock, &metrics)?;
        let first = mappings.first(store::file(&settings.store)?.as_deref())?;
        let store::Opened { letters, replicas } =
            store::open(&settings.store, Arc::clone(&clock), Arc::clone(&metrics)).await?;
        let store: Arc<dyn Store> = Arc::<dyn Letters>::clone(&letters);
        tell_capacity(&metrics, settings.store.max_waiting);

        let work = TaskTracker::new();
        let intake = Intake::new(
            Arc::clone(&store),
            Arc::clone(&clock),
            Arc::clone(&metrics),
            settings.intake.clone(),
            work.clone(),
            tracer.clone(),
        );
        let around = Surroundings {
            intake: Arc::clone(&intake),
            store: Arc::clone(&store),
            secrets,
            metrics: Arc::clone(&metrics),
            clock: Arc::clone(&clock),
        };
        let live = first.begin(around, &settings.mappings.dir).await?;
        let sources = Arc::clone(&intake);
        let policy = policy.guarding(move |name| {
            sources.source(name.as_str()).is_some_and(|source| source.stale_guard)
        });
        let mut delivery = Delivery::new(
            Arc::clone(&store),
            Arc::new(client.clone()),
            policy,
            Arc::clone(&clock),
            Arc::clone(&metrics),
        )
        .with_tracer(tracer);
        if let Some(replicas) = replicas {
            let live = Arc::clone(&live);
            delivery = delivery.with_replicas(replicas, move || live.in_force().hash.clone());
        }
        let (pauses, peers) = (delivery.pauses(), delivery.peers());
        desk::keep_halted(&*letters, &pauses).await?;

        let tls = tls::Tls::new(&settings.server.tls, &metrics)?;
        let guard = guard(&settings)?;
        let state = web::Data::new(admin::State::new(
            Arc::clone(&store),
            Arc::clone(&metrics),
            Arc::clone(&clock),
            look(&intake, &pauses, peers.as_ref(), &live),
            desk(letters, &intake, (&pauses, peers.as_ref()), &settings.chatflow),
        ));
        let served = Served {
            settings: settings.server.clone(),
            request_timeout: settings.intake.request_timeout.0,
            intake: Arc::clone(&intake),
            tls: tls.clone(),
            senders: SendersDoor::shared(&intake, &store, &live),
            metrics: Arc::clone(&metrics),
            state: web::Data::clone(&state),
            guard: guard.clone(),
        };
        let listeners = listen(served, &*store).await?;
        let stop = CancellationToken::new();
        work.spawn(delivery.run(stop.clone()));
        key::follow_files(&settings, (client, pauses), guard.as_ref(), &work, &stop);
        work.spawn(Arc::clone(&intake).keep_house(stop.clone()));
        work.spawn(tls::follow(tls, stop.clone()));
        work.spawn(Arc::clone(&live).follow(settings.mappings.watch, stop.clone()));
        work.spawn(desk::count_rows(web::Data::clone(&state), stop.clone()));
        work.close();
        let addresses = listeners.addresses;
        tell_started(addresses, &live);
        Ok(Self {
            addresses,
            guard,
            live,
            store,
            intake,
            state,
            listeners,
            delivery: stop,
            work,
            traces: handing_over,
            clock,
            drain_delay: settings.server.drain_delay.0,
            grace: settings.server.shutdown_grace.0,
        })
    }

    /// Where the listeners are.
    pub const fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The token of the admin API, where that is not off.
    pub fn admin_token(&self) -> Option<Arc<Secret>> {
        self.guard.as_ref().map(|guard| guard.token())
    }

    /// The mappings in force, to replace them.
    pub const fn mappings(&self) -> &Arc<Live> {
        &self.live
    }

    /// The store, for those who run a bridge within their own process.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Returns when the store has failed for good: nothing can be taken in or recorded any more.
    pub async fn lost(&self) {
        self.store.lost().await;
    }

    /// Drains and stops; nothing is lost, and nothing waits longer than the grace.
    pub async fn stop(self) {
        self.state.drain();
        self.intake.leave();
        tracing::info!("readiness is off, draining");
        clock::sleep(&*self.clock, self.drain_delay).await;
        let latest = Instant::now() + self.grace.saturating_sub(self.drain_delay);
        let finished = tokio::time::timeout_at(latest, async {
            self.listeners.stop_hooks().await;
            self.delivery.cancel();
            self.work.wait().await;
        })
        .await;
        self.delivery.cancel();
        self.store.close().await;
        self.traces.end(latest).await;
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

/// Starts the listeners; where they cannot be started, nobody needs the store.
async fn listen(served: Served, store: &dyn Store) -> Result<Listeners, StartError> {
    let listeners = Listeners::start(served).await;
    if listeners.is_err() {
        store.close().await;
    }
    listeners
}

fn tell_started(addresses: Addresses, live: &Live) {
    tracing::info!(
        hooks = %addresses.hooks,
        metrics = %addresses.metrics,
        admin = addresses.admin.map(tracing::field::display),
        mappings = live.in_force().hash,
        "started"
    );
}

fn tell_capacity(metrics: &Metrics, max_waiting: u64) {
    let most = i64::try_from(max_waiting).unwrap_or(i64::MAX);
    metrics.queue_capacity_updates.with_label_values::<&str>(&[]).set(most);
}

/// Who may ask the admin API; nobody where no token is given and none is made.
fn guard(settings: &Settings) -> Result<Option<web::Data<admin::auth::Guard>>, StartError> {
    let token = admin_token(settings)?;
    if token.is_none() {
        tracing::warn!(
            "the admin API is off: with PostgreSQL its token is given, in `admin.token` or `admin.token_file`"
        );
    }
    let hosts = settings.admin.hosts.clone();
    Ok(token.map(|token| web::Data::new(admin::auth::Guard::new(token, hosts))))
}

/// The admin token that is given, or the one that was made at the first start. With a store in a database none is made:
/// each replica would have another.
fn admin_token(settings: &Settings) -> Result<Option<Secret>, StartError> {
    let given = key::given(settings.admin.token.as_ref(), settings.admin.token_file.as_deref())?;
    if given.is_some() {
        return Ok(given);
    }
    let Some(store) = store::file(&settings.store)? else { return Ok(None) };
    let file = admin::auth::token_file(&store);
    let kept = admin::auth::kept_token(&file);
    kept.map(Some).map_err(|error| StartError::AdminToken { path: file, error })
}

/// The admin token of a bridge with these settings, for a command on the same machine; nothing where none is given
/// and none was made yet.
///
/// # Errors
///
/// [`StartError`] says which file cannot be read.
pub fn known_admin_token(settings: &Settings) -> Result<Option<Secret>, StartError> {
    let store = store::file(&settings.store)?;
    let is_made = store.is_some_and(|store| admin::auth::token_file(&store).exists());
    if is_made || settings.admin.token_file.is_some() {
        return admin_token(settings);
    }
    key::given(settings.admin.token.as_ref(), None)
}

/// What the operator's doors show of what is in force.
fn look(
    intake: &Arc<Intake>,
    pauses: &Arc<Pauses>,
    peers: Option<&Arc<Peers>>,
    live: &Arc<Live>,
) -> Box<dyn Fn() -> admin::Overview + Send + Sync> {
    let (intake, pauses, live) = (Arc::clone(intake), Arc::clone(pauses), Arc::clone(live));
    let peers = peers.cloned();
    Box::new(move || {
        let in_force = live.in_force();
        admin::Overview {
            mappings_hash: in_force.hash.clone(),
            mappings_since: in_force.since,
            mappings_problem: in_force.problem.clone(),
            sources: sources(&intake),
            paused: pauses.reasons().into_iter().map(PauseReason::as_str).collect(),
            other_replicas: peers.as_ref().map(|peers| peers.others()),
        }
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

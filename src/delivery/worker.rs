//! Claims updates, sees each through, and records what became of it, until told to stop.
//!
//! A bounded window of updates is claimed ahead; each is on its own, so that one that waits holds up no other.
//! Its request waits for its turn in `outbound`, and an update leaves the window when its end is recorded: no
//! request waits for a commit.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Api;
use super::attempt::{Attempts, Ended};
use super::confirm::Confirmation;
use super::outbound::Outbound;
use super::pause::{Pauses, watch_the_key};
use super::record::{Patience, Recorder};
use super::retry::{Chance, machine_chance};
use super::settings::Policy;
use super::storm::{Storm, weather};
use super::tally::Tally;
use super::watched::Watched;
use crate::clock::{self, SharedClock};
use crate::store::{Claim, End, Run, Store, Wanted};
use crate::telemetry::metrics::Metrics;

/// How long an update rests on which the program failed.
const AFTER_A_PANIC: Duration = Duration::from_mins(1);

/// Delivery, ready to run.
pub struct Delivery {
    store: Arc<dyn Store>,
    api: Arc<Watched>,
    policy: Policy,
    clock: SharedClock,
    tally: Arc<Tally>,
    pauses: Arc<Pauses>,
    chance: Chance,
}

impl Delivery {
    /// From this store to this API.
    pub fn new(
        store: Arc<dyn Store>,
        api: Arc<dyn Api>,
        policy: Policy,
        clock: SharedClock,
        metrics: Arc<Metrics>,
    ) -> Self {
        let pauses = Arc::new(Pauses::new(Arc::clone(&clock), Arc::clone(&metrics)));
        let confirmation = Confirmation::new(Arc::clone(&metrics), Arc::clone(&clock));
        let api = Arc::new(Watched::new(api, &pauses, &clock, confirmation, policy.concurrency));
        let tally = Arc::new(Tally::new(metrics));
        Self { store, api, policy, clock, tally, pauses, chance: machine_chance() }
    }

    /// With another chance than the machine's: what jitter is made of.
    #[must_use]
    pub fn with_chance(self, chance: Chance) -> Self {
        Self { chance, ..self }
    }

    /// The pauses, for those who may pause, resume, or tell that the key has changed.
    pub fn pauses(&self) -> Arc<Pauses> {
        Arc::clone(&self.pauses)
    }

    /// Delivers until `stop`; then claims nothing more, finishes what is in flight, gives back what was not begun,
    /// and returns.
    pub async fn run(self, stop: CancellationToken) {
        let window = Arc::new(Semaphore::new(self.policy.window()));
        let outbound = Arc::new(Outbound::new(
            Arc::<Watched>::clone(&self.api),
            Arc::clone(&self.pauses),
            &self.policy,
            Arc::clone(&self.clock),
            stop.clone(),
        ));
        let recorder = Recorder {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            tally: Arc::clone(&self.tally),
            stop: stop.clone(),
        };
        let attempts = Attempts::new(
            self.policy,
            Arc::clone(&outbound),
            Arc::clone(&self.clock),
            self.chance,
            Arc::clone(&self.tally),
        );
        let storm = Storm::new(Arc::clone(&outbound), Arc::clone(&self.clock));
        let worker = Arc::new(Worker { attempts, recorder, storm, stop: stop.clone() });
        let tasks = TaskTracker::new();
        let watching = {
            let (outbound, clock, stop) =
                (Arc::clone(&outbound), Arc::clone(&self.clock), stop.clone());
            let (worker, trials) = (Arc::clone(&worker), tasks.clone());
            async move {
                let watch = async {
                    tokio::join!(
                        watch_the_key(&outbound.pauses, &*outbound.api, &clock),
                        self.api.watch_the_circuit(&outbound.gate),
                        weather(&worker, &trials),
                    )
                };
                stop.run_until_cancelled(watch).await;
            }
        };
        tasks.spawn(watching);
        let claiming = async {
            let mut patience = Patience::new(Arc::clone(&self.clock));
            loop {
                outbound.opened().await;
                let Some(room) = room_in(&window).await else { return };
                let claimed = tokio::select! {
                    biased;
                    () = self.pauses.begun() => continue,
                    claimed = self.store.claim(Wanted { runs: room.num_permits(), merging: false }) => {
                        claimed
                    }
                };
                match claimed {
                    Ok(runs) => {
                        patience = Patience::new(Arc::clone(&self.clock));
                        worker.begin(runs, room, &tasks);
                    }
                    Err(error) => {
                        tracing::error!(%error, "updates could not be claimed");
                        drop(room);
                        patience.wait().await;
                    }
                }
            }
        };
        stop.run_until_cancelled(claiming).await;
        tasks.close();
        tasks.wait().await;
    }
}

/// The room there is in the window, one place at least.
async fn room_in(window: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    let mut room = Arc::clone(window).acquire_owned().await.ok()?;
    let more = u32::try_from(window.available_permits()).unwrap_or(u32::MAX);
    if let Ok(more) = Arc::clone(window).try_acquire_many_owned(more) {
        room.merge(more);
    }
    Some(room)
}

/// What the updates in the window share.
pub(super) struct Worker {
    attempts: Attempts,
    pub(super) recorder: Recorder,
    pub(super) storm: Storm,
    stop: CancellationToken,
}

impl Worker {
    /// Begins with each of them, on its own and with a place in the window.
    fn begin(
        self: &Arc<Self>,
        runs: Vec<Run>,
        mut room: OwnedSemaphorePermit,
        tasks: &TaskTracker,
    ) {
        let claimed = self.attempts.clock.monotonic();
        for claim in runs.into_iter().flat_map(|run| run.updates) {
            let place = room.split(1);
            let worker = Arc::clone(self);
            tasks.spawn(async move { worker.see_through(claim, claimed, place).await });
        }
    }

    pub(super) async fn see_through(
        &self,
        claim: Claim,
        claimed: Duration,
        place: Option<OwnedSemaphorePermit>,
    ) {
        let began = Instant::now();
        let attempt = AssertUnwindSafe(self.attempts.attempt(&claim, claimed)).catch_unwind();
        let Ok(mut ended) = attempt.await else {
            self.attempts.tally.panicked();
            tracing::error!(event_id = %claim.lent.update.event, "a bug: an update made the program fail and is put off");
            return self.recorder.record(claim.lent, End::GivenBack { after: AFTER_A_PANIC }).await;
        };
        ended.end = self.storm.weigh(claim.lent.update, &claim.planned, ended.end).await;
        if ended.was_tried {
            note(&claim, &ended, began.elapsed());
        }
        if ended.end == End::Delivered {
            let held = self.attempts.clock.monotonic().saturating_sub(claimed);
            self.attempts.tally.delivered(claim.age + held);
        }
        self.recorder.record(claim.lent, ended.end).await;
        drop(place);
        if let Some(contact) = ended.resting {
            let rest = clock::sleep(&*self.attempts.clock, self.attempts.policy.rest);
            self.stop.run_until_cancelled(rest).await;
            drop(contact);
        }
    }
}

/// One line in the log for the end of an attempt.
fn note(claim: &Claim, ended: &Ended, elapsed: Duration) {
    let (outcome, reason) = match &ended.end {
        End::Delivered => ("delivered", None),
        End::Skipped(reason) => ("skipped", Some(reason.as_str())),
        End::Dead(reason, _) => ("dead", Some(reason.as_str())),
        End::Again { .. } => ("again", None),
        End::GivenBack { .. } => ("given_back", None),
    };
    let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        source = claim.source.as_str(),
        event_id = %claim.lent.update.event,
        update = %format_args!("{}/{}", claim.rule, claim.item),
        attempt = claim.attempt,
        outcome,
        reason,
        status = ended.status,
        elapsed_ms,
        "delivery attempt ended"
    );
}

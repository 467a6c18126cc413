//! Claims updates, sees each through, and records what became of it, until told to stop.
//!
//! A bounded window of runs is claimed ahead; each is on its own, so that one that waits holds up no other.
//! Its request waits for its turn in `outbound`, and a run leaves the window when its end is recorded: no
//! request waits for a commit.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Api;
use super::attempt::Attempts;
use super::confirm::Confirmation;
use super::ended::{Ended, Rest};
use super::halving::Parts;
use super::locks::Held;
use super::outbound::Outbound;
use super::pause::{Pauses, watch_the_key};
use super::peers::Peers;
use super::record::{Patience, Recorder};
use super::retry::{Chance, machine_chance};
use super::settings::Policy;
use super::storm::{Storm, weather};
use super::tally::Tally;
use super::watched::{Circuit, Watched};
use crate::clock::{self, SharedClock};
use crate::store::{AfterDead, Claim, End, Replicas, Run, Store, Wanted};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::trace::{self, Tracer};

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
    peers: Option<Arc<Peers>>,
    metrics: Arc<Metrics>,
    chance: Chance,
    tracer: Tracer,
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
        let circuit = Circuit::new(policy.concurrency, Arc::clone(&metrics));
        let api = Arc::new(Watched::new(api, &pauses, &clock, confirmation, circuit));
        let tally = Arc::new(Tally::new(Arc::clone(&metrics)));
        let (peers, chance, tracer) = (None, machine_chance(), Tracer::off());
        Self { store, api, policy, clock, tally, pauses, peers, metrics, chance, tracer }
    }

    /// With other processes that may deliver from the same store; `mappings` gives the hash of those in force here.
    #[must_use]
    pub fn with_replicas(
        self,
        store: Arc<dyn Replicas>,
        mappings: impl Fn() -> String + Send + Sync + 'static,
    ) -> Self {
        let (pauses, clock, metrics) = (&self.pauses, &self.clock, &self.metrics);
        let peers = Peers::new(store, pauses, clock, metrics, Box::new(mappings));
        Self { peers: Some(Arc::new(peers)), ..self }
    }

    /// The other processes, where there may be any.
    pub fn peers(&self) -> Option<Arc<Peers>> {
        self.peers.clone()
    }

    /// With a tracer, which goes on with the traces of the events.
    #[must_use]
    pub fn with_tracer(self, tracer: Tracer) -> Self {
        Self { tracer, ..self }
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
            self.peers.clone(),
            &self.policy,
            Arc::clone(&self.clock),
            Arc::clone(&self.tally),
            stop.clone(),
        ));
        let recorder = Recorder {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            tally: Arc::clone(&self.tally),
            after_dead: self.policy.after_dead,
            stop: stop.clone(),
        };
        let merging = self.policy.coalesce;
        let attempts = Attempts::new(
            Arc::clone(&self.store),
            self.policy,
            Arc::clone(&outbound),
            Arc::clone(&self.clock),
            self.chance,
            Arc::clone(&self.tally),
        );
        let storm =
            Storm::new(Arc::clone(&outbound), Arc::clone(&self.store), Arc::clone(&self.clock));
        let worker =
            Arc::new(Worker { attempts, recorder, storm, stop: stop.clone(), tracer: self.tracer });
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
                        converse(&worker.attempts),
                    )
                };
                stop.run_until_cancelled(watch).await;
            }
        };
        tasks.spawn(watching);
        let claiming = async {
            worker.storm.recall().await;
            let mut patience = Patience::new(Arc::clone(&self.clock));
            loop {
                outbound.opened().await;
                let Some(room) = room_in(&window).await else { return };
                let claimed = tokio::select! {
                    biased;
                    () = self.pauses.begun() => continue,
                    claimed = self.store.claim(Wanted { runs: room.num_permits(), merging }) => {
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

async fn converse(attempts: &Attempts) {
    let outbound = &attempts.outbound;
    if let Some(peers) = &outbound.peers {
        peers.converse(&outbound.gate, &attempts.resolver).await;
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
    tracer: Tracer,
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
        for run in runs {
            let place = room.split(1);
            let worker = Arc::clone(self);
            tasks.spawn(async move { worker.see_through(run, claimed, place).await });
        }
    }

    /// Sends a run in one request, or in parts where the whole is refused, and records what became of each update.
    pub(super) async fn see_through(
        &self,
        run: Run,
        claimed: Duration,
        place: Option<OwnedSemaphorePermit>,
    ) {
        let trace =
            self.tracer.going_on("deliver", run.updates.iter().filter_map(|claim| claim.trace));
        trace::within(trace, self.send(run, claimed, place)).await;
    }

    async fn send(&self, run: Run, claimed: Duration, place: Option<OwnedSemaphorePermit>) {
        let Run { mut lane, updates } = run;
        let mut parts = Parts::of(updates.len());
        while let Some(range) = parts.next() {
            let began = Instant::now();
            let left = updates.get(range.start..).unwrap_or_default();
            let count = range.len();
            let attempt = self.attempts.attempt(&mut lane, left, count, claimed);
            let Ok(mut ended) = AssertUnwindSafe(attempt).catch_unwind().await else {
                return self.failed(left).await;
            };
            if ended.is_refused {
                parts.refused(range);
                if count > 1 {
                    continue;
                }
            }
            let sent = left.get(..count).unwrap_or_default();
            self.weigh(sent, &mut ended).await;
            self.note(sent, &ended, began.elapsed(), claimed);
            if ended.rest == Rest::IsGone {
                return;
            }
            let blocks = self.recorder.after_dead == AfterDead::Block
                && ended.ends.iter().any(|end| matches!(end, End::Dead(..)));
            let goes_on = ended.rest == Rest::GoesOn && !blocks;
            let behind = if goes_on { &[] } else { left.get(count..).unwrap_or_default() };
            let lents = sent.iter().map(|claim| claim.lent).zip(ended.ends);
            let back = End::GivenBack { after: Duration::ZERO };
            let ends = lents.chain(behind.iter().map(|claim| (claim.lent, back.clone())));
            self.recorder.record(ends.collect()).await;
            if !goes_on || parts.is_done() {
                drop(place);
                trace::end();
                return self.rest(ended.resting).await;
            }
        }
    }

    /// In a storm of refusals nothing is refused for good: what would be waits again, and what is behind it too.
    async fn weigh(&self, sent: &[Claim], ended: &mut Ended) {
        for (claim, end) in sent.iter().zip(&mut ended.ends) {
            let was_final = matches!(end, End::Dead(..));
            *end = self.storm.weigh(claim.lent.update, &claim.planned, end.clone()).await;
            if was_final && matches!(end, End::GivenBack { .. }) {
                ended.rest = Rest::GoesBack;
            }
        }
    }

    /// The program failed on a run: it is put off.
    async fn failed(&self, left: &[Claim]) {
        self.attempts.tally.panicked();
        let event_id = left.first().map(|claim| claim.lent.update.event.to_string());
        tracing::error!(event_id, "a bug: an update made the program fail and is put off");
        let end = End::GivenBack { after: AFTER_A_PANIC };
        let ends = left.iter().map(|claim| (claim.lent, end.clone())).collect();
        self.recorder.record(ends).await;
    }

    /// Keeps a contact to itself for a while, after a request to it that may still be on its way.
    async fn rest(&self, contact: Option<Held<String>>) {
        if let Some(contact) = contact {
            let rest = clock::sleep(&*self.attempts.clock, self.attempts.policy.rest);
            self.stop.run_until_cancelled(rest).await;
            drop(contact);
        }
    }

    /// What a request leaves in the log and the metrics.
    fn note(&self, sent: &[Claim], ended: &Ended, elapsed: Duration, claimed: Duration) {
        let held = self.attempts.clock.monotonic().saturating_sub(claimed);
        for (place, (claim, end)) in sent.iter().zip(&ended.ends).enumerate() {
            if ended.was_tried {
                note(claim, end, ended.status, elapsed);
            }
            if place == 0 {
                trace_end(claim, end, sent.len());
            }
            if end.is_delivered() {
                self.attempts.tally.delivered(claim.age + held);
                if place > 0 {
                    self.attempts.tally.merged(&claim.source);
                }
            }
        }
    }
}

/// The words for an end, and for its reason where it has one.
fn words_of(end: &End) -> (&'static str, Option<&'static str>) {
    match end {
        End::Delivered | End::Marking(_) => ("delivered", None),
        End::Skipped(reason) => ("skipped", Some(reason.as_str())),
        End::Dead(reason, _) => ("dead", Some(reason.as_str())),
        End::Again { .. } => ("again", None),
        End::GivenBack { .. } => ("given_back", None),
    }
}

/// What the trace of a run says of its last request: of the first update in it.
fn trace_end(claim: &Claim, end: &End, updates: usize) {
    let (outcome, reason) = words_of(end);
    trace::say("source", claim.source.as_str());
    trace::say("event_id", format_args!("{}", claim.lent.update.event));
    trace::say("update", format_args!("{}/{}", claim.rule, claim.item));
    trace::say("updates", u64::try_from(updates).unwrap_or(u64::MAX));
    trace::say("attempt", claim.attempt);
    trace::say("outcome", outcome);
    if let Some(reason) = reason {
        trace::say("reason", reason);
    }
    if matches!(end, End::Dead(..) | End::Again { .. }) {
        trace::fail();
    }
}

/// One line in the log for the end of an attempt.
fn note(claim: &Claim, end: &End, status: Option<u16>, elapsed: Duration) {
    let (outcome, reason) = words_of(end);
    let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        source = claim.source.as_str(),
        event_id = %claim.lent.update.event,
        update = %format_args!("{}/{}", claim.rule, claim.item),
        attempt = claim.attempt,
        outcome,
        reason,
        status,
        elapsed_ms,
        "delivery attempt ended"
    );
}

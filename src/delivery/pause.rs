//! Delivery as a whole may be paused, for a reason; while there is one, nothing is sent and nothing dies.
//!
//! A refused key pauses by itself and resumes by itself: `watch_the_key` asks the API something harmless at
//! once, after 5 s, then ever more rarely up to once a minute, and at once when the key may have changed
//! ([`Pauses::poke`]). The circuit and a storm of refusals pause and resume by themselves as well. A person pauses
//! with [`PauseReason::Operator`], and resumes with [`Pauses::resume_by_hand`].
//!
//! Where several processes deliver, what one of them has found pauses all of them; that one alone finds out when it is
//! over.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::Api;
use crate::clock::{self, SharedClock};
use crate::telemetry::metrics::Metrics;

/// Why delivery is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// The API refuses the key.
    Unauthorized,
    /// The API refuses nearly everything for good: most likely a wrong setting, which must not cost the updates.
    Refusals,
    /// The API does not work.
    CircuitOpen,
    /// A person asked for it.
    Operator,
}

impl PauseReason {
    /// All of them.
    pub const ALL: &[Self] =
        &[Self::Unauthorized, Self::Refusals, Self::CircuitOpen, Self::Operator];

    /// The reason of this word.
    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == word)
    }

    /// The word used in metrics, logs and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Refusals => "refusals",
            Self::CircuitOpen => "circuit_open",
            Self::Operator => "operator",
        }
    }
}

/// The reasons why delivery is paused now; shared by all who may pause and all who have to stop.
pub struct Pauses {
    clock: SharedClock,
    metrics: Arc<Metrics>,
    reasons: watch::Sender<Reasons>,
    one_passes: AtomicBool,
    poked: Notify,
    past: Mutex<Past>,
}

/// Why delivery is paused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Reasons {
    /// What this process has found, or was told by a person.
    own: BTreeSet<PauseReason>,
    /// What other processes have found.
    others: BTreeSet<PauseReason>,
}

impl Reasons {
    fn is_empty(&self) -> bool {
        self.own.is_empty() && self.others.is_empty()
    }

    fn contains(&self, reason: PauseReason) -> bool {
        self.own.contains(&reason) || self.others.contains(&reason)
    }

    fn are_only(&self, reason: PauseReason) -> bool {
        let mut all = self.own.union(&self.others);
        all.next() == Some(&reason) && all.next().is_none()
    }
}

/// When delivery was paused: the pause that lasts, and those that ended, the last ones only.
#[derive(Default)]
struct Past {
    since: Option<Duration>,
    ended: VecDeque<(Duration, Duration)>,
}

/// How many pauses that ended are remembered.
const REMEMBERED: usize = 1_000;

impl Pauses {
    /// Not paused.
    pub fn new(clock: SharedClock, metrics: Arc<Metrics>) -> Self {
        for reason in PauseReason::ALL {
            metrics.paused.with_label_values(&[reason.as_str()]).set(0);
        }
        let (reasons, _) = watch::channel(Reasons::default());
        let (one_passes, poked) = (AtomicBool::new(false), Notify::new());
        Self { clock, metrics, reasons, one_passes, poked, past: Mutex::default() }
    }

    /// Why delivery is paused; nothing if it is not.
    pub fn reasons(&self) -> Vec<PauseReason> {
        let reasons = self.reasons.borrow();
        reasons.own.union(&reasons.others).copied().collect()
    }

    /// What this process has found by itself.
    pub(super) fn found(&self) -> BTreeSet<PauseReason> {
        let mut own = self.reasons.borrow().own.clone();
        own.remove(&PauseReason::Operator);
        own
    }

    /// Returns when this process has found something else than this.
    pub(super) async fn finds_other_than(&self, found: &BTreeSet<PauseReason>) {
        self.until(|reasons| {
            let own = reasons.own.iter().filter(|reason| **reason != PauseReason::Operator);
            !own.eq(found.iter())
        })
        .await;
    }

    /// These are the reasons of other processes, in place of those that were heard before.
    pub(super) fn hear(&self, others: &BTreeSet<PauseReason>) {
        self.change(|reasons| {
            let differs = reasons.others != *others;
            reasons.others.clone_from(others);
            differs
        });
    }

    /// Whether there is any reason.
    pub fn is_paused(&self) -> bool {
        !self.reasons.borrow().is_empty()
    }

    /// Pauses for this reason until it is taken back.
    pub fn pause(&self, reason: PauseReason) {
        self.change(|reasons| reasons.own.insert(reason));
    }

    /// Takes this reason back; delivery goes on when there is none left.
    pub fn resume(&self, reason: PauseReason) {
        self.change(|reasons| reasons.own.remove(&reason));
    }

    /// Whether this process has paused for this reason.
    pub fn is_paused_for(&self, reason: PauseReason) -> bool {
        self.reasons.borrow().own.contains(&reason)
    }

    /// A person says that delivery is to go on: what a person or the API's answers have paused is resumed, and
    /// paused again by the answers to come if they are no better; a refused key is tried at once.
    pub fn resume_by_hand(&self) {
        for reason in [PauseReason::Operator, PauseReason::Refusals, PauseReason::CircuitOpen] {
            self.resume(reason);
        }
        self.poke();
    }

    /// The key may have changed: a pause for a refused key is looked into at once.
    pub fn poke(&self) {
        self.poked.notify_one();
    }

    fn change(&self, change: impl FnOnce(&mut Reasons) -> bool) {
        self.reasons.send_if_modified(|reasons| {
            let before = reasons.clone();
            if !change(reasons) {
                return false;
            }
            self.note(!reasons.is_empty());
            for &reason in PauseReason::ALL {
                match (before.contains(reason), reasons.contains(reason)) {
                    (false, true) => {
                        self.metrics.paused.with_label_values(&[reason.as_str()]).set(1);
                        let by_another_replica = !reasons.own.contains(&reason);
                        tracing::warn!(
                            reason = reason.as_str(),
                            by_another_replica,
                            "delivery paused"
                        );
                    }
                    (true, false) => {
                        self.metrics.paused.with_label_values(&[reason.as_str()]).set(0);
                        tracing::info!(
                            reason = reason.as_str(),
                            "a reason to pause delivery is gone"
                        );
                    }
                    _ => {}
                }
            }
            true
        });
    }

    fn note(&self, paused: bool) {
        let now = self.clock.monotonic();
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        match (past.since, paused) {
            (None, true) => past.since = Some(now),
            (Some(since), false) => {
                past.since = None;
                past.ended.push_back((since, now));
                if past.ended.len() > REMEMBERED {
                    past.ended.pop_front();
                }
            }
            _ => {}
        }
    }

    /// How much of the last `span` delivery was paused, as far back as this process remembers.
    pub(super) fn paused_within(&self, span: Duration) -> Duration {
        let now = self.clock.monotonic();
        let begin = now.saturating_sub(span);
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let lasting = past.since.map(|since| (since, now));
        past.ended
            .iter()
            .copied()
            .chain(lasting)
            .map(|(from, to)| to.saturating_sub(from.max(begin)))
            .sum()
    }

    /// Whether a request may go out: there is no reason, or a storm of refusals alone, in which one is tried.
    pub(super) fn lets_pass(&self) -> bool {
        let reasons = self.reasons.borrow();
        let storm_alone = reasons.are_only(PauseReason::Refusals);
        reasons.is_empty() || (storm_alone && self.one_passes.load(Ordering::Acquire))
    }

    /// Whether an update is being tried in a storm of refusals.
    pub(super) fn lets_one_pass(&self, passes: bool) {
        self.one_passes.store(passes, Ordering::Release);
    }

    /// Waits until there is no reason left.
    pub(super) async fn over(&self) {
        self.until(Reasons::is_empty).await;
    }

    /// Waits until there is a reason.
    pub(super) async fn begun(&self) {
        self.until(|reasons| !reasons.is_empty()).await;
    }

    /// Waits until this process has paused for this reason.
    pub(super) async fn begun_for(&self, reason: PauseReason) {
        self.until(|reasons| reasons.own.contains(&reason)).await;
    }

    /// Waits until this process no longer pauses for this reason.
    pub(super) async fn over_for(&self, reason: PauseReason) {
        self.until(|reasons| !reasons.own.contains(&reason)).await;
    }

    /// Waits until this is not the only reason.
    pub(super) async fn other_than(&self, reason: PauseReason) {
        self.until(|reasons| !reasons.are_only(reason)).await;
    }

    async fn until(&self, holds: impl FnMut(&Reasons) -> bool) {
        // The sender lives as long as `self`, so that waiting can only end by success.
        let _seen = self.reasons.subscribe().wait_for(holds).await.is_ok();
    }
}

const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// For as long as it runs: finds out when a refused key is taken again, and resumes.
pub(super) async fn watch_the_key(pauses: &Pauses, api: &dyn Api, clock: &SharedClock) {
    // A key that is good enough for the probe and not for updates would pause and resume without end; refused
    // again soon after, the probes go on as rarely as they had become.
    let mut resumed: Option<(Duration, Duration)> = None;
    loop {
        pauses.begun_for(PauseReason::Unauthorized).await;
        let relapse = resumed
            .filter(|(at, _)| clock.monotonic().saturating_sub(*at) < LONGEST_WAIT)
            .map(|(_, wait)| wait);
        let mut wait = relapse.unwrap_or(FIRST_WAIT);
        let mut now = relapse.is_none();
        loop {
            if !now {
                tokio::select! {
                    () = clock::sleep(&**clock, wait) => wait = (wait * 2).min(LONGEST_WAIT),
                    () = pauses.poked.notified() => {}
                    () = pauses.over_for(PauseReason::Unauthorized) => break,
                }
            }
            now = false;
            match api.probe().await {
                Ok(()) => {
                    pauses.resume(PauseReason::Unauthorized);
                    break;
                }
                Err(failure) => tracing::debug!(outcome = failure.label(), "the key was tried"),
            }
        }
        resumed = Some((clock.monotonic(), wait));
    }
}

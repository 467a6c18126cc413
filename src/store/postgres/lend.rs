//! The task that lends what is due to whoever waits for it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};

use super::core::Core;
use super::inbox::{Ended, Pace, Waits};
use super::pool::scattered;
use super::queue::{Lending, answer};
use crate::store::Wanted;
use crate::store::form::lending::RawRun;

/// How long to wait at most before the store is looked at again: replicas wake each other, and this is the net below.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long to wait where something is due that somebody changes just now.
const IN_THE_WAY: Duration = Duration::from_millis(5);

/// More than this is lent by several transactions.
const MOST_RUNS: usize = 1024;

/// Somebody who waits for due updates.
pub(super) struct ClaimOp {
    pub(super) wanted: Wanted,
    pub(super) reply: oneshot::Sender<Lending>,
}

impl Waits for ClaimOp {}

/// What a claim found.
pub(super) struct Claimed {
    pub(super) runs: Vec<RawRun>,
    /// How long until something else is due, as far as is known.
    pub(super) next_due: Option<Duration>,
}

/// Wakes the task when something may be due.
#[derive(Default)]
pub(super) struct Wake {
    notify: Notify,
    /// Whether something has come since it last looked.
    came: AtomicBool,
    /// How many claims wait.
    pub(super) waiting: AtomicUsize,
    /// How many records are on their way of what was lent and nobody took.
    pub(super) coming_back: AtomicUsize,
    back: Notify,
}

impl Wake {
    /// Something may be due now.
    pub(super) fn now(&self) {
        self.came.store(true, Ordering::SeqCst);
        self.notify.notify_one();
    }

    /// Something that nobody took has come back.
    pub(super) fn came_back(&self) {
        self.coming_back.fetch_sub(1, Ordering::SeqCst);
        self.back.notify_one();
    }

    /// Waits until all has come back that nobody took: it is the oldest. Not for long, since the store may be away.
    async fn is_back(&self) {
        let all = async {
            while self.coming_back.load(Ordering::SeqCst) > 0 {
                self.back.notified().await;
            }
        };
        // Either way it is time to go on.
        drop(tokio::time::timeout(LOOK_AGAIN, all).await);
    }
}

impl Core {
    /// Lends what is due to those who have waited longest, until the store is closed.
    pub(super) async fn lend(self: Arc<Self>) {
        let _ended = Ended(&self.claims);
        let mut waiting: VecDeque<ClaimOp> = VecDeque::new();
        let mut doubtful = Doubtful::new();
        loop {
            waiting.retain(|claim| !claim.reply.is_closed());
            self.wake.waiting.store(waiting.len(), Ordering::SeqCst);
            if waiting.is_empty() {
                let Some(more) = self.claims.take(Pace::default()).await else { return };
                waiting.extend(more);
                continue;
            }
            self.wake.is_back().await;
            self.wake.came.store(false, Ordering::SeqCst);
            let wanted = waiting.iter().map(|claim| claim.wanted.runs);
            let wanted = wanted.fold(0_usize, usize::saturating_add).min(MOST_RUNS);
            let merging = waiting.iter().all(|claim| claim.wanted.merging);
            let began = Instant::now();
            let rest = match self.claim(wanted, merging, &mut doubtful).await {
                Ok(Claimed { runs, next_due }) => {
                    if !runs.is_empty() {
                        self.observe("claim", runs.len(), began.elapsed());
                    }
                    let all = runs.len() >= wanted;
                    self.hand_out(&mut waiting, runs);
                    if waiting.is_empty() || all {
                        continue;
                    }
                    next_due.map_or(LOOK_AGAIN, |due| due.clamp(IN_THE_WAY, LOOK_AGAIN))
                }
                Err(error) => {
                    self.failed("claim", &error);
                    scattered(LOOK_AGAIN)
                }
            };
            if !self.rest(rest, &mut waiting).await {
                return;
            }
        }
    }

    /// Waits until it is time to look again; `false` when the store is closed.
    async fn rest(&self, time: Duration, waiting: &mut VecDeque<ClaimOp>) -> bool {
        self.wake.waiting.store(waiting.len(), Ordering::SeqCst);
        if self.wake.came.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
            return true;
        }
        tokio::select! {
            more = self.claims.take(Pace::default()) => match more {
                Some(more) => waiting.extend(more),
                None => return false,
            },
            () = self.wake.notify.notified() => {}
            () = tokio::time::sleep(time) => {}
        }
        true
    }

    /// Hands out what was lent. What nobody takes comes back by itself.
    fn hand_out(self: &Arc<Self>, waiting: &mut VecDeque<ClaimOp>, lent: Vec<RawRun>) {
        let mut lent = lent.into_iter();
        while lent.len() > 0
            && let Some(claim) = waiting.pop_front()
        {
            let part = lent.by_ref().take(claim.wanted.runs).collect();
            answer(claim.reply, Lending::new(part, Arc::clone(self)));
        }
        let untaken: Vec<_> = lent.collect();
        if !untaken.is_empty() {
            drop(Lending::new(untaken, Arc::clone(self)));
        }
    }

    /// What a transaction leaves in the metrics.
    pub(super) fn observe(&self, operation: &str, count: usize, took: Duration) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let batch = self.metrics.store_batch_operations.with_label_values(&[operation]);
        batch.observe(f64::from(count));
        let commit = &self.metrics.store_commit_duration_seconds;
        commit.with_label_values::<&str>(&[]).observe(took.as_secs_f64());
    }
}

/// The fences of claims of which nobody knows whether they were committed: what they have lent is in nobody's hands.
pub(super) type Doubtful = Vec<i64>;

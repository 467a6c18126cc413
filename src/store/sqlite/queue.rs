//! What waits for the writer.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::claim::Lending;
use super::writer::Writer;
use crate::store::form::lending::{Ending, RawRun, RecordOp};
use crate::store::form::prepared::Incoming;
use crate::store::{End, Error, Joined, Lent, Receipt, Wanted};

/// At most so many requests wait to be stored, and at most so many bytes of them; more is [`Error::Busy`].
const MOST_APPENDS: usize = 8192;
const MOST_BYTES: usize = 64 << 20;

/// At most so many requests in one commit.
const APPENDS_A_COMMIT: usize = 512;
/// At least so many ends are recorded in one commit, if they wait; more only as far as requests wait too.
const RECORDS_A_COMMIT: usize = 64;
/// The most that are recorded while no request waits.
const MOST_RECORDS_A_COMMIT: usize = 4096;

/// A request to be stored, or an event to be mapped again.
pub(super) struct AppendOp {
    pub(super) incoming: Incoming,
    pub(super) reply: oneshot::Sender<Result<Vec<Receipt>, Error>>,
}

/// A run that turns out to belong to another lane.
pub(super) struct JoinOp {
    pub(super) run: Vec<Lent>,
    pub(super) to: i64,
    pub(super) reply: oneshot::Sender<Result<Joined, Error>>,
}

/// Somebody who waits for due updates.
pub(super) struct ClaimOp {
    pub(super) wanted: Wanted,
    pub(super) reply: oneshot::Sender<Lending>,
}

/// Something rare that the writer does before its next commit; it answers whoever asked.
pub(super) type RareOp = Box<dyn FnOnce(&mut Writer) + Send>;

/// Somebody who asks whether the store can be written.
pub(super) type CheckOp = oneshot::Sender<Result<(), Error>>;

/// What the writer does next, in one commit.
#[derive(Default)]
pub(super) struct Work {
    pub(super) records: Vec<RecordOp>,
    pub(super) joins: Vec<JoinOp>,
    pub(super) appends: Vec<AppendOp>,
    pub(super) claims: Vec<ClaimOp>,
    pub(super) checks: Vec<CheckOp>,
    pub(super) rare: Vec<RareOp>,
}

impl Work {
    /// Whether nobody asks for anything.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.joins.is_empty()
            && self.appends.is_empty()
            && self.claims.is_empty()
            && self.checks.is_empty()
            && self.rare.is_empty()
    }
}

/// How the last commit went: who was answered by it comes back soon, so the next one waits for them a little.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    /// How many operations it took in.
    pub(super) taken: usize,
    /// How long it took.
    pub(super) time: Duration,
}

#[derive(Default)]
struct Waiting {
    records: VecDeque<RecordOp>,
    joins: Vec<JoinOp>,
    appends: VecDeque<AppendOp>,
    bytes: usize,
    claims: Vec<ClaimOp>,
    checks: Vec<CheckOp>,
    rare: Vec<RareOp>,
    /// The clock was moved: what was not due may be due now.
    jumped: bool,
    closed: bool,
    /// The writer is to be woken when so many operations wait.
    wake_at: usize,
}

impl Waiting {
    fn operations(&self) -> usize {
        self.records.len() + self.joins.len() + self.appends.len()
    }

    fn is_urgent(&self) -> bool {
        let asked = !self.claims.is_empty() || !self.checks.is_empty() || !self.rare.is_empty();
        self.closed || self.jumped || asked
    }
}

/// Where operations wait for the writer; bounded.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, put: impl FnOnce(&mut Waiting) -> Result<(), Error>) -> Result<(), Error> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(Error::Closed);
        }
        put(&mut waiting)?;
        let wake = waiting.is_urgent() || waiting.operations() >= waiting.wake_at;
        drop(waiting);
        if wake {
            self.wake.notify_one();
        }
        Ok(())
    }

    pub(super) fn append(&self, op: AppendOp) -> Result<(), Error> {
        self.put(|waiting| {
            let bytes = waiting.bytes.saturating_add(op.incoming.bytes());
            // A single request is never too large for an empty queue.
            let fits = bytes <= MOST_BYTES || waiting.appends.is_empty();
            if waiting.appends.len() >= MOST_APPENDS || !fits {
                return Err(Error::Busy);
            }
            waiting.bytes = bytes;
            waiting.appends.push_back(op);
            Ok(())
        })
    }

    /// Never refused for being too many: there are no more of them than updates lent.
    pub(super) fn record(&self, op: RecordOp) -> Result<(), Error> {
        self.put(|waiting| {
            waiting.records.push_back(op);
            Ok(())
        })
    }

    /// Never refused either.
    pub(super) fn join(&self, op: JoinOp) -> Result<(), Error> {
        self.put(|waiting| {
            waiting.joins.push(op);
            Ok(())
        })
    }

    pub(super) fn claim(&self, op: ClaimOp) -> Result<(), Error> {
        self.put(|waiting| {
            waiting.claims.push(op);
            Ok(())
        })
    }

    pub(super) fn check(&self, op: CheckOp) -> Result<(), Error> {
        self.put(|waiting| {
            waiting.checks.push(op);
            Ok(())
        })
    }

    pub(super) fn rarely(&self, op: RareOp) -> Result<(), Error> {
        self.put(|waiting| {
            waiting.rare.push(op);
            Ok(())
        })
    }

    /// Has the writer look again for what is due.
    pub(super) fn jumped(&self) {
        // A closed queue has nobody who could be late.
        self.put(|waiting| {
            waiting.jumped = true;
            Ok(())
        })
        .unwrap_or_default();
    }

    /// Takes nothing more; what waits is still done.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    pub(super) fn abandon(&self) {
        *self.lock() = Waiting { closed: true, ..Waiting::default() };
    }

    /// The next work; waits for it, but no longer than `idle`. Nothing when closed and all is done.
    pub(super) fn take(&self, pace: Pace, idle: Duration) -> Option<Work> {
        let mut waiting = self.lock();
        let left_over = waiting.operations();
        waiting.wake_at = 1;
        let until = Instant::now() + idle;
        while waiting.operations() == 0 && !waiting.is_urgent() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            (waiting, _) =
                self.wake.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner);
        }
        // Those who were answered by the last commit come back together: waiting for them a moment saves a commit.
        waiting.wake_at = (pace.taken + left_over).min(APPENDS_A_COMMIT);
        let until = Instant::now() + (pace.time / 8).min(Duration::from_millis(1));
        while waiting.operations() > 0 && waiting.operations() < waiting.wake_at && !waiting.closed
        {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            (waiting, _) =
                self.wake.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.take()
    }
}

impl Waiting {
    fn take(&mut self) -> Option<Work> {
        self.jumped = false;
        let done = self.operations() == 0 && self.checks.is_empty() && self.rare.is_empty();
        if self.closed && done {
            return None;
        }
        let records = match self.appends.len() {
            0 => MOST_RECORDS_A_COMMIT,
            appends => appends.max(RECORDS_A_COMMIT),
        };
        let records = self.records.len().min(records);
        let appends = self.appends.len().min(APPENDS_A_COMMIT);
        let work = Work {
            records: self.records.drain(..records).collect(),
            joins: std::mem::take(&mut self.joins),
            appends: self.appends.drain(..appends).collect(),
            claims: std::mem::take(&mut self.claims),
            checks: std::mem::take(&mut self.checks),
            rare: std::mem::take(&mut self.rare),
        };
        self.bytes -= work.appends.iter().map(|op| op.incoming.bytes()).sum::<usize>();
        Some(work)
    }
}

/// Gives back what nobody took.
pub(super) fn give_back(queue: &Arc<Queue>, runs: &[RawRun]) {
    let back = || Ending::Said(End::GivenBack { after: Duration::ZERO });
    for run in runs {
        let ends = run.updates.iter().map(|claim| (claim.lent, back())).collect();
        // Where the store is closed, the next start gives it back.
        queue.record(RecordOp::of_ours(ends)).unwrap_or_default();
    }
}

//! What waits for the store's tasks.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::core::Core;
use super::inbox::Waits;
use crate::store::form::lending::{Ending, RawRun, RecordOp};
use crate::store::form::prepared::Prepared;
use crate::store::{End, Error, Joined, Lent, Receipt};

/// A request to be stored.
pub(super) struct AppendOp {
    pub(super) prepared: Prepared,
    pub(super) reply: oneshot::Sender<Result<Vec<Receipt>, Error>>,
}

impl Waits for AppendOp {
    fn bytes(&self) -> usize {
        self.prepared.bytes
    }
}

impl Waits for RecordOp {}

/// A run that turns out to belong to another lane.
pub(super) struct JoinOp {
    pub(super) run: Vec<Lent>,
    pub(super) to: i64,
    pub(super) reply: oneshot::Sender<Result<Joined, Error>>,
}

impl Waits for JoinOp {}

impl Core {
    /// Records what never left before anything else is lent; where the store is being closed, at its end.
    pub(super) fn give_back(&self, op: RecordOp) {
        self.wake.coming_back.fetch_add(1, Ordering::SeqCst);
        if let Err((_, op)) = self.records.offer(op) {
            self.untaken.lock().unwrap_or_else(PoisonError::into_inner).push(op);
        }
    }
}

/// Who has hung up needs no answer: what was stored is stored, what was lent goes back.
pub(super) fn answer<T>(reply: oneshot::Sender<T>, answer: T) {
    drop(reply.send(answer));
}

/// Updates on their way to who asked for them; what is not taken out goes back.
pub(super) struct Lending {
    runs: Vec<RawRun>,
    core: Arc<Core>,
}

impl Lending {
    pub(super) fn new(runs: Vec<RawRun>, core: Arc<Core>) -> Self {
        Self { runs, core }
    }

    /// Takes them: from now on only a record ends the loan.
    pub(super) fn take(mut self) -> Vec<RawRun> {
        std::mem::take(&mut self.runs)
    }
}

impl Drop for Lending {
    fn drop(&mut self) {
        let back = || Ending::Said(End::GivenBack { after: Duration::ZERO });
        for run in &self.runs {
            let ends = run.updates.iter().map(|claim| (claim.lent, back())).collect();
            self.core.give_back(RecordOp::of_ours(ends));
        }
    }
}

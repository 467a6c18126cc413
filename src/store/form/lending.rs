//! What is lent and what becomes of it, on its way between who asks a store and who keeps it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::kept;
use crate::event::SourceName;
use crate::store::{AfterDead, Claim, End, Error, Lane, Lent, Run};
use crate::telemetry::trace::TraceContext;

/// A lent update as it is stored; who asked for it reads the plan.
pub(in crate::store) struct RawClaim {
    pub(in crate::store) lent: Lent,
    pub(in crate::store) source: Arc<str>,
    pub(in crate::store) rule: Arc<str>,
    pub(in crate::store) item: u32,
    pub(in crate::store) attempt: u32,
    pub(in crate::store) age: Duration,
    pub(in crate::store) failing_for: Option<Duration>,
    pub(in crate::store) may_have_landed: bool,
    pub(in crate::store) form: i64,
    pub(in crate::store) plan: Vec<u8>,
    pub(in crate::store) trace: Option<TraceContext>,
}

/// A run as it is stored.
pub(in crate::store) struct RawRun {
    pub(in crate::store) lane: Lane,
    pub(in crate::store) updates: Vec<RawClaim>,
}

/// What becomes of a lent update.
#[derive(Debug, Clone)]
pub(in crate::store) enum Ending {
    /// What delivery says.
    Said(End),
    /// This release cannot read it: it is held, reason `version`.
    Unreadable(String),
}

/// Ends to be recorded, of one run; without a reply where the store itself says them.
pub(in crate::store) struct RecordOp {
    pub(in crate::store) ends: Vec<(Lent, Ending)>,
    pub(in crate::store) after_dead: AfterDead,
    pub(in crate::store) reply: Option<oneshot::Sender<Result<bool, Error>>>,
}

impl RecordOp {
    /// What the store itself says.
    pub(in crate::store) fn of_ours(ends: Vec<(Lent, Ending)>) -> Self {
        Self { ends, after_dead: AfterDead::Continue, reply: None }
    }
}

impl RawRun {
    /// Reads what was lent: what can be read, where there is any, and what is to be held instead because this release
    /// cannot read it.
    pub(in crate::store) fn read(self) -> (Option<Run>, Option<RecordOp>) {
        let mut updates = Vec::with_capacity(self.updates.len());
        let mut unreadable = Vec::new();
        for raw in self.updates {
            let lent = raw.lent;
            match raw.read() {
                Ok(claim) => updates.push(claim),
                Err(why) => unreadable.push((lent, Ending::Unreadable(why))),
            }
        }
        let run = (!updates.is_empty()).then_some(Run { lane: self.lane, updates });
        (run, (!unreadable.is_empty()).then(|| RecordOp::of_ours(unreadable)))
    }
}

impl RawClaim {
    /// Reads it, or says why this release cannot.
    fn read(self) -> Result<Claim, String> {
        Ok(Claim {
            lent: self.lent,
            planned: kept::plan(self.form, &self.plan)?,
            source: SourceName::try_from(&*self.source)
                .map_err(|_| "its source has a name that this release does not know".to_owned())?,
            rule: self.rule,
            item: self.item,
            attempt: self.attempt,
            age: self.age,
            failing_for: self.failing_for,
            may_have_landed: self.may_have_landed,
            trace: self.trace,
        })
    }
}

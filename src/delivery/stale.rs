//! The stale guard: what an older event sets is left out where a newer one of its source has set it.

use super::attempt::Attempts;
use super::ended::Ended;
use crate::contact::{ContactUpdate, Mark, SkippedReason, fresh};
use crate::store::{Claim, End};

/// What is sent of an update of a guarded source, and what it marks once it is taken.
pub(super) struct Guarded {
    pub(super) update: ContactUpdate,
    pub(super) marks: Vec<Mark>,
}

impl Attempts {
    /// What is left to be sent of an update whose source guards against older events; nothing where it does not, or
    /// does not say when its event happened. An error is what came of the part where it may not be sent so.
    pub(super) async fn guarded(&self, part: &[Claim]) -> Result<Option<Guarded>, Ended> {
        if !part.iter().any(|claim| self.policy.guards.has(&claim.source)) {
            return Ok(None);
        }
        // Each has its own moment.
        let [claim] = part else { return Err(Ended::apart(part)) };
        let id = claim.lent.update;
        let marked = match self.store.marked(id).await {
            Ok(marked) => marked,
            Err(error) => {
                tracing::error!(event_id = %id.event, %error, "what newer events have set could not be read");
                return Err(Ended::not_sent(part));
            }
        };
        let Some(at) = marked.occurred_at else { return Ok(None) };
        let update = fresh(&claim.planned.update, at, &marked.marks);
        if update.is_empty() && !claim.planned.update.is_empty() {
            return Err(Ended::all(End::Skipped(SkippedReason::Stale), part));
        }
        let marks = Mark::of(&update, at);
        Ok(Some(Guarded { update, marks }))
    }
}

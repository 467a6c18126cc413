//! What is sent of updates that are sent late: without what later events have set since.

use super::{Desk, Refused};
use crate::contact::{ContactUpdate, PlannedUpdate};
use crate::event::{EventId, UpdateId};
use crate::store::letters::Sends;

/// An update that is to be sent late.
pub(super) struct Late {
    /// The place it has.
    pub(super) update: UpdateId,
    /// All that was planned.
    pub(super) planned: PlannedUpdate,
}

/// What is sent of it.
#[derive(Debug, Clone)]
pub(super) struct Left {
    pub(super) sends: Sends,
    pub(super) left_out: Vec<String>,
}

impl Left {
    /// What is sent, if anything is.
    pub(super) fn sent<'a>(&'a self, whole: &'a PlannedUpdate) -> Option<&'a PlannedUpdate> {
        match &self.sends {
            Sends::Whole => Some(whole),
            Sends::Part(part) => Some(part),
            Sends::Nothing => None,
        }
    }

    /// The state of the update once it is changed so, and why.
    pub(super) const fn becomes(&self) -> (&'static str, Option<&'static str>) {
        match self.sends {
            Sends::Whole | Sends::Part(_) => ("waiting", None),
            Sends::Nothing => ("skipped", Some("superseded")),
        }
    }
}

/// No event is younger.
const ANY: EventId = EventId(i64::MAX >> 16);

impl Desk {
    /// What is left of each, and the youngest event that was looked at for it.
    pub(super) async fn left_of(
        &self,
        late: &[Late],
        overwrite: bool,
    ) -> Result<(Vec<Left>, EventId), Refused> {
        if overwrite {
            let whole = Left { sends: Sends::Whole, left_out: Vec::new() };
            return Ok((vec![whole; late.len()], ANY));
        }
        if late.is_empty() {
            return Ok((Vec::new(), ANY));
        }
        let asked = late.iter().map(|late| (late.update, late.planned.target.who.clone()));
        let later = self.store.later(asked.collect()).await?;
        let left = late.iter().zip(&later.since).map(|(late, since)| {
            let (update, left_out) = since.left_of(&late.planned.update);
            let left_out: Vec<_> = left_out.iter().map(ToString::to_string).collect();
            let sends = if left_out.is_empty() {
                Sends::Whole
            } else if update == ContactUpdate::default() {
                Sends::Nothing
            } else {
                Sends::Part(Box::new(late.planned.with(update)))
            };
            Left { sends, left_out }
        });
        Ok((left.collect(), later.upto))
    }
}

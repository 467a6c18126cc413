//! Changes made ready by who asks for them: written out and hashed before the writer sees them.

use super::kept::{PLAN_FORM, plan_bytes};
use super::keys::Keys;
use super::prepared::{PreparedState, PreparedUpdate, prepare_update};
use super::state::number;
use crate::contact::SkippedReason;
use crate::store::letters::{Change, Remapped, Sends};
use crate::store::{Error, NewState};

/// A plan as it is kept.
pub(in crate::store) struct KeptPlan {
    pub(in crate::store) form: i64,
    pub(in crate::store) body: Vec<u8>,
}

/// What is sent of an update.
pub(in crate::store) enum PreparedSends {
    Whole,
    Part(KeptPlan),
    Nothing,
}

/// An update that comes.
pub(in crate::store) struct PreparedRemap {
    pub(in crate::store) update: PreparedUpdate,
    /// What was planned, where less is sent.
    pub(in crate::store) original: Option<Vec<u8>>,
    /// What was planned, where nothing is sent.
    pub(in crate::store) superseded: Option<KeptPlan>,
}

/// A change, ready to be made.
pub(in crate::store) enum PreparedChange {
    Replay {
        update: i64,
        sends: PreparedSends,
    },
    Remap {
        event: i64,
        gone: Vec<i64>,
        updates: Vec<PreparedRemap>,
    },
    Discard(i64),
    Purge(i64),
    /// The lane of a key.
    Forget(i64),
}

impl PreparedChange {
    pub(in crate::store) fn new(keys: &Keys, change: Change) -> Result<Self, Error> {
        Ok(match change {
            Change::Replay { update, sends } => {
                let sends = match sends {
                    Sends::Whole => PreparedSends::Whole,
                    Sends::Nothing => PreparedSends::Nothing,
                    Sends::Part(planned) => PreparedSends::Part(KeptPlan {
                        form: PLAN_FORM,
                        body: plan_bytes(&planned)?,
                    }),
                };
                Self::Replay { update: number(update), sends }
            }
            Change::Remap { event, gone, updates } => Self::Remap {
                event: event.0,
                gone: gone.into_iter().map(number).collect(),
                updates: updates
                    .into_iter()
                    .map(|remapped| PreparedRemap::new(keys, remapped))
                    .collect::<Result<_, _>>()?,
            },
            Change::Discard(update) => Self::Discard(number(update)),
            Change::Purge(event) => Self::Purge(event.0),
            Change::Forget(who) => Self::Forget(keys.lane(&who)),
        })
    }
}

impl PreparedRemap {
    fn new(keys: &Keys, remapped: Remapped) -> Result<Self, Error> {
        let Remapped { mut update, sends } = remapped;
        let whole = match &update.state {
            NewState::Waiting(planned) => Some(plan_bytes(planned)?),
            NewState::Held { .. } | NewState::Skipped(_) => None,
        };
        let (mut original, mut superseded) = (None, None);
        match (sends, whole) {
            (Sends::Part(part), Some(whole)) => {
                update.state = NewState::Waiting(part);
                original = Some(whole);
            }
            (Sends::Nothing, Some(body)) => {
                update.state = NewState::Skipped(SkippedReason::Superseded);
                superseded = Some(KeptPlan { form: PLAN_FORM, body });
            }
            (Sends::Whole, _) | (Sends::Part(_) | Sends::Nothing, None) => {}
        }
        Ok(Self { update: prepare_update(keys, update)?, original, superseded })
    }

    /// The lane in which it is going to wait.
    pub(in crate::store) fn lane(&self) -> Option<i64> {
        match &self.update.state {
            PreparedState::Waiting(waiting) => Some(waiting.lane),
            PreparedState::Held { .. } | PreparedState::Skipped(_) => None,
        }
    }
}

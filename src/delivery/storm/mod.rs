//! A storm of refusals: when nearly all updates of many contacts are refused for good with one status, a setting is
//! wrong, here or there, and must not empty the queue into the dead letters.
//!
//! `recent` tells what is a storm. In one delivery is paused ([`PauseReason::Refusals`]), what was refused waits
//! again, and `trial` sends one update a minute until one is taken or a person resumes. `recall` reads back from the
//! store what was refused before a start: a storm that a crash cuts short leaves no dead letter behind either.

mod recall;
mod recent;
mod trial;

pub(super) use trial::weather;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::recent::{Recent, Refusal};
use super::outbound::Outbound;
use super::pause::PauseReason;
use crate::clock::SharedClock;
use crate::contact::{DeadReason, PlannedUpdate};
use crate::event::UpdateId;
use crate::store::{End, Store, Trouble};

/// How long an update rests that was tried in vain, so that each trial is another contact's.
const AFTER_A_TRIAL: Duration = Duration::from_mins(10);

/// Looks at what became of each update before it is recorded.
pub(super) struct Storm {
    outbound: Arc<Outbound>,
    store: Arc<dyn Store>,
    clock: SharedClock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    recent: Recent,
    /// While there is a storm.
    rages: bool,
    /// An update is being tried.
    trying: bool,
    /// Recorded as dead, or about to be, and to wait again.
    to_revive: Vec<UpdateId>,
}

impl Storm {
    pub(super) fn new(outbound: Arc<Outbound>, store: Arc<dyn Store>, clock: SharedClock) -> Self {
        Self { outbound, store, clock, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be recorded for an update that ended so: in a storm nothing is refused for good.
    pub(super) async fn weigh(&self, update: UpdateId, planned: &PlannedUpdate, end: End) -> End {
        match &end {
            End::Delivered | End::Marking(_) => {
                self.taken();
                end
            }
            End::Dead(
                DeadReason::Refused | DeadReason::Forbidden | DeadReason::NotFound,
                Trouble { status: Some(status), .. },
            ) => {
                let (contact, at) =
                    (self.store.lane_of(&planned.target.who), self.clock.monotonic());
                let refusal = Refusal { update, contact, status: *status, at };
                if self.refused(refusal).await { self.waits_again() } else { end }
            }
            _ => end,
        }
    }

    fn waits_again(&self) -> End {
        let after = if self.state().trying { AFTER_A_TRIAL } else { Duration::ZERO };
        End::GivenBack { after }
    }

    fn taken(&self) {
        let mut state = self.state();
        state.recent.clear();
        if state.rages {
            state.rages = false;
            self.outbound.pauses.resume(PauseReason::Refusals);
        }
    }

    /// Whether there is a storm.
    async fn refused(&self, refusal: Refusal) -> bool {
        {
            let mut state = self.state();
            if state.rages || !state.recent.refused(refusal) {
                return state.rages;
            }
        }
        // The contacts of many updates in a row may be gone: then the API knows its addresses, and not theirs.
        let is_at_its_address = refusal.status == 404
            && matches!(self.outbound.send(|| self.outbound.api.probe()).await, Ok(()));
        let mut state = self.state();
        if is_at_its_address {
            state.recent.clear();
            return false;
        }
        if !state.rages {
            state.rages = true;
            let refused = state.recent.take(refusal.status);
            state.to_revive = refused.into_iter().filter(|one| *one != refusal.update).collect();
            self.outbound.pauses.pause(PauseReason::Refusals);
            tracing::warn!(status = refusal.status, "nearly every update is refused");
        }
        true
    }

    /// A person has resumed delivery, or an update was taken.
    fn is_over(&self) {
        let mut state = self.state();
        if !self.outbound.pauses.is_paused_for(PauseReason::Refusals) {
            state.rages = false;
            state.recent.clear();
        }
    }

    /// Lets one update pass until what is given back is dropped.
    fn try_now(&self) -> Trying<'_> {
        self.state().trying = true;
        self.outbound.pauses.lets_one_pass(true);
        Trying(self)
    }
}

/// An update is being tried.
struct Trying<'a>(&'a Storm);

impl Drop for Trying<'_> {
    fn drop(&mut self) {
        self.0.outbound.pauses.lets_one_pass(false);
        self.0.state().trying = false;
    }
}

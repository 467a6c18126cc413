//! Deleting events with everything that is kept of them, so that the counters still hold.
//!
//! An event goes as a whole or not at all: while one of its updates is open, or is to be kept, the others stay with
//! it. What is deleted keeps counting as it ended, beside a counter of the rows that are gone; only dead letters are
//! counted as expired instead.
//!
//! Two things outlive an event: the key by which a repeat of it is known, and its number, which is never given again.

use std::collections::BTreeMap;

use super::queries;
use super::statements;
use super::transaction::{Fault, Transaction, params};
use crate::store::form::ledger::{Deltas, What};
use crate::store::form::state::{CONTROL, IGNORED, State};

/// What a deletion of one event took with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Removed {
    /// How many of its updates were dead letters.
    pub(super) expired: u64,
    /// What the event was; the numbers of `outcome`.
    pub(super) outcome: i64,
}

/// What is there of an event.
#[derive(Default)]
struct Parts {
    updates: Vec<i64>,
    states: Vec<State>,
    /// The dead of them, with their lanes.
    dead: Vec<(i64, i64)>,
    /// Whether something has to stay.
    stays: bool,
}

impl Transaction<'_> {
    /// The lanes in which updates of these events are dead: whoever deletes them has to have locked those.
    pub(super) async fn dead_lanes(&self, events: &[i64]) -> Result<Vec<i64>, Fault> {
        let rows = self.query(queries::STANDING_OF_EVENTS, params![events]).await?;
        let dead = rows.iter().filter(|row| row.get::<_, i16>(1) == State::Dead as i16);
        Ok(super::lanes::sorted(dead.map(|row| row.get(3))))
    }

    /// Deletes those of these events where `may_go` says so of each of their updates, by state and end; an update that
    /// is open keeps its event in any case, one that is dead where its lane is not locked.
    pub(super) async fn remove(
        &self,
        events: &[i64],
        is_locked: impl Fn(i64) -> bool,
        may_go: impl Fn(State, i64) -> bool,
        ledger: &mut Deltas,
    ) -> Result<Vec<Removed>, Fault> {
        let locked = self.query(queries::LOCK_EVENTS, params![events]).await?;
        let mut parts: BTreeMap<i64, Parts> =
            locked.iter().map(|row| (row.get(0), Parts::default())).collect();
        for row in self.query(queries::STANDING_OF_EVENTS, params![events]).await? {
            let (id, lane): (i64, i64) = (row.get(0), row.get(3));
            let Some(of) = parts.get_mut(&(id >> 16)) else { continue };
            let ended: Option<i64> = row.get(8);
            match State::of(i64::from(row.get::<_, i16>(1))) {
                Some(state) if state != State::Open && may_go(state, ended.unwrap_or(0)) => {
                    of.updates.push(id);
                    of.states.push(state);
                    if state == State::Dead {
                        of.dead.push((lane, id));
                        of.stays |= !is_locked(lane);
                    }
                }
                _ => of.stays = true,
            }
        }
        parts.retain(|_, of| !of.stays);
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let going: Vec<i64> = parts.keys().copied().collect();
        let updates: Vec<i64> = parts.values().flat_map(|of| &of.updates).copied().collect();
        let (lanes, dead): (Vec<i64>, Vec<i64>) =
            parts.values().flat_map(|of| &of.dead).copied().unzip();
        let of_going = locked.iter().filter(|row| parts.contains_key(&row.get(0)));
        let requests = super::lanes::sorted(of_going.clone().map(|row| row.get(3)));
        self.execute(statements::UNBLOCK, params![lanes, dead]).await?;
        for forget in [
            queries::FORGET_ATTEMPTS,
            queries::FORGET_DETAILS,
            queries::FORGET_PLANS,
            queries::FORGET_STATES,
        ] {
            self.execute(forget, params![updates]).await?;
        }
        // Of two that delete the last events of a request at once, the second sees that the first has.
        self.query(queries::LOCK_REQUESTS, params![requests]).await?;
        self.execute(queries::DROP_EVENTS, params![going]).await?;
        self.execute(queries::DROP_REQUESTS, params![requests]).await?;
        let removed = of_going.filter_map(|row| {
            let of = parts.get(&row.get(0))?;
            let (source, outcome, size): (i64, i16, i64) = (row.get(1), row.get(2), row.get(4));
            ledger.add(source, What::Bytes, -size);
            Some(count(source, i64::from(outcome), &of.states, ledger))
        });
        Ok(removed.collect())
    }
}

fn count(source: i64, outcome: i64, states: &[State], ledger: &mut Deltas) -> Removed {
    let event = match outcome {
        IGNORED => What::Ignored,
        CONTROL => What::Control,
        _ => What::Taken,
    };
    let mut removed = Removed { expired: 0, outcome };
    for what in std::iter::once(event).chain(states.iter().map(|state| state.counted())) {
        if let Some(gone) = what.gone() {
            ledger.add(source, gone, 1);
        } else {
            ledger.add(source, what, -1);
            ledger.add(source, What::Expired, 1);
            removed.expired += 1;
        }
    }
    removed
}

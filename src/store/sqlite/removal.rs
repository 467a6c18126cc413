//! Deleting an event with everything that is kept of it, so that the counters still hold.
//!
//! An event goes as a whole or not at all: while one of its updates is open, or is to be kept, the others stay with
//! it. So what is there of an event always tells whether something has come of it. What is deleted keeps counting as
//! it ended, beside a counter of the rows that are gone; only dead letters are counted as expired instead.
//!
//! What retention deletes is written over in time; what somebody wants forgotten is written over at once.
//!
//! Two things outlive an event: the key by which a repeat of it is known, and its id, which is never given again.

use rusqlite::OptionalExtension;

use super::batch::Batch;
use super::statements;
use super::writer::Writer;
use crate::store::form::keys::EventKey;
use crate::store::form::ledger::What;
use crate::store::form::state::{CONTROL, IGNORED, State};

/// What a deletion took with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Removed {
    /// 0 where nothing was deleted.
    pub(super) events: u64,
    pub(super) updates: u64,
    /// How many of them were dead letters.
    pub(super) expired: u64,
    /// What the event was; the numbers of `outcome`.
    pub(super) outcome: i64,
}

struct Going {
    source: i64,
    outcome: i64,
    request: i64,
    key: Option<(EventKey, i64)>,
}

impl Batch<'_> {
    /// Deletes the event where `may_go` says so of each of its updates, by state and end; an update that is open
    /// keeps its event in any case. Nothing is deleted of an event that stays.
    pub(super) fn remove_event(
        &mut self,
        id: i64,
        may_go: impl Fn(State, i64) -> bool,
    ) -> rusqlite::Result<Removed> {
        let Some(going) = self.going(id)? else { return Ok(Removed::default()) };
        let (mut states, mut dead) = (Vec::new(), Vec::new());
        {
            let mut all = self.connection.prepare_cached(statements::STATES_OF_EVENT)?;
            let mut rows = all.query([id])?;
            while let Some(row) = rows.next()? {
                let at: Option<i64> = row.get(1)?;
                match State::of(row.get(0)?) {
                    Some(state) if state != State::Open && may_go(state, at.unwrap_or(0)) => {
                        states.push(state);
                        if state == State::Dead {
                            dead.push((row.get(2)?, row.get(3)?));
                        }
                    }
                    _ => return Ok(Removed::default()),
                }
            }
        }
        self.keep_key(id, &going)?;
        for (lane, update) in dead {
            self.unblock(lane, update)?;
        }
        for drop in statements::DROP_UPDATES {
            self.connection.prepare_cached(drop)?.execute([id])?;
        }
        self.connection.prepare_cached(statements::DROP_REQUEST)?.execute((id, going.request))?;
        self.connection.prepare_cached(statements::DROP_EVENT)?.execute([id])?;
        if id == self.changes.last_event {
            let mut set = self.connection.prepare_cached(statements::SET_META)?;
            set.execute(("last_event", id))?;
        }
        Ok(self.count_removed(&going, &states))
    }

    fn going(&self, id: i64) -> rusqlite::Result<Option<Going>> {
        let mut event = self.connection.prepare_cached(statements::EVENT_TO_GO)?;
        event
            .query_row([id], |row| {
                let key: Option<EventKey> = row.get(3)?;
                let until: Option<i64> = row.get(4)?;
                Ok(Going {
                    source: row.get(0)?,
                    outcome: row.get(1)?,
                    request: row.get(2)?,
                    key: key.zip(until),
                })
            })
            .optional()
    }

    /// A key that is only in the event's row moves to the table of keys: its window goes on.
    fn keep_key(&self, id: i64, going: &Going) -> rusqlite::Result<()> {
        let Some((key, until)) = going.key.filter(|(_, until)| *until > self.now) else {
            return Ok(());
        };
        if self.memory.seen.is_moved(id) {
            return Ok(());
        }
        let mut put = self.connection.prepare_cached(statements::MOVE_KEY)?;
        put.execute((key, id, until))?;
        Ok(())
    }

    fn count_removed(&mut self, going: &Going, states: &[State]) -> Removed {
        let Going { source, outcome, .. } = *going;
        let event = match outcome {
            IGNORED => What::Ignored,
            CONTROL => What::Control,
            _ => What::Taken,
        };
        let mut removed = Removed { events: 1, updates: states.len() as u64, expired: 0, outcome };
        let ledger = &mut self.changes.ledger;
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
}

impl Writer {
    /// Has what is deleted written over with zeros from now on; or no longer, and then the log starts over, so that
    /// it holds nothing of it either. Somebody who reads just now may keep the log from starting over: then it is
    /// written over in time.
    pub(super) fn overwrite(&self, overwrite: bool) {
        let Some(connection) = &self.connection else { return };
        let set = connection.pragma_update(None, "secure_delete", overwrite);
        let done = set.and_then(|()| {
            if overwrite {
                return Ok(());
            }
            connection.query_row(statements::START_LOG_OVER, [], |_| Ok(()))
        });
        if let Err(error) = done {
            tracing::warn!(%error, "what is forgotten may stay in the store's file for a while");
        }
    }
}

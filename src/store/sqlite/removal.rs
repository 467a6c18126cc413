//! Deleting an event with everything that is kept of it, so that the counters still hold.
//!
//! An event goes as a whole or not at all: while one of its updates is open, or is to be kept, the others stay with
//! it. So what is there of an event always tells whether something has come of it. What is deleted keeps counting as
//! it ended, beside a counter of the rows that are gone; only dead letters are counted as expired instead.
//!
//! Two things outlive an event: the key by which a repeat of it is known, and its id, which is never given again.

use rusqlite::OptionalExtension;

use super::append::{CONTROL, IGNORED};
use super::batch::Batch;
use super::keys::EventKey;
use super::ledger::What;
use super::record::State;
use super::statements;

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
        let mut states = Vec::new();
        {
            let mut all = self.connection.prepare_cached(statements::STATES_OF_EVENT)?;
            let mut rows = all.query([id])?;
            while let Some(row) = rows.next()? {
                let state: i64 = row.get(0)?;
                let ended = State::FINISHED.iter().find(|ended| **ended as i64 == state);
                match (ended, row.get::<_, Option<i64>>(1)?) {
                    (Some(ended), at) if may_go(*ended, at.unwrap_or(0)) => states.push(*ended),
                    _ => return Ok(Removed::default()),
                }
            }
        }
        self.keep_key(id, &going)?;
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

    /// Whether the event is stored.
    pub(super) fn is_there(&self, id: i64) -> rusqlite::Result<bool> {
        self.connection.prepare_cached(statements::IS_THERE)?.exists([id])
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
        let gone = match outcome {
            IGNORED => What::GoneIgnored,
            CONTROL => What::GoneControl,
            _ => What::GoneTaken,
        };
        let ledger = &mut self.changes.ledger;
        ledger.add(source, gone, 1);
        let mut removed = Removed { events: 1, updates: states.len() as u64, expired: 0, outcome };
        for state in states {
            let dead = match state {
                State::Delivered => Err(What::GoneDelivered),
                State::Skipped => Err(What::GoneSkipped),
                State::Discarded => Err(What::GoneDiscarded),
                State::Held => Ok(What::Held),
                State::Dead => Ok(What::Dead),
                // Never deleted.
                State::Open => continue,
            };
            match dead {
                Err(gone) => ledger.add(source, gone, 1),
                Ok(counted) => {
                    ledger.add(source, counted, -1);
                    ledger.add(source, What::Expired, 1);
                    removed.expired += 1;
                }
            }
        }
        removed
    }
}

//! What became of what was lent.

use std::time::Duration;

use rusqlite::OptionalExtension;

use super::batch::Batch;
use super::ledger::What;
use super::queue::Ending;
use super::statements;
use crate::contact::HeldReason;
use crate::event::{EventId, UpdateId};
use crate::store::{End, Lent, Trouble};

/// The state of an update; the numbers are in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum State {
    /// Waiting, or in flight where it has a lease.
    Open = 0,
    Delivered = 1,
    Held = 2,
    Skipped = 3,
    Dead = 4,
    Discarded = 5,
}

impl State {
    /// Every state but `Open`.
    pub(super) const FINISHED: &[Self] =
        &[Self::Delivered, Self::Held, Self::Skipped, Self::Dead, Self::Discarded];

    /// The state, other than open, with this word.
    pub(super) fn finished(word: &str) -> Option<Self> {
        Self::FINISHED.iter().copied().find(|state| state.as_str() == word)
    }

    /// The state with this number.
    pub(super) fn of(number: i64) -> Option<Self> {
        let mut all = std::iter::once(Self::Open).chain(Self::FINISHED.iter().copied());
        all.find(|state| *state as i64 == number)
    }

    /// What it is counted as.
    pub(super) const fn counted(self) -> What {
        match self {
            Self::Open => What::Open,
            Self::Delivered => What::Delivered,
            Self::Held => What::Held,
            Self::Skipped => What::Skipped,
            Self::Dead => What::Dead,
            Self::Discarded => What::Discarded,
        }
    }

    /// The word of the reference.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "waiting",
            Self::Delivered => "delivered",
            Self::Held => "held",
            Self::Skipped => "skipped",
            Self::Dead => "dead",
            Self::Discarded => "discarded",
        }
    }
}

/// More of the API's words than this is not kept.
const MOST_WORDS: usize = 1000;

/// The number of an update in the store.
pub(super) fn number(update: UpdateId) -> i64 {
    update.event.0 << 16 | i64::from(update.place)
}

/// The update with this number.
pub(super) fn update_id(number: i64) -> UpdateId {
    let place = u16::try_from(number & 0xffff).unwrap_or(u16::MAX);
    UpdateId { event: EventId(number >> 16), place }
}

/// A moment from now, in milliseconds.
pub(super) fn later(now: i64, after: Duration) -> i64 {
    now.saturating_add(i64::try_from(after.as_millis()).unwrap_or(i64::MAX))
}

impl Batch<'_> {
    /// Records ends; `false` where a fence is no longer in force.
    pub(super) fn record(&mut self, ends: &[(Lent, Ending)]) -> rusqlite::Result<bool> {
        let mut all = true;
        for (lent, ending) in ends {
            all &= self.record_one(*lent, ending)?;
        }
        Ok(all)
    }

    fn record_one(&mut self, lent: Lent, ending: &Ending) -> rusqlite::Result<bool> {
        let id = number(lent.update);
        match ending {
            Ending::Said(End::Delivered) => {
                Ok(self.end(lent, State::Delivered, What::Delivered, None, 0)?.is_some())
            }
            Ending::Said(End::Skipped(reason)) => {
                let reason = Some(reason.as_str());
                Ok(self.end(lent, State::Skipped, What::Skipped, reason, 0)?.is_some())
            }
            Ending::Said(End::Dead(reason, trouble)) => {
                let reason = Some(reason.as_str());
                let attempt = self.end(lent, State::Dead, What::Dead, reason, 0)?;
                if let Some(attempt) = attempt {
                    self.add_attempt(id, attempt, trouble)?;
                }
                Ok(attempt.is_some())
            }
            Ending::Said(End::Again { after, trouble, .. }) => {
                let mut put_off = self.connection.prepare_cached(statements::PUT_OFF)?;
                let due_at = later(self.now, *after);
                let attempt: Option<u32> = put_off
                    .query_row((id, lent.fence.0, due_at, self.now), |row| row.get(0))
                    .optional()?;
                if let Some(attempt) = attempt {
                    self.add_attempt(id, attempt, trouble)?;
                }
                Ok(attempt.is_some())
            }
            Ending::Said(End::GivenBack { after }) => {
                let mut give_back = self.connection.prepare_cached(statements::GIVE_BACK)?;
                Ok(give_back.execute((id, lent.fence.0, later(self.now, *after)))? > 0)
            }
            Ending::Unreadable(detail) => {
                let reason = Some(HeldReason::Version.as_str());
                let held = self.end(lent, State::Held, What::Held, reason, 1)?.is_some();
                if held {
                    let mut add = self.connection.prepare_cached(statements::ADD_DETAIL)?;
                    add.execute((id, detail))?;
                }
                Ok(held)
            }
        }
    }

    /// Ends an update, takes `uncounted` of its attempts back, and makes the next of its lane due. The number of
    /// attempts, or nothing where the fence is no longer in force.
    fn end(
        &mut self,
        lent: Lent,
        state: State,
        counted: What,
        reason: Option<&str>,
        uncounted: u32,
    ) -> rusqlite::Result<Option<u32>> {
        let mut finish = self.connection.prepare_cached(statements::FINISH)?;
        let id = number(lent.update);
        let ended: Option<(i64, i64, u32)> = finish
            .query_row((id, lent.fence.0, state as u8, reason, self.wall, uncounted), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((lane, source, attempts)) = ended else { return Ok(None) };
        self.changes.ledger.add(source, What::Open, -1);
        self.changes.ledger.add(source, counted, 1);
        let mut promote = self.connection.prepare_cached(statements::PROMOTE)?;
        let busy = promote.execute((lane, self.now))? > 0;
        self.changes.lanes.insert(lane, busy);
        Ok(Some(attempts))
    }

    fn add_attempt(&self, id: i64, attempt: u32, trouble: &Trouble) -> rusqlite::Result<()> {
        let words = match trouble.words.char_indices().nth(MOST_WORDS) {
            Some((end, _)) => trouble.words.get(..end).unwrap_or_default(),
            None => &trouble.words,
        };
        let mut add = self.connection.prepare_cached(statements::ADD_ATTEMPT)?;
        add.execute((id, attempt, self.wall, trouble.status, words))?;
        Ok(())
    }
}

//! The numbers by which a store says what became of events and updates, and which those are. Never change one.

use std::time::Duration;

use super::ledger::What;
use crate::event::{EventId, UpdateId};

/// The state of an update; the numbers are in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::store) enum State {
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
    pub(in crate::store) const FINISHED: &[Self] =
        &[Self::Delivered, Self::Held, Self::Skipped, Self::Dead, Self::Discarded];

    /// The state, other than open, with this word.
    pub(in crate::store) fn finished(word: &str) -> Option<Self> {
        Self::FINISHED.iter().copied().find(|state| state.as_str() == word)
    }

    /// The state with this number.
    pub(in crate::store) fn of(number: i64) -> Option<Self> {
        let mut all = std::iter::once(Self::Open).chain(Self::FINISHED.iter().copied());
        all.find(|state| *state as i64 == number)
    }

    /// What it is counted as.
    pub(in crate::store) const fn counted(self) -> What {
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
    pub(in crate::store) const fn as_str(self) -> &'static str {
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

/// What an event came to: something was planned of it.
pub(in crate::store) const TAKEN: i64 = 0;
/// No rule matched, or without effect.
pub(in crate::store) const IGNORED: i64 = 1;
/// It is a message of its sender to the bridge itself.
pub(in crate::store) const CONTROL: i64 = 2;

/// The word of the reference for what an event came to; nothing for a number of a newer release.
pub(in crate::store) fn outcome_word(outcome: i64) -> Option<&'static str> {
    match outcome {
        TAKEN => Some("taken"),
        IGNORED => Some("ignored"),
        CONTROL => Some("control"),
        _ => None,
    }
}

/// The number of an update in the store.
pub(in crate::store) fn number(update: UpdateId) -> i64 {
    update.event.0 << 16 | i64::from(update.place)
}

/// The update with this number.
pub(in crate::store) fn update_id(number: i64) -> UpdateId {
    let place = u16::try_from(number & 0xffff).unwrap_or(u16::MAX);
    UpdateId { event: EventId(number >> 16), place }
}

/// A moment from now, in milliseconds.
pub(in crate::store) fn later(now: i64, after: Duration) -> i64 {
    now.saturating_add(i64::try_from(after.as_millis()).unwrap_or(i64::MAX))
}

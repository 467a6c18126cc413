//! What came in against what became of it: counters that change in the transaction that changes what they count.

use std::collections::BTreeMap;

use crate::store::Numbers;

/// What is counted, for each source. The numbers are in the store: never change one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(in crate::store) enum What {
    /// Events: received = duplicate + control + ignored + taken.
    Received = 0,
    Duplicate = 1,
    Control = 2,
    Ignored = 3,
    Taken = 4,
    /// Updates: planned = open + held + delivered + skipped + dead + discarded + expired.
    Planned = 5,
    /// Waiting and in flight.
    Open = 6,
    Held = 7,
    Delivered = 8,
    Skipped = 9,
    Dead = 10,
    Discarded = 11,
    /// Dead letters that were deleted: they count here, no more as held or dead.
    Expired = 12,
    /// Bytes that are kept, where the store cannot tell otherwise how much of its files is in use.
    Bytes = 13,
    /// Rows that were deleted of what still counts above: rows = counted − gone.
    GoneControl = 102,
    GoneIgnored = 103,
    GoneTaken = 104,
    GoneDelivered = 108,
    GoneSkipped = 109,
    GoneDiscarded = 111,
}

impl What {
    /// The counter of the rows that were deleted of what is counted here; nothing where a row that goes counts no more.
    pub(in crate::store) const fn gone(self) -> Option<Self> {
        match self {
            Self::Control => Some(Self::GoneControl),
            Self::Ignored => Some(Self::GoneIgnored),
            Self::Taken => Some(Self::GoneTaken),
            Self::Delivered => Some(Self::GoneDelivered),
            Self::Skipped => Some(Self::GoneSkipped),
            Self::Discarded => Some(Self::GoneDiscarded),
            _ => None,
        }
    }
}

/// The counters over all sources.
#[derive(Debug, Default)]
pub(in crate::store) struct Counts([u64; 14]);

impl Counts {
    /// Notes a counter by its number; one that this release does not know is passed over.
    pub(in crate::store) fn note(&mut self, what: i64, n: i64) {
        let count = usize::try_from(what).ok().and_then(|what| self.0.get_mut(what));
        if let Some(count) = count {
            *count = u64::try_from(n).unwrap_or(0);
        }
    }

    pub(in crate::store) fn of(&self, what: What) -> u64 {
        self.0.get(what as usize).copied().unwrap_or(0)
    }

    /// The numbers, where those that are not counted are there already: what is ready and in flight, how old the oldest
    /// are, and the size.
    pub(in crate::store) fn complete(&self, told: &Numbers) -> Numbers {
        let of = |what: What| self.of(what);
        Numbers {
            scheduled: of(What::Open).saturating_sub(told.ready).saturating_sub(told.in_flight),
            held: of(What::Held),
            delivered: of(What::Delivered),
            skipped: of(What::Skipped),
            dead: of(What::Dead),
            discarded: of(What::Discarded),
            expired: of(What::Expired),
            events_received: of(What::Received),
            events_duplicate: of(What::Duplicate),
            events_control: of(What::Control),
            events_ignored: of(What::Ignored),
            events_taken: of(What::Taken),
            updates_planned: of(What::Planned),
            ..told.clone()
        }
    }
}

/// Changes to the counters that one transaction makes.
#[derive(Debug, Default)]
pub(in crate::store) struct Deltas(BTreeMap<(i64, What), i64>);

impl Deltas {
    /// Counts `by` more of this source.
    pub(in crate::store) fn add(&mut self, source: i64, what: What, by: i64) {
        *self.0.entry((source, what)).or_default() += by;
    }

    /// The sum over all sources.
    pub(in crate::store) fn total(&self, what: What) -> i64 {
        self.0.iter().filter(|((_, of), _)| *of == what).map(|(_, by)| by).sum()
    }

    /// The changes that are any: source, what, by how many.
    pub(in crate::store) fn iter(&self) -> impl Iterator<Item = (i64, What, i64)> {
        self.0.iter().filter(|(_, by)| **by != 0).map(|((source, what), by)| (*source, *what, *by))
    }
}

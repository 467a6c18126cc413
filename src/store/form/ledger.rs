//! What came in against what became of it: counters that change in the transaction that changes what they count.

use std::collections::BTreeMap;

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

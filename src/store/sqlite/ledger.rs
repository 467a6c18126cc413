//! What came in against what became of it: counters that change in the transaction that changes what they count.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::statements;

/// What is counted, for each source. The numbers are in the store: never change one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum What {
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
    pub(super) const fn gone(self) -> Option<Self> {
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
pub(super) struct Deltas(BTreeMap<(i64, What), i64>);

impl Deltas {
    /// Counts `by` more of this source.
    pub(super) fn add(&mut self, source: i64, what: What, by: i64) {
        *self.0.entry((source, what)).or_default() += by;
    }

    /// The sum over all sources.
    pub(super) fn total(&self, what: What) -> i64 {
        self.0.iter().filter(|((_, of), _)| *of == what).map(|(_, by)| by).sum()
    }

    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut count = connection.prepare_cached(statements::COUNT)?;
        for ((source, what), by) in self.0.iter().filter(|(_, by)| **by != 0) {
            count.execute((source, *what as u8, by))?;
        }
        Ok(())
    }
}

//! The counters in their table. Each process counts in shards of its own as far as there are enough of them, so that
//! no two wait for each other.

use super::statements;
use super::transaction::{Fault, Transaction, params};
use crate::store::form::ledger::{Deltas, What};

/// So many processes have shards of their own.
const PROCESSES: i64 = 16;

/// Which kind of work counts; two kinds of one process do not wait for each other either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// What comes in.
    Intake = 0,
    /// What became of it.
    Delivery = 1,
    /// Everything else.
    Rare = 2,
}

/// The shard of a process, by its number, for a kind of work.
pub(super) fn shard(process: i64, work: Work) -> i16 {
    let process = i16::try_from(process.rem_euclid(PROCESSES)).unwrap_or(0);
    process * 4 + work as i16
}

impl Transaction<'_> {
    /// Writes the counters: the last thing of a transaction, since others may wait for it.
    pub(super) async fn count(&self, deltas: &Deltas, shard: i16) -> Result<(), Fault> {
        let (mut sources, mut whats, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        for (source, what, by) in deltas.iter() {
            sources.push(source);
            whats.push(what as i16);
            counts.push(by);
        }
        if !sources.is_empty() {
            self.execute(statements::COUNT, params![sources, whats, counts, shard]).await?;
        }
        Ok(())
    }
}

/// The counter of a kind, as it is named in the table.
pub(super) const fn column(what: What) -> i16 {
    what as i16
}

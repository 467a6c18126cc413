//! Lending what is due.

use std::sync::Arc;

use super::batch::Batch;
use super::queue::{Queue, give_back};
use super::record::update_id;
use super::statements;
use crate::store::{Fence, Lane, Lent};

/// A lent update as it is stored; who asked for it reads the plan.
pub(super) struct RawClaim {
    pub(super) lent: Lent,
    pub(super) source: Arc<str>,
    pub(super) rule: Arc<str>,
    pub(super) item: u32,
    pub(super) attempt: u32,
    /// Both in milliseconds since 1970.
    pub(super) first_failed: Option<i64>,
    pub(super) received_at: i64,
    pub(super) form: i64,
    pub(super) plan: Vec<u8>,
}

/// A run as it is stored.
pub(super) struct RawRun {
    pub(super) lane: Lane,
    pub(super) updates: Vec<RawClaim>,
}

impl Batch<'_> {
    /// Lends what has been due longest, at most `most` runs, oldest events first.
    pub(super) fn claim(&self, most: usize, fence: Fence) -> rusqlite::Result<Vec<RawRun>> {
        let mut claim = self.connection.prepare_cached(statements::CLAIM)?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = claim.query_map((fence.0, self.now, most), |row| {
            let update = RawClaim {
                lent: Lent { update: update_id(row.get(0)?), fence },
                source: self.text(row.get(1)?),
                rule: self.text(row.get(2)?),
                item: row.get(3)?,
                attempt: row.get(4)?,
                first_failed: row.get(5)?,
                received_at: row.get::<_, Option<i64>>(6)?.unwrap_or(self.now),
                // A plan that is missing is one that cannot be read.
                form: row.get::<_, Option<i64>>(7)?.unwrap_or(0),
                plan: row.get::<_, Option<Vec<u8>>>(8)?.unwrap_or_default(),
            };
            Ok(RawRun { lane: Lane(row.get(9)?), updates: vec![update] })
        })?;
        let mut runs = rows.collect::<Result<Vec<_>, _>>()?;
        runs.sort_unstable_by_key(|run| run.updates.first().map(|claim| claim.lent.update));
        Ok(runs)
    }
}

/// Updates on their way to who asked for them; what is not taken out goes back.
pub(super) struct Lending {
    runs: Vec<RawRun>,
    queue: Arc<Queue>,
}

impl Lending {
    pub(super) fn new(runs: Vec<RawRun>, queue: Arc<Queue>) -> Self {
        Self { runs, queue }
    }

    /// Takes them: from now on only a record ends the loan.
    pub(super) fn take(mut self) -> Vec<RawRun> {
        std::mem::take(&mut self.runs)
    }
}

impl Drop for Lending {
    fn drop(&mut self) {
        give_back(&self.queue, &self.runs);
    }
}

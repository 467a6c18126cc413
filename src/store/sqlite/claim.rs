//! Lending what is due.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::OptionalExtension;
use rusqlite::types::ValueRef;

use super::batch::Batch;
use super::lanes::{Loan, Standing};
use super::queue::{Queue, give_back};
use super::statements;
use crate::contact::fold::{Fold, MOST_FOLDED};
use crate::store::form::kept;
use crate::store::form::lending::{RawClaim, RawRun};
use crate::store::form::state::{number, update_id};
use crate::store::{Fence, Lane, Lent};
use crate::telemetry::trace::TraceContext;

/// So many heads at once; then what waits behind each is looked at.
const HEADS_AT_ONCE: usize = 64;

/// About so many updates are lent in one commit at most, whatever waits behind the heads.
const MOST_UPDATES: usize = 4096;

/// A lent update, and what the store alone needs of it.
struct Row {
    claim: RawClaim,
    lane: i64,
    /// What has gone out together may have arrived: nothing else may go with it.
    together: Option<i64>,
}

impl Batch<'_> {
    /// Lends what has been due longest, at most `most` runs, oldest events first.
    pub(super) fn claim(
        &mut self,
        most: usize,
        merging: bool,
        fence: Fence,
    ) -> rusqlite::Result<Vec<RawRun>> {
        let mut runs = Vec::new();
        let mut lent = 0;
        while runs.len() < most && lent < MOST_UPDATES {
            let wanted = (most - runs.len()).min(HEADS_AT_ONCE);
            let heads = self.heads(wanted, fence)?;
            let is_all = heads.len() < wanted;
            for head in heads {
                let run = self.run_of(head, merging, fence)?;
                lent += run.updates.len();
                runs.push(run);
            }
            if is_all {
                break;
            }
        }
        runs.sort_unstable_by_key(|run| run.updates.first().map(|claim| claim.lent.update));
        Ok(runs)
    }

    fn heads(&self, most: usize, fence: Fence) -> rusqlite::Result<Vec<Row>> {
        let mut claim = self.connection.prepare_cached(statements::CLAIM)?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        claim.query_map((fence.0, self.now, most), |row| self.row(row, fence))?.collect()
    }

    fn row(&self, row: &rusqlite::Row<'_>, fence: Fence) -> rusqlite::Result<Row> {
        let together: Option<i64> = row.get(10)?;
        let claim = RawClaim {
            lent: Lent { update: update_id(row.get(0)?), fence },
            source: self.text(row.get(1)?),
            rule: self.text(row.get(2)?),
            item: row.get(3)?,
            attempt: row.get(4)?,
            age: row.get::<_, Option<i64>>(6)?.map_or(Duration::ZERO, |at| since(self.wall, at)),
            failing_for: row.get::<_, Option<i64>>(5)?.map(|first| since(self.now, first)),
            may_have_landed: together.is_some(),
            // A plan that is missing is one that cannot be read.
            form: row.get::<_, Option<i64>>(7)?.unwrap_or(0),
            plan: row.get::<_, Option<Vec<u8>>>(8)?.unwrap_or_default(),
            trace: trace(row.get_ref(11)?),
        };
        Ok(Row { claim, lane: row.get(9)?, together })
    }

    /// The run that begins with the head of a lane: what can go with it in one request, if that is wanted.
    fn run_of(&mut self, head: Row, merging: bool, fence: Fence) -> rusqlite::Result<RawRun> {
        let lane = head.lane;
        if self.standing(lane) != Standing::Queued || self.is_blocked(lane) {
            return Ok(RawRun { lane: Lane(lane), updates: vec![head.claim] });
        }
        let mut first = self.connection.prepare_cached(statements::FIRST_FOLLOWER)?;
        let first: Option<i64> = first.query_row([lane], |row| row.get(0)).optional()?;
        let Some(first) = first else {
            self.set_standing(lane, Standing::Alone);
            return Ok(RawRun { lane: Lane(lane), updates: vec![head.claim] });
        };
        let head = if first < number(head.claim.lent.update) {
            self.oldest_instead(&head, first, fence)?
        } else {
            head
        };
        // What may have arrived in one request goes again in one, even where merging has been switched off since: the
        // contact would step back.
        let goes_together = merging || head.together.is_some();
        let followers = if goes_together { self.followers(&head, fence)? } else { Vec::new() };
        let mut join = self.connection.prepare_cached(statements::JOIN_RUN)?;
        let mut updates = vec![head.claim];
        for mut claim in followers {
            join.execute((number(claim.lent.update), fence.0))?;
            claim.attempt += 1;
            updates.push(claim);
        }
        if updates.len() > 1 {
            let left = u32::try_from(updates.len()).unwrap_or(u32::MAX);
            self.set_loan(lane, Some(Loan { left, due_at: 0 }));
        }
        Ok(RawRun { lane: Lane(lane), updates })
    }

    /// An update that is older than the head has joined the lane since: it goes first.
    fn oldest_instead(&self, head: &Row, oldest: i64, fence: Fence) -> rusqlite::Result<Row> {
        let mut unlend = self.connection.prepare_cached(statements::UNLEND)?;
        unlend.execute((number(head.claim.lent.update), fence.0))?;
        let mut lend = self.connection.prepare_cached(statements::LEND)?;
        lend.query_row((oldest, fence.0), |row| self.row(row, fence))
    }

    /// What waits behind the head and can go with it: as far as one request can carry it, and only what went out
    /// together the last time, if nobody knows what became of that.
    fn followers(&self, head: &Row, fence: Fence) -> rusqlite::Result<Vec<RawClaim>> {
        let mut together = Vec::new();
        let Ok(first) = kept::plan(head.claim.form, &head.claim.plan) else {
            return Ok(together);
        };
        let mut fold = Fold::of(&first);
        // Others may have come between by joining the lane: they wait.
        let which = match head.together {
            Some(_) => statements::WENT_TOGETHER,
            None => statements::FOLLOWERS,
        };
        let mut followers = self.connection.prepare_cached(which)?;
        let mut rows = match head.together {
            Some(together) => followers.query((head.lane, MOST_FOLDED - 1, together))?,
            None => followers.query((head.lane, MOST_FOLDED - 1))?,
        };
        while let Some(row) = rows.next()? {
            let next = self.row(row, fence)?;
            let plan = kept::plan(next.claim.form, &next.claim.plan);
            let fits = next.together == head.together && plan.is_ok_and(|plan| fold.take(&plan));
            if !fits {
                break;
            }
            together.push(next.claim);
        }
        Ok(together)
    }
}

fn since(now: i64, then: i64) -> Duration {
    Duration::from_millis(u64::try_from(now - then).unwrap_or(0))
}

/// The trace that is kept of an event; one that cannot be read is none.
fn trace(kept: ValueRef<'_>) -> Option<TraceContext> {
    kept.as_blob().ok().and_then(TraceContext::from_bytes)
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

//! What became of what was lent, many ends in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_postgres::Row;

use super::core::Core;
use super::ends::Ends;
use super::inbox::{Ended, Pace};
use super::lanes::{Lane, lanes, sorted};
use super::ledger::Work;
use super::pool::scattered;
use super::queue::answer;
use super::statements;
use super::transaction::{Fault, Transaction, params, transacted};
use crate::store::form::lending::RecordOp;
use crate::store::form::state::number;
use crate::store::{Fence, Lent};

/// How long to rest before what could not be recorded is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// An update that is lent.
#[derive(Debug, Clone)]
pub(super) struct LentRow {
    pub(super) id: i64,
    pub(super) fence: i64,
    pub(super) lane: i64,
    pub(super) source: i64,
    pub(super) attempts: i32,
    pub(super) first_failed: Option<i64>,
    pub(super) together: Option<i64>,
    /// By which it names its contact, where that is not the id.
    pub(super) key: Option<i64>,
    pub(super) withdrawal: bool,
}

impl LentRow {
    fn of(row: &Row) -> Self {
        Self {
            id: row.get(0),
            fence: row.get(1),
            lane: row.get(2),
            source: row.get(3),
            attempts: row.get(4),
            first_failed: row.get(5),
            together: row.get(6),
            key: row.get(7),
            withdrawal: row.get(8),
        }
    }
}

/// What is lent of these updates.
pub(super) async fn lent(
    transaction: &Transaction<'_>,
    ids: &[i64],
) -> Result<HashMap<i64, LentRow>, Fault> {
    let rows = transaction.query(statements::LENT, params![ids]).await?;
    Ok(rows.iter().map(LentRow::of).map(|row| (row.id, row)).collect())
}

/// The row of an update that is still lent under its fence.
pub(super) fn in_force(
    rows: &HashMap<i64, LentRow>,
    Lent { update, fence: Fence(fence) }: Lent,
) -> Option<&LentRow> {
    rows.get(&number(update)).filter(|row| row.fence == fence)
}

impl Core {
    /// Records ends, until the store is closed and all are recorded.
    pub(super) async fn record(self: Arc<Self>) {
        let _ended = Ended(&self.records);
        let mut pace = Pace::default();
        while let Some(ops) = self.records.take(pace).await {
            let began = Instant::now();
            pace.taken = ops.len();
            self.record_all(ops).await;
            pace.time = began.elapsed();
        }
    }

    /// One transaction for all of these.
    pub(super) async fn record_all(&self, ops: Vec<RecordOp>) {
        let began = Instant::now();
        let others_wake = self.wake_others();
        let recorded = transacted!(self.pool, |transaction| {
            self.record_in(transaction, &ops, others_wake).await
        });
        match recorded {
            Ok(recorded) => {
                self.observe("record", ops.len(), began.elapsed());
                for (op, recorded) in ops.into_iter().zip(recorded) {
                    match op.reply {
                        Some(reply) => answer(reply, Ok(recorded)),
                        None => self.wake.came_back(),
                    }
                }
                self.wake.now();
            }
            Err(error) => {
                self.failed("record", &error);
                let mut ours = Vec::new();
                for op in ops {
                    match op.reply {
                        Some(reply) => answer(reply, Err(error.clone())),
                        None => ours.push(op),
                    }
                }
                // Nobody else says it again; once the store is closed all that it holds goes back by itself.
                if !ours.is_empty() && !self.closing.is_cancelled() {
                    tokio::time::sleep(scattered(AGAIN)).await;
                    self.records.put_back(ours);
                }
            }
        }
    }

    async fn record_in(
        &self,
        transaction: &Transaction<'_>,
        ops: &[RecordOp],
        others_wake: bool,
    ) -> Result<Vec<bool>, Fault> {
        let all = ops.iter().flat_map(|op| &op.ends);
        let ids = sorted(all.map(|(lent, _)| number(lent.update)));
        let lanes_of = params![ids];
        let (locked, rows, now) = futures_util::try_join!(
            transaction.query(statements::LOCK_LANES_OF, lanes_of),
            lent(transaction, &ids),
            transaction.now(self.manual()),
        )?;
        let mut lanes = lanes(locked);
        let mut left = rows;
        let mut ends = Ends::new(now);
        let mut touched = BTreeSet::new();
        let mut recorded = Vec::with_capacity(ops.len());
        for op in ops {
            let mut all = true;
            for (lent, ending) in &op.ends {
                let Some(row) = in_force(&left, *lent).cloned() else {
                    all = false;
                    continue;
                };
                left.remove(&row.id);
                let Some(lane) = lanes.get_mut(&row.lane) else {
                    // It was brought into another lane between the look and the lock.
                    return Err(Fault::changed());
                };
                let put_off = ends.add(self, &row, ending, op.after_dead)?;
                lane.lent -= 1;
                lane.put_off = lane.put_off.max(put_off.unwrap_or(0));
                touched.insert(row.lane);
            }
            recorded.push(all);
        }
        let touched: Vec<i64> = touched.into_iter().collect();
        futures_util::try_join!(
            ends.write(transaction),
            settle(transaction, &touched, &lanes, now),
            transaction.count(&ends.ledger, self.shard(Work::Delivery)),
            self.tell_others(transaction, others_wake),
        )?;
        Ok(recorded)
    }
}

/// Lanes of which something was recorded go on, unless more of them is lent.
async fn settle(
    transaction: &Transaction<'_>,
    touched: &[i64],
    lanes: &BTreeMap<i64, Lane>,
    now: i64,
) -> Result<(), Fault> {
    let of = |id: &i64| lanes.get(id).map(|lane| (*id, *lane));
    let (busy, free): (Vec<_>, Vec<_>) =
        touched.iter().filter_map(of).partition(|(_, lane)| lane.lent > 0);
    let free: Vec<_> = free.into_iter().map(|(id, lane)| (id, lane.put_off.max(now))).collect();
    let ids: Vec<i64> = busy.iter().map(|(id, _)| *id).collect();
    let counts: Vec<i32> = busy.iter().map(|(_, lane)| lane.lent).collect();
    let put_off: Vec<i64> = busy.iter().map(|(_, lane)| lane.put_off).collect();
    let still = async {
        if ids.is_empty() {
            return Ok(());
        }
        let still = params![ids, counts, put_off];
        transaction.execute(statements::STILL_LENT, still).await.map(drop)
    };
    futures_util::try_join!(transaction.go_on(&free), still)?;
    Ok(())
}

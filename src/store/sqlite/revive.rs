//! Dead updates that are to wait again: what a storm of refusals has killed before it was known as one.

use tokio::sync::oneshot;

use super::batch::Batch;
use super::ledger::What;
use super::queue::{Ending, Queue, RecordOp};
use super::statements;
use crate::event::UpdateId;
use crate::store::{Error, Fence, Lent};

use rusqlite::OptionalExtension;

/// Has them wait again; gives those that were dead.
pub(super) async fn revive(queue: &Queue, updates: &[UpdateId]) -> Result<Vec<UpdateId>, Error> {
    let mut asked = Vec::with_capacity(updates.len());
    for &update in updates {
        let (reply, answer) = oneshot::channel();
        let ends = vec![(Lent { update, fence: Fence(0) }, Ending::Revived)];
        queue.record(RecordOp { ends, reply: Some(reply) })?;
        asked.push((update, answer));
    }
    let mut revived = Vec::new();
    for (update, answer) in asked {
        if answer.await.map_err(|_| Error::Closed)?? {
            revived.push(update);
        }
    }
    Ok(revived)
}

impl Batch<'_> {
    /// Has a dead update wait at its old place; `false` where it is not dead.
    pub(super) fn revive(&mut self, id: i64) -> rusqlite::Result<bool> {
        let mut dead = self.connection.prepare_cached(statements::LANE_OF_DEAD)?;
        let lane: Option<i64> = dead.query_row([id], |row| row.get(0)).optional()?;
        let Some(lane) = lane else { return Ok(false) };
        let is_first = !self.is_busy(lane) || self.goes_before_the_head(id, lane)?;
        let due_at = is_first.then_some(self.now);
        let mut revive = self.connection.prepare_cached(statements::BACK_IN_LINE)?;
        let source: i64 = revive.query_row((id, due_at), |row| row.get(0))?;
        self.changes.lanes.insert(lane, true);
        self.changes.ledger.add(source, What::Dead, -1);
        self.changes.ledger.add(source, What::Open, 1);
        Ok(true)
    }

    /// Has the head of a lane wait behind an older update, unless it is lent; `false` where the head is lent or older.
    fn goes_before_the_head(&self, id: i64, lane: i64) -> rusqlite::Result<bool> {
        let mut head = self.connection.prepare_cached(statements::HEAD_OF_LANE)?;
        let head: Option<i64> = head.query_row([lane], |row| row.get(0)).optional()?;
        let Some(head) = head.filter(|head| *head > id) else { return Ok(false) };
        self.connection.prepare_cached(statements::WAIT_IN_LINE)?.execute([head])?;
        Ok(true)
    }
}

//! Dead updates that are to wait again: what a storm of refusals has killed before it was known as one.

use tokio::sync::oneshot;

use super::batch::Batch;
use super::blocked::ComesBack;
use super::ledger::What;
use super::queue::{Ending, Queue, RecordOp};
use super::statements;
use crate::event::UpdateId;
use crate::store::{AfterDead, Error, Fence, Lent};

/// Has them wait again; gives those that were dead.
pub(super) async fn revive(queue: &Queue, updates: &[UpdateId]) -> Result<Vec<UpdateId>, Error> {
    let mut asked = Vec::with_capacity(updates.len());
    for &update in updates {
        let (reply, answer) = oneshot::channel();
        let ends = vec![(Lent { update, fence: Fence(0) }, Ending::Revived)];
        queue.record(RecordOp { ends, after_dead: AfterDead::Continue, reply: Some(reply) })?;
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
        if !self.connection.prepare_cached(statements::IS_DEAD)?.exists([id])? {
            return Ok(false);
        }
        let ComesBack { from, lane, due_at } = self.come_back(id)?;
        let mut revive = self.connection.prepare_cached(statements::BACK_IN_LINE)?;
        let source: i64 = revive.query_row((id, due_at, lane), |row| row.get(0))?;
        self.unblock(from, id)?;
        self.changes.ledger.add(source, What::Dead, -1);
        self.changes.ledger.add(source, What::Open, 1);
        Ok(true)
    }
}

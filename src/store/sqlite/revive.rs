//! Dead updates that are to wait again: what a storm of refusals has killed before it was known as one.

use super::batch::Batch;
use super::blocked::ComesBack;
use super::statements;
use super::writer::Writer;
use crate::event::UpdateId;
use crate::store::Error;
use crate::store::form::ledger::What;
use crate::store::form::state::number;

impl Writer {
    /// Has them wait again, all in one transaction; gives those that were dead.
    pub(super) fn revive(&mut self, updates: &[UpdateId]) -> Result<Vec<UpdateId>, Error> {
        self.alone("revive", |batch, _| {
            let mut revived = Vec::new();
            for &update in updates {
                if batch.revive(number(update))? {
                    revived.push(update);
                }
            }
            Ok(revived)
        })
    }
}

impl Batch<'_> {
    /// Has a dead update wait at its old place; `false` where it is not dead.
    fn revive(&mut self, id: i64) -> rusqlite::Result<bool> {
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

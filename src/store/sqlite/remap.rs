//! Mapping an event again of which nothing has come.

use super::batch::Batch;
use super::room::Room;
use super::statements;
use crate::event::EventId;
use crate::store::form::ledger::What;
use crate::store::form::prepared::PreparedAgain;
use crate::store::{Error, Receipt};

impl Batch<'_> {
    /// Gives the event these updates in place of those that are held. A receipt where it was done; none where the
    /// event no longer stands wholly ignored or held, so that nothing changed.
    pub(super) fn remap(
        &mut self,
        again: &PreparedAgain,
        full: Option<&str>,
        room: &Room,
    ) -> rusqlite::Result<Result<Vec<Receipt>, Error>> {
        let EventId(id) = again.event;
        if !self.is_idle(id)? {
            return Ok(Ok(Vec::new()));
        }
        let waiting = again.waiting();
        let open = self.memory.open + self.changes.ledger.total(What::Open);
        let refusal = full.map(str::to_owned).or_else(|| room.refusal_of(open, waiting));
        if let Some(refusal) = refusal.filter(|_| waiting > 0) {
            return Ok(Err(Error::Full(refusal)));
        }
        let mut held = self.connection.prepare_cached(statements::STANDING_OF_EVENT)?;
        let held: Vec<i64> = held.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let updates: Vec<_> = again.updates.iter().collect();
        let replaced = self.replace(id, &held, &updates, Some(again.digest))?;
        Ok(Ok(replaced.map(|_| Receipt::Stored(again.event)).into_iter().collect()))
    }

    fn is_idle(&self, id: i64) -> rusqlite::Result<bool> {
        self.connection.prepare_cached(statements::IDLE)?.exists([id])
    }
}

//! Mapping an event again of which nothing has come.

use rusqlite::OptionalExtension;

use super::append::{IGNORED, TAKEN};
use super::batch::Batch;
use super::ledger::What;
use super::prepared::PreparedAgain;
use super::room::Room;
use super::statements;
use crate::event::EventId;
use crate::store::{Error, Receipt};

/// How an event stands of which nothing has come.
struct Idle {
    source: i64,
    outcome: i64,
    held: i64,
}

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
        let Some(Idle { source, outcome, held }) = self.idle(id)? else {
            return Ok(Ok(Vec::new()));
        };
        let waiting = again.waiting();
        let open = self.memory.open + self.changes.ledger.total(What::Open);
        let refusal = full.map(str::to_owned).or_else(|| room.refusal_of(open, waiting));
        if let Some(refusal) = refusal.filter(|_| waiting > 0) {
            return Ok(Err(Error::Full(refusal)));
        }
        for drop in statements::DROP_UPDATES {
            self.connection.prepare_cached(drop)?.execute([id])?;
        }
        self.changes.ledger.add(source, What::Held, -held);
        self.changes.ledger.add(source, What::Planned, -held);
        let becomes = if again.updates.is_empty() { IGNORED } else { TAKEN };
        for (outcome, by) in [(outcome, -1), (becomes, 1)] {
            let counted = if outcome == IGNORED { What::Ignored } else { What::Taken };
            self.changes.ledger.add(source, counted, by);
        }
        let updates = i64::try_from(again.updates.len()).unwrap_or(i64::MAX);
        let mut set = self.connection.prepare_cached(statements::SET_EVENT)?;
        set.execute((id, becomes, updates, again.digest))?;
        for (number, update) in (id << 16..).zip(&again.updates) {
            self.add_update(number, source, update)?;
        }
        Ok(Ok(vec![Receipt::Stored(again.event)]))
    }

    fn idle(&self, id: i64) -> rusqlite::Result<Option<Idle>> {
        let mut idle = self.connection.prepare_cached(statements::IDLE)?;
        idle.query_row([id], |row| {
            Ok(Idle { source: row.get(0)?, outcome: row.get(1)?, held: row.get(2)? })
        })
        .optional()
    }
}

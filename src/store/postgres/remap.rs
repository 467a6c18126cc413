//! Mapping an event again of which nothing has come.

use super::arrivals::Arrivals;
use super::core::Core;
use super::ledger::Work;
use super::rows::{Home, Rows};
use super::statements;
use super::transaction::{Fault, Transaction, params, transacted};
use crate::event::EventId;
use crate::store::Error;
use crate::store::form::ledger::What;
use crate::store::form::prepared::PreparedAgain;
use crate::store::form::state::{IGNORED, TAKEN};

impl Core {
    /// Gives the event these updates in place of those that are held; `false` where it no longer stands wholly ignored
    /// or held, so that nothing changed.
    pub(super) async fn remap(&self, again: &PreparedAgain) -> Result<bool, Error> {
        self.is_open()?;
        let rules = again.updates.iter().map(|update| &*update.rule);
        self.names.meet(&self.pool, rules.collect()).await?;
        let remapped = self.noted(
            "append",
            transacted!(self.pool, |transaction| self.remap_in(transaction, again).await),
        )??;
        self.wake.now();
        Ok(remapped)
    }

    async fn remap_in(
        &self,
        transaction: &Transaction<'_>,
        again: &PreparedAgain,
    ) -> Result<Result<bool, Error>, Fault> {
        let EventId(id) = again.event;
        let keys = Arrivals::keys(again.updates.iter());
        let (now, lanes, filled) = futures_util::try_join!(
            transaction.now(self.manual()),
            transaction.lanes_of(&keys),
            self.filled(transaction),
        )?;
        let updates = again.updates.iter();
        let mut arrivals = Arrivals::lock(transaction, (&keys, lanes), updates, &[], now).await?;
        let event = transaction.query_opt(statements::LOCK_EVENT, params![id]).await?;
        let idle = transaction.query_opt(statements::IDLE, params![id]).await?;
        let (Some(event), Some(_)) = (event, idle) else {
            arrivals.settle(transaction, now).await?;
            return Ok(Ok(false));
        };
        let waiting = again.waiting();
        if let Some(refusal) = self.refusal(filled, waiting).filter(|_| waiting > 0) {
            arrivals.settle(transaction, now).await?;
            return Ok(Err(Error::Full(refusal)));
        }
        let (source, size, outcome): (i64, i64, i16) = (event.get(0), event.get(2), event.get(3));
        let held = transaction.query(statements::DROP_HELD, params![id]).await?;
        let held = i64::try_from(held.len()).unwrap_or(0);
        transaction.execute(statements::DROP_DETAILS, params![id]).await?;

        let mut rows = Rows::default();
        let mut bytes = 0;
        for (number, update) in (id << 16..).zip(&again.updates) {
            let lane = arrivals.arrive(update);
            let rule = self.names.id(&update.rule).unwrap_or(0);
            let home = Home { id: number, source, rule, lane };
            bytes += rows.add_update(self, home, update, None, now)?;
        }
        let is_taken = !again.updates.is_empty();
        let ledger = &mut rows.ledger;
        ledger.add(source, What::Planned, -held);
        ledger.add(source, What::Held, -held);
        ledger.add(source, What::Bytes, bytes);
        let counted = |ignored| if ignored { What::Ignored } else { What::Taken };
        ledger.add(source, counted(i64::from(outcome) == IGNORED), -1);
        ledger.add(source, counted(!is_taken), 1);
        let outcome = if is_taken { TAKEN } else { IGNORED };
        let outcome = i16::try_from(outcome).unwrap_or(0);
        let count = i32::try_from(again.updates.len()).unwrap_or(i32::MAX);
        let size = size.saturating_add(bytes);
        let event = params![id, outcome, count, again.digest, size];
        transaction.execute(statements::SET_EVENT, event).await?;
        rows.write(transaction, now).await?;
        arrivals.settle(transaction, now).await?;
        transaction.count(&rows.ledger, self.shard(Work::Rare)).await?;
        Ok(Ok(true))
    }
}

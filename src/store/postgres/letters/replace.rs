//! Updates of an event that take the place of others.

use std::borrow::Cow;
use std::collections::HashSet;

use super::super::queries;
use super::super::rows::{Home, Rows};
use super::super::statements;
use super::super::transaction::{Fault, params};
use super::change::Making;
use crate::store::form::changes::PreparedRemap;
use crate::store::form::ledger::What;
use crate::store::form::state::{IGNORED, State, TAKEN};

/// Places of updates within an event.
const PLACES: usize = 1 << 16;

/// All that is kept of updates.
const FORGET: [&str; 4] = [
    queries::FORGET_ATTEMPTS,
    queries::FORGET_DETAILS,
    queries::FORGET_PLANS,
    queries::FORGET_STATES,
];

impl Making<'_> {
    /// Takes updates of an event away and gives it others, at the first places that are free; one of a rule and item
    /// that stays is left out. `false` where there is no such event, or no place.
    pub(super) async fn replace(
        &mut self,
        event: i64,
        gone: &[i64],
        updates: &[PreparedRemap],
    ) -> Result<bool, Fault> {
        let transaction = self.transaction;
        let only = vec![event];
        let of = params![only];
        let (stands, of_event) = futures_util::try_join!(
            transaction.query_opt(queries::LOCK_EVENTS, of),
            transaction.query(queries::STANDING_OF_EVENTS, of),
        )?;
        let Some(stands) = stands else { return Ok(false) };
        let (source, outcome): (i64, i16) = (stands.get(1), stands.get(2));
        let (mut taken, mut stay) = (HashSet::new(), HashSet::new());
        let (mut leave, mut blocking) = (Vec::new(), Vec::new());
        for row in of_event {
            let (id, state): (i64, i16) = (row.get(0), row.get(1));
            if gone.contains(&id) {
                leave.extend(State::of(i64::from(state)));
                blocking.push(row.get::<_, i64>(3));
            } else {
                taken.insert(id);
                stay.insert((row.get::<_, i64>(6), row.get::<_, i64>(7)));
            }
        }
        if taken.len() + updates.len() > PLACES {
            return Ok(false);
        }
        for state in leave {
            self.ledger.add(source, state.counted(), -1);
            self.ledger.add(source, What::Planned, -1);
        }
        for forget in FORGET {
            transaction.execute(forget, params![gone]).await?;
        }
        transaction.execute(statements::UNBLOCK, params![blocking, gone]).await?;
        let mut count = taken.len();
        let mut free = (event << 16..).filter(|id| !taken.contains(id));
        let (mut rows, mut bytes) = (Rows::default(), 0);
        for come in updates {
            let rule = self.core.names.id(&come.update.rule).unwrap_or(0);
            if stay.contains(&(rule, i64::from(come.update.item))) {
                continue;
            }
            let Some(id) = free.next() else { continue };
            let lane = self.arrivals.arrive(&come.update);
            let home = Home { id, source, rule, lane };
            let original = come.original.as_deref();
            bytes += rows.add_update(self.core, home, &come.update, original, self.now)?;
            if let Some(plan) = &come.superseded {
                bytes += rows.add_plan(self.core, id, Cow::Borrowed(&plan.body), None)?;
            }
            count += 1;
        }
        let becomes = if count == 0 { IGNORED } else { TAKEN };
        for (outcome, by) in [(i64::from(outcome), -1), (becomes, 1)] {
            let counted = if outcome == IGNORED { What::Ignored } else { What::Taken };
            self.ledger.add(source, counted, by);
        }
        self.ledger.add(source, What::Bytes, bytes);
        let outcome = i16::try_from(becomes).unwrap_or(0);
        let updates = i32::try_from(count).unwrap_or(i32::MAX);
        transaction.execute(queries::SET_OUTCOME, params![event, outcome, updates, bytes]).await?;
        rows.write(transaction, self.now).await?;
        for (source, what, by) in rows.ledger.iter() {
            self.ledger.add(source, what, by);
        }
        Ok(true)
    }
}

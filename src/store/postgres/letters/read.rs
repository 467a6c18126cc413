//! Updates with what they say.

use std::collections::HashMap;

use super::super::browse::raw_update;
use super::super::core::Core;
use super::super::queries;
use super::super::sealing::unsealed;
use super::super::transaction::{Fault, Transaction, params, transacted};
use crate::contact::PlannedUpdate;
use crate::event::UpdateId;
use crate::store::Error;
use crate::store::form::kept;
use crate::store::form::state::number;
use crate::store::letters::Letter;

/// What is sent of an update, and what was planned where that is more.
pub(super) type Plans = (Option<PlannedUpdate>, Option<PlannedUpdate>);

impl Core {
    /// Those of these updates that are there, in the order in which they are asked for.
    pub(super) async fn letters(&self, updates: &[UpdateId]) -> Result<Vec<Letter>, Error> {
        let ids: Vec<i64> = updates.iter().map(|update| number(*update)).collect();
        transacted!(self.pool, |transaction| {
            let rows = transaction.query(queries::LETTERS, params![ids]).await?;
            let rows = rows.iter().map(|row| raw_update(&self.cipher, row));
            let mut rows: HashMap<i64, _> = rows.map(|raw| (raw.number, raw)).collect();
            let mut plans = self.plans(transaction, &ids).await?;
            let mut letters = Vec::with_capacity(ids.len());
            for id in &ids {
                let Some(raw) = rows.remove(id) else { continue };
                let row = raw.row(false)?;
                letters.push(match plans.remove(id).unwrap_or_default() {
                    (sent, Some(original)) => Letter { row, planned: Some(original), part: sent },
                    (sent, None) => Letter { row, planned: sent, part: None },
                });
            }
            Ok(letters)
        })
    }

    /// The plans of updates; what this release cannot read is not there.
    pub(super) async fn plans(
        &self,
        transaction: &Transaction<'_>,
        ids: &[i64],
    ) -> Result<HashMap<i64, Plans>, Fault> {
        let rows = transaction.query(queries::PLANS, params![ids]).await?;
        let plans = |row: tokio_postgres::Row| {
            let (id, form): (i64, i16) = (row.get(0), row.get(1));
            let read = |bytes| {
                kept::plan(i64::from(form), &unsealed(&self.cipher, "plan", id, bytes)).ok()
            };
            (id, (read(row.get(2)), row.get::<_, Option<Vec<u8>>>(3).and_then(read)))
        };
        Ok(rows.into_iter().map(plans).collect())
    }
}

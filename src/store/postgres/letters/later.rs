//! What has been said about contacts after certain updates: one pass over the younger ones, in order of receipt.
//!
//! A pass reads the small rows of what is younger than the oldest update that is asked for, in many short transactions,
//! and opens a plan only where the contact is one of those that are asked for.
//!
//! Numbers are drawn in the order of receipt only within a lane: elsewhere a smaller one may be committed after a
//! larger one. So the youngest event is found while the lanes of the contacts are locked: what comes for them later
//! has a larger number.

use std::collections::HashMap;

use super::super::core::Core;
use super::super::lanes::sorted;
use super::super::queries;
use super::super::transaction::{Fault, params, transacted};
use crate::contact::Since;
use crate::event::{EventId, UpdateId};
use crate::store::Error;
use crate::store::form::state::{State, number};
use crate::store::letters::Later;

/// So many rows are read in one transaction.
const ROWS: i64 = if cfg!(test) { 4 } else { 20_000 };

/// The updates that are asked for, by lane: number and place in the answer.
type Lanes = HashMap<i64, Vec<(i64, usize)>>;

impl Core {
    /// For each of these updates, by the lane of what names its contact.
    pub(super) async fn later(&self, asked: Vec<(UpdateId, i64)>) -> Result<Later, Error> {
        let of = sorted(asked.iter().map(|(_, lane)| *lane));
        let (families, youngest) = self.noted(
            "change",
            transacted!(self.pool, |transaction| {
                let before = transaction.families(&of).await?;
                let lanes = sorted(before.values().flatten().copied());
                transaction.lock_lanes(&lanes, None).await?;
                let families = transaction.families(&of).await?;
                if families != before {
                    return Err(Fault::changed());
                }
                let youngest = transaction.query_opt(queries::LAST_EVENT, &[]).await?;
                let now = transaction.now(self.manual()).await?;
                transaction.set_right(&lanes, now).await?;
                let youngest: Option<i64> = youngest.and_then(|row| row.get(0));
                Ok((families, youngest.unwrap_or(0)))
            }),
        )?;
        let mut lanes = Lanes::new();
        for (place, (update, lane)) in asked.iter().enumerate() {
            for lane in families.get(lane).into_iter().flatten() {
                lanes.entry(*lane).or_default().push((number(*update), place));
            }
        }
        let mut since = vec![Since::default(); asked.len()];
        let oldest = asked.iter().map(|(update, _)| number(*update)).min();
        let mut after = oldest.unwrap_or(i64::MAX);
        while let Some(last) = self.look_on(&lanes, &mut since, after).await? {
            after = last;
        }
        Ok(Later { since, upto: EventId(youngest) })
    }

    /// Reads some rows; the last of them, where there may be more.
    async fn look_on(
        &self,
        lanes: &Lanes,
        since: &mut [Since],
        after: i64,
    ) -> Result<Option<i64>, Error> {
        let asked = |(id, lane, _): &(i64, i64, i16)| {
            let of = lanes.get(lane)?;
            of.iter().any(|(earlier, _)| earlier < id).then_some(of)
        };
        let (rows, mut plans) = transacted!(self.pool, |transaction| {
            let rows = transaction.query(queries::UPDATES_AFTER, params![after, ROWS]).await?;
            let rows: Vec<(i64, i64, i16)> =
                rows.into_iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
            let meant = rows.iter().filter(|row| asked(row).is_some()).map(|row| row.0);
            let plans = self.plans(transaction, &meant.collect::<Vec<_>>()).await?;
            Ok((rows, plans))
        })?;
        for row in &rows {
            let (id, _, state) = *row;
            let Some(of) = asked(row) else { continue };
            let Some((Some(planned), _)) = plans.remove(&id) else { continue };
            for (_, place) in of.iter().filter(|(earlier, _)| *earlier < id) {
                let Some(since) = since.get_mut(*place) else { continue };
                match State::of(i64::from(state)) {
                    Some(State::Open | State::Delivered) => since.sent(&planned.update),
                    _ => since.planned(&planned.update),
                }
            }
        }
        let full = i64::try_from(rows.len()).is_ok_and(|count| count == ROWS);
        Ok(rows.last().filter(|_| full).map(|row| row.0))
    }
}

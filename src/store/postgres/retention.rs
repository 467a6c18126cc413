//! What is deleted when its time has come, a hundred at a time: the next entries of the lists of `form::ages`.

use std::collections::BTreeSet;

use super::core::Core;
use super::ledger::Work;
use super::queries;
use super::removal::Removed;
use super::transaction::{Fault, Transaction, params, transacted};
use crate::store::Error;
use crate::store::form::ages::{Ages, BATCH, List, Lists, MOST_UPDATES, Place};
use crate::store::form::ledger::Deltas;

/// What one transaction deleted, and how far it came.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) removed: Vec<Removed>,
    /// The list by its place, and its last entry that was looked at.
    pub(super) reached: Option<(usize, Place)>,
    /// Nothing is left that has come of age, or another process sees to it.
    pub(super) is_done: bool,
}

impl Core {
    /// Deletes the next of what has come of age, the oldest first. One process does so at a time.
    pub(super) async fn round(&self, lists: &Lists, scarce: bool) -> Result<Round, Error> {
        self.noted(
            "retain",
            transacted!(self.pool, |transaction| {
                let keeps =
                    transaction.query_opt(queries::KEEPS_HOUSE, params![&*self.schema]).await?;
                if !keeps.is_some_and(|row| row.get(0)) {
                    return Ok(Round { is_done: true, ..Round::default() });
                }
                let now = transaction.now(self.manual()).await?;
                let ages = lists.ages(now, scarce);
                let mut first = Vec::with_capacity(lists.all().len());
                for (list, place) in lists.all() {
                    first.push(transaction.oldest_of(*list, *place).await?);
                }
                let oldest = lists.oldest(&first, ages);
                let Some((at, list)) =
                    oldest.and_then(|at| Some((at, lists.all().get(at).copied()?)))
                else {
                    let keys = transaction.execute(queries::DROP_KEYS, params![now, BATCH]).await?;
                    let is_done = i64::try_from(keys).is_ok_and(|keys| keys < BATCH);
                    return Ok(Round { is_done, ..Round::default() });
                };
                self.delete(transaction, list, ages, now).await.map(|(removed, reached)| Round {
                    removed,
                    reached: reached.map(|place| (at, place)),
                    is_done: false,
                })
            }),
        )
    }

    async fn delete(
        &self,
        transaction: &Transaction<'_>,
        (list, place): (List, Place),
        ages: Ages,
        now: i64,
    ) -> Result<(Vec<Removed>, Option<Place>), Fault> {
        let (mut events, mut reached) = (BTreeSet::new(), None);
        let mut updates = 0;
        for (place, others) in transaction.entries(list, place, ages).await? {
            let event = list.event_of(place.1);
            if !events.contains(&event) {
                if updates >= MOST_UPDATES {
                    break;
                }
                events.insert(event);
            }
            updates += others;
            reached = Some(place);
        }
        let events: Vec<i64> = events.into_iter().collect();
        let lanes = transaction.dead_lanes(&events).await?;
        transaction.lock_lanes(&lanes, None).await?;
        let mut ledger = Deltas::default();
        let is_locked = |lane: i64| lanes.contains(&lane);
        let removed = transaction
            .remove(&events, is_locked, |state, at| at < ages.of(state), &mut ledger)
            .await?;
        transaction.set_right(&lanes, now).await?;
        transaction.count(&ledger, self.shard(Work::Rare)).await?;
        Ok((removed, reached))
    }
}

impl Transaction<'_> {
    async fn oldest_of(&self, list: List, (ended, id): Place) -> Result<Option<i64>, Fault> {
        let row = match list {
            List::Ended(state, source) => {
                let state = state as i16;
                let of = params![state, source, ended, id];
                self.query_opt(queries::OLDEST_ENDED, of).await?
            }
            List::Without(outcome) => {
                let outcome = i16::try_from(outcome).unwrap_or(0);
                self.query_opt(queries::OLDEST_WITHOUT, params![outcome, ended, id]).await?
            }
        };
        Ok(row.and_then(|row| row.get(0)))
    }

    /// Entries that have come of age, each with how many updates it stands for.
    async fn entries(
        &self,
        list: List,
        (ended, id): Place,
        ages: Ages,
    ) -> Result<Vec<(Place, u64)>, Fault> {
        let (before, most) = (ages.of_list(list), ages.most);
        let rows = match list {
            List::Ended(state, source) => {
                let state = state as i16;
                let of = params![state, source, ended, id, before, most];
                self.query(queries::ENDED_BEFORE, of).await?
            }
            List::Without(outcome) => {
                let outcome = i16::try_from(outcome).unwrap_or(0);
                let of = params![outcome, ended, id, before, most];
                self.query(queries::WITHOUT_BEFORE, of).await?
            }
        };
        let each = u64::from(matches!(list, List::Ended(..)));
        Ok(rows.into_iter().map(|row| ((row.get(0), row.get(1)), each)).collect())
    }
}

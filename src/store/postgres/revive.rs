//! Dead updates that wait again, at their old place.

use std::collections::BTreeSet;

use super::core::Core;
use super::lanes::sorted;
use super::ledger::Work;
use super::statements;
use super::transaction::{Fault, Transaction, params, transacted};
use crate::event::UpdateId;
use crate::store::Error;
use crate::store::form::ledger::{Deltas, What};
use crate::store::form::state::number;

/// A dead update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) id: i64,
    /// The lane in which it died.
    pub(super) from: i64,
    /// The lane in which what names its contact so waits today.
    pub(super) lane: i64,
}

impl Core {
    /// Has them wait again, all in one transaction; gives those that were dead.
    pub(super) async fn revive(&self, updates: &[UpdateId]) -> Result<Vec<UpdateId>, Error> {
        self.is_open()?;
        let ids = sorted(updates.iter().map(|update| number(*update)));
        let shard = self.shard(Work::Rare);
        let revived = self.noted(
            "revive",
            transacted!(self.pool, |transaction| {
                let homes = transaction.lock_homes(&ids).await?;
                let now = transaction.now(self.manual()).await?;
                let back: Vec<i64> = homes.iter().map(|home| home.id).collect();
                let from: Vec<i64> = homes.iter().map(|home| home.from).collect();
                let lanes: Vec<i64> = homes.iter().map(|home| home.lane).collect();
                let rows =
                    transaction.query(statements::BACK_IN_LINE, params![back, lanes]).await?;
                transaction.execute(statements::UNBLOCK, params![from, back]).await?;
                transaction.set_right(&sorted(from.into_iter().chain(lanes)), now).await?;
                let mut ledger = Deltas::default();
                for row in &rows {
                    ledger.add(row.get(1), What::Dead, -1);
                    ledger.add(row.get(1), What::Open, 1);
                }
                transaction.count(&ledger, shard).await?;
                Ok(rows.iter().map(|row| row.get(0)).collect::<BTreeSet<i64>>())
            }),
        )?;
        self.wake.now();
        Ok(updates.iter().copied().filter(|update| revived.contains(&number(*update))).collect())
    }
}

impl Transaction<'_> {
    /// Locks the lanes in which dead updates died, and those to which they come back.
    pub(super) async fn lock_homes(&self, ids: &[i64]) -> Result<Vec<Home>, Fault> {
        let before = self.homes(ids).await?;
        let lanes = sorted(before.iter().flat_map(|home| [home.from, home.lane]));
        self.lock_lanes(&lanes, None).await?;
        let homes = self.homes(ids).await?;
        // Others may have been faster: then they are dead no more, or belong elsewhere.
        if homes == before { Ok(homes) } else { Err(Fault::changed()) }
    }

    async fn homes(&self, ids: &[i64]) -> Result<Vec<Home>, Fault> {
        let rows = self.query(statements::HOMES, params![ids]).await?;
        let keys = sorted(rows.iter().filter_map(|row| row.get::<_, Option<i64>>(2)));
        let lanes = self.lanes_of(&keys).await?;
        let mut homes: Vec<Home> = rows
            .into_iter()
            .map(|row| {
                let (from, key): (i64, Option<i64>) = (row.get(1), row.get(2));
                let lane = key.map_or(from, |key| lanes.get(&key).copied().unwrap_or(key));
                Home { id: row.get(0), from, lane }
            })
            .collect();
        homes.sort_unstable_by_key(|home| home.id);
        Ok(homes)
    }
}

//! Updates that come to their lanes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::lanes::sorted;
use super::statements;
use super::transaction::{Fault, Transaction, params};
use crate::store::form::prepared::{PreparedState, PreparedUpdate};

/// For how long an alias is kept at least, in milliseconds; one that is gone is found again by the next look-up.
const KEPT_FOR: i64 = 24 * 60 * 60 * 1000;

/// So many old ones are looked at where there are new ones.
const LOOKED_AT: i64 = 16;

/// Locked lanes, and what comes to them.
pub(super) struct Arrivals {
    /// Where what names its contact by a key waits.
    lanes: HashMap<i64, i64>,
    /// Lanes that were made by locking them: nothing waits in them yet.
    made: BTreeSet<i64>,
    /// Lanes that a dead update blocks.
    blocked: BTreeSet<i64>,
    arrived: BTreeSet<i64>,
    /// Keys that an update is about to give to a contact.
    expected: BTreeMap<i64, i64>,
}

impl Arrivals {
    /// The keys by which these updates name contacts, or which they give to them.
    pub(super) fn keys<'a>(updates: impl Iterator<Item = &'a PreparedUpdate>) -> Vec<i64> {
        let keys = updates.filter_map(|update| match &update.state {
            PreparedState::Waiting(waiting) => {
                let own = waiting.is_key.then_some(waiting.lane);
                Some(own.into_iter().chain(waiting.new_keys.iter().copied()))
            }
            PreparedState::Held { .. } | PreparedState::Skipped(_) => None,
        });
        sorted(keys.flatten())
    }

    /// Locks the lanes to which updates come. `lanes` says where the `keys` lead to, as it was looked up before: where
    /// that has changed since, the transaction begins anew. The lanes `also` are locked beside them.
    pub(super) async fn lock<'a>(
        transaction: &Transaction<'_>,
        (keys, lanes): (&[i64], HashMap<i64, i64>),
        updates: impl Iterator<Item = &'a PreparedUpdate>,
        also: &[i64],
        now: i64,
    ) -> Result<Self, Fault> {
        let lane_of = |key: i64| lanes.get(&key).copied().unwrap_or(key);
        let wanted = updates.filter_map(|update| match &update.state {
            PreparedState::Waiting(waiting) => {
                let own = if waiting.is_key { lane_of(waiting.lane) } else { waiting.lane };
                Some(std::iter::once(own).chain(waiting.new_keys.iter().copied()))
            }
            PreparedState::Held { .. } | PreparedState::Skipped(_) => None,
        });
        let wanted = sorted(wanted.flatten().chain(also.iter().copied()));
        let none = || Self {
            lanes: HashMap::new(),
            made: BTreeSet::new(),
            blocked: BTreeSet::new(),
            arrived: BTreeSet::new(),
            expected: BTreeMap::new(),
        };
        if wanted.is_empty() {
            return Ok(none());
        }
        let (made, again, blocked) = futures_util::try_join!(
            transaction.lock_lanes(&wanted, Some(now)),
            transaction.lanes_of(keys),
            transaction.blocked(&wanted),
        )?;
        if again != lanes {
            return Err(Fault::changed());
        }
        Ok(Self { lanes, made, blocked, ..none() })
    }

    fn lane_of(&self, key: i64) -> i64 {
        let lane = self.lanes.get(&key).copied().unwrap_or(key);
        self.expected.get(&lane).copied().unwrap_or(lane)
    }

    /// The lane in which an update waits; 0 where it does not wait.
    pub(super) fn arrive(&mut self, update: &PreparedUpdate) -> i64 {
        let PreparedState::Waiting(waiting) = &update.state else { return 0 };
        let lane = if waiting.is_key { self.lane_of(waiting.lane) } else { waiting.lane };
        for key in &waiting.new_keys {
            // What comes under the key waits behind this update. Where it has a line of its own, that one goes on.
            let is_free = self.made.contains(key) && !self.arrived.contains(key);
            if *key != lane && is_free && self.lane_of(*key) == *key {
                self.expected.insert(*key, lane);
            }
        }
        self.arrived.insert(lane);
        lane
    }

    /// Sets the lanes right once the updates are there: the last thing but the counters.
    pub(super) async fn settle(
        &self,
        transaction: &Transaction<'_>,
        now: i64,
    ) -> Result<(), Fault> {
        let unused = self.made.difference(&self.arrived);
        let blocked = self.arrived.intersection(&self.blocked);
        let odd = sorted(unused.chain(blocked).copied());
        transaction.set_right(&odd, now).await?;
        let aliases: Vec<_> = self.expected.iter().map(|(key, lane)| (*key, *lane)).collect();
        transaction.set_aliases(&aliases, now).await
    }
}

impl Transaction<'_> {
    /// Has what comes under keys wait in these lanes. Old aliases of lanes in which nothing waits make room.
    pub(super) async fn set_aliases(&self, aliases: &[(i64, i64)], now: i64) -> Result<(), Fault> {
        if aliases.is_empty() {
            return Ok(());
        }
        let (keys, lanes): (Vec<i64>, Vec<i64>) = aliases.iter().copied().unzip();
        self.execute(statements::SET_ALIASES, params![keys, lanes, now]).await?;
        let old = now.saturating_sub(KEPT_FOR);
        self.execute(statements::FORGET_ALIASES, params![old, LOOKED_AT]).await?;
        self.execute(statements::KEEP_ALIASES, params![old, LOOKED_AT, now]).await?;
        Ok(())
    }
}

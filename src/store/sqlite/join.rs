//! Lanes that turn out to be one contact's.
//!
//! Once delivery has found whom a key means, the key is an alias of that contact's lane: what waits for it there and
//! what comes later wait in one line, by received order.

use rusqlite::{Connection, OptionalExtension};

use super::batch::Batch;
use super::lanes::Standing;
use super::statements;
use crate::store::form::state::number;
use crate::store::{Joined, Lent};

/// For how long an alias is kept at least, in milliseconds; one that is gone is found again by the next look-up.
const KEPT_FOR: i64 = 24 * 60 * 60 * 1000;

/// So many old ones are looked at for each new one.
const LOOKED_AT: u32 = 4;

/// No alias leads further than this: a key that another is to become, which means a contact.
const MOST_STEPS: usize = 3;

/// Where a run is lent.
struct LentIn {
    lane: i64,
    /// By which its updates name their contact, where that is not the id.
    key: Option<i64>,
    /// Whether all of it takes consent back.
    withdraws: bool,
}

/// The lanes that a key leads to, its own first; the last one is where what names its contact by it waits.
pub(super) fn way_of(connection: &Connection, key: i64) -> rusqlite::Result<Vec<i64>> {
    let mut way = vec![key];
    let mut find = connection.prepare_cached(statements::FIND_ALIAS)?;
    let mut lane = key;
    for _ in 0..MOST_STEPS {
        let Some(alias) = find.query_row([lane], |row| row.get(0)).optional()? else { break };
        lane = alias;
        way.push(lane);
    }
    Ok(way)
}

impl Batch<'_> {
    /// The lane in which what names its contact by this key waits.
    pub(super) fn lane_of(&self, key: i64) -> rusqlite::Result<i64> {
        Ok(way_of(self.connection, key)?.pop().unwrap_or(key))
    }

    /// A key that an update is about to give to a contact: what comes under it waits behind that update. Where it
    /// has a line of its own already, that one goes on as it is.
    pub(super) fn expect_key(&mut self, key: i64, lane: i64) -> rusqlite::Result<()> {
        if key == lane || self.standing(key) != Standing::Free || self.lane_of(key)? != key {
            return Ok(());
        }
        self.set_alias(key, lane)
    }

    /// Brings what is lent, and what waits under the same key, into another lane.
    pub(super) fn join(&mut self, run: &[Lent], to: i64) -> rusqlite::Result<Joined> {
        let Some(LentIn { lane: from, key, withdraws }) = self.lent_in(run)? else {
            return Ok(Joined::Lapsed);
        };
        let Some(key) = key.filter(|_| from != to) else { return Ok(Joined::First) };
        if key == to {
            self.connection.prepare_cached(statements::DROP_ALIAS)?.execute([key])?;
        } else {
            self.set_alias(key, to)?;
        }
        if from == key {
            self.move_blocks(from, to)?;
        }
        let is_free = self.standing(to) == Standing::Free;
        let goes = is_free && (withdraws || !self.is_blocked(to));
        let sql = if goes { statements::MOVE_LENT } else { statements::QUEUE_LENT };
        let mut lent = self.connection.prepare_cached(sql)?;
        for one in run {
            lent.execute((number(one.update), one.fence.0, to))?;
        }
        // All that wait in a key's own lane are for that key, or for one that it is about to become.
        let only = (from != key).then_some(key);
        let mut follow = self.connection.prepare_cached(statements::MOVE_FOLLOWERS)?;
        let followed = follow.execute((from, to, only))? > 0;
        let loan = self.loan(from);
        if loan.is_some() {
            self.set_loan(from, None);
        }
        if goes && loan.is_some() {
            self.set_loan(to, loan);
        }
        let queued = followed || !goes || self.is_blocked(to);
        self.set_standing(to, if queued { Standing::Queued } else { Standing::Alone });
        if is_free && !goes {
            self.go_on(to, self.now)?;
        }
        self.go_on(from, self.now)?;
        Ok(if goes { Joined::First } else { Joined::Behind })
    }

    /// Where all of these are lent.
    fn lent_in(&self, run: &[Lent]) -> rusqlite::Result<Option<LentIn>> {
        let mut find = self.connection.prepare_cached(statements::LENT_IN)?;
        let mut found: Option<LentIn> = None;
        for lent in run {
            let row = find.query_row((number(lent.update), lent.fence.0), |row| {
                let withdraws = row.get::<_, Option<bool>>(2)? == Some(true);
                Ok(LentIn { lane: row.get(0)?, key: row.get(1)?, withdraws })
            });
            let Some(row) = row.optional()? else { return Ok(None) };
            let withdraws = row.withdraws && found.as_ref().is_none_or(|found| found.withdraws);
            found = Some(LentIn { withdraws, ..row });
        }
        Ok(found)
    }

    fn set_alias(&self, key: i64, lane: i64) -> rusqlite::Result<()> {
        self.connection.prepare_cached(statements::SET_ALIAS)?.execute((key, lane, self.now))?;
        self.forget_aliases()
    }

    /// Each new alias has old ones make room: those of lanes in which nothing waits. Others count as new.
    fn forget_aliases(&self) -> rusqlite::Result<()> {
        let mut old = self.connection.prepare_cached(statements::OLD_ALIASES)?;
        let old =
            old.query_map((self.now - KEPT_FOR, LOOKED_AT), |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (key, lane) in old.collect::<Result<Vec<(i64, i64)>, _>>()? {
            if self.standing(lane) == Standing::Free && !self.is_blocked(lane) {
                self.connection.prepare_cached(statements::DROP_ALIAS)?.execute([key])?;
            } else {
                self.connection
                    .prepare_cached(statements::SET_ALIAS)?
                    .execute((key, lane, self.now))?;
            }
        }
        Ok(())
    }
}

//! Lanes: locked before anything is done in them, set right before the transaction ends.
//!
//! Every transaction locks its lanes by number, then keys of repeats by value, then counts: so no two wait for each
//! other. What is read of a lane counts only when it is read by a statement after the lock.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokio_postgres::Row;

use super::statements;
use super::transaction::{Fault, Transaction, params};

/// How a lane stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lane {
    /// When its head may be lent; nothing while it is lent, or while all that waits is blocked.
    pub(super) due_at: Option<i64>,
    /// Who holds what is lent of it.
    pub(super) holder: Option<i64>,
    /// The claim it is lent with.
    pub(super) fence: Option<i64>,
    /// How many of the run are not recorded yet.
    pub(super) lent: i32,
    /// When the lane may go on, as far as has been said of the run.
    pub(super) put_off: i64,
}

impl Lane {
    /// Whether nothing of it is due, put off or lent.
    pub(super) const fn is_free(&self) -> bool {
        self.due_at.is_none() && self.holder.is_none()
    }
}

/// The lanes of rows.
pub(super) fn lanes(rows: Vec<Row>) -> BTreeMap<i64, Lane> {
    let lane = |row: Row| {
        let lane = Lane {
            due_at: row.get(1),
            holder: row.get(2),
            fence: row.get(3),
            lent: row.get(4),
            put_off: row.get(5),
        };
        (row.get(0), lane)
    };
    rows.into_iter().map(lane).collect()
}

/// Numbers in order, each once.
pub(super) fn sorted(all: impl IntoIterator<Item = i64>) -> Vec<i64> {
    all.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

impl Transaction<'_> {
    /// Locks lanes, and makes those that are not there, due at `due_at`; gives those that were made. Whoever does so
    /// sets them right before the end.
    pub(super) async fn lock_lanes(
        &self,
        lanes: &[i64],
        due_at: Option<i64>,
    ) -> Result<BTreeSet<i64>, Fault> {
        let made = self.query(statements::LOCK_LANES, params![lanes, due_at]).await?;
        Ok(made.into_iter().map(|row| row.get(0)).collect())
    }

    /// How locked lanes stand.
    pub(super) async fn read_lanes(&self, of: &[i64]) -> Result<BTreeMap<i64, Lane>, Fault> {
        Ok(lanes(self.query(statements::READ_LANES, params![of]).await?))
    }

    /// Those of these lanes that a dead update blocks.
    pub(super) async fn blocked(&self, of: &[i64]) -> Result<BTreeSet<i64>, Fault> {
        let rows = self.query(statements::BLOCKED_LANES, params![of]).await?;
        Ok(rows.into_iter().map(|row| row.get(0)).collect())
    }

    /// Locked lanes of which nothing is lent any more: each goes on at its moment, or goes where nothing waits in it.
    pub(super) async fn go_on(&self, lanes: &[(i64, i64)]) -> Result<(), Fault> {
        if lanes.is_empty() {
            return Ok(());
        }
        let (ids, due): (Vec<i64>, Vec<i64>) = lanes.iter().copied().unzip();
        self.execute(statements::DROP_FREE, params![ids]).await?;
        self.execute(statements::GO_ON, params![ids, due]).await?;
        Ok(())
    }

    /// Locked lanes in which something has come, gone or changed, or what blocks them has: what is lent stays lent,
    /// what is put off stays put off, what else may go is due now.
    pub(super) async fn set_right(&self, lanes: &[i64], now: i64) -> Result<(), Fault> {
        if lanes.is_empty() {
            return Ok(());
        }
        self.execute(statements::DROP_FREE, params![lanes]).await?;
        self.execute(statements::SET_RIGHT, params![lanes, now]).await?;
        Ok(())
    }

    /// The lanes in which what names its contact by these keys waits.
    pub(super) async fn lanes_of(&self, keys: &[i64]) -> Result<HashMap<i64, i64>, Fault> {
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = self.query(statements::ALIASES, params![keys]).await?;
        Ok(rows.into_iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// This moment by the database's clock, or by that of a test.
    pub(super) async fn now(&self, manual: Option<i64>) -> Result<i64, Fault> {
        let now = self.query_opt(statements::NOW, params![manual]).await?;
        Ok(now.map_or(0, |row| row.get(0)))
    }
}

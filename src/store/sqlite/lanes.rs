//! How lanes stand: what the writer knows of them without asking, and how one goes on.
//!
//! A lane is busy while its head is due, put off or lent; what comes to it then waits behind, without a `due_at`.
//! The head is found by when it is due, never by its lane: so a lane with an older update than its head (one that
//! joined it, or came back) is set right when the head is claimed.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use rusqlite::Connection;

use super::batch::Batch;
use super::memory::Hashed;
use super::statements;

/// How a lane stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing of it is due, put off or lent.
    Free,
    /// It has a head, and nothing waits behind it.
    Alone,
    /// It has a head, and something may wait behind it.
    Queued,
}

/// A run of more than one update that is lent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Loan {
    /// How many of them are not recorded yet.
    pub(super) left: u32,
    /// When the lane may go on, as far as has been said.
    pub(super) due_at: i64,
}

/// A busy lane in eight bytes: its number, which has 63 bits, and in the sign whether something may wait.
#[derive(Debug, Clone, Copy)]
struct Busy(i64);

impl Busy {
    const fn lane(self) -> i64 {
        self.0 & i64::MAX
    }
}

impl PartialEq for Busy {
    fn eq(&self, other: &Self) -> bool {
        self.lane() == other.lane()
    }
}

impl Eq for Busy {}

impl Hash for Busy {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.lane().hash(state);
    }
}

/// All lanes that are not simply free.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    /// 9 bytes a lane, and the only thing that grows with what waits.
    busy: HashSet<Busy, Hashed>,
    /// Lanes of which more than one update is lent.
    loans: HashMap<i64, Loan, Hashed>,
    /// Lanes that a dead update blocks.
    blocked: HashSet<i64, Hashed>,
}

/// What a transaction changes about lanes.
#[derive(Debug, Default)]
pub(super) struct LaneChanges {
    standing: HashMap<i64, Standing, Hashed>,
    loans: HashMap<i64, Option<Loan>, Hashed>,
    blocked: HashMap<i64, bool, Hashed>,
}

impl Lanes {
    /// Reads them from the store, where `open` updates are waiting or lent; at most one covering index.
    pub(super) fn load(connection: &Connection, open: i64) -> rusqlite::Result<Self> {
        // In one piece: growing it step by step would hold the old and the new one at once. No more lanes are busy
        // than updates are open, and what is reserved and never used takes no memory.
        let mut lanes = Self::default();
        lanes.busy.reserve(usize::try_from(open).unwrap_or(0));
        let mut due = connection.prepare(statements::LOAD_LANES)?;
        let mut rows = due.query([])?;
        while let Some(row) = rows.next()? {
            lanes.put(row.get(0)?, Standing::Queued);
        }
        let mut leased = connection.prepare(statements::LOAD_LENT_LANES)?;
        let mut rows = leased.query([])?;
        while let Some(row) = rows.next()? {
            let (lane, count) = (row.get(0)?, row.get(1)?);
            lanes.put(lane, Standing::Queued);
            if count > 1 {
                lanes.loans.insert(lane, Loan { left: count, due_at: 0 });
            }
        }
        let mut blocked = connection.prepare(statements::LOAD_BLOCKED)?;
        let mut rows = blocked.query([])?;
        while let Some(row) = rows.next()? {
            lanes.blocked.insert(row.get(0)?);
        }
        Ok(lanes)
    }

    fn put(&mut self, lane: i64, standing: Standing) {
        match standing {
            Standing::Free => self.busy.remove(&Busy(lane)),
            Standing::Alone => self.busy.replace(Busy(lane)).is_some(),
            Standing::Queued => self.busy.replace(Busy(lane | i64::MIN)).is_some(),
        };
    }

    fn standing(&self, lane: i64) -> Standing {
        match self.busy.get(&Busy(lane)) {
            None => Standing::Free,
            Some(busy) if busy.0 < 0 => Standing::Queued,
            Some(_) => Standing::Alone,
        }
    }

    /// Takes over what a transaction changed, once it is committed.
    pub(super) fn apply(&mut self, changes: LaneChanges) {
        for (lane, standing) in changes.standing {
            self.put(lane, standing);
        }
        for (lane, loan) in changes.loans {
            match loan {
                Some(loan) => self.loans.insert(lane, loan),
                None => self.loans.remove(&lane),
            };
        }
        for (lane, blocked) in changes.blocked {
            if blocked {
                self.blocked.insert(lane);
            } else {
                self.blocked.remove(&lane);
            }
        }
    }
}

impl Batch<'_> {
    pub(super) fn standing(&self, lane: i64) -> Standing {
        let changed = self.changes.lanes.standing.get(&lane).copied();
        changed.unwrap_or_else(|| self.memory.lanes.standing(lane))
    }

    pub(super) fn set_standing(&mut self, lane: i64, standing: Standing) {
        self.changes.lanes.standing.insert(lane, standing);
    }

    pub(super) fn is_blocked(&self, lane: i64) -> bool {
        let changed = self.changes.lanes.blocked.get(&lane).copied();
        changed.unwrap_or_else(|| self.memory.lanes.blocked.contains(&lane))
    }

    pub(super) fn set_blocked(&mut self, lane: i64, blocked: bool) {
        self.changes.lanes.blocked.insert(lane, blocked);
    }

    pub(super) fn loan(&self, lane: i64) -> Option<Loan> {
        let changed = self.changes.lanes.loans.get(&lane).copied();
        changed.unwrap_or_else(|| self.memory.lanes.loans.get(&lane).copied())
    }

    pub(super) fn set_loan(&mut self, lane: i64, loan: Option<Loan>) {
        self.changes.lanes.loans.insert(lane, loan);
    }

    /// Whether each lane that lends anything lends one update only.
    pub(super) fn lends_single_updates_only(&self) -> bool {
        self.memory.lanes.loans.is_empty() && self.changes.lanes.loans.is_empty()
    }

    /// An open update comes to a lane: when it is due, or nothing where it waits behind others.
    pub(super) fn arrive(&mut self, lane: i64, withdrawal: bool) -> Option<i64> {
        let blocked = self.is_blocked(lane);
        let (standing, due_at) = match self.standing(lane) {
            Standing::Free if blocked && !withdrawal => return None,
            // Others wait behind what blocks the lane.
            Standing::Free if blocked => (Standing::Queued, Some(self.now)),
            Standing::Free => (Standing::Alone, Some(self.now)),
            Standing::Alone | Standing::Queued => (Standing::Queued, None),
        };
        self.set_standing(lane, standing);
        due_at
    }

    /// The head of a lane has gone, or nothing of the lane is lent any more: the oldest that waits and may go is due
    /// at `due_at`.
    pub(super) fn go_on(&mut self, lane: i64, due_at: i64) -> rusqlite::Result<()> {
        let found = self.standing(lane) == Standing::Queued
            && promote(self.connection, lane, due_at.max(self.now))?;
        let standing = if found { Standing::Queued } else { Standing::Free };
        self.set_standing(lane, standing);
        Ok(())
    }
}

/// Makes the oldest update that waits in a lane and may go its head; whether there is one.
fn promote(connection: &Connection, lane: i64, due_at: i64) -> rusqlite::Result<bool> {
    let mut promote = connection.prepare_cached(statements::PROMOTE)?;
    Ok(promote.execute((lane, due_at))? > 0)
}

/// Everything that was lent under `fence`, or at all, is in nobody's hands any more: each lane goes on.
pub(super) fn reclaim(
    connection: &Connection,
    fence: Option<i64>,
    now: i64,
) -> rusqlite::Result<()> {
    let lanes = {
        let mut lent = connection.prepare_cached(statements::LANES_LENT)?;
        let lanes = lent.query_map([fence], |row| row.get(0))?;
        lanes.collect::<Result<Vec<i64>, _>>()?
    };
    match fence {
        Some(fence) => connection.prepare_cached(statements::TAKE_BACK)?.execute([fence])?,
        None => connection.prepare_cached(statements::RECLAIM)?.execute([])?,
    };
    for lane in lanes {
        promote(connection, lane, now)?;
    }
    Ok(())
}

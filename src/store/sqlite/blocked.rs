//! Lanes that a dead update blocks (`delivery.after_dead: block`), until it is replayed or discarded.

use super::batch::Batch;
use super::lanes::Standing;
use super::statements;

/// Where a dead update comes back to.
pub(super) struct ComesBack {
    /// The lane in which it died.
    pub(super) from: i64,
    /// The lane in which it waits.
    pub(super) lane: i64,
    /// When it is due there; nothing where it waits behind others.
    pub(super) due_at: Option<i64>,
}

impl Batch<'_> {
    /// What waits in the lane waits for this dead update; only a withdrawal passes.
    pub(super) fn block(&mut self, lane: i64, update: i64) -> rusqlite::Result<()> {
        self.connection.prepare_cached(statements::BLOCK)?.execute((lane, update))?;
        self.set_blocked(lane, true);
        Ok(())
    }

    /// A dead update waits again or is put away: what waits behind it goes on, unless another one blocks the lane.
    pub(super) fn unblock(&mut self, lane: i64, update: i64) -> rusqlite::Result<()> {
        if !self.is_blocked(lane) {
            return Ok(());
        }
        self.connection.prepare_cached(statements::UNBLOCK)?.execute((lane, update))?;
        let mut blocks = self.connection.prepare_cached(statements::BLOCKS)?;
        if blocks.exists([lane])? {
            return Ok(());
        }
        self.set_blocked(lane, false);
        let is_free = self.standing(lane) == Standing::Free;
        self.set_standing(lane, Standing::Queued);
        if is_free {
            self.go_on(lane, self.now)?;
        }
        Ok(())
    }

    /// A dead update comes back to where what names its contact so waits today.
    pub(super) fn come_back(&mut self, id: i64) -> rusqlite::Result<ComesBack> {
        let mut home = self.connection.prepare_cached(statements::HOME)?;
        let (from, key, withdraws): (i64, Option<i64>, bool) =
            home.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let lane = key.map_or(Ok(from), |key| self.lane_of(key))?;
        Ok(ComesBack { from, lane, due_at: self.arrive(lane, withdraws) })
    }

    /// Who joins a lane brings along what blocks it.
    pub(super) fn move_blocks(&mut self, from: i64, to: i64) -> rusqlite::Result<()> {
        if !self.is_blocked(from) {
            return Ok(());
        }
        // A dead update stands in the lane that it blocks.
        self.connection.prepare_cached(statements::BLOCKING_MOVE)?.execute((from, to))?;
        self.connection.prepare_cached(statements::BLOCKS_MOVE)?.execute((from, to))?;
        self.connection.prepare_cached(statements::UNBLOCK_LANE)?.execute([from])?;
        self.set_blocked(from, false);
        self.set_blocked(to, true);
        Ok(())
    }
}

//! Lanes that a dead update blocks (`delivery.after_dead: block`), until it is replayed or discarded.

use super::batch::Batch;
use super::statements;

impl Batch<'_> {
    /// What waits in the lane waits for this dead update; only a withdrawal passes.
    pub(super) fn block(&mut self, lane: i64, update: i64) -> rusqlite::Result<()> {
        self.connection.prepare_cached(statements::BLOCK)?.execute((lane, update))?;
        self.set_blocked(lane, true);
        Ok(())
    }

    /// Who joins a lane brings along what blocks it.
    pub(super) fn move_blocks(&mut self, from: i64, to: i64) -> rusqlite::Result<()> {
        if !self.is_blocked(from) {
            return Ok(());
        }
        self.connection.prepare_cached(statements::BLOCKS_MOVE)?.execute((from, to))?;
        self.connection.prepare_cached(statements::UNBLOCK_LANE)?.execute([from])?;
        self.set_blocked(from, false);
        self.set_blocked(to, true);
        Ok(())
    }
}

//! Lanes that a dead update blocks (`delivery.after_dead: block`), until it is replayed or discarded.

use super::batch::Batch;
use super::lanes::Standing;
use super::statements;

impl Batch<'_> {
    /// What waits in the lane waits for this dead update; only a withdrawal passes.
    pub(super) fn block(&mut self, lane: i64, update: i64) -> rusqlite::Result<()> {
        self.connection.prepare_cached(statements::BLOCK)?.execute((lane, update))?;
        self.set_blocked(lane, true);
        Ok(())
    }

    /// A dead update blocks its lane no longer, since it waits again or was put away. What waits in the lane goes on
    /// when none is left that blocks it, the oldest first: so an update that waits again is put there before.
    #[cfg_attr(not(test), expect(dead_code, reason = "replay and discard come to use it"))]
    pub(super) fn unblock(&mut self, lane: i64, update: i64) -> rusqlite::Result<()> {
        if !self.is_blocked(lane) {
            return Ok(());
        }
        self.connection.prepare_cached(statements::UNBLOCK)?.execute((lane, update))?;
        let mut left = self.connection.prepare_cached(statements::IS_BLOCKED)?;
        if left.exists([lane])? {
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

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::store::sqlite::memory::Memory;
    use crate::store::sqlite::{connection, writer};

    const LANE: i64 = 7;

    /// A store with these updates of a lane, each with a number, a state and whether it is a withdrawal.
    fn with(updates: &[(i64, u8, bool)]) -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = connection::writing(&folder.path().join("a.db"), 1 << 20).unwrap();
        writer::start(&mut connection, 0).unwrap();
        for (id, state, withdrawal) in updates {
            connection
                .execute(
                    "INSERT INTO upd(id, lane, source, rule, item, state, attempts, withdrawal) \
                     VALUES (?1, ?2, 1, 1, 0, ?3, 0, ?4)",
                    (id, LANE, state, withdrawal),
                )
                .unwrap();
        }
        (folder, connection)
    }

    fn due(connection: &Connection) -> Vec<i64> {
        let mut due = connection.prepare("SELECT id FROM upd WHERE due_at IS NOT NULL").unwrap();
        due.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn a_lane_goes_on_when_the_last_that_blocks_it_is_replayed_or_discarded() {
        let (_folder, connection) = with(&[(1, 4, false), (2, 4, false), (3, 0, false)]);
        let mut memory = Memory::load(&connection, 0).unwrap();
        let step = |memory: &mut Memory, of: &dyn Fn(&mut Batch<'_>)| {
            let mut batch = Batch::new(&connection, memory, 50);
            of(&mut batch);
            let changes = batch.changes;
            memory.apply(changes);
        };
        step(&mut memory, &|batch| batch.block(LANE, 1).unwrap());
        step(&mut memory, &|batch| batch.block(LANE, 2).unwrap());
        let mut memory = Memory::load(&connection, 0).unwrap();

        step(&mut memory, &|batch| batch.unblock(LANE, 2).unwrap());
        assert_eq!(due(&connection), Vec::<i64>::new());
        // The first one is replayed: it waits again, before all others.
        connection.execute("UPDATE upd SET state = 0 WHERE id = 1", []).unwrap();
        step(&mut memory, &|batch| {
            assert_eq!(batch.arrive(LANE, false), None);
            batch.unblock(LANE, 1).unwrap();
        });

        assert_eq!(due(&connection), [1]);
        step(&mut memory, &|batch| {
            assert!(!batch.is_blocked(LANE));
            assert_eq!(batch.standing(LANE), Standing::Queued);
        });
    }
}

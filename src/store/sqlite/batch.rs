//! One transaction, and what it changes in memory once it is committed.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::lanes::LaneChanges;
use super::memory::Memory;
use super::seen::{Mark, Marks};
use super::statements;
use super::steady::Now;
use crate::store::form::keys::EventKey;
use crate::store::form::ledger::Deltas;

/// What a transaction changes in memory: nothing of it counts before the commit.
pub(super) struct Changes {
    pub(super) lanes: LaneChanges,
    pub(super) keys: Marks,
    /// How far the older keys were moved to their table.
    pub(super) moved_to: Option<usize>,
    pub(super) names: Vec<Arc<str>>,
    pub(super) ledger: Deltas,
    pub(super) last_event: i64,
}

/// One transaction.
pub(super) struct Batch<'a> {
    pub(super) connection: &'a Connection,
    pub(super) memory: &'a Memory,
    /// For what is due and what expires, in milliseconds since 1970.
    pub(super) now: i64,
    /// For people.
    pub(super) wall: i64,
    pub(super) changes: Changes,
}

impl<'a> Batch<'a> {
    pub(super) fn new(connection: &'a Connection, memory: &'a Memory, now: Now) -> Self {
        let changes = Changes {
            lanes: LaneChanges::default(),
            keys: Marks::default(),
            moved_to: None,
            names: Vec::new(),
            ledger: Deltas::default(),
            last_event: memory.last_event,
        };
        Self { connection, memory, now: now.steady, wall: now.wall, changes }
    }

    /// The event this key belongs to, while its window lasts.
    pub(super) fn event_of(&self, key: &EventKey) -> rusqlite::Result<Option<i64>> {
        let mark = self.changes.keys.get(key).copied().or_else(|| self.memory.seen.find(key));
        if let Some(Mark { event, expires_at }) = mark {
            return Ok((expires_at > self.now).then_some(event));
        }
        let mut find = self.connection.prepare_cached(statements::FIND_KEY)?;
        find.query_row((key, self.now), |row| row.get(0)).optional()
    }

    /// The number of a source's or a rule's name.
    pub(super) fn name(&mut self, text: &str) -> rusqlite::Result<i64> {
        if let Some(id) = self.memory.names.id(text) {
            return Ok(id);
        }
        let known = self.memory.names.len();
        let new = self.changes.names.iter().position(|name| **name == *text);
        let place = known + new.unwrap_or(self.changes.names.len());
        let id = i64::try_from(place).unwrap_or(i64::MAX).saturating_add(1);
        if new.is_none() {
            self.connection.prepare_cached(statements::ADD_NAME)?.execute((id, text))?;
            self.changes.names.push(text.into());
        }
        Ok(id)
    }

    /// The name with this number.
    pub(super) fn text(&self, id: i64) -> Arc<str> {
        let new = || {
            let known = self.memory.names.len();
            let place = usize::try_from(id).ok()?.checked_sub(known + 1)?;
            self.changes.names.get(place)
        };
        self.memory.names.text(id).or_else(new).map_or_else(|| "".into(), Arc::clone)
    }

    /// Moves some of the older keys to their table, and writes the counters: the last thing of a transaction.
    pub(super) fn finish(&mut self, stored: usize) -> rusqlite::Result<()> {
        let most = (stored + stored / 2).max(64);
        self.changes.moved_to = self.memory.seen.move_some(self.connection, most, self.now)?;
        count(self.connection, &self.changes.ledger)
    }
}

/// Writes what a transaction counts.
pub(super) fn count(connection: &Connection, deltas: &Deltas) -> rusqlite::Result<()> {
    let mut count = connection.prepare_cached(statements::COUNT)?;
    for (source, what, by) in deltas.iter() {
        count.execute((source, what as u8, by))?;
    }
    Ok(())
}

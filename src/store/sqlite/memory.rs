//! What the writer knows without asking: changed only after a commit, thrown away and loaded again after a failed one.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use rusqlite::Connection;

use super::batch::Changes;
use super::lanes::Lanes;
use super::schema;
use super::seen::Seen;
use super::statements;
use crate::store::Error;
use crate::store::form::ledger::What;
use crate::store::sqlite::connection::failed;

/// For keys that are hashes already.
#[derive(Debug, Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 ^= u64::from_le_bytes(*first);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A hasher for keys that are hashes already.
pub(super) type Hashed = BuildHasherDefault<AsItIs>;

/// The names of sources and rules; a name's number is its place, from 1.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_place: Vec<Arc<str>>,
    by_text: HashMap<Arc<str>, i64>,
}

impl Names {
    pub(super) fn len(&self) -> usize {
        self.by_place.len()
    }

    pub(super) fn id(&self, text: &str) -> Option<i64> {
        self.by_text.get(text).copied()
    }

    pub(super) fn text(&self, id: i64) -> Option<&Arc<str>> {
        usize::try_from(id).ok().and_then(|id| self.by_place.get(id.checked_sub(1)?))
    }

    pub(super) fn push(&mut self, text: Arc<str>) {
        self.by_place.push(Arc::clone(&text));
        let id = i64::try_from(self.by_place.len()).unwrap_or(i64::MAX);
        self.by_text.insert(text, id);
    }
}

/// The writer's memory.
pub(super) struct Memory {
    pub(super) lanes: Lanes,
    pub(super) seen: Seen,
    pub(super) names: Names,
    pub(super) last_event: i64,
    /// How many updates wait or are in flight.
    pub(super) open: i64,
}

impl Memory {
    /// Reads it from the store; at most one covering index.
    pub(super) fn load(connection: &Connection, now: i64) -> Result<Self, Error> {
        let moved = schema::number(connection, "moved")?.unwrap_or(0);
        let deleted = schema::number(connection, "last_event")?.unwrap_or(0);
        Self::read(connection, (moved, deleted), now).map_err(|error| failed(&error))
    }

    /// `moved` is the event up to which all keys are in their table, `deleted` the last one that was the youngest
    /// when it was deleted: ids go on after both.
    fn read(
        connection: &Connection,
        (moved, deleted): (i64, i64),
        now: i64,
    ) -> rusqlite::Result<Self> {
        let open: i64 =
            connection.query_row(statements::OPEN_UPDATES, [What::Open as u8], |row| row.get(0))?;
        let mut names = Names::default();
        let mut stored = connection.prepare(statements::LOAD_NAMES)?;
        let mut rows = stored.query([])?;
        while let Some(row) = rows.next()? {
            names.push(row.get::<_, String>(0)?.into());
        }
        let last: Option<i64> =
            connection.query_row(statements::LAST_EVENT, [], |row| row.get(0))?;
        Ok(Self {
            lanes: Lanes::load(connection, open)?,
            seen: Seen::load(connection, moved, now)?,
            names,
            last_event: last.unwrap_or(0).max(moved).max(deleted),
            open,
        })
    }

    /// Takes over what a transaction changed, once it is committed.
    pub(super) fn apply(&mut self, changes: Changes) {
        let Changes { lanes, keys, moved_to, names, ledger, last_event } = changes;
        self.lanes.apply(lanes);
        for name in names {
            self.names.push(name);
        }
        self.open += ledger.total(What::Open);
        self.last_event = last_event;
        self.seen.apply(keys, moved_to, last_event);
    }
}

//! The keys by which repeats are known, written late.
//!
//! A key is durable with its event at once. The table of keys is filled later, many at a time and in the order of
//! keys, so that neighbours share pages: a table with a hash for its key costs a page a row otherwise. Two
//! generations of keys are in memory meanwhile; `moved` in `meta` is the youngest event up to which all keys are in
//! the table, and at start the keys of younger events are read back.

use std::collections::HashMap;

use rusqlite::Connection;

use super::memory::Hashed;
use super::statements;
use crate::store::form::keys::EventKey;

/// So many keys are a generation.
const GENERATION: usize = if cfg!(test) { 64 } else { 32_768 };
/// So many events are one as well, however few of them have a key: so many are read back at start.
const EVENTS: i64 = if cfg!(test) { 128 } else { 65_536 };

/// The event a key belongs to, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) event: i64,
    pub(super) expires_at: i64,
}

pub(super) type Marks = HashMap<EventKey, Mark, Hashed>;

/// Keys that are being moved to the table.
pub(super) struct Generation {
    marks: Marks,
    order: Vec<EventKey>,
    at: usize,
    /// It has the keys of the events after this one.
    since: i64,
    last_event: i64,
}

impl Generation {
    fn new(marks: Marks, since: i64, last_event: i64) -> Self {
        let mut order: Vec<_> = marks.keys().copied().collect();
        order.sort_unstable();
        Self { marks, order, at: 0, since, last_event }
    }
}

/// Keys that are not in the table yet.
pub(super) struct Seen {
    recent: Marks,
    /// `recent` has the keys of the events after this one.
    since: i64,
    older: Option<Generation>,
}

impl Seen {
    pub(super) fn load(connection: &Connection, moved: i64, now: i64) -> rusqlite::Result<Self> {
        let mut recent = Marks::default();
        let mut keys = connection.prepare(statements::LOAD_KEYS)?;
        let mut rows = keys.query([moved])?;
        while let Some(row) = rows.next()? {
            let mark = Mark { event: row.get(1)?, expires_at: row.get(2)? };
            if mark.expires_at > now {
                recent.insert(row.get(0)?, mark);
            }
        }
        Ok(Self { recent, since: moved, older: None })
    }

    /// Whether the key of this event is in the table for sure.
    pub(super) fn is_moved(&self, event: i64) -> bool {
        event <= self.older.as_ref().map_or(self.since, |older| older.since)
    }

    /// What is known of this key, if it is not in the table yet.
    pub(super) fn find(&self, key: &EventKey) -> Option<Mark> {
        let older = || self.older.as_ref().and_then(|older| older.marks.get(key));
        self.recent.get(key).or_else(older).copied()
    }

    /// Moves the next of the older keys; how far it got, which counts once the transaction is committed.
    pub(super) fn move_some(
        &self,
        connection: &Connection,
        most: usize,
        now: i64,
    ) -> rusqlite::Result<Option<usize>> {
        let Some(older) = &self.older else { return Ok(None) };
        let mut put = connection.prepare_cached(statements::MOVE_KEY)?;
        let slice = older.order.iter().skip(older.at).take(most);
        let mut end = older.at;
        for key in slice {
            end += 1;
            if let Some(mark) = older.marks.get(key).filter(|mark| mark.expires_at > now) {
                put.execute((key, mark.event, mark.expires_at))?;
            }
        }
        if end == older.order.len() {
            let mut set = connection.prepare_cached(statements::SET_META)?;
            set.execute(("moved", older.last_event))?;
        }
        Ok(Some(end))
    }

    /// Takes over what a transaction changed.
    pub(super) fn apply(&mut self, keys: Marks, moved_to: Option<usize>, last_event: i64) {
        self.recent.extend(keys);
        if let (Some(end), Some(older)) = (moved_to, &mut self.older) {
            older.at = end;
            if end == older.order.len() {
                self.older = None;
            }
        }
        let complete = self.recent.len() >= GENERATION || last_event - self.since >= EVENTS;
        if complete && self.older.is_none() {
            let recent = std::mem::take(&mut self.recent);
            self.older = Some(Generation::new(recent, self.since, last_event));
            self.since = last_event;
        }
    }
}

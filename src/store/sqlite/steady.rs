//! A clock for what is due that never goes back and never jumps, whatever is done to the machine's clock.
//!
//! It begins with the wall clock and goes on with the monotonic one. Where the wall clock is set back while the
//! bridge runs, this one is ahead of it from then on; how far is noted in the store, so that the next start begins
//! there. Moments that people read are those of the wall clock.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};

use super::connection::failed;
use super::{schema, statements};
use crate::clock::SharedClock;
use crate::store::Error;

/// In `meta`: by how many milliseconds this clock is ahead of the wall clock.
const AHEAD: &str = "ahead";

/// Less than this is no jump.
const JUMP: i64 = 2000;

/// This moment, in milliseconds since 1970 both ways.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// For what is due and what expires.
    pub(super) steady: i64,
    /// For people.
    pub(super) wall: i64,
}

/// The clock.
pub(super) struct Steady {
    clock: SharedClock,
    began: i64,
    began_monotonic: Duration,
}

impl Steady {
    /// A clock that goes on where the store's last one was: not before the last event that it received.
    pub(super) fn of(clock: SharedClock, connection: &Connection) -> Result<Self, Error> {
        let wall = clock.now().as_millisecond();
        let ahead = schema::number(connection, AHEAD)?.unwrap_or(0).max(0);
        let received: Option<i64> = connection
            .query_row(statements::LAST_RECEIVED, [], |row| row.get(0))
            .optional()
            .map_err(|error| failed(&error))?;
        let began = wall.saturating_add(ahead).max(received.unwrap_or(wall));
        Ok(Self { began, began_monotonic: clock.monotonic(), clock })
    }

    pub(super) fn now(&self) -> Now {
        let gone = self.clock.monotonic().saturating_sub(self.began_monotonic);
        let gone = i64::try_from(gone.as_millis()).unwrap_or(i64::MAX);
        Now { steady: self.began.saturating_add(gone), wall: self.clock.now().as_millisecond() }
    }

    /// Notes how far it is ahead of the wall clock, where that is not what is noted.
    pub(super) fn note(&self, connection: &Connection) -> Result<(), Error> {
        let Now { steady, wall } = self.now();
        let ahead = (steady - wall).max(0);
        let noted = schema::number(connection, AHEAD)?.unwrap_or(0);
        if (ahead - noted).abs() < JUMP {
            return Ok(());
        }
        tracing::warn!(
            seconds = (ahead - noted) / 1000,
            "the machine's clock was set: what is due is not changed by it"
        );
        schema::set(connection, AHEAD, ahead)
    }
}

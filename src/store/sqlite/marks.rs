//! What events have set of contacts, and when those happened: kept for sources that guard against older events, for
//! as long as an older one may still come.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::batch::Batch;
use super::connection::failed;
use super::statements;
use crate::contact::{Field, Mark};
use crate::event::UpdateId;
use crate::store::form::state::number;
use crate::store::{Error, Marked};

/// In milliseconds: a sender that comes with an event a month late is taken at its word.
const KEPT_FOR: i64 = 30 * 24 * 60 * 60 * 1000;

/// So many old ones go with each that comes: more than come, so that the rest gets less.
const SWEPT: i64 = 20;

/// When the event of an update happened, and what is marked of its contact.
pub(super) fn marked(connection: &Connection, update: UpdateId) -> Result<Marked, Error> {
    read(connection, number(update)).map_err(|error| failed(&error))
}

fn read(connection: &Connection, id: i64) -> rusqlite::Result<Marked> {
    let instant = |at: i64| Timestamp::from_millisecond(at).unwrap_or_default();
    let of = connection
        .prepare_cached(statements::MARKED)?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let of: Option<(i64, i64, Option<i64>)> = of.optional()?;
    let Some((lane, source, occurred_at)) = of else { return Ok(Marked::default()) };
    let mut marks = connection.prepare_cached(statements::MARKS)?;
    let marks = marks.query_map((lane, source), |row| {
        let (field, is_there, at): (String, bool, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Field::parse(&field).map(|field| Mark { field, is_there, at: instant(at) }))
    })?;
    let marks = marks.filter_map(Result::transpose).collect::<Result<_, _>>()?;
    Ok(Marked { occurred_at: occurred_at.map(instant), marks })
}

impl Batch<'_> {
    /// Keeps what an update has set.
    pub(super) fn mark(&self, id: i64, marks: &[Mark]) -> rusqlite::Result<()> {
        let of = self
            .connection
            .prepare_cached(statements::MARKED)?
            .query_row([id], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
        let Some((lane, source)) = of.optional()? else { return Ok(()) };
        let mut keep = self.connection.prepare_cached(statements::MARK)?;
        for mark in marks {
            let at = mark.at.as_millisecond();
            keep.execute((lane, source, mark.field.to_string(), mark.is_there, at, self.now))?;
        }
        let mut sweep = self.connection.prepare_cached(statements::SWEEP_MARKS)?;
        sweep.execute((self.now.saturating_sub(KEPT_FOR), SWEPT))?;
        Ok(())
    }
}

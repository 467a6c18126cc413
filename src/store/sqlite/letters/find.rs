//! Updates by what is said of them, a page at a time.

use rusqlite::{Connection, Params};

use super::super::browse::{self, list, name_id, raw_update};
use super::super::connection::failed;
use super::super::statements;
use crate::store::form::search::{Asked, LOOKED_AT, Lists, Part};
use crate::store::letters::{Found, Search};
use crate::store::{Error, Page};

/// Finds updates; `lanes` are those of the contact that is asked for.
pub(in super::super) fn find(
    connection: &Connection,
    wanted: &Search,
    lanes: Option<Vec<i64>>,
    now: i64,
    page: &Page,
) -> Result<Found, Error> {
    let asked = Asked::new(wanted, lanes, now, page)?;
    if let Some(event) = wanted.event {
        let rows = list(connection, statements::UPDATES_OF_EVENT, [event.0], raw_update)?;
        return asked.of_event(rows).map_err(browse::damaged);
    }
    let source = match &wanted.source {
        None => None,
        Some(source) => match name_id(connection, source)? {
            None => return Ok(Found { rows: Vec::new(), next: None }),
            known => known,
        },
    };
    let (before, mut parts) = (asked.before, Vec::new());
    let lists = Lists::of(&wanted.states)?;
    match (&lists, source) {
        (Lists::Finished(states), _) => {
            let sources = sources(connection, source)?;
            for state in states {
                for source in &sources {
                    let of = (before.id, LOOKED_AT, source, before.finished_at, *state as u8);
                    parts.push(part(&asked, connection, statements::UPDATES_FINISHED, of)?);
                }
            }
        }
        (Lists::InFlight | Lists::Waiting, _) => {
            let sql = match lists {
                Lists::InFlight => statements::UPDATES_IN_FLIGHT,
                _ => statements::UPDATES_WAITING,
            };
            for source in sources(connection, source)? {
                parts.push(part(&asked, connection, sql, (before.id, LOOKED_AT, source))?);
            }
        }
        (Lists::All, None) => {
            parts.push(part(&asked, connection, statements::UPDATES, (before.id, LOOKED_AT))?);
        }
        (Lists::All, Some(source)) => {
            let of = (before.id, LOOKED_AT, source);
            parts.push(part(&asked, connection, statements::UPDATES_OF_SOURCE, of)?);
        }
    }
    Ok(asked.joined(parts))
}

/// The indexes begin with the source, and there are few.
fn sources(connection: &Connection, source: Option<i64>) -> Result<Vec<i64>, Error> {
    match source {
        Some(source) => Ok(vec![source]),
        None => list(connection, statements::SOURCES, [], |row| row.get(0)),
    }
}

fn part<'a>(
    asked: &'a Asked<'a>,
    connection: &Connection,
    sql: &str,
    of: impl Params,
) -> Result<Part<'a>, Error> {
    let mut part = asked.part();
    let read = || -> rusqlite::Result<Result<(), Error>> {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(of)?;
        while let Some(row) = rows.next()? {
            match part.take(raw_update(row)?) {
                Ok(true) => {}
                Ok(false) => {
                    // The list may have ended just there.
                    if rows.next()?.is_none() {
                        part.ended();
                    }
                    break;
                }
                Err(damaged) => return Ok(Err(browse::damaged(damaged))),
            }
        }
        Ok(Ok(()))
    };
    read().map_err(|error| failed(&error))??;
    Ok(part)
}

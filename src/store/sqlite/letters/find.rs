//! Updates by what is said of them, a page at a time.
//!
//! Each list is read from an index in its order; what the index does not know is looked at row by row, a bounded
//! number of rows a page.

use rusqlite::{Connection, Params, Row};

use super::super::browse::{MOST, Place};
use super::super::browse::{list, moment_of, most, name_id, place, update_row};
use super::super::connection::failed;
use super::super::record::State;
use super::super::statements;
use crate::event::{EventId, SourceName};
use crate::store::letters::{Found, Search};
use crate::store::{Error, Page, UpdateRow};

/// So many rows of a list are looked at for one page.
const LOOKED_AT: i64 = 2000;

/// A list in order of receipt ends so long after the time that is asked for: clocks are set back at times.
const MARGIN: i64 = 3_600_000;

/// What is asked of each row.
struct Filter<'a> {
    wanted: &'a Search,
    /// Nothing where no contact is asked for.
    lanes: Option<Vec<i64>>,
    /// In milliseconds since 1970.
    not_before: Option<i64>,
}

/// What was read of one list.
struct Part {
    rows: Vec<(Place, UpdateRow)>,
    /// The last row that was looked at, where more may follow.
    stopped: Option<Place>,
}

/// Finds updates; `lanes` are those of the contact that is asked for.
pub(in super::super) fn find(
    connection: &Connection,
    wanted: &Search,
    lanes: Option<Vec<i64>>,
    now: i64,
    page: &Page,
) -> Result<Found, Error> {
    check_states(&wanted.states)?;
    let not_before = wanted
        .within
        .map(|within| now.saturating_sub(i64::try_from(within.as_millis()).unwrap_or(i64::MAX)));
    let filter = Filter { wanted, lanes, not_before };
    if let Some(event) = wanted.event {
        return filter.of_event(connection, event);
    }
    let before = place(page)?;
    let source = match &wanted.source {
        None => None,
        Some(source) => match name_id(connection, source)? {
            None => return Ok(Found { rows: Vec::new(), next: None }),
            known => known,
        },
    };
    let wanted_rows = usize::try_from(most(page)).unwrap_or(MOST);
    let finished: Vec<_> = wanted.states.iter().filter_map(|word| State::finished(word)).collect();
    let by_end = !finished.is_empty() && finished.len() == wanted.states.len();
    let parts = match (&*wanted.states, source) {
        (_, _) if by_end => {
            let sources = sources(connection, source)?;
            let mut parts = Vec::new();
            for state in finished {
                for source in &sources {
                    let of = (before.id, LOOKED_AT, source, before.finished_at, state as u8);
                    let sql = statements::UPDATES_FINISHED;
                    parts.push(filter.part(connection, sql, of, true, wanted_rows)?);
                }
            }
            parts
        }
        ([one], _) => {
            let sql = match one.as_str() {
                "in_flight" => statements::UPDATES_IN_FLIGHT,
                _ => statements::UPDATES_WAITING,
            };
            let mut parts = Vec::new();
            for source in sources(connection, source)? {
                let of = (before.id, LOOKED_AT, source);
                parts.push(filter.part(connection, sql, of, false, wanted_rows)?);
            }
            parts
        }
        (_, None) => {
            let of = (before.id, LOOKED_AT);
            vec![filter.part(connection, statements::UPDATES, of, false, wanted_rows)?]
        }
        (_, Some(source)) => {
            let (sql, of) = (statements::UPDATES_OF_SOURCE, (before.id, LOOKED_AT, source));
            vec![filter.part(connection, sql, of, false, wanted_rows)?]
        }
    };
    Ok(joined(parts, by_end, wanted_rows))
}

/// The lists are in one order: what is younger than the row at which the first of them stopped is all there.
fn joined(parts: Vec<Part>, by_end: bool, most: usize) -> Found {
    let stopped = parts.iter().filter_map(|part| part.stopped).max();
    let mut rows: Vec<_> = parts.into_iter().flat_map(|part| part.rows).collect();
    if let Some(stopped) = stopped {
        rows.retain(|(place, _)| *place >= stopped);
    }
    rows.sort_unstable_by_key(|(place, _)| std::cmp::Reverse(*place));
    let more = rows.len() > most;
    rows.truncate(most);
    let last = if more { rows.last().map(|(place, _)| *place) } else { stopped };
    let next = last.map(
        |Place { finished_at, id }| {
            if by_end { format!("{finished_at}.{id}") } else { id.to_string() }
        },
    );
    Found { rows: rows.into_iter().map(|(_, row)| row).collect(), next }
}

/// The indexes begin with the source, and there are few.
fn sources(connection: &Connection, source: Option<i64>) -> Result<Vec<i64>, Error> {
    match source {
        Some(source) => Ok(vec![source]),
        None => list(connection, statements::SOURCES, [], |row| row.get(0)),
    }
}

fn check_states(states: &[String]) -> Result<(), Error> {
    let known =
        |word: &str| word == "waiting" || word == "in_flight" || State::finished(word).is_some();
    match states.iter().find(|word| !known(word)) {
        None => Ok(()),
        Some(_) => Err(Error::Failed(
            "no such state: one of `waiting`, `in_flight`, `held`, `delivered`, `skipped`, `dead`, `discarded`"
                .to_owned(),
        )),
    }
}

impl Filter<'_> {
    fn of_event(&self, connection: &Connection, event: EventId) -> Result<Found, Error> {
        let rows = list(connection, statements::UPDATES_OF_EVENT, [event.0], |row| {
            Ok(if self.takes(row)? { Some(update_row(row, false)?) } else { None })
        })?;
        Ok(Found { rows: rows.into_iter().flatten().collect(), next: None })
    }

    fn part(
        &self,
        connection: &Connection,
        sql: &str,
        of: impl Params,
        by_end: bool,
        most: usize,
    ) -> Result<Part, Error> {
        let read = || -> rusqlite::Result<Part> {
            let mut part = Part { rows: Vec::new(), stopped: None };
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(of)?;
            let mut looked_at = 0;
            while let Some(row) = rows.next()? {
                let finished_at =
                    if by_end { row.get::<_, Option<i64>>(9)?.unwrap_or(0) } else { 0 };
                let place = Place { finished_at, id: row.get(0)? };
                if self.is_past(row, by_end)? {
                    return Ok(part);
                }
                if self.takes(row)? {
                    part.rows.push((place, update_row(row, by_end)?));
                }
                looked_at += 1;
                if part.rows.len() >= most || looked_at >= LOOKED_AT {
                    part.stopped = Some(place);
                    break;
                }
            }
            // The list ended just there.
            if part.stopped.is_some() && looked_at < LOOKED_AT && rows.next()?.is_none() {
                part.stopped = None;
            }
            Ok(part)
        };
        read().map_err(|error| failed(&error))
    }

    /// Whether every row from here on is too old.
    fn is_past(&self, row: &Row<'_>, by_end: bool) -> rusqlite::Result<bool> {
        let Some(not_before) = self.not_before else { return Ok(false) };
        let at: Option<i64> = if by_end { row.get(9)? } else { row.get(8)? };
        Ok(at.unwrap_or(i64::MAX) < not_before.saturating_sub(MARGIN))
    }

    fn takes(&self, row: &Row<'_>) -> rusqlite::Result<bool> {
        let Search { states, source, rule, reason, status, .. } = self.wanted;
        let text = |column: usize| row.get::<_, Option<String>>(column);
        if !states.is_empty() {
            let state = super::super::browse::state_of(row)?;
            if !states.iter().any(|word| word == state) {
                return Ok(false);
            }
        }
        let source = source.as_ref().map(SourceName::as_str);
        if source.is_some() && text(1)?.as_deref() != source {
            return Ok(false);
        }
        if rule.is_some() && text(2)? != *rule || reason.is_some() && text(6)? != *reason {
            return Ok(false);
        }
        if status.is_some() && row.get::<_, Option<u16>>(10)? != *status {
            return Ok(false);
        }
        if let Some(lanes) = &self.lanes
            && !lanes.contains(&row.get(12)?)
        {
            // What a key means is forgotten in time; what came under it still says so.
            let key: Option<i64> = row.get(13)?;
            if key.is_none_or(|key| !lanes.contains(&key)) {
                return Ok(false);
            }
        }
        Ok(self.not_before.is_none_or(|not_before| moment_of(row).is_ok_and(|at| at >= not_before)))
    }
}

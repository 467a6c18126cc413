//! Lists, a page at a time: each page begins after the last key of the page before.

use rusqlite::{Connection, OptionalExtension, Params, Row};

use jiff::Timestamp;

use super::connection::failed;
use super::statements;
use crate::event::{EventId, SourceName};
use crate::store::form::kept::{self, KeptRequest};
use crate::store::form::state::{State, outcome_word, update_id};
use crate::store::{Error, EventFilter, EventRow, Page, StoredEvent, UpdateRow};

/// No page is longer.
pub(super) const MOST: usize = 1000;

/// After which row a page begins: its id, and when it ended where the list is in that order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) finished_at: i64,
    pub(super) id: i64,
}

const TOP: Place = Place { finished_at: i64::MAX, id: i64::MAX };

pub(super) fn place(page: &Page) -> Result<Place, Error> {
    let Some(cursor) = &page.before else { return Ok(TOP) };
    let (finished_at, id) = cursor.split_once('.').unwrap_or(("0", cursor));
    match (finished_at.parse(), id.parse()) {
        (Ok(finished_at), Ok(id)) => Ok(Place { finished_at, id }),
        _ => Err(Error::Failed("`before` is not the `cursor` of a row of this list".to_owned())),
    }
}

pub(super) fn most(page: &Page) -> i64 {
    i64::try_from(page.most.min(MOST)).unwrap_or(0)
}

pub(super) fn events(
    connection: &Connection,
    filter: &EventFilter,
    page: &Page,
) -> Result<Vec<EventRow>, Error> {
    let (before, most) = (place(page)?.id, most(page));
    match &filter.source {
        None => list(connection, statements::EVENTS, (before, most), event_row),
        Some(source) => match name_id(connection, source)? {
            None => Ok(Vec::new()),
            Some(source) => {
                list(connection, statements::EVENTS_OF_SOURCE, (before, most, source), event_row)
            }
        },
    }
}

pub(super) fn event(connection: &Connection, id: EventId) -> Result<Option<StoredEvent>, Error> {
    let Some(event) = list(connection, statements::EVENT, [id.0], event_row)?.pop() else {
        return Ok(None);
    };
    let kept = connection
        .prepare_cached(statements::REQUEST_OF)
        .and_then(|mut request| {
            request
                .query_row([id.0], |row| {
                    let (head, body): (Option<Vec<u8>>, Option<Vec<u8>>) =
                        (row.get(0)?, row.get(3)?);
                    let (encoding, size) = (row.get(1)?, row.get(2)?);
                    let kept = head.zip(body).map(|(head, body)| KeptRequest {
                        head,
                        encoding,
                        size,
                        body: body.into(),
                    });
                    Ok((kept, row.get::<_, u32>(4)?))
                })
                .optional()
        })
        .map_err(|error| failed(&error))?;
    let Some((kept, item)) = kept else { return Ok(None) };
    let kept = kept.ok_or_else(|| Error::Failed(kept::UNREADABLE.to_owned()))?;
    let request = kept.request()?;
    let updates =
        list(connection, statements::UPDATES_OF_EVENT, [id.0], |row| update_row(row, false))?;
    Ok(Some(StoredEvent { event, item, request, updates }))
}

pub(super) fn list<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Error> {
    connection
        .prepare_cached(sql)
        .and_then(|mut list| list.query_map(parameters, row)?.collect())
        .map_err(|error| failed(&error))
}

pub(super) fn name_id(connection: &Connection, source: &SourceName) -> Result<Option<i64>, Error> {
    Ok(list(connection, statements::NAME_ID, [source.as_str()], |row| row.get(0))?.pop())
}

fn moment(column: usize, milliseconds: i64) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(milliseconds).map_err(|error| damaged(column, error))
}

fn damaged(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    let kind = rusqlite::types::Type::Null;
    rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
}

fn source(row: &Row<'_>, column: usize) -> rusqlite::Result<SourceName> {
    SourceName::try_from(row.get::<_, String>(column)?).map_err(|error| damaged(column, error))
}

fn event_row(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    let id = row.get(0)?;
    Ok(EventRow {
        event_id: EventId(id),
        source: source(row, 1)?,
        received_at: moment(2, row.get(2)?)?,
        event_type: row.get(3)?,
        outcome: {
            let outcome = row.get(4)?;
            outcome_word(outcome).ok_or(rusqlite::Error::IntegralValueOutOfRange(4, outcome))?
        },
        updates: row.get(5)?,
        cursor: id.to_string(),
    })
}

/// When the event of an update was received, in milliseconds since 1970.
pub(super) fn moment_of(row: &Row<'_>) -> rusqlite::Result<i64> {
    row.get(8)
}

/// The word of the reference for the state of an update.
pub(super) fn state_of(row: &Row<'_>) -> rusqlite::Result<&'static str> {
    let state: i64 = row.get(4)?;
    Ok(match State::FINISHED.iter().find(|finished| **finished as i64 == state) {
        Some(finished) => finished.as_str(),
        None if row.get(5)? => "in_flight",
        None => State::Open.as_str(),
    })
}

pub(super) fn update_row(row: &Row<'_>, by_end: bool) -> rusqlite::Result<UpdateRow> {
    let number: i64 = row.get(0)?;
    let id = update_id(number);
    let rule: String = row.get(2)?;
    let item: u32 = row.get(3)?;
    let state = state_of(row)?;
    let finished_at: Option<i64> = row.get(9)?;
    Ok(UpdateRow {
        id,
        update: format!("{}/{rule}/{item}", id.event),
        event_id: id.event,
        source: source(row, 1)?,
        rule,
        item,
        state,
        reason: row.get(6)?,
        attempts: row.get(7)?,
        received_at: moment(8, row.get(8)?)?,
        // What is held waits for somebody: that is no end.
        finished_at: match state {
            "held" => None,
            _ => finished_at.map(|at| moment(9, at)).transpose()?,
        },
        status: row.get(10)?,
        detail: row.get(11)?,
        cursor: match finished_at {
            Some(finished_at) if by_end => format!("{finished_at}.{number}"),
            _ => number.to_string(),
        },
    })
}

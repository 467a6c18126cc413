//! Lists, a page at a time: each page begins after the last key of the page before.

use rusqlite::{Connection, OptionalExtension, Params, Row};

use super::connection::failed;
use super::statements;
use crate::event::{EventId, SourceName};
use crate::store::form::cursor::{most, place};
use crate::store::form::kept::{self, KeptRequest};
use crate::store::form::row::{Damaged, RawEvent, RawUpdate};
use crate::store::{Error, EventFilter, EventRow, Page, StoredEvent};

pub(super) fn events(
    connection: &Connection,
    filter: &EventFilter,
    page: &Page,
) -> Result<Vec<EventRow>, Error> {
    let (before, most) = (place(page)?.id, most(page));
    match &filter.source {
        None => event_rows(connection, statements::EVENTS, (before, most)),
        Some(source) => match name_id(connection, source)? {
            None => Ok(Vec::new()),
            Some(source) => {
                event_rows(connection, statements::EVENTS_OF_SOURCE, (before, most, source))
            }
        },
    }
}

pub(super) fn event(connection: &Connection, id: EventId) -> Result<Option<StoredEvent>, Error> {
    let Some(event) = event_rows(connection, statements::EVENT, [id.0])?.pop() else {
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
    let updates = list(connection, statements::UPDATES_OF_EVENT, [id.0], raw_update)?;
    let updates = updates.into_iter().map(|update| update.row(false));
    let updates = updates.collect::<Result<_, _>>().map_err(damaged)?;
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

/// What a damaged row means.
#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
pub(super) fn damaged(damaged: Damaged) -> Error {
    Error::Failed(damaged.to_string())
}

fn raw_event(row: &Row<'_>) -> rusqlite::Result<RawEvent> {
    Ok(RawEvent {
        number: row.get(0)?,
        source: row.get(1)?,
        received_at: row.get(2)?,
        event_type: row.get(3)?,
        outcome: row.get(4)?,
        updates: row.get(5)?,
    })
}

fn event_rows(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
) -> Result<Vec<EventRow>, Error> {
    let rows = list(connection, sql, parameters, raw_event)?;
    rows.into_iter().map(RawEvent::row).collect::<Result<_, _>>().map_err(damaged)
}

pub(super) fn raw_update(row: &Row<'_>) -> rusqlite::Result<RawUpdate> {
    Ok(RawUpdate {
        number: row.get(0)?,
        source: row.get(1)?,
        rule: row.get(2)?,
        item: row.get(3)?,
        state: row.get(4)?,
        is_lent: row.get(5)?,
        reason: row.get(6)?,
        attempts: row.get(7)?,
        received_at: row.get(8)?,
        finished_at: row.get(9)?,
        status: row.get(10)?,
        detail: row.get(11)?,
        lane: row.get(12)?,
        key: row.get(13)?,
    })
}

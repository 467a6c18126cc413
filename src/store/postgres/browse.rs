//! Lists, a page at a time: each page begins after the last key of the page before.

use tokio_postgres::Row;

use super::core::Core;
use super::queries;
use super::sealing::{SEALED, opened, text};
use super::transaction::{Fault, Transaction, params, transacted};
use crate::event::{EventId, SourceName};
use crate::store::form::cipher::Cipher;
use crate::store::form::cursor::{most, place};
use crate::store::form::kept::{KeptRequest, UNREADABLE};
use crate::store::form::row::{Damaged, RawEvent, RawUpdate};
use crate::store::{Error, EventFilter, EventRow, Page, StoredEvent};

impl From<Damaged> for Fault {
    fn from(damaged: Damaged) -> Self {
        Self::Error(Error::Failed(damaged.to_string()))
    }
}

impl Core {
    pub(super) async fn events(
        &self,
        filter: &EventFilter,
        page: &Page,
    ) -> Result<Vec<EventRow>, Error> {
        let (before, most) = (place(page)?.id, most(page));
        transacted!(self.pool, |transaction| {
            let rows = match &filter.source {
                None => transaction.query(queries::EVENTS, params![before, most]).await?,
                Some(source) => {
                    let Some(source) = transaction.name_id(source).await? else {
                        return Ok(Vec::new());
                    };
                    let of = params![before, most, source];
                    transaction.query(queries::EVENTS_OF_SOURCE, of).await?
                }
            };
            Ok(rows.iter().map(|row| raw_event(row).row()).collect::<Result<_, _>>()?)
        })
    }

    pub(super) async fn event(&self, id: EventId) -> Result<Option<StoredEvent>, Error> {
        let id = id.0;
        transacted!(self.pool, |transaction| {
            let of = params![id];
            let (event, request, updates) = futures_util::try_join!(
                transaction.query_opt(queries::EVENT, of),
                transaction.query_opt(queries::REQUEST_OF, of),
                transaction.query(queries::UPDATES_OF_EVENT, of),
            )?;
            // Between the statements it may have been deleted.
            let Some((event, request)) = event.zip(request) else { return Ok(None) };
            let updates = updates.iter().map(|row| raw_update(&self.cipher, row).row(false));
            Ok(Some(StoredEvent {
                event: raw_event(&event).row()?,
                item: u32::try_from(request.get::<_, i64>(5)).unwrap_or(u32::MAX),
                request: kept_request(&self.cipher, &request)?.request()?,
                updates: updates.collect::<Result<_, _>>()?,
            }))
        })
    }
}

impl Transaction<'_> {
    /// The number of a source's name, where it has one.
    pub(super) async fn name_id(&self, source: &SourceName) -> Result<Option<i64>, Fault> {
        let row = self.query_opt(queries::NAME_ID, params![source.as_str()]).await?;
        Ok(row.map(|row| row.get(0)))
    }

    /// The numbers of all sources of which something has come.
    pub(super) async fn sources(&self) -> Result<Vec<i64>, Fault> {
        let rows = self.query(queries::SOURCES, &[]).await?;
        Ok(rows.into_iter().map(|row| row.get(0)).collect())
    }
}

/// A request as it is kept, opened: its number, head, encoding, size and body.
pub(super) fn kept_request(cipher: &Cipher, row: &Row) -> Result<KeptRequest, Error> {
    let unreadable = || Error::Failed(UNREADABLE.to_owned());
    let (id, encoding): (i64, i16) = (row.get(0), row.get(2));
    let head = opened(cipher, "head", id, row.get(1)).ok_or_else(unreadable)?;
    let body: Vec<u8> = row.get(4);
    let body = if encoding & SEALED == 0 {
        body
    } else {
        opened(cipher, "body", id, body).ok_or_else(unreadable)?
    };
    let (encoding, size) = (i64::from(encoding & !SEALED), row.get(3));
    Ok(KeptRequest { head, encoding, size, body: body.into() })
}

fn raw_event(row: &Row) -> RawEvent {
    let event_type: Option<&[u8]> = row.get(3);
    RawEvent {
        number: row.get(0),
        source: row.get(1),
        received_at: row.get(2),
        event_type: event_type.map(|text| String::from_utf8_lossy(text).into_owned()),
        outcome: i64::from(row.get::<_, i16>(4)),
        updates: u32::try_from(row.get::<_, i32>(5)).unwrap_or(0),
    }
}

pub(super) fn raw_update(cipher: &Cipher, row: &Row) -> RawUpdate {
    let (number, detail): (i64, Option<Vec<u8>>) = (row.get(0), row.get(11));
    RawUpdate {
        number,
        source: row.get(1),
        rule: row.get(2),
        item: u32::try_from(row.get::<_, i64>(3)).unwrap_or(u32::MAX),
        state: i64::from(row.get::<_, i16>(4)),
        is_lent: row.get(5),
        reason: row.get(6),
        attempts: u32::try_from(row.get::<_, i32>(7)).unwrap_or(0),
        received_at: row.get(8),
        finished_at: row.get(9),
        status: row.get::<_, Option<i32>>(10).and_then(|status| u16::try_from(status).ok()),
        detail: detail.map(|detail| text(cipher, number, detail)),
        lane: row.get(12),
        key: row.get(13),
    }
}

//! Events of the store, from the running bridge or, where none runs, from the store itself.

use std::sync::Arc;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::incoming::Incoming;
use super::{Arguments, common};
use crate::cli::running;
use crate::cli::serve::settings_of;
use crate::clock::{Clock, SystemClock};
use crate::event::{EventId, SourceName};
use crate::server::open_offline;
use crate::settings::Settings;
use crate::store::settings::StorePlace;
use crate::store::{EventFilter, Letters, OfflineStore, Page, StoredEvent};

/// Events that are listed at a time.
const PAGE: usize = 500;

/// Hands over the events that are asked for, youngest first.
pub(super) async fn each(
    arguments: &Arguments,
    take: &mut dyn FnMut(&Incoming),
) -> anyhow::Result<()> {
    let (settings, _) = settings_of(&common(arguments))?;
    let source = arguments.source.as_deref().map(SourceName::try_from).transpose()?;
    let oldest = arguments.since.as_ref().map(|since| {
        let since = SignedDuration::try_from(since.0).unwrap_or(SignedDuration::MAX);
        SystemClock.now().checked_sub(since).unwrap_or(Timestamp::MIN)
    });
    let mut door = if arguments.offline {
        match settings.store.place()? {
            StorePlace::Sqlite(path) => Door::Store(OfflineStore::open(
                &path,
                settings.store.encryption_key_file.as_deref(),
            )?),
            StorePlace::Postgres(_) => {
                Door::Database(open_offline(&settings.store, Arc::new(SystemClock)).await?)
            }
        }
    } else {
        Door::Bridge(Box::new(settings))
    };
    let read = door.each(arguments.limit, source.as_ref(), oldest, take).await;
    door.close().await;
    read
}

impl Door {
    /// Hands over `left` events at most, youngest first, until one is older than `oldest`.
    async fn each(
        &mut self,
        mut left: usize,
        source: Option<&SourceName>,
        oldest: Option<Timestamp>,
        take: &mut dyn FnMut(&Incoming),
    ) -> anyhow::Result<()> {
        let mut before = None;
        while left > 0 {
            let page = Page { most: left.min(PAGE), before };
            let rows = self.list(source, &page).await?;
            let is_last = rows.len() < page.most;
            for row in &rows {
                if oldest.is_some_and(|oldest| row.received_at < oldest) {
                    return Ok(());
                }
                if let Some(event) = self.event(row.event_id).await? {
                    take(&event);
                }
                left -= 1;
            }
            before = rows.into_iter().next_back().map(|row| row.cursor);
            if is_last || before.is_none() {
                break;
            }
        }
        Ok(())
    }
}

/// Where the events are.
enum Door {
    Bridge(Box<Settings>),
    Store(OfflineStore),
    Database(Arc<dyn Letters>),
}

/// One event in a list.
#[derive(Deserialize)]
struct Row {
    event_id: EventId,
    received_at: Timestamp,
    cursor: String,
}

/// One event, as `GET /api/events/{id}` gives it.
#[derive(Deserialize)]
struct Given {
    event: GivenEvent,
    request: GivenRequest,
    item: usize,
}

#[derive(Deserialize)]
struct GivenEvent {
    event_id: EventId,
    source: String,
    received_at: Timestamp,
}

#[derive(Deserialize)]
struct GivenRequest {
    content_type: Option<String>,
    query: String,
    headers: Vec<(String, String)>,
    body_base64: String,
}

impl Door {
    async fn list(&mut self, source: Option<&SourceName>, page: &Page) -> anyhow::Result<Vec<Row>> {
        match self {
            Self::Store(store) => {
                let filter = EventFilter { source: source.cloned() };
                Ok(of_rows(store.events(&filter, page.clone()).await?))
            }
            Self::Database(store) => {
                let filter = EventFilter { source: source.cloned() };
                Ok(of_rows(store.events(&filter, page.clone()).await?))
            }
            Self::Bridge(settings) => {
                let part = |name: &str, value: &str| format!("&{name}={value}");
                let source = source.map(|source| part("source", source.as_str()));
                let before = page.before.as_ref().map(|before| part("before", before));
                let path = format!(
                    "/api/events?limit={}{}{}",
                    page.most,
                    source.unwrap_or_default(),
                    before.unwrap_or_default()
                );
                let mut answer = running::get(settings, &path).await?;
                let rows = answer.get_mut("events").map(serde_json::Value::take);
                serde_json::from_value(rows.unwrap_or_default()).context("the list of events")
            }
        }
    }

    async fn close(self) {
        if let Self::Database(store) = self {
            store.close().await;
        }
    }

    /// One event; nothing where it has been deleted meanwhile.
    async fn event(&mut self, id: EventId) -> anyhow::Result<Option<Incoming>> {
        match self {
            Self::Store(store) => Ok(store.event(id).await?.map(of_store)),
            Self::Database(store) => Ok(store.event(id).await?.map(of_store)),
            Self::Bridge(settings) => {
                let answer = running::get(settings, &format!("/api/events/{id}")).await?;
                let given: Given = serde_json::from_value(answer).context("an event")?;
                let request = given.request;
                Ok(Some(Incoming {
                    name: given.event.event_id.to_string(),
                    source: given.event.source,
                    headers: request.headers,
                    query: request.query,
                    content_type: request.content_type,
                    body: STANDARD.decode(&request.body_base64).context("the body of an event")?,
                    received_at: given.event.received_at,
                    item: Some(given.item),
                }))
            }
        }
    }
}

fn of_rows(rows: Vec<crate::store::EventRow>) -> Vec<Row> {
    let row = |row: crate::store::EventRow| Row {
        event_id: row.event_id,
        received_at: row.received_at,
        cursor: row.cursor,
    };
    rows.into_iter().map(row).collect()
}

fn of_store(stored: StoredEvent) -> Incoming {
    let StoredEvent { event, item, request, .. } = stored;
    Incoming {
        name: event.event_id.to_string(),
        source: event.source.as_str().to_owned(),
        headers: request.headers,
        query: request.query,
        content_type: request.content_type,
        body: request.body.to_vec(),
        received_at: event.received_at,
        item: usize::try_from(item).ok(),
    }
}

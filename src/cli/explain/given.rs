//! The request that is explained: a body from a file or a pipe, or that of a stored event.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use base64::Engine;
use jiff::Timestamp;
use serde::Deserialize;

use super::Arguments;
use crate::admin::event::shown;
use crate::cli::running;
use crate::clock::{Clock, SystemClock};
use crate::event::EventId;
use crate::server::open_offline;
use crate::settings::Settings;

/// A request as it came in or would.
pub(super) struct Given {
    /// The source, where it is known.
    pub(super) source: Option<String>,
    /// Of the events of the request, the one that is meant.
    pub(super) item: Option<usize>,
    pub(super) content_type: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) query: String,
    pub(super) body: Vec<u8>,
    pub(super) received_at: Timestamp,
}

/// What the flags describe.
pub(super) fn request(arguments: &Arguments, body: &Path) -> anyhow::Result<Given> {
    let mut headers = Vec::new();
    for header in &arguments.header {
        let (name, value) = header
            .split_once(':')
            .with_context(|| format!("`--header '{header}'`: `Name: value` is expected"))?;
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    let said = headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value);
    let content_type = arguments.content_type.as_ref().or(said).cloned();
    Ok(Given {
        source: arguments.source.clone(),
        item: None,
        content_type: content_type.or_else(|| by_name(body).map(str::to_owned)),
        query: arguments.query.join("&"),
        headers,
        body: read(body)?,
        received_at: SystemClock.now(),
    })
}

fn read(body: &Path) -> anyhow::Result<Vec<u8>> {
    if body.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .context("the body cannot be read from the pipe")?;
        return Ok(bytes);
    }
    std::fs::read(body).with_context(|| format!("the body `{}` cannot be read", body.display()))
}

/// The content type that a file of this name usually has.
fn by_name(body: &Path) -> Option<&'static str> {
    match body.extension()?.to_str()? {
        "json" => Some("application/json"),
        "form" | "txt" => Some("application/x-www-form-urlencoded"),
        "xml" => Some("application/xml"),
        "ndjson" | "jsonl" => Some("application/x-ndjson"),
        _ => None,
    }
}

/// A stored event as the admin API shows it.
#[derive(Deserialize)]
struct Stored {
    event: StoredEvent,
    item: usize,
    request: StoredRequest,
}

#[derive(Deserialize)]
struct StoredEvent {
    source: String,
    received_at: Timestamp,
}

#[derive(Deserialize)]
struct StoredRequest {
    content_type: Option<String>,
    query: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    body_base64: Option<String>,
}

/// A stored event: asked of the running bridge, or read from the store itself.
pub(super) async fn stored(
    id: EventId,
    offline: bool,
    settings: &Settings,
) -> anyhow::Result<Given> {
    let found = if offline {
        from_store(id, settings).await?
    } else {
        running::get(settings, &format!("/api/events/{id}")).await?
    };
    let Stored { event, item, request } =
        serde_json::from_value(found).context("the bridge shows its events in another way")?;
    let body = match (request.body, request.body_base64) {
        (Some(text), _) => text.into_bytes(),
        (None, Some(encoded)) => base64::engine::general_purpose::STANDARD
            .decode(encoded)
            .context("the body of the event is no base64")?,
        (None, None) => Vec::new(),
    };
    Ok(Given {
        source: Some(event.source),
        item: Some(item),
        content_type: request.content_type,
        headers: request.headers,
        query: request.query,
        body,
        received_at: event.received_at,
    })
}

/// Opens the store, which a bridge that runs holds: then that is what the error says.
async fn from_store(id: EventId, settings: &Settings) -> anyhow::Result<serde_json::Value> {
    let store = open_offline(&settings.store, Arc::new(SystemClock)).await?;
    let found = store.event(id).await;
    store.close().await;
    let found = found?.with_context(|| {
        format!("there is no event `{id}`: it was never here, or retention has taken it")
    })?;
    Ok(shown(&found))
}

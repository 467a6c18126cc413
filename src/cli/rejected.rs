//! Refused requests that a running bridge keeps, for `verify --rejected`.

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::request::Given;
use super::running;
use crate::settings::Settings;
use crate::webhook::PublicUrl;
use crate::webhook::head::Head;

/// A refused request, as the list has it.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    pub(super) id: u64,
    pub(super) at: Timestamp,
    pub(super) source: String,
    pub(super) reason: String,
    pub(super) method: String,
    pub(super) body_bytes: usize,
}

#[derive(Debug, Deserialize)]
struct Whole {
    #[serde(flatten)]
    row: Row,
    target: String,
    client: Option<std::net::IpAddr>,
    headers: Vec<(String, String)>,
    body: String,
}

/// Those of a source, youngest first.
pub(super) async fn list(settings: &Settings, source: &str) -> anyhow::Result<Vec<Row>> {
    let mut answer = running::get(settings, "/api/rejected").await?;
    let rows: Vec<Row> = serde_json::from_value(answer["rejected"].take())?;
    Ok(rows.into_iter().filter(|row| row.source == source).collect())
}

/// One of them, and when it came.
pub(super) async fn one(
    settings: &Settings,
    source: &str,
    id: u64,
) -> anyhow::Result<(Given, Timestamp)> {
    let answer: Value = running::get(settings, &format!("/api/rejected/{id}")).await?;
    let Whole { row, target, client, headers, body } = serde_json::from_value(answer)?;
    if row.source != source {
        anyhow::bail!("request {id} was for the source `{}`", row.source);
    }
    let body = STANDARD.decode(body).context("the bridge answers something else")?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let token = path.split_once(&format!("/hooks/{source}/")).map(|(_, token)| token);
    let cut = row.body_bytes.saturating_sub(body.len());
    let missing = match cut {
        0 => String::new(),
        cut => format!(" (the last {cut} bytes of its body are not kept)"),
    };
    let note = format!("the bridge has refused it: {}{missing}", row.reason);
    let head = Head {
        method: row.method,
        path: path.to_owned(),
        query: query.to_owned(),
        token: token.map(crate::decode::percent_decoded),
        headers: headers.into_iter().collect(),
        origin: settings.intake.public_url.as_ref().map(PublicUrl::origin),
        client,
    };
    Ok((Given { head, body, note: Some(note) }, row.at))
}

//! Asking the running bridge's admin API: its address and token come from the same settings as the bridge's own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use reqwest::Url;
use serde::Serialize;
use serde_json::Value;

use crate::server::known_admin_token;
use crate::settings::Settings;

/// How long an answer may take: counting every row of a large store takes a while.
const PATIENCE: Duration = Duration::from_mins(5);

/// What the admin API answers to a `GET` of this path.
pub(super) async fn get(settings: &Settings, path: &str) -> anyhow::Result<Value> {
    ask(settings, |client, base| Ok(client.get(format!("{base}{path}")))).await
}

/// What it answers to a `GET` of this path with this query, an object of texts and numbers.
pub(super) async fn find(
    settings: &Settings,
    path: &str,
    query: &impl Serialize,
) -> anyhow::Result<Value> {
    let query = serde_json::to_value(query)?;
    let pairs = query.as_object().into_iter().flatten().map(|(name, value)| {
        (name.as_str(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    });
    let pairs: Vec<_> = pairs.collect();
    ask(settings, |client, base| {
        Ok(client.get(Url::parse_with_params(&format!("{base}{path}"), &pairs)?))
    })
    .await
}

/// What it answers to a `POST` of this body.
pub(super) async fn post(
    settings: &Settings,
    path: &str,
    body: &impl Serialize,
) -> anyhow::Result<Value> {
    ask(settings, |client, base| Ok(client.post(format!("{base}{path}")).json(body))).await
}

async fn ask(
    settings: &Settings,
    request: impl FnOnce(&reqwest::Client, &str) -> anyhow::Result<reqwest::RequestBuilder>,
) -> anyhow::Result<Value> {
    crate::chatflow::install_tls();
    let address = reachable(settings.server.admin);
    let token = known_admin_token(settings)?.context(
        "the admin token is not known: run the command where the bridge's store is (the token stands in \
         `<store file>.admin-token`), or give `admin.token`",
    )?;
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .timeout(PATIENCE)
        .no_proxy()
        .build()
        .context("no HTTP client can be made")?;
    let answer = request(&client, &format!("http://{address}"))?
        .bearer_auth(token.expose())
        .send()
        .await
        .map_err(reqwest::Error::without_url)
        .with_context(|| {
            format!(
                "no bridge answers at {address} (`server.admin`); while none runs, `--offline` opens the store itself"
            )
        })?;
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or_default();
    if status.is_success() {
        return Ok(body);
    }
    let word = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    anyhow::bail!("the bridge at {address} answers {status}: {}: {}", word("title"), word("detail"))
}

/// An address that listens everywhere is asked on this machine.
fn reachable(listens: SocketAddr) -> SocketAddr {
    let ip = match listens.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listens.port())
}

//! The admin API of the running bridge, asked by commands on the same machine.

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::admin::auth::token_file;
use crate::secret::Secret;
use crate::server::given_secret;
use crate::settings::Settings;

/// A bridge's operator's door, and the token for it.
pub(super) struct AdminClient {
    http: reqwest::Client,
    base: String,
    token: Secret,
}

impl AdminClient {
    /// The bridge that these settings describe.
    pub(super) fn new(settings: &Settings) -> anyhow::Result<Self> {
        crate::chatflow::install_tls();
        let mut address = settings.server.admin;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .no_proxy()
            .build()
            .context("no HTTP client can be made")?;
        Ok(Self { http, base: format!("http://{address}"), token: token(settings)? })
    }

    /// What it gives for a path.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.http.get(format!("{}{path}", self.base));
        let answer = request.bearer_auth(self.token.expose()).send().await.with_context(|| {
            format!(
                "no bridge answers at `{}`: start it, name its address in `server.admin`, or look into the store of \
                 a bridge that is stopped with `--offline`",
                self.base
            )
        })?;
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or_default();
        if !status.is_success() {
            let said = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
            bail!("the bridge answers {}: {}; {}", status.as_u16(), said("title"), said("detail"));
        }
        Ok(body)
    }
}

/// The token of the settings, else the one that the bridge made at its first start.
fn token(settings: &Settings) -> anyhow::Result<Secret> {
    let admin = &settings.admin;
    if let Some(token) = given_secret(admin.token.as_ref(), admin.token_file.as_deref())? {
        return Ok(token);
    }
    let file = token_file(&settings.store.sqlite_path()?);
    let text = std::fs::read_to_string(&file).with_context(|| {
        format!(
            "the admin token is neither in `admin.token` nor in `{}`: run this with the bridge's own settings",
            file.display()
        )
    })?;
    Ok(Secret::new(text.trim()))
}

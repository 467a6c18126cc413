//! `send`: signs a body as its sender would and posts it, or writes the curl line that does.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use serde_json::json;

use super::Common;
use super::request::{Sender, bytes_of, headers_of, split};
use super::serve::settings_of;
use super::style::Style;
use crate::settings::Settings;
use crate::webhook::PublicUrl;
use crate::webhook::head::{Head, Headers};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge send --source typeform --body lead.json\n  chatflow-bridge send --preset github --secret env:GITHUB_SECRET --body push.json --url http://127.0.0.1:8080/hooks/github\n  chatflow-bridge send --source stripe --body event.json --curl\n  chatflow-bridge send --preset gohighlevel --secret file:private.pem --body contact.json --url http://127.0.0.1:8080/hooks/ghl\n\nA scheme with a public key signs with the private one (`--secret`): PKCS #8, or an Ed25519 seed."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    sender: Sender,
    /// The body, byte for byte; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
    /// A header; may be repeated [default: a content type that fits the body]
    #[arg(long = "header", value_name = "'NAME: VALUE'")]
    headers: Vec<String>,
    /// Where to post it [default: the source at the bridge of the settings]
    #[arg(long, value_name = "URL", required_unless_present = "source")]
    url: Option<String>,
    /// The event id, where the sender signs one [default: made of the time]
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Write the curl line instead of posting
    #[arg(long)]
    curl: bool,
    /// For a program: one JSON object
    #[arg(long, conflicts_with = "curl")]
    json: bool,
    #[command(flatten)]
    common: Common,
}

/// A request ready to go.
struct Ready {
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (settings, _) = settings_of(&arguments.common)?;
    let ready = signed(arguments, &settings)?;
    if arguments.curl {
        println!("{}", curl(&ready, arguments));
        return Ok(ExitCode::SUCCESS);
    }
    crate::chatflow::install_tls();
    let (status, text) = super::runtime()?.block_on(post(ready))?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&json!({ "status": status, "body": text }))?);
    } else {
        let style = Style::of_stdout();
        let line = status.to_string();
        let line = if status < 300 { style.good(&line) } else { style.bad(&line) };
        println!("{line} {text}");
    }
    Ok(if status < 300 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn signed(arguments: &Arguments, settings: &Settings) -> anyhow::Result<Ready> {
    let sender = &arguments.sender;
    let body = bytes_of(&arguments.body)?;
    let mut headers = headers_of(&arguments.headers)?;
    if headers.first("content-type").is_none() {
        headers.add("content-type", content_type(&body));
    }
    let url = match (&arguments.url, &sender.source) {
        (Some(url), _) => url.clone(),
        (None, Some(source)) => bridge_url(settings, source),
        (None, None) => anyhow::bail!("say where to post it: `--url URL`"),
    };
    let (origin, rest) = split(&url).with_context(|| format!("`{url}` is no URL"))?;
    let rest = if rest.is_empty() { "/" } else { rest };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    // What is signed is the URL as senders know it, which need not be where this goes.
    let public = settings.intake.public_url.as_ref().filter(|_| arguments.url.is_none());
    let head = Head {
        method: "POST".to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        origin: Some(public.map_or_else(|| origin.into(), PublicUrl::origin)),
        ..Head::default()
    };
    let now = sender.now()?;
    let verifier = sender
        .spec(settings)?
        .resolve_to_sign(&Sender::secrets())
        .context("without its secret nothing can be signed; `--secret env:NAME` gives another")?;
    let id = arguments.id.clone().unwrap_or_else(|| format!("msg_{}", now.as_millisecond()));
    let credentials = verifier.sign(&head, &body, now, &id).context(
        "it cannot be signed: a header that is signed is missing (`--header`), a preset's setting is (`--set`), the sender gives its secret itself (`--secret`), or the signature stands inside the body",
    )?;
    let mut url = format!("{origin}{path}");
    if let Some(token) = &credentials.token {
        url = format!("{}/{}", url.trim_end_matches('/'), escaped(token));
    }
    let own = (!query.is_empty()).then(|| query.to_owned());
    let added = credentials
        .query
        .iter()
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
    let query: Vec<_> = own.into_iter().chain(added).collect();
    if !query.is_empty() {
        url = format!("{url}?{}", query.join("&"));
    }
    Ok(Ready { url, headers: all(&head.headers, credentials.headers), body })
}

fn all(own: &Headers, added: Vec<(String, String)>) -> Vec<(String, String)> {
    let owned = own.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    owned.chain(added).collect()
}

/// The source at the bridge that runs with these settings.
fn bridge_url(settings: &Settings, source: &str) -> String {
    let mut hooks = settings.server.hooks;
    if hooks.ip().is_unspecified() {
        hooks.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{hooks}/hooks/{source}")
}

fn content_type(body: &[u8]) -> &'static str {
    match body.trim_ascii_start().first() {
        Some(b'{' | b'[') => "application/json",
        Some(b'<') => "text/xml",
        _ => "application/x-www-form-urlencoded",
    }
}

/// A text as it stands in a path or a query.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push('%');
            escaped.push_str(&hex::encode_upper([byte]));
        }
        escaped
    })
}

async fn post(ready: Ready) -> anyhow::Result<(u16, String)> {
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .context("no HTTP client can be made")?;
    let mut request = client.post(&ready.url).body(ready.body);
    for (name, value) in &ready.headers {
        request = request.header(name, value);
    }
    // The address may hold a token.
    let answer = request.send().await.map_err(reqwest::Error::without_url);
    let answer = answer.context("nothing answers there")?;
    Ok((answer.status().as_u16(), answer.text().await.unwrap_or_default()))
}

/// The line that a shell takes; the body comes from its file.
fn curl(ready: &Ready, arguments: &Arguments) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let mut line = format!("curl -X POST {}", quoted(&ready.url));
    for (name, value) in &ready.headers {
        line.push_str(" \\\n  -H ");
        line.push_str(&quoted(&format!("{name}: {value}")));
    }
    line.push_str(" \\\n  --data-binary ");
    line.push_str(&quoted(&format!("@{}", arguments.body.display())));
    line
}

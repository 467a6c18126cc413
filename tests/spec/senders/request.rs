//! The request that a sender makes of an event: as it was captured, with the credentials that the mapping asks for.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chatflow_bridge::clock::Clock;
use chatflow_bridge::mapping::Source;
use chatflow_bridge::mapping::syntax::{Kind, Node};
use chatflow_bridge::mapping::testing::usual_content_type;
use chatflow_bridge::settings::Secrets;
use chatflow_bridge::webhook::head::Head;
use chatflow_bridge::webhook::verify_of;
use serde_json::Value;

use super::{Case, below, repository};
use crate::harness::{Answer, Bridge};

/// A request of a real sender, from `tests/fixtures/senders`.
pub(super) struct Captured {
    sender: String,
    event: String,
    extension: String,
    pub(super) meta: Value,
    pub(super) body: Vec<u8>,
}

/// The secret of a source: as the bridge has it, and as the sender.
pub(super) struct Keys {
    pub(super) verifying: String,
    pub(super) signing: String,
}

/// A request ready to go.
pub(super) struct Request {
    method: String,
    address: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// All of them, in the order of their names.
pub(super) fn captured() -> Vec<Captured> {
    let folder = repository().join("tests/fixtures/senders");
    let mut found = Vec::new();
    for sender in std::fs::read_dir(&folder).unwrap() {
        for file in std::fs::read_dir(sender.unwrap().path()).unwrap() {
            let file = file.unwrap().path();
            let name = below(&folder, &file).to_str().unwrap().to_owned();
            let Some(name) = name.strip_suffix(".meta.json") else { continue };
            let (sender, event) = name.split_once('/').unwrap();
            let meta: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            let body_file = meta["body_file"].as_str().unwrap();
            found.push(Captured {
                sender: sender.to_owned(),
                event: event.to_owned(),
                extension: body_file.rsplit('.').next().unwrap().to_owned(),
                body: std::fs::read(file.with_file_name(body_file)).unwrap(),
                meta,
            });
        }
    }
    found.sort_by_key(Captured::name);
    assert!(found.len() > 50, "{} requests", found.len());
    found
}

impl Captured {
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.sender, self.event)
    }

    /// What it is called in the library.
    pub(super) fn fixture(&self) -> String {
        format!("fixtures/{}-{}.{}", self.sender, self.event, self.extension)
    }

    pub(super) fn is_of_another_chapter(&self) -> bool {
        self.sender == "handshakes"
    }

    fn auth(&self) -> &Value {
        self.meta["auth"].get(0).unwrap_or(&self.meta["auth"])
    }

    fn is_signed(&self) -> bool {
        matches!(self.auth()["type"].as_str(), Some("hmac" | "digest" | "ed25519"))
    }

    /// The path and the query.
    fn address(&self) -> (&str, &str) {
        let address = self.meta["path_query"].as_str().unwrap();
        address.split_once('?').unwrap_or((address, ""))
    }

    fn headers(&self) -> Vec<(String, String)> {
        let headers = self.meta["headers"].as_object().unwrap().iter();
        headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
    }

    /// The secret, without what stands around it in a header.
    fn secret(&self) -> &str {
        let secret = self.meta["secret"].as_str().unwrap();
        match self.auth()["type"].as_str() {
            Some("basic") => secret.split_once(':').unwrap().1,
            _ => secret.strip_prefix("Bearer ").unwrap_or(secret),
        }
    }

    /// Posts it as it was captured.
    pub(super) async fn send(&self, bridge: &Bridge) -> Answer {
        let (path, query) = self.address();
        let request = Request {
            method: self.meta["method"].as_str().unwrap().to_owned(),
            address: format!("{}?{query}", path.strip_prefix("/hooks/").unwrap()),
            headers: self.headers(),
            body: self.body.clone(),
        };
        request.send(bridge).await
    }
}

/// A secret for every variable that the sources take one from: the one that the captured requests were signed with.
pub(super) fn keys(
    sources: &[(Arc<Source>, &str)],
    captured: &[Captured],
) -> BTreeMap<String, Keys> {
    let mut keys = BTreeMap::new();
    for (source, text) in sources {
        let root = Node::read(text).unwrap();
        let reads = |own: &&Captured| {
            source.tests().iter().any(|test| test.body_file() == Some(&own.fixture()))
        };
        let signed = captured.iter().find(reads).map_or("", Captured::secret);
        for variable in variables(root.get("verify").unwrap()) {
            let (verifying, signing) = match variable.as_str() {
                "GOHIGHLEVEL_KEY" => {
                    let own = captured.iter().find(|own| own.sender == "gohighlevel").unwrap();
                    (own.meta["public_key_b64"].as_str().unwrap().to_owned(), signed.to_owned())
                }
                "PAYPAL_KEY" => (key("rsa-public.pem"), key("rsa-private.pem")),
                "META_VERIFY_TOKEN" => ("meta-verify-token-1".to_owned(), String::new()),
                // Its secrets are keys in hexadecimal.
                "CLOSE_SECRET" => (CLOSE.to_owned(), CLOSE.to_owned()),
                _ if signed.is_empty() => ("a-good-secret".to_owned(), "a-good-secret".to_owned()),
                _ => (signed.to_owned(), signed.to_owned()),
            };
            keys.insert(variable, Keys { verifying, signing });
        }
    }
    keys
}

const CLOSE: &str = "3f1b2c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809";

fn key(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys");
    std::fs::read_to_string(folder.join(file)).unwrap()
}

fn variables(node: &Node) -> Vec<String> {
    match &node.kind {
        Kind::Scalar { text, .. } => {
            text.strip_prefix("env:").map(str::to_owned).into_iter().collect()
        }
        Kind::List(items) => items.iter().flat_map(variables).collect(),
        Kind::Map(entries) => entries.iter().flat_map(|(_, value)| variables(value)).collect(),
    }
}

/// The request of a test: the captured one where there is one, else made of what the test says.
pub(super) fn of(
    case: &Case<'_>,
    captured: Option<&Captured>,
    keys: &BTreeMap<String, Keys>,
    bridge: &Bridge,
) -> Request {
    let path = format!("/hooks/{}", case.source.name);
    let mut headers = captured.map(Captured::headers).unwrap_or_default();
    let body = std::fs::read(repository().join("mappings").join(case.fixture)).unwrap();
    let usual = usual_content_type(case.fixture, &body);
    let content_type = usual.as_deref().map(|kind| ("content-type", kind));
    let said = members(case.written.get("headers"));
    let said = said.chain(
        case.written.get("content_type").and_then(Node::as_text).map(|kind| ("content-type", kind)),
    );
    let given = |headers: &[(String, String)], name: &str| {
        headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
    };
    // Its scheme signs this one.
    let transmission = ("PAYPAL-TRANSMISSION-ID", "69cd13f0-d67a-11e5-baa3-778b53f4ae55");
    let its_own = (case.source.name.as_str() == "paypal").then_some(transmission);
    for (name, value) in said.chain(content_type).chain(its_own) {
        if !given(&headers, name) {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    let mut query = captured.map(Captured::query).unwrap_or_default();
    query.extend(members(case.written.get("query")).map(|(name, value)| format!("{name}={value}")));

    let is_signed = captured.is_some_and(|own| own.is_signed() && own.address().0 == path);
    let mut address = case.source.name.to_string();
    if !is_signed {
        let secrets = keys.iter().map(|(name, keys)| (name.clone(), keys.signing.clone()));
        let spec = verify_of(case.source).0.unwrap();
        let signer = spec.resolve_to_sign(&Secrets::new(secrets.collect())).unwrap();
        let head = Head {
            method: "POST".to_owned(),
            path,
            query: query.join("&"),
            headers: headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            origin: Some("https://bridge.example".into()),
            ..Head::default()
        };
        let credentials = signer.sign(&head, &body, bridge.clock.now(), "msg_1");
        let credentials =
            credentials.unwrap_or_else(|| panic!("`{}` cannot be signed", case.source.name));
        headers.retain(|(name, _)| !given(&credentials.headers, name));
        headers.extend(credentials.headers);
        query.extend(credentials.query.iter().map(|(name, value)| format!("{name}={value}")));
        address.extend(credentials.token.map(|token| format!("/{token}")));
    }
    let address = format!("{address}?{}", query.join("&"));
    Request { method: "POST".to_owned(), address, headers, body }
}

impl Captured {
    /// The parameters of its query, but the one that verifies.
    fn query(&self) -> Vec<String> {
        let secret = self.auth()["param"].as_str();
        let parameters = self.address().1.split('&').filter(|parameter| !parameter.is_empty());
        let stays = |parameter: &&str| parameter.split('=').next() != secret;
        parameters.filter(stays).map(str::to_owned).collect()
    }
}

/// The members of a block of a test, as texts.
fn members(node: Option<&Node>) -> impl Iterator<Item = (&str, &str)> {
    let entries = match node.map(|node| &node.kind) {
        Some(Kind::Map(entries)) => entries.as_slice(),
        _ => &[],
    };
    entries.iter().filter_map(|(name, value)| Some((name.as_text()?, value.as_text()?)))
}

impl Request {
    pub(super) async fn send(&self, bridge: &Bridge) -> Answer {
        let method = self.method.parse::<reqwest::Method>().unwrap();
        let url = bridge.hook(self.address.trim_end_matches('?'));
        let mut request = bridge.http().request(method, url).body(self.body.clone());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        Answer::of(request.send().await.unwrap()).await
    }
}

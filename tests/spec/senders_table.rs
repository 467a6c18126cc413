//! The table of senders in `docs/senders.md`: made here, out of the presets and of requests that are really sent.
//!
//! `make docs` writes it (`writes_the_table`); the other tests hold it current, so that it cannot lie.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use chatflow_bridge::webhook::verify::{Summary, summaries};
use serde::Deserialize;
use serde_json::Value;

use crate::harness::Bridge;

/// What is known of a sender beside how it signs.
#[derive(Debug, Deserialize)]
struct Facts {
    title: String,
    name: String,
    body: String,
    event_id: String,
    retries: String,
    timeout: String,
}

/// A request of a sender, as it was sent.
#[derive(Debug, Deserialize)]
struct Fixture {
    provider: String,
    event: String,
    method: String,
    path_query: String,
    headers: BTreeMap<String, String>,
    body_file: String,
    secret: String,
    auth: Value,
    expect: Value,
    #[serde(default)]
    public_key_b64: Option<String>,
}

/// Sources that have no event id of their own to look for here, and take what comes.
const RULE: &str = "event: { id: none }\nrules: [{ name: a, contact: { mobile: $.m | phone(e164) }, update: { name: $.n } }]\n";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/senders")
}

fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/senders.md")
}

fn facts() -> Vec<Facts> {
    serde_json::from_slice(&std::fs::read(folder().with_extension("json")).unwrap()).unwrap()
}

/// The requests that are events, by sender. What a sender asks before is the chapter of handshakes.
fn fixtures() -> BTreeMap<String, Vec<Fixture>> {
    let mut all: BTreeMap<String, Vec<Fixture>> = BTreeMap::new();
    let mut files: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|sender| sender.unwrap().path())
        .filter(|path| path.is_dir() && !path.ends_with("handshakes"))
        .flat_map(|sender| std::fs::read_dir(sender).unwrap().map(|file| file.unwrap().path()))
        .filter(|file| file.to_str().unwrap().ends_with(".meta.json"))
        .collect();
    files.sort();
    for file in files {
        let fixture: Fixture = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        if !fixture.event.starts_with("handshake") {
            all.entry(fixture.provider.clone()).or_default().push(fixture);
        }
    }
    all
}

impl Fixture {
    fn way(&self) -> &Value {
        self.auth.as_array().map_or(&self.auth, |ways| &ways[0])
    }

    /// Whether what is sent is no event, whoever sends it: believed, and answered 400.
    fn is_unreadable(&self) -> bool {
        self.expect["decode"].as_str().is_some_and(|said| said.starts_with("not "))
    }

    fn is_unsigned(&self) -> bool {
        self.way()["type"] == "none"
    }

    /// `verify:` as a person would write it for this sender, and the secret in it.
    fn verify(&self) -> (String, String) {
        let word = |name: &str| self.way()[name].as_str().unwrap_or_default();
        let token = |place: &str| format!("{{ token: {{ {place}, secret: env:S }} }}");
        let secret = self.secret.strip_prefix("Bearer ").unwrap_or(&self.secret).to_owned();
        let verify = match word("type") {
            "hmac" | "digest" => format!("{{ preset: {}, secret: env:S }}", self.provider),
            "ed25519" => {
                let key = self.public_key_b64.as_deref().unwrap();
                format!("{{ preset: {}, key: {key} }}", self.provider)
            }
            "url" => token(&format!("in: query, name: {}", word("param"))),
            "header" if word("header") == "Authorization" => {
                "{ bearer: { secret: env:S } }".to_owned()
            }
            "header" => token(&format!("in: header, name: {}", word("header"))),
            "bearer" => "{ bearer: { secret: env:S } }".to_owned(),
            "body" => token(&format!("in: body, path: {}", word("path"))),
            "basic" => {
                let user = word("user");
                let password = secret.strip_prefix(&format!("{user}:")).unwrap_or(&secret);
                let verify = format!("{{ basic: {{ username: '{user}', password: env:S }} }}");
                return (verify, password.to_owned());
            }
            _ => "none".to_owned(),
        };
        (verify, secret)
    }

    /// How it is believed, in a few words.
    fn believed_by(&self) -> String {
        let word = |name: &str| self.way()[name].as_str().unwrap_or_default();
        match word("type") {
            "url" => "no signature: a token in the URL".to_owned(),
            "header" if word("header") != "Authorization" => {
                "no signature: a header of one's own".to_owned()
            }
            "header" | "bearer" => "no signature: a bearer token".to_owned(),
            "basic" => "no signature: basic".to_owned(),
            "body" => format!("no signature: a token in the body, `{}`", word("path")),
            _ => "no signature: a token in the URL, addresses".to_owned(),
        }
    }

    fn body(&self) -> Vec<u8> {
        std::fs::read(folder().join(&self.provider).join(&self.body_file)).unwrap()
    }
}

/// Sends a request as its sender did, and without what it is believed by; whether the one is taken and the other not.
async fn passes(bridge: &Bridge, fixture: &Fixture) -> bool {
    let url = format!("http://{}{}", bridge.addresses().hooks, fixture.path_query);
    let method = reqwest::Method::from_bytes(fixture.method.as_bytes()).unwrap();
    let mut whole = bridge.http().request(method.clone(), url).body(fixture.body());
    for (name, value) in &fixture.headers {
        whole = whole.header(name, value);
    }
    let expected = if fixture.is_unreadable() { 400 } else { 200 };
    let taken = whole.send().await.unwrap().status() == expected;
    if fixture.is_unsigned() {
        return taken;
    }
    let bare = bridge.hook(&fixture.provider);
    let mut stripped = bridge.http().request(method, bare).body("{}");
    if let Some(content_type) = fixture.headers.get("Content-Type") {
        stripped = stripped.header("content-type", content_type);
    }
    taken && stripped.send().await.unwrap().status() == 401
}

/// How many of a sender's requests are taken, and how many there are.
async fn results(fixtures: &BTreeMap<String, Vec<Fixture>>) -> BTreeMap<&str, (usize, usize)> {
    let mut results: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let most = fixtures.values().map(Vec::len).max().unwrap_or_default();
    for round in 0..most {
        // A source has one `verify:`, and the requests of one sender may want different ones.
        let these: Vec<_> = fixtures.values().filter_map(|own| own.get(round)).collect();
        let mut builder: Option<crate::harness::Builder> = None;
        for fixture in &these {
            let (verify, secret) = fixture.verify();
            let variable = format!("S_{}", fixture.provider.replace('-', "_").to_uppercase());
            let verify = verify.replace("env:S", &format!("env:{variable}"));
            let mapping = format!("verify: {verify}\n{RULE}");
            let next = match builder {
                None => Bridge::with_mapping(&fixture.provider, &mapping),
                Some(builder) => builder.and_mapping(&fixture.provider, &mapping),
            };
            builder = Some(next.with_variable(&variable, &secret));
        }
        let builder = builder.unwrap().with_setting("server.public_url", "https://bridge.example");
        let bridge = builder.start().await;
        for fixture in these {
            let result = results.entry(fixture.provider.as_str()).or_default();
            result.0 += usize::from(passes(&bridge, fixture).await);
            result.1 += 1;
        }
        bridge.end().await;
    }
    results
}

fn schemes(summary: &Summary) -> String {
    let schemes: Vec<_> = summary.schemes.iter().map(|scheme| scheme.replace('|', "\\|")).collect();
    schemes.join("<br>")
}

async fn table() -> String {
    let fixtures = fixtures();
    let results = results(&fixtures).await;
    let presets: BTreeMap<_, _> = summaries().map(|summary| (summary.name, summary)).collect();
    let mut text = String::from(
        "# Senders\n\n\
         How the senders that are known sign, ask and send, and what the bridge makes of requests as they send them.\n\
         The table is made by `make docs`, which sends every recorded request to a bridge: *requests taken* are those that\n\
         were believed and read, and refused once they lacked what they are believed by. `*` marks what is common knowledge\n\
         and was not read in the sender's own documentation, *unknown* what nobody has said.\n\n\
         A sender with a preset is believed with `verify: { preset: NAME, secret: env:… }`; the others with a token, basic,\n\
         bearer or addresses ([mapping language](mapping.md)). What is wrong with a request that is refused says\n\
         `chatflow-bridge verify`; with `server.keep_rejected` also `verify --source S --rejected`.\n\n\
         | sender | preset: how it is believed | handshake | body | event id | tries again | waits | requests taken |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let facts = facts();
    for Facts { title, name, body, event_id, retries, timeout } in &facts {
        let own = fixtures.get(name).map(Vec::as_slice).unwrap_or_default();
        let believed = match (presets.get(name.as_str()), own.first()) {
            (Some(preset), _) => format!("`{name}`: {}", schemes(preset)),
            (None, Some(fixture)) => fixture.believed_by(),
            (None, None) => String::new(),
        };
        let handshake = presets.get(name.as_str()).and_then(|preset| preset.handshake);
        let handshake = match (handshake, name.as_str()) {
            (Some(handshake), _) => format!("`{handshake}`"),
            (None, "mailchimp") => "`mailchimp`".to_owned(),
            (None, _) => "none".to_owned(),
        };
        let taken = match results.get(name.as_str()) {
            None if presets.get(name.as_str()).is_some_and(|preset| preset.has_vectors) => {
                "by published vectors".to_owned()
            }
            None => "none recorded".to_owned(),
            Some((taken, all)) => {
                let unsigned = own.iter().filter(|fixture| fixture.is_unsigned()).count();
                let unreadable = own.iter().filter(|fixture| fixture.is_unreadable()).count();
                let note = |count, word| match count {
                    0 => String::new(),
                    count => format!(", {count} {word}"),
                };
                let notes = note(unsigned, "unsigned") + &note(unreadable, "is no event");
                format!("{taken} of {all}{notes}")
            }
        };
        writeln!(
            text,
            "| {title} | {believed} | {handshake} | {body} | {event_id} | {retries} | {timeout} | {taken} |"
        )
        .unwrap();
    }
    text += "\n## Other presets\n\n| preset | how it signs | handshake | to be set beside the secret | checked by |\n| --- | --- | --- | --- | --- |\n";
    for summary in presets.values().filter(|own| facts.iter().all(|facts| facts.name != own.name)) {
        let handshake = summary.handshake.map_or("none".to_owned(), |name| format!("`{name}`"));
        let settings: Vec<_> = summary.settings.iter().map(|name| format!("`{name}`")).collect();
        let checked = if summary.has_vectors { "published vectors" } else { "its own signer" };
        writeln!(
            text,
            "| `{}` | {} | {handshake} | {} | {checked} |",
            summary.name,
            schemes(summary),
            settings.join(", ")
        )
        .unwrap();
    }
    text += "\nSecrets that a sender gives in its first request (`secret: adopt`, Asana) are kept in the store; the first one counts and\n\
             no other until `chatflow-bridge secret forget --source S` has it forgotten.\n";
    text
}

#[tokio::test]
async fn every_recorded_request_is_taken_and_refused_without_what_it_is_believed_by() {
    let fixtures = fixtures();
    assert!(fixtures.values().map(Vec::len).sum::<usize>() > 40);
    for (sender, (taken, all)) in results(&fixtures).await {
        assert_eq!(taken, all, "{sender}");
    }
}

#[tokio::test]
async fn the_table_of_senders_is_current() {
    let written = std::fs::read_to_string(document()).unwrap_or_default();
    assert!(written == table().await, "docs/senders.md is not current: run `make docs`");
}

#[test]
fn every_sender_with_a_recorded_request_has_its_line() {
    let facts = facts();
    for sender in fixtures().keys() {
        assert!(facts.iter().any(|facts| facts.name == *sender), "{sender}");
    }
}

#[tokio::test]
#[ignore = "writes docs/senders.md: `make docs`"]
async fn writes_the_table() {
    std::fs::write(document(), table().await).unwrap();
}

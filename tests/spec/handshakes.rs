//! What senders ask before they send events is answered as their protocol wants it, and kept nowhere.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chatflow_bridge::clock::Clock;
use chatflow_bridge::webhook::head::Head;
use chatflow_bridge::webhook::verify::sign;
use serde_json::{Value, json};

use crate::harness::Bridge;

const RULE: &str = "
event: { id: none }
rules: [{ name: a, contact: { mobile: $.m | phone(e164) }, update: { name: $.n } }]
";

/// A source for each sender with a handshake.
const SOURCES: &[(&str, &str)] = &[
    ("asana", "{ preset: asana, secret: adopt }"),
    ("discord", "{ preset: discord, key: file:tests/fixtures/keys/ed25519-public.pem }"),
    ("dropbox", "{ preset: dropbox, secret: env:S }"),
    ("ebay", "{ token: { in: path, secret: env:S }, handshake: ebay, challenge_token: env:S }"),
    (
        "graph",
        "{ token: { in: body, path: '$.value[*].clientState', secret: env:S }, handshake: microsoft-graph }",
    ),
    ("intercom", "{ preset: intercom, secret: env:S }"),
    ("mailchimp", "{ token: { in: query, name: key, secret: env:S }, handshake: mailchimp }"),
    ("meta", "{ preset: meta, secret: env:S, challenge_token: env:META }"),
    ("monday", "{ any: [{ ip: 127.0.0.0/8 }, { ip: '::1' }], handshake: monday }"),
    ("okta", "{ bearer: { secret: env:S }, handshake: okta }"),
    ("slack", "{ preset: slack, secret: env:SLACK }"),
    ("twitch", "{ preset: twitch, secret: env:S }"),
    ("woocommerce", "{ preset: woocommerce, secret: env:S }"),
    ("x", "{ preset: x-twitter, secret: env:X }"),
    ("xero", "{ preset: xero, secret: env:XERO }"),
    ("zoom", "{ preset: zoom, secret: env:ZOOM }"),
];

async fn bridge() -> Bridge {
    let mut sources = SOURCES.iter();
    let mapping = |verify: &str| format!("verify: {verify}{RULE}");
    let (name, verify) = sources.next().unwrap();
    let mut bridge = Bridge::with_mapping(name, &mapping(verify));
    for (name, verify) in sources {
        bridge = bridge.and_mapping(name, &mapping(verify));
    }
    for (name, secret) in [
        ("S", "a-good-secret"),
        ("META", "meta-verify-token-1"),
        ("SLACK", "8f742231b10e8888abcd99yyyzzz85a5"),
        ("X", "z3ZX4v7mAAUGykl3EcmkqbartmuW8VFOOzCloLx9Q45P0hLrFu"),
        ("XERO", "xero-key"),
        ("ZOOM", "zoom-secret-token"),
    ] {
        bridge = bridge.with_variable(name, secret);
    }
    bridge.with_setting("server.public_url", "https://bridge.example").start().await
}

struct Told {
    status: u16,
    text: String,
    headers: reqwest::header::HeaderMap,
}

impl Told {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

async fn ask(
    bridge: &Bridge,
    method: &str,
    source: &str,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> Told {
    let method = method.parse::<reqwest::Method>().unwrap();
    let mut request = bridge.http().request(method, bridge.hook(source)).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Told { status, headers, text: response.text().await.unwrap() }
}

#[tokio::test]
async fn each_sender_is_answered_as_its_own_request_wants_it() {
    let bridge = bridge().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/senders");
    let mut asked = 0;
    for name in [
        "handshakes/asana-x-hook-secret",
        "handshakes/intercom-head",
        "handshakes/mailchimp-get-validation",
        "handshakes/microsoft-graph-validation",
        "handshakes/monday-challenge",
        "handshakes/xero-intent-to-receive-bad",
        "meta/handshake-hub-challenge",
        "slack/handshake-url-verification",
        "woocommerce/ping",
        "zoom/handshake-url-validation",
    ] {
        let meta = std::fs::read(folder.join(format!("{name}.meta.json"))).unwrap();
        let meta: Value = serde_json::from_slice(&meta).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let file = folder.join(name).with_file_name(text(&meta["body_file"]));
        let headers = meta["headers"].as_object().unwrap().iter();
        let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), text(value))).collect();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let source = text(&meta["path_query"]).replace("/hooks/", "");

        let told = ask(
            &bridge,
            meta["method"].as_str().unwrap(),
            &source,
            &headers,
            std::fs::read(file).unwrap(),
        )
        .await;

        let expect = &meta["expect"];
        let status = expect.get("status").or(expect.get("status_required")).unwrap();
        assert_eq!(json!(told.status), *status, "{name}: {}", told.text);
        if let Some(body) = expect.get("body") {
            assert_eq!(told.text, text(body), "{name}");
        }
        if let Some(own) = expect.get("json") {
            assert_eq!(serde_json::from_str::<Value>(&told.text).unwrap(), *own, "{name}");
        }
        if let Some(content_type) = expect.get("content_type") {
            assert!(
                told.header("content-type").unwrap().starts_with(&text(content_type)),
                "{name}"
            );
        }
        for (header, value) in expect["header"].as_object().into_iter().flatten() {
            assert_eq!(told.header(header), value.as_str(), "{name}");
        }
        if told.status == 200 {
            assert_eq!(told.header("x-content-type-options"), Some("nosniff"), "{name}");
        }
        asked += 1;
    }
    assert_eq!(bridge.numbers().await.events_received, 0, "nothing is kept of {asked} questions");
    let controls =
        bridge.metric(r#"intake_requests_total{outcome="control",source="slack"}"#).await;
    assert!((controls - 1.0).abs() < f64::EPSILON);
    bridge.end().await;
}

#[tokio::test]
async fn questions_in_the_query_are_answered_as_documented() {
    let bridge = bridge().await;
    for (source, headers, status, answer) in [
        ("dropbox?challenge=abc", vec![], 200, "abc".to_owned()),
        ("meta?hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong", vec![], 403, String::new()),
        (
            "okta",
            vec![("X-Okta-Verification-Challenge", "abc")],
            200,
            r#"{"verification":"abc"}"#.to_owned(),
        ),
        (
            "x?crc_token=9b4507b3-9040-4669-9ca3-6b94edb50553",
            vec![],
            200,
            r#"{"response_token":"sha256=Cytd4Sq+NvEcV3MMrXxWJGJx5A+y/lXzzU2Maartkx8="}"#.to_owned(),
        ),
        (
            "ebay/a-good-secret?challenge_code=71745723",
            vec![],
            200,
            // sha256 of the code, the token and https://bridge.example/hooks/ebay/a-good-secret
            r#"{"challengeResponse":"cf1bc47b214870c334f0a7bdf1e6b4027c5fb72b2910dbc73745cfb614edc797"}"#.to_owned(),
        ),
        ("slack?challenge=abc", vec![], 405, String::new()),
        ("zoom", vec![], 405, String::new()),
    ] {
        let told = ask(&bridge, "GET", source, &headers, "").await;
        assert_eq!(told.status, status, "{source}: {}", told.text);
        if status == 200 {
            assert_eq!(told.text, answer, "{source}");
        }
        if status == 405 {
            assert_eq!(told.header("allow"), Some("POST"), "{source}");
        }
    }
    let told = ask(&bridge, "PUT", "intercom", &[], "").await;
    assert_eq!((told.status, told.header("allow")), (405, Some("HEAD, POST")));
    bridge.end().await;
}

/// The headers with which the sender of a preset signs.
fn signed(bridge: &Bridge, preset: &str, secret: &str, body: &str) -> Vec<(String, String)> {
    let head = Head { method: "POST".to_owned(), ..Head::default() };
    sign(preset, secret, &head, body.as_bytes(), bridge.clock.now()).unwrap().headers
}

#[tokio::test]
async fn a_signed_question_is_answered_only_with_its_signature() {
    let bridge = bridge().await;
    let discord = include_str!("../fixtures/keys/ed25519-private.pem");
    let twitch = ("Twitch-Eventsub-Message-Type", "webhook_callback_verification");
    for (source, preset, secret, more, body, status, answer) in [
        (
            "slack",
            "slack",
            "8f742231b10e8888abcd99yyyzzz85a5",
            None,
            r#"{"type":"url_verification","challenge":"c"}"#,
            200,
            "c",
        ),
        ("twitch", "twitch", "a-good-secret", Some(twitch), r#"{"challenge":"c"}"#, 200, "c"),
        ("discord", "discord", discord, None, r#"{"type":1}"#, 200, r#"{"type":1}"#),
        ("discord", "discord", discord, None, r#"{"type":0}"#, 204, ""),
        ("xero", "xero", "xero-key", None, r#"{"events":[]}"#, 200, ""),
        (
            "zoom",
            "zoom",
            "zoom-secret-token",
            None,
            r#"{"event":"endpoint.url_validation","payload":{"plainToken":"v0:1"}}"#,
            400,
            "",
        ),
    ] {
        let own = signed(&bridge, preset, secret, body);
        let mut headers: Vec<_> = own.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        headers.extend(more);
        headers.push(("content-type", "application/json"));

        let told = ask(&bridge, "POST", source, &headers, body).await;
        assert_eq!(told.status, status, "{source}: {}", told.text);
        if status < 300 {
            assert_eq!(told.text, answer, "{source}");
        }

        let unsigned: Vec<_> = more.into_iter().collect();
        assert_eq!(ask(&bridge, "POST", source, &unsigned, body).await.status, 401, "{source}");
    }
    bridge.end().await;
}

#[tokio::test]
async fn the_first_secret_of_a_sender_is_kept_and_no_other() {
    let bridge = bridge().await;
    let (first, second) = ("b537207f20cbfa02357cf448134da559", "c537207f20cbfa02357cf448134da559");
    let event = r#"{"m":"12025550143","n":"Ann"}"#;
    let post = async |bridge: &Bridge, secret: &str| {
        let own = signed(bridge, "asana", secret, event);
        let mut headers: Vec<_> = own.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        headers.push(("content-type", "application/json"));
        ask(bridge, "POST", "asana", &headers, event).await.status
    };
    assert_eq!(post(&bridge, first).await, 401, "nobody has given a secret yet");
    for (secret, status) in [(first, 200), (first, 200), (second, 401)] {
        let told = ask(&bridge, "POST", "asana", &[("X-Hook-Secret", secret)], "{}").await;
        assert_eq!(told.status, status);
        assert_eq!(told.header("x-hook-secret"), (status == 200).then_some(secret));
    }
    assert_eq!(post(&bridge, first).await, 200);
    assert_eq!(post(&bridge, second).await, 401);

    let bridge = bridge.restart().await;

    assert_eq!(post(&bridge, first).await, 200);
    assert_eq!(post(&bridge, second).await, 401);
    let told = ask(&bridge, "POST", "asana", &[("X-Hook-Secret", second)], "{}").await;
    assert_eq!(told.status, 401);
    bridge.drain().await;
    bridge.end().await;
}

#[tokio::test]
async fn who_is_badly_signed_is_told_so_as_the_sender_wants_it() {
    let bridge = bridge().await;
    let bad = STANDARD.encode([0; 32]);
    let told =
        ask(&bridge, "POST", "xero", &[("x-xero-signature", &bad)], r#"{"events":[]}"#).await;
    assert_eq!((told.status, told.text.as_str()), (401, ""));
    bridge.end().await;
}

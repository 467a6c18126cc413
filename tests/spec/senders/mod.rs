//! Every shipped mapping and every request of a real sender, the whole way: signed, posted to a running bridge, and seen
//! as the right update at the API. What is right stands in the mapping's own tests.

mod consent;
mod expected;
mod request;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chatflow_bridge::library;
use chatflow_bridge::mapping::syntax::Node;
use chatflow_bridge::mapping::testing::{Outside, Test, run};
use chatflow_bridge::mapping::{Set, Source};
use chatflow_bridge::settings::KEYS;
use chatflow_bridge::webhook::{check_door, decode_for};
use serde_json::{Value, json};

use self::expected::{Contacts, Expected};
use self::request::{Captured, Keys};
use crate::harness::Bridge;

/// Chapters of their own hold these requests: no shipped mapping is for their sender, or they ask before any event.
const HANDSHAKES: &str = include_str!("../handshakes.rs");

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The sources of the library, each with its file's text.
fn sources() -> Vec<(std::sync::Arc<Source>, &'static str)> {
    let files = library::all().iter();
    let files = files.map(|own| (format!("{}.yaml", own.name), own.text.to_owned())).collect();
    let set = Set::read_with(files, &check_door).set.expect("the shipped mappings are right");
    set.iter()
        .map(|source| {
            let shipped = library::get(source.name.as_str()).unwrap();
            (std::sync::Arc::clone(source), shipped.text)
        })
        .collect()
}

/// Bodies from `mappings/fixtures`.
struct Shipped;

impl Outside for Shipped {
    fn read_file(&mut self, name: &str) -> Result<Vec<u8>, String> {
        std::fs::read(repository().join("mappings").join(name)).map_err(|error| error.to_string())
    }

    fn decode(
        &mut self,
        source: &Source,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<chatflow_bridge::document::Value, String> {
        decode_for(source, content_type, body).map_err(|error| error.to_string())
    }
}

/// A test of a mapping that reads an event, and the test as it is written.
struct Case<'s> {
    source: &'s Source,
    test: &'s Test,
    written: &'s Node,
    fixture: &'s str,
}

fn cases<'s>(source: &'s Source, root: &'s Node) -> Vec<Case<'s>> {
    let written = root.get("tests").and_then(Node::as_list).unwrap_or_default();
    let mut seen = BTreeSet::new();
    let cases = source.tests().iter().zip(written).filter_map(|(test, written)| {
        Some(Case { source, test, written, fixture: test.body_file()? })
    });
    // An event that several tests read is sent once: the second time it would be a repeat.
    cases.filter(|case| seen.insert(case.fixture)).collect()
}

/// A bridge with the whole library and a secret for each of its sources.
async fn bridge(
    sources: &[(std::sync::Arc<Source>, &str)],
    keys: &BTreeMap<String, Keys>,
) -> Bridge {
    let mut all = sources.iter();
    let (first, text) = all.next().unwrap();
    let mut bridge = Bridge::with_mapping(first.name.as_str(), text);
    for (source, text) in all {
        bridge = bridge.and_mapping(source.name.as_str(), text);
    }
    for (variable, keys) in keys {
        bridge = bridge.with_variable(variable, &keys.verifying);
    }
    // Each update is to be seen by itself.
    if KEYS.iter().any(|key| key.name == "delivery.coalesce") {
        bridge = bridge.with_setting("delivery.coalesce", "false");
    }
    bridge.with_setting("server.public_url", "https://bridge.example").start().await
}

#[tokio::test]
async fn every_event_of_every_sender_becomes_the_right_update_at_the_api() {
    let (sources, captured) = (sources(), request::captured());
    let keys = request::keys(&sources, &captured);
    let bridge = bridge(&sources, &keys).await;
    let mut contacts = Contacts::default();
    let mut sent = BTreeSet::new();
    for (source, text) in &sources {
        let root = Node::read(text).unwrap();
        let cases = cases(source, &root);
        assert!(
            !cases.is_empty(),
            "no event of `{}` is shipped: nothing goes the whole way",
            source.name
        );
        for case in cases {
            let name = format!("{}: {}", source.name, case.test.name);
            let outcome = run(source, case.test, &mut Shipped);
            assert!(outcome.passed, "{name}: {:?}", outcome.failures);
            let expected = Expected::of(&outcome.actual.unwrap());
            contacts.know(&expected, &bridge.chatflow);

            let captured = captured.iter().find(|captured| captured.fixture() == case.fixture);
            let request = request::of(&case, captured, &keys, &bridge);
            let before = (bridge.puts().len(), bridge.numbers().await);
            let answer = request.send(&bridge).await;
            bridge.drain().await;

            assert_eq!(answer.status, 200, "{name}: {answer:?}");
            if let Ok(said) = serde_json::from_str::<Value>(&answer.text) {
                assert!(
                    said["status"] == expected.status,
                    "{name}: {said}, not {}",
                    expected.status
                );
            }
            let puts = bridge.puts();
            contacts.compare(&name, &expected, &puts[before.0..]);
            let after = bridge.numbers().await;
            let more = |of: fn(&chatflow_bridge::store::Numbers) -> u64| of(&after) - of(&before.1);
            let came = (more(|n| n.held), more(|n| n.skipped), more(|n| n.dead));
            assert_eq!(came, (expected.held, expected.skipped, 0), "{name}: held, skipped, dead");
            sent.extend(captured.map(Captured::name));
        }
    }
    for captured in captured.iter().filter(|captured| !sent.contains(&captured.name())) {
        let name = captured.name();
        if captured.is_of_another_chapter() {
            assert!(HANDSHAKES.contains(&format!("\"{name}\"")), "{name}: nobody asks it");
            continue;
        }
        let answer = captured.send(&bridge).await;
        let expect = &captured.meta["expect"];
        if expect.get("decode").is_some() {
            assert!(matches!(answer.status, 400 | 415), "{name}: {answer:?}");
            continue;
        }
        let status = expect.get("status").or(expect.get("status_required"));
        let status =
            status.unwrap_or_else(|| panic!("no test of a shipped mapping reads `{name}`"));
        assert_eq!(json!(answer.status), *status, "{name}: {answer:?}");
    }
    assert!(sent.len() > 45, "{} requests of real senders went the whole way", sent.len());
    bridge.end().await;
}

#[test]
fn the_events_of_the_library_are_those_of_real_senders() {
    for captured in request::captured() {
        let own = repository().join("mappings").join(captured.fixture());
        if own.exists() {
            assert!(std::fs::read(&own).unwrap() == captured.body, "{} is another", own.display());
        }
    }
}

/// The path of a file below a folder, without the folder.
fn below(folder: &Path, file: &Path) -> PathBuf {
    file.strip_prefix(folder).unwrap().to_owned()
}

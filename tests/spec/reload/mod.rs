//! Mappings and secrets are replaced while the bridge runs: whole, or not at all.

mod folder;
mod load;
mod process;
mod secrets;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chatflow_bridge::chatflow::mock::{MockChatflow, Seed};
use chatflow_bridge::contact::ContactId;
use serde_json::{Value, json};

use crate::harness::{Bridge, PATIENCE};

/// Contacts that the API knows.
const CONTACTS: usize = 50;
const SUCCESSFUL: &str = "mappings_last_reload_successful";

/// A source whose two rules both write `value`, and carry it in their names.
fn writing(value: &str) -> String {
    let rule = |place: &str| {
        format!(
            "  - name: {place}-{value}\n    contact: {{ id: $.contact }}\n    \
             update: {{ attributes: {{ {place}: {value}, again: {value} }} }}\n"
        )
    };
    format!("verify: none\nevent: {{ id: none }}\nrules:\n{}{}", rule("first"), rule("second"))
}

fn event() -> Value {
    event_of(0)
}

fn event_of(n: usize) -> Value {
    json!({ "contact": contact(n) })
}

fn contact(n: usize) -> ContactId {
    format!("65a1b2c3d4e5f60718293a{:02x}", n % CONTACTS).try_into().unwrap()
}

fn add_contacts(chatflow: &MockChatflow) {
    for n in 0..CONTACTS {
        chatflow.add_contact(Seed::default().with_id(contact(n)));
    }
}

/// A bridge that follows a folder with one file, `crm.yaml`, which writes `one`.
async fn following() -> Bridge {
    // Each update in a request of its own: what it was made by is seen there.
    let bridge = Bridge::with_mapping("crm", &writing("one"))
        .following_a_folder()
        .with_setting("delivery.coalesce", "false")
        .start()
        .await;
    add_contacts(&bridge.chatflow);
    bridge
}

/// Which value the rules in force write: what the stored updates of a new event say, all of them.
async fn written(bridge: &Bridge, source: &str) -> String {
    let answer = bridge.post(source, &event()).await;
    let stored = bridge.stored_rules(&answer.expect("accepted")).await;
    let values: BTreeSet<_> = stored.iter().map(|rule| value_of(rule)).collect();
    assert_eq!((stored.len(), values.len()), (2, 1), "{stored:?}");
    values.into_iter().next().unwrap()
}

fn value_of(rule: &str) -> String {
    rule.split_once('-').unwrap().1.to_owned()
}

/// Waits until something holds.
async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "it did not come to pass: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn until_written(bridge: &Bridge, source: &str, value: &str) {
    until(value, async || written(bridge, source).await == value).await;
}

async fn hash(bridge: &Bridge) -> String {
    let status = bridge.admin("/api/status").await.json();
    status["mappings"]["hash"].as_str().unwrap().to_owned()
}

async fn problem(bridge: &Bridge) -> Value {
    let shown = bridge.admin("/api/status").await.json()["mappings"]["problem"].clone();
    let ready = bridge.observe("/readyz").await;
    assert_eq!(ready.status, 200, "a set is in force: {ready:?}");
    assert_eq!(ready.json()["mappings"]["problem"], shown);
    shown
}

//! Stores that older releases have left, one for each schema, in `tests/fixtures/stores`: this release opens each,
//! delivers what waits in it, and all of it balances.
//!
//! `makes_the_store_of_this_schema` makes the one of this release, once, before the schema moves on:
//! `cargo test --test spec makes_the_store -- --ignored`. What was made is never made again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chatflow_bridge::chatflow::mock::{Fault, Seed};
use chatflow_bridge::webhook::head::Head;
use chatflow_bridge::webhook::verify::sign;
use serde_json::{Value, json};

use crate::harness::{Bridge, store};
use crate::order::steps;

/// The mapping of a CRM: whatever can become of an update. It is kept in the store.
const CRM: &str = r"
verify: none
stale_guard: true
event: { id: $.id, occurred_at: $.at }
rules:
  - name: lead
    contact: { mobile: $.mobile | phone(e164) }
    update:
      name: $.name
      tags_to_add: $.tags
      attributes: { step: $.step }
";

/// One whose sender gives the secret itself.
const ASANA: &str = r"
verify: { preset: asana, secret: adopt }
event: { id: $.id }
rules:
  - name: task
    contact: { mobile: $.mobile | phone(e164) }
    update: { attributes: { task: $.task } }
";

const SECRET: &str = "a-secret-that-the-sender-gave";
const ID: &str = "65f0c0ffee0123456789abcd";

/// The contacts of each fixture, by what became of their updates.
const DELIVERED: &str = "12025550140";
const DEAD: &str = "12025550141";
const SCHEDULED: &str = "12025550142";
const READY: &str = "12025550143";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stores")
}

fn event(id: &str, mobile: &str, more: &Value) -> Value {
    let mut event = json!({ "id": id, "mobile": mobile, "at": "2026-11-23T11:00:00Z" });
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

fn known_to(bridge: &Bridge) {
    for mobile in [DEAD, SCHEDULED, READY] {
        bridge.chatflow.add_contact(Seed::with_mobile(mobile));
    }
    let seed = Seed::with_mobile(DELIVERED).with_id(ID.to_owned().try_into().unwrap());
    bridge.chatflow.add_contact(seed);
}

fn two_sources() -> crate::harness::Builder {
    Bridge::with_mapping("crm", CRM)
        .and_mapping("asana", ASANA)
        .knowing_tags(&["gold"])
        .with_setting("delivery.coalesce", "false")
        .following_a_folder()
}

#[tokio::test]
#[ignore = "makes a fixture, once for each schema"]
async fn makes_the_store_of_this_schema() {
    let bridge = two_sources().start().await;
    known_to(&bridge);
    bridge.send("asana", &[("x-hook-secret", SECRET)], "").await;
    let tag = |tag: &str| json!({ "tags": [tag], "step": "1" });

    bridge.post("crm", &event("1", DELIVERED, &tag("gold"))).await.expect("accepted");
    bridge.post("crm", &event("2", DEAD, &tag("unknown"))).await.expect("accepted");
    bridge.drain().await;
    bridge.chatflow.faults().add(Fault::status(500).on("PUT"));
    bridge.post("crm", &event("3", SCHEDULED, &json!({ "step": "1" }))).await.expect("accepted");
    bridge.until(|numbers| numbers.scheduled == 1).await;
    bridge.post("crm", &event("4", SCHEDULED, &json!({ "step": "2" }))).await.expect("accepted");
    bridge.post("crm", &event("5", "nobody's number", &json!({}))).await.expect("held");
    bridge.change("/api/pause", &json!({})).await;
    bridge.post("crm", &event("6", READY, &json!({ "step": "1" }))).await.expect("accepted");
    bridge.until(|numbers| numbers.in_flight == 0).await;
    let folder = bridge.end_and_keep().await;

    let made = rusqlite::Connection::open(store(folder.path())).unwrap();
    let sql = "SELECT value FROM meta WHERE name = 'schema'";
    let schema: i64 = made.query_row(sql, [], |row| row.get(0)).unwrap();
    for table in ["alias", "attempt", "detail", "mapping", "mark", "plan"] {
        let sql = format!("SELECT count(*) FROM {table}");
        let rows: i64 = made.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert!(rows > 0, "there is nothing in `{table}`");
    }
    let file = fixtures().join(format!("schema-{schema}.db"));
    assert!(!file.exists(), "what was made is never made again: {}", file.display());
    std::fs::create_dir_all(fixtures()).unwrap();
    made.execute("VACUUM INTO ?1", [file.to_str().unwrap()]).unwrap();
}

#[tokio::test]
async fn what_waits_in_the_store_of_an_older_release_is_delivered_and_all_of_it_balances() {
    let mut fixtures: Vec<_> = std::fs::read_dir(fixtures()).unwrap().collect();
    assert!(!fixtures.is_empty());
    for fixture in fixtures.drain(..) {
        opens(&fixture.unwrap().path()).await;
    }
}

async fn opens(fixture: &Path) {
    let case = fixture.display();
    let bridge = two_sources().on_the_store(fixture).start().await;
    known_to(&bridge);
    let found = bridge.numbers().await;
    let found = (found.delivered, found.dead, found.held, found.ready, found.scheduled);
    assert_eq!(found, (1, 1, 1, 1, 2), "{case}");

    // The mappings are those that it kept, its repeats are known, and so is the secret that a sender gave.
    let repeat = event("1", DELIVERED, &json!({ "tags": ["gold"], "step": "1" }));
    assert_eq!(bridge.post("crm", &repeat).await.expect("duplicate"), "0000000000001", "{case}");
    for (secret, status) in [(SECRET, 200), ("another-secret", 401)] {
        let task = event("7", READY, &json!({ "task": "call" })).to_string();
        let head = Head { method: "POST".to_owned(), ..Head::default() };
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let signed = sign("asana", secret, &head, task.as_bytes(), now).unwrap().headers;
        let headers = signed.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers: Vec<_> = headers.chain([("content-type", "application/json")]).collect();
        let answer = bridge.send("asana", &headers, task).await;
        assert_eq!(answer.status, status, "{case}: {answer:?}");
    }
    // What has been set since is known: an older event of a source with a stale guard undoes nothing.
    let mut older = event("8", DELIVERED, &json!({ "step": "0" }));
    older["at"] = json!("2026-11-23T10:00:00Z");
    bridge.post("crm", &older).await.expect("accepted");

    // It was paused when it was left.
    assert_eq!(bridge.puts().len(), 0, "{case}");
    bridge.change("/api/resume", &json!({})).await;
    bridge.clock.advance(Duration::from_mins(1));
    bridge.until(|numbers| numbers.delivered == 5 && numbers.skipped == 1).await;
    let mut seen: Vec<_> = steps(&bridge.puts()).into_values().collect();
    seen.sort();
    assert_eq!(seen, [vec![1], vec![1, 2]], "{case}");
    assert_eq!(bridge.puts().len(), 4, "{case}: these three and the task");
    let held = &bridge.updates("held").await[0];
    assert_eq!(held["reason"], "phone", "{case}: {held}");
    let dead = &bridge.updates("dead").await[0];
    assert_eq!((&dead["reason"], &dead["status"]), (&json!("refused"), &json!(400)), "{case}");
    let audit = bridge.admin("/api/audit").await.json();
    assert_eq!(audit["holds"], true, "{case}: {audit}");
    bridge.end().await;
}

//! What is seen again.

use serde_json::json;

use crate::harness::Bridge;

const FIRST: &str = "
source: crm
verify: none
event: { id: $.id }
rules:
  - name: lead
    when: { $.kind: lead }
    contact: { mobile: $.mobile | phone, on_missing: create }
    update: { name: $.name }
";

/// The mended rules: they take numbers of the United States as people write them, and another kind.
fn mended() -> String {
    FIRST.replace("lead }", "{ in: [lead, late] } }").replace("| phone,", "| phone(US),")
}

#[tokio::test]
async fn a_repeat_of_what_was_ignored_or_held_goes_by_todays_rules() {
    let bridge = Bridge::with_mapping("crm", FIRST).start().await;
    let event = |id: &str, kind: &str, mobile: &str, name: &str| json!({"id": id, "kind": kind, "mobile": mobile, "name": name});
    let ignored = event("1", "late", "+12025550143", "Ann");
    let held = event("2", "lead", "(202) 555-0144", "Bob");
    let hopeless = event("3", "lead", "call me", "Cy");
    let done = event("4", "lead", "+12025550145", "Dot");
    let other = event("5", "other", "+12025550146", "Eve");
    let mut ids = Vec::new();
    for (event, word) in [
        (&ignored, "ignored"),
        (&held, "held"),
        (&hopeless, "held"),
        (&done, "accepted"),
        (&other, "ignored"),
    ] {
        ids.push(bridge.post("crm", event).await.expect(word));
        assert_eq!(bridge.post("crm", event).await.expect("duplicate"), *ids.last().unwrap());
    }
    bridge.drain().await;

    let bridge = bridge.restart_with("crm", &mended()).await;
    // The stored event counts, not what comes now.
    let changed = event("1", "late", "+12025550143", "another name");
    let mut answers = Vec::new();
    for event in [&changed, &held, &hopeless, &done, &other] {
        answers.push(bridge.post("crm", event).await);
    }

    for ((answer, id), word) in answers.iter().zip(&ids).zip([
        "accepted",
        "accepted",
        "duplicate",
        "duplicate",
        "duplicate",
    ]) {
        assert_eq!(answer.expect(word), *id);
        assert_eq!(answer.json()["updates"].as_u64(), (word == "accepted").then_some(1));
    }
    assert_eq!(bridge.post("crm", &changed).await.expect("duplicate"), ids[0]);
    let counted = "intake_requests_total{outcome=\"duplicate\",source=\"crm\"}";
    assert!((bridge.metric(counted).await - 6.0).abs() < f64::EPSILON);
    bridge.drain().await;
    for (mobile, name) in [("12025550143", "Ann"), ("12025550144", "Bob"), ("12025550145", "Dot")] {
        assert_eq!(bridge.chatflow.contact_by_mobile(mobile).unwrap().name, name);
    }
    let numbers = bridge.numbers().await;
    assert_eq!((numbers.events_received, numbers.events_duplicate), (16, 11));
    assert_eq!((numbers.events_taken, numbers.events_ignored, numbers.held), (4, 1, 1));
    bridge.end().await;
}

#[tokio::test]
async fn a_repeat_is_answered_when_the_store_is_full_and_maps_nothing_then() {
    let bridge =
        Bridge::with_mapping("crm", FIRST).with_setting("store.max_waiting", "1").start().await;
    bridge.chatflow.set_key(Some("another"));
    let held = json!({"id": "1", "kind": "lead", "mobile": "(202) 555-0144", "name": "Bob"});
    bridge.post("crm", &held).await.expect("held");
    let waits = json!({"id": "2", "kind": "lead", "mobile": "+12025550143", "name": "Ann"});
    bridge.post("crm", &waits).await.expect("accepted");

    let bridge = bridge.restart_with("crm", &mended()).await;
    bridge.post("crm", &held).await.expect("duplicate");
    bridge.chatflow.set_key(Some(crate::harness::KEY));
    bridge.resumed().await;
    bridge.drain().await;

    bridge.post("crm", &held).await.expect("accepted");
    bridge.drain().await;
    bridge.end().await;
}

#[tokio::test]
async fn each_source_has_its_own_window_and_an_event_without_its_id_is_stored_and_counted() {
    let short = FIRST.replace("{ id: $.id }", "{ id: [$.id, $.part], dedupe_window: 1h }");
    let bridge = Bridge::with_mapping("crm", FIRST)
        .and_mapping("short", &short.replace("source: crm\n", ""))
        .start()
        .await;
    let event = json!({"id": "1", "part": "a", "kind": "other"});
    for source in ["crm", "short"] {
        bridge.post(source, &event).await.expect("ignored");
        bridge.post(source, &event).await.expect("duplicate");
    }
    bridge.clock.advance(std::time::Duration::from_hours(2));
    bridge.post("crm", &event).await.expect("duplicate");
    bridge.post("short", &event).await.expect("ignored");

    let without = json!({"id": "1", "kind": "other"});
    let first = bridge.post("short", &without).await.expect("ignored");
    let second = bridge.post("short", &without).await.expect("ignored");

    assert_ne!(first, second);
    let missing = "event_id_missing_total{source=\"short\"}";
    assert!((bridge.metric(missing).await - 2.0).abs() < f64::EPSILON);
    assert!(bridge.metric("event_id_missing_total{source=\"crm\"}").await.abs() < f64::EPSILON);
    bridge.end().await;
}

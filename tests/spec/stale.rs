//! The stale guard: an older event does not undo what a newer one of the same source has set.

use chatflow_bridge::chatflow::mock::Seed;
use serde_json::{Value, json};

use crate::harness::Bridge;

const MOBILE: &str = "12025550143";

/// A mapping with and without the guard.
fn mapping(guard: bool) -> String {
    format!(
        "
verify: none
stale_guard: {guard}
event: {{ id: $.id, occurred_at: $.at }}
rules:
  - name: all
    contact: {{ mobile: $.mobile | phone(e164) }}
    update:
      name: $.name
      optin: $.optin | bool
      tags_to_add: $.add
      tags_to_remove: $.remove
      attributes: {{ city: $.city }}
"
    )
}

fn event(id: &str, at: &str, mut says: Value) -> Value {
    says["id"] = json!(id);
    says["at"] = json!(format!("2026-11-23T{at}:00Z"));
    says["mobile"] = json!(MOBILE);
    says
}

async fn bridge(guard: bool) -> Bridge {
    let bridge = Bridge::with_mapping("crm", &mapping(guard)).start().await;
    bridge.chatflow.add_contact(Seed { optin: true, ..Seed::with_mobile(MOBILE) });
    bridge
}

#[tokio::test]
async fn an_older_event_that_comes_later_sets_only_what_no_newer_one_has_set() {
    for guard in [true, false] {
        let bridge = bridge(guard).await;
        let newer = json!({"name": "Ann B.", "add": ["gold"], "remove": ["lead"], "optin": "true"});
        let older = json!({"name": "Ann", "city": "Pune", "add": ["lead", "new"]});

        for event in [event("1", "12:00", newer), event("2", "11:00", older)] {
            bridge.post("crm", &event).await.expect("accepted");
            bridge.drain().await;
        }

        let ann = bridge.chatflow.contact_by_mobile(MOBILE).unwrap();
        assert_eq!(ann.attributes["city"], "Pune");
        if guard {
            assert_eq!(
                (ann.name.as_str(), &ann.tags[..]),
                ("Ann B.", &["gold", "new"].map(str::to_owned)[..])
            );
        } else {
            assert_eq!(ann.name, "Ann");
            assert!(ann.tags.contains(&"lead".to_owned()));
        }
        bridge.end().await;
    }
}

#[tokio::test]
async fn an_event_of_which_nothing_is_left_is_skipped_as_stale_also_after_a_restart() {
    let bridge = bridge(true).await;
    bridge.post("crm", &event("1", "12:00", json!({"name": "Ann B."}))).await.expect("accepted");
    bridge.until(|numbers| numbers.delivered == 1).await;
    let bridge = bridge.restart().await;

    bridge.post("crm", &event("2", "11:00", json!({"name": "Ann"}))).await.expect("accepted");
    bridge.until(|numbers| numbers.skipped == 1).await;
    assert_eq!(bridge.updates("skipped").await[0]["reason"], "stale");

    bridge.post("crm", &event("3", "12:30", json!({"name": "Ann C."}))).await.expect("accepted");
    bridge.until(|numbers| numbers.delivered == 2).await;
    assert_eq!(bridge.chatflow.contact_by_mobile(MOBILE).unwrap().name, "Ann C.");
    bridge.end().await;
}

#[tokio::test]
async fn a_withdrawal_is_never_stale_and_consent_that_is_older_than_it_is() {
    let bridge = bridge(true).await;
    for (id, at, optin, left) in [
        ("1", "12:00", "true", true),
        ("2", "11:00", "false", false),
        ("3", "13:00", "false", false),
        ("4", "12:30", "true", false),
        ("5", "14:00", "true", true),
    ] {
        bridge.post("crm", &event(id, at, json!({"optin": optin}))).await.expect("accepted");
        bridge.drain().await;
        assert_eq!(bridge.chatflow.contact_by_mobile(MOBILE).unwrap().optin, left, "event {id}");
    }
    bridge.end().await;
}

#[tokio::test]
async fn what_waits_together_goes_apart_each_by_its_own_moment() {
    let bridge = bridge(true).await;
    bridge.chatflow.set_key(Some("another"));
    for (id, at, name) in
        [("1", "12:00", "b"), ("2", "11:00", "a"), ("3", "13:00", "c"), ("4", "12:59", "d")]
    {
        bridge.post("crm", &event(id, at, json!({"name": name}))).await.expect("accepted");
    }
    bridge.until_metric("paused{reason=\"unauthorized\"}", 1.0).await;
    bridge.chatflow.set_key(Some(crate::harness::KEY));
    bridge.resumed().await;
    bridge.until(|numbers| numbers.delivered + numbers.skipped == 4).await;

    let names: Vec<_> = bridge
        .puts()
        .into_iter()
        .filter(|put| put.status == Some(200))
        .map(|put| put.body["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["b", "c"]);
    bridge.end().await;
}

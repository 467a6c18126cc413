//! What waits for one contact goes in one request, where that changes nothing; under whatever key it came, in order.

use std::time::Duration;

use chatflow_bridge::chatflow::mock::{Fault, Seed};
use serde_json::{Value, json};

use crate::harness::{Bridge, CRM, lead};
use crate::order::steps;

const ANN: &str = "12025550143";
const ID: &str = "65f0c0ffee0123456789abcd";

/// A bridge whose API fails for a while, so that updates wait.
async fn failing(setting: Option<(&'static str, &str)>) -> Bridge {
    let mut builder = Bridge::with_mapping("crm", CRM).knowing_tags(&["gold"]);
    if let Some((key, value)) = setting {
        builder = builder.with_setting(key, value);
    }
    let bridge = builder.start().await;
    bridge.chatflow.add_contact(Seed::with_mobile(ANN).with_id(ID.to_owned().try_into().unwrap()));
    bridge.chatflow.faults().add(Fault::status(503).on("PUT").times(1));
    bridge.post("crm", &lead("0", ANN, 0)).await.expect("accepted");
    bridge.until(|numbers| numbers.scheduled == 1).await;
    bridge
}

async fn until_delivered(bridge: &Bridge, count: u64) {
    while bridge.numbers().await.delivered < count {
        bridge.drain().await;
        bridge.clock.advance(Duration::from_mins(1));
    }
}

fn with_tag(id: usize, tag: &str) -> Value {
    json!({ "id": id.to_string(), "kind": "lead", "mobile": ANN, "step": id.to_string(), "tags": [tag] })
}

#[tokio::test]
async fn what_names_its_contact_by_a_key_that_waits_to_be_given_waits_behind_it() {
    let text = r"
verify: none
event: { id: $.id }
rules:
  - name: number
    when: { $.by: number }
    contact: { mobile: $.mobile }
    update: { attributes: { email: $.email, step: $.id } }
  - name: address
    when: { $.by: address }
    contact: { attribute: { name: email, value: $.email } }
    update: { attributes: { step: $.id } }
";
    let bridge = Bridge::with_mapping("crm", text).start().await;
    bridge.chatflow.add_contact(Seed::with_mobile(ANN));
    // The number is looked up in vain for a while: what it is about to give waits.
    bridge.chatflow.faults().add(Fault::status(503).on("GET").for_mobile(ANN).times(3));
    for (id, by) in [("1", "number"), ("2", "address"), ("3", "number"), ("4", "address")] {
        let event =
            json!({"id": id, "by": by, "mobile": format!("+{ANN}"), "email": "ann@example.com"});
        bridge.post("crm", &event).await.expect("accepted");
    }

    until_delivered(&bridge, 4).await;

    let steps: Vec<_> = steps(&bridge.puts()).into_values().collect();
    assert_eq!(steps, [[1, 2, 3, 4]]);
    let by_address = |seen: &&chatflow_bridge::chatflow::mock::SeenRequest| {
        seen.method == "GET" && seen.query.contains("ann")
    };
    assert!(bridge.chatflow.requests().iter().filter(by_address).count() <= 1);
    bridge.end().await;
}

#[tokio::test]
async fn a_hundred_events_of_one_contact_that_wait_are_one_request() {
    let bridge = failing(None).await;
    for step in 1..100 {
        bridge.post("crm", &lead(&step.to_string(), ANN, step)).await.expect("accepted");
    }

    until_delivered(&bridge, 100).await;

    let puts = bridge.puts();
    assert_eq!(puts.len(), 2, "the one that failed, and one for all");
    assert_eq!(bridge.chatflow.contact_by_mobile(ANN).unwrap().attributes["step"], "99");
    bridge.until_metric("updates_coalesced_total{source=\"crm\"}", 99.0).await;
    bridge.end().await;
}

#[tokio::test]
async fn what_the_api_refuses_of_many_is_found_and_the_rest_is_delivered() {
    let bridge = failing(None).await;
    for id in 1..50 {
        let tag = if id == 17 { "unknown" } else { "gold" };
        bridge.post("crm", &with_tag(id, tag)).await.expect("accepted");
    }

    until_delivered(&bridge, 49).await;

    let dead = bridge.updates("dead").await;
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert!(bridge.puts().len() < 20, "{} requests", bridge.puts().len());
    let contact = bridge.chatflow.contact_by_mobile(ANN).unwrap();
    assert_eq!((contact.attributes["step"].as_str(), contact.tags.len()), ("49", 1));
    bridge.end().await;
}

#[tokio::test]
async fn events_that_name_one_contact_by_id_and_by_number_arrive_in_the_order_in_which_they_came() {
    let bridge = failing(Some(("delivery.coalesce", "false"))).await;
    for step in 1..10 {
        let mut event = lead(&step.to_string(), ANN, step);
        if step % 2 == 0 {
            event["contact_id"] = ID.into();
        }
        bridge.post("crm", &event).await.expect("accepted");
    }

    until_delivered(&bridge, 10).await;

    assert_eq!(steps(&bridge.puts())[&format!("/contacts/{ID}")], (0..10).collect::<Vec<_>>());
    bridge.end().await;
}

#[tokio::test]
async fn a_dead_update_blocks_its_contact_where_that_is_set_and_a_withdrawal_passes() {
    let bridge = failing(Some(("delivery.after_dead", "block"))).await;
    bridge.post("crm", &with_tag(1, "unknown")).await.expect("accepted");
    until_delivered(&bridge, 1).await;
    bridge.until(|numbers| numbers.dead == 1).await;

    bridge.post("crm", &lead("2", ANN, 2)).await.expect("accepted");
    let withdrawn = json!({ "id": "3", "kind": "withdrawn", "mobile": ANN });
    bridge.post("crm", &withdrawn).await.expect("accepted");
    bridge.until(|numbers| numbers.delivered == 2).await;
    let bridge = bridge.restart().await;
    bridge.drain().await;

    let contact = bridge.chatflow.contact_by_mobile(ANN).unwrap();
    assert_eq!((contact.optin, contact.attributes["step"].as_str()), (false, "0"));
    assert_eq!(bridge.numbers().await.scheduled, 1);
    bridge.end().await;
}

#[tokio::test]
async fn a_withdrawal_that_is_not_delivered_is_told_by_its_age() {
    let bridge = failing(None).await;
    let withdrawn = json!({ "id": "1", "kind": "withdrawn", "mobile": ANN });
    bridge.post("crm", &withdrawn).await.expect("accepted");
    bridge.chatflow.faults().add(Fault::status(500).on("PUT"));

    bridge.clock.advance(Duration::from_hours(2));
    bridge.until_metric("withdrawal_oldest_age_seconds", 7200.0).await;

    bridge.chatflow.faults().clear();
    until_delivered(&bridge, 2).await;
    bridge.until_metric("withdrawal_oldest_age_seconds", 0.0).await;
    bridge.end().await;
}

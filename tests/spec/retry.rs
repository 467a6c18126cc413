//! What an answer means for the update.

use std::time::Duration;

use chatflow_bridge::chatflow::mock::{Fault, Seed};

use crate::harness::{Bridge, lead};

#[tokio::test]
async fn a_failure_that_passes_is_tried_again_and_delivered() {
    for fault in [
        Fault::status(500),
        Fault::status(429),
        Fault::status(408),
        Fault::cut_off(),
        Fault::says_failure(),
        Fault::not_json(),
    ] {
        let bridge = Bridge::start().await;
        bridge.chatflow.add_contact(Seed::with_mobile("12025550143"));
        bridge.chatflow.faults().add(fault.clone().on("PUT").times(2));

        bridge.post("crm", &lead("1", "12025550143", 1)).await.expect("accepted");
        while bridge.numbers().await.delivered == 0 {
            bridge.drain().await;
            bridge.clock.advance(Duration::from_mins(20));
        }

        assert_eq!(bridge.puts().len(), 3, "{fault:?}");
        bridge.end().await;
    }
}

#[tokio::test]
async fn a_refusal_for_good_is_a_dead_letter_with_the_apis_own_words() {
    let bridge =
        Bridge::with_mapping("crm", crate::harness::CRM).knowing_tags(&["lead"]).start().await;
    bridge.chatflow.add_contact(Seed::with_mobile("12025550143"));
    let mut event = lead("1", "12025550143", 1);
    event["tags"] = serde_json::json!(["lead", "nobody-made-me"]);

    bridge.post("crm", &event).await.expect("accepted");
    bridge.until(|numbers| numbers.dead == 1).await;

    let dead = bridge.updates("dead").await;
    assert_eq!(dead[0]["reason"], "refused", "{dead:?}");
    assert_eq!(dead[0]["status"], 400);
    assert!(dead[0]["detail"].as_str().unwrap().contains("nobody-made-me"), "{dead:?}");
    bridge.post("crm", &lead("2", "12025550143", 2)).await.expect("accepted");
    bridge.until(|numbers| numbers.delivered == 1).await;
    bridge.end().await;
}

#[tokio::test]
async fn retry_after_holds_back_every_worker() {
    let bridge = Bridge::start().await;
    bridge.chatflow.add_contact(Seed::with_mobile("12025550143"));
    bridge.chatflow.faults().add(Fault::status_retry_after(429, "120").on("PUT").times(1));
    bridge.post("crm", &lead("1", "12025550143", 1)).await.expect("accepted");
    bridge.until(|numbers| numbers.scheduled == 1).await;
    let before = bridge.chatflow.requests().len();

    bridge.post("crm", &lead("2", "12025550144", 1)).await.expect("accepted");
    bridge.clock.advance(Duration::from_secs(100));
    bridge.admin("/api/status").await;

    assert_eq!(bridge.chatflow.requests().len(), before, "nothing is asked before the time");
    while bridge.numbers().await.delivered < 2 {
        bridge.clock.advance(Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bridge.end().await;
}

#[tokio::test]
async fn a_contact_that_stays_missing_is_a_dead_letter_after_the_wait() {
    let mapping = "
verify: none
event: { id: $.id }
rules:
  - name: known
    contact: { mobile: $.mobile | phone(e164) }
    update: { name: $.name }
";
    let bridge = Bridge::with_mapping("crm", mapping).start().await;
    bridge
        .post("crm", &serde_json::json!({"id": "1", "mobile": "12025550143", "name": "Ann"}))
        .await
        .expect("accepted");

    while bridge.numbers().await.dead == 0 {
        bridge.drain().await;
        bridge.clock.advance(Duration::from_mins(5));
    }

    assert_eq!(bridge.updates("dead").await[0]["reason"], "contact_missing");
    bridge.end().await;
}

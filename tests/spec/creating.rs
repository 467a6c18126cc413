//! Contacts that are not there are created once, whoever asks and whatever is repeated.

use std::time::Duration;

use chatflow_bridge::chatflow::mock::Fault;
use serde_json::{Value, json};

use crate::harness::Bridge;

const MOBILE: &str = "12025550143";

const CREATING: &str = "
verify: none
event: { id: $.id }
rules:
  - name: by-mobile
    when: { $.by: mobile }
    contact: { mobile: $.mobile | phone(e164), on_missing: create }
    update: { attributes: { step: $.step } }
  - name: by-email
    when: { $.by: email }
    contact: { attribute: { name: email, value: $.email }, on_missing: create }
    update: { mobile: $.mobile | phone(e164), attributes: { seen: $.step } }
";

fn event(id: usize) -> Value {
    let by = if id.is_multiple_of(2) { "mobile" } else { "email" };
    json!({"id": id.to_string(), "by": by, "mobile": MOBILE, "email": "ann@example.com",
           "step": id.to_string()})
}

#[tokio::test]
async fn twenty_events_racing_for_one_new_contact_make_exactly_one() {
    let bridge = Bridge::with_mapping("crm", CREATING).start().await;
    let events: Vec<_> = (0..20).map(event).collect();

    let answers = events.iter().map(|event| bridge.post("crm", event));
    for answer in futures_util::future::join_all(answers).await {
        answer.expect("accepted");
    }
    bridge.until(|numbers| numbers.delivered == 20).await;

    assert_eq!(bridge.chatflow.contacts().len(), 1);
    let created = bridge.chatflow.requests().into_iter().filter(|seen| seen.method == "POST");
    assert_eq!(created.count(), 1);
    let ann = bridge.chatflow.contact_by_mobile(MOBILE).unwrap();
    assert!(!ann.optin, "nobody has agreed to anything");
    bridge.end().await;
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_not_repeated_into_a_twin() {
    for fault in [Fault::cut_off(), Fault::status(502), Fault::says_failure()] {
        let bridge = Bridge::with_mapping("crm", CREATING).start().await;
        bridge.chatflow.faults().add(fault.clone().on("POST").applied().times(1));

        bridge.post("crm", &event(0)).await.expect("accepted");
        while bridge.numbers().await.delivered == 0 {
            bridge.drain().await;
            bridge.clock.advance(Duration::from_secs(30));
        }

        assert_eq!(bridge.chatflow.contacts().len(), 1, "{fault:?}");
        let ann = bridge.chatflow.contact_by_mobile(MOBILE).unwrap();
        assert_eq!(ann.attributes["step"], "0", "{fault:?}");
        bridge.end().await;
    }
}

#[tokio::test]
async fn a_creation_before_a_crash_is_found_after_it() {
    let bridge = Bridge::with_mapping("crm", CREATING).start().await;
    // Created, and then nothing that came of it was kept: as if the process had ended there.
    bridge.chatflow.faults().add(Fault::status(500).on("PUT").times(1));
    bridge.post("crm", &event(0)).await.expect("accepted");
    bridge.until(|numbers| numbers.scheduled == 1).await;

    let bridge = bridge.restart().await;
    while bridge.numbers().await.delivered == 0 {
        bridge.drain().await;
        bridge.clock.advance(Duration::from_secs(30));
    }

    assert_eq!(bridge.chatflow.contacts().len(), 1);
    let posts = bridge.chatflow.requests().into_iter().filter(|seen| seen.method == "POST");
    assert_eq!(posts.count(), 1);
    bridge.end().await;
}

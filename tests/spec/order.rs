//! Each contact's updates arrive in the order in which they were received.

use std::collections::HashMap;

use chatflow_bridge::chatflow::mock::{Fault, SeenRequest};

use crate::harness::{Bridge, CRM, lead};

/// The `step` attribute of every PUT that was taken, by contact.
pub(crate) fn steps(puts: &[SeenRequest]) -> HashMap<String, Vec<usize>> {
    let mut steps: HashMap<String, Vec<usize>> = HashMap::new();
    for put in puts.iter().filter(|put| put.status == Some(200)) {
        let step = put.body["attributes"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|attribute| attribute["name"] == "step")
            .and_then(|attribute| attribute["value"].as_str()?.parse().ok());
        if let Some(step) = step {
            steps.entry(put.path.clone()).or_default().push(step);
        }
    }
    steps
}

/// Each update in a request of its own, so that the order of all is seen.
async fn unmerged() -> Bridge {
    Bridge::with_mapping("crm", CRM).with_setting("delivery.coalesce", "false").start().await
}

#[tokio::test]
async fn one_contact_gets_its_updates_in_order_though_the_api_fails_in_between() {
    let bridge = unmerged().await;
    bridge.chatflow.faults().add(Fault::status(500).on("PUT").every(3));

    for step in 1..=12 {
        for person in 0..3 {
            let mobile = format!("1202555014{person}");
            bridge
                .post("crm", &lead(&format!("{person}-{step}"), &mobile, step))
                .await
                .expect("accepted");
        }
    }
    while bridge.numbers().await.delivered < 36 {
        bridge.drain().await;
        bridge.clock.advance(std::time::Duration::from_mins(1));
    }

    let steps = steps(&bridge.puts());
    assert_eq!(steps.len(), 3);
    for taken in steps.values() {
        assert_eq!(*taken, (1..=12).collect::<Vec<_>>());
    }
    bridge.end().await;
}

#[tokio::test]
async fn a_contact_that_waits_does_not_hold_up_another() {
    let bridge = Bridge::start().await;
    bridge.chatflow.add_contact(chatflow_bridge::chatflow::mock::Seed::with_mobile("12025550140"));
    bridge.chatflow.faults().add(Fault::status(503).for_mobile("12025550140"));

    bridge.post("crm", &lead("1", "12025550140", 1)).await.expect("accepted");
    bridge.post("crm", &lead("2", "12025550141", 1)).await.expect("accepted");
    bridge.until(|numbers| numbers.delivered == 1).await;

    assert!(bridge.chatflow.contact_by_mobile("12025550141").is_some());
    bridge.end().await;
}

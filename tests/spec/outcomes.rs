//! The table of outcomes: what follows from each answer to an update, a contact for each row.

use std::time::Duration;

use chatflow_bridge::chatflow::mock::{Fault, Seed};
use chatflow_bridge::contact::ContactId;
use serde_json::{Value, json};

use crate::harness::{Bridge, PATIENCE};

const BY_ID: &str = "
verify: none
event: { id: $.id }
rules:
  - name: known
    contact: { id: $.contact }
    update: { name: $.name }
";

async fn bridge() -> Bridge {
    Bridge::with_mapping("crm", BY_ID).start().await
}

impl Bridge {
    /// Waits until nothing is dead or in flight. What was about to be recorded as dead when a storm broke out is looked
    /// for again after a while, by the clock; before all of it is found no trial is made.
    async fn until_the_refused_wait_again(&self) {
        let begun = std::time::Instant::now();
        loop {
            self.until(|numbers| numbers.in_flight == 0).await;
            let numbers = self.numbers().await;
            if numbers.dead == 0 {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "what was refused waits again: {numbers:?}");
            self.clock.advance(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// An event that names the contact and sets its name.
    async fn name_it(&self, contact: &ContactId) -> String {
        let id = contact.as_str().to_owned();
        let event = json!({"id": id, "contact": id, "name": "Ann"});
        self.post("crm", &event).await.expect("accepted")
    }

    /// The one update of an event.
    async fn update_of(&self, event: &str) -> Value {
        self.admin(&format!("/api/events/{event}")).await.json()["updates"][0].clone()
    }
}

#[tokio::test]
async fn each_answer_has_the_end_that_the_reference_says() {
    let delivered = ("delivered", Value::Null);
    let dead = |reason: &str| ("dead", json!(reason));
    let again = ("waiting", Value::Null);
    let rows: Vec<(&str, Fault, _, usize)> = vec![
        ("200", Fault::default(), delivered.clone(), 1),
        ("201", Fault::status_with(201, json!({"status": "success"})), delivered.clone(), 1),
        ("a redirect", Fault::status(302), dead("refused"), 1),
        ("400", Fault::status(400), dead("refused"), 1),
        ("404", Fault::status(404), dead("not_found"), 1),
        ("409", Fault::status(409), dead("refused"), 1),
        ("410", Fault::status(410), dead("refused"), 1),
        ("413", Fault::status(413), dead("refused"), 1),
        ("418", Fault::status(418), dead("refused"), 1),
        ("422", Fault::status(422), dead("refused"), 1),
        ("501", Fault::status(501), dead("refused"), 1),
        ("403, the key is good", Fault::status(403), dead("forbidden"), 1),
        ("408", Fault::status(408), again.clone(), 1),
        ("425", Fault::status(425), again.clone(), 1),
        ("429", Fault::status(429), again.clone(), 1),
        ("500", Fault::status(500), again.clone(), 1),
        ("502", Fault::status(502), again.clone(), 1),
        ("503", Fault::status(503), again.clone(), 1),
        ("504", Fault::status(504), again.clone(), 1),
        ("200 that says failure", Fault::says_failure(), again.clone(), 1),
        ("200 that is no JSON", Fault::not_json(), again.clone(), 1),
        ("an answer that is cut off", Fault::cut_off(), again.clone(), 1),
        ("a reset, then an answer", Fault::reset().times(1), delivered, 2),
        ("resets", Fault::reset(), again, 2),
    ];
    let bridge = bridge().await;
    let mut events = Vec::new();
    for (name, fault, end, requests) in rows {
        let contact = bridge.chatflow.add_contact(Seed::default());
        bridge.chatflow.faults().add(fault.on("PUT").for_contact(&contact));
        let event = bridge.name_it(&contact).await;
        bridge.drain().await;
        events.push((name, contact, event, end, requests));
    }

    for (name, contact, event, (state, reason), requests) in events {
        let update = bridge.update_of(&event).await;
        assert_eq!((&update["state"], &update["reason"]), (&json!(state), &reason), "{name}");
        assert_eq!(update["attempts"], 1, "{name}: {update}");
        let path = format!("/contacts/{}", contact.as_str());
        let sent = bridge.puts().into_iter().filter(|put| put.path.ends_with(&path)).count();
        assert_eq!(sent, requests, "{name}");
    }
    bridge.end().await;
}

#[tokio::test]
async fn an_answer_after_the_timeout_is_waited_for_no_longer_and_the_update_goes_again() {
    let bridge =
        Bridge::with_mapping("crm", BY_ID).with_setting("chatflow.timeout", "200ms").start().await;
    let contact = bridge.chatflow.add_contact(Seed::default());
    let late = Fault::delay(Duration::from_mins(1)).on("PUT").times(1).applied();
    bridge.chatflow.faults().add(late);

    let event = bridge.name_it(&contact).await;
    bridge.until(|numbers| numbers.scheduled == 1).await;
    assert_eq!(bridge.update_of(&event).await["attempts"], 1);
    bridge.clock.advance(Duration::from_secs(30));

    bridge.until(|numbers| numbers.delivered == 1).await;
    bridge.end().await;
}

#[tokio::test]
async fn answers_about_the_key_pause_and_count_nothing() {
    for status in [401, 402, 403] {
        let bridge = bridge().await;
        let contact = bridge.chatflow.add_contact(Seed::default());
        // Whatever is asked: a 403 is the key's where a harmless request gets it too.
        bridge.chatflow.faults().add(Fault::status(status));

        let event = bridge.name_it(&contact).await;
        bridge.until_metric("paused{reason=\"unauthorized\"}", 1.0).await;
        bridge.until(|numbers| numbers.ready == 1 && numbers.in_flight == 0).await;

        let update = bridge.update_of(&event).await;
        assert_eq!((&update["state"], &update["attempts"]), (&json!("waiting"), &json!(0)));
        bridge.chatflow.faults().clear();
        bridge.resumed().await;
        bridge.until(|numbers| numbers.delivered == 1).await;
        bridge.end().await;
    }
}

#[tokio::test]
async fn answers_that_stay_unclear_are_dead_in_the_end() {
    let bridge = bridge().await;
    let contact = bridge.chatflow.add_contact(Seed::default());
    bridge.chatflow.faults().add(Fault::says_failure().on("PUT"));

    let event = bridge.name_it(&contact).await;
    while bridge.numbers().await.dead == 0 {
        bridge.drain().await;
        bridge.clock.advance(Duration::from_mins(15));
    }

    let update = bridge.update_of(&event).await;
    assert_eq!((&update["reason"], &update["attempts"]), (&json!("unclear"), &json!(6)));
    assert_eq!(bridge.puts().len(), 6);
    bridge.end().await;
}

#[tokio::test]
async fn what_the_answer_shows_otherwise_is_delivered_and_counted() {
    let bridge = bridge().await;
    let contact = bridge.chatflow.add_contact(Seed::default());
    let shown = json!({"status": "success", "data": {"_id": contact.as_str(), "name": "Bob"}});
    bridge.chatflow.faults().add(Fault::status_with(200, shown).on("PUT"));

    bridge.name_it(&contact).await;
    bridge.until(|numbers| numbers.delivered == 1).await;

    assert!((bridge.metric("delivery_unconfirmed_total{field=\"name\"}").await - 1.0).abs() < 0.1);
    bridge.end().await;
}

#[tokio::test]
async fn an_operator_who_has_mended_what_was_wrong_ends_a_storm_at_once() {
    let bridge = bridge().await;
    bridge.chatflow.faults().add(Fault::status(400).on("PUT"));
    for _ in 0..60 {
        let contact = bridge.chatflow.add_contact(Seed::default());
        bridge.name_it(&contact).await;
    }
    bridge.until_metric("paused{reason=\"refusals\"}", 1.0).await;
    bridge.until_the_refused_wait_again().await;

    bridge.chatflow.faults().clear();
    let resumed = bridge.change("/api/resume", &json!(null)).await.json();

    assert_eq!(resumed["paused"], json!([]));
    bridge.until(|numbers| numbers.delivered == 60).await;
    bridge.end().await;
}

#[tokio::test]
async fn an_api_that_refuses_everything_leaves_no_dead_letter_once_it_is_mended() {
    let bridge = bridge().await;
    bridge.chatflow.faults().add(Fault::status(400).on("PUT"));
    let mut contacts = Vec::new();
    for _ in 0..200 {
        let contact = bridge.chatflow.add_contact(Seed::default());
        bridge.name_it(&contact).await;
        contacts.push(contact);
    }
    bridge.until_metric("paused{reason=\"refusals\"}", 1.0).await;
    bridge.until_the_refused_wait_again().await;
    assert_eq!(bridge.admin("/api/status").await.json()["delivery"]["paused"][0], "refusals");
    let refused = bridge.puts().len();
    assert!(refused < 60, "{refused} requests");

    bridge.chatflow.faults().clear();
    let begun = std::time::Instant::now();
    while bridge.metric("paused{reason=\"refusals\"}").await > 0.0 {
        assert!(begun.elapsed() < PATIENCE, "the storm is over");
        bridge.clock.advance(Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    while bridge.numbers().await.delivered < 200 {
        assert!(begun.elapsed() < PATIENCE, "all are delivered");
        bridge.clock.advance(Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }

    assert_eq!(bridge.numbers().await.dead, 0);
    bridge.end().await;
}

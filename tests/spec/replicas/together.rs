//! Two bridges that share what comes in and what goes out.

use std::collections::HashMap;

use serde_json::json;

use super::pgbouncer::PgBouncer;
use super::*;
use crate::harness::lead;

/// So many contacts, each with so many updates.
const CONTACTS: usize = 4;
const STEPS: usize = 12;

fn mobile(contact: usize) -> String {
    format!("1202555{contact:04}")
}

#[tokio::test]
async fn of_two_who_get_the_same_event_at_once_one_takes_it() {
    let Some(server) = Server::shared() else { return };
    let (database, folders, chatflow) =
        (server.database(), [folder(), folder()], mock(Duration::ZERO));
    let both = folders.each_ref().map(|own| bridge(own.path(), &chatflow, &database.url()));

    for n in 0..20 {
        let event = lead(&format!("evt_{n}"), &mobile(n), 1);
        let ((_, one), (_, other)) = tokio::join!(post(&both[0], &event), post(&both[1], &event));

        let mut said = [one["status"].clone(), other["status"].clone()];
        said.sort_by_key(ToString::to_string);
        assert_eq!(said, [json!("accepted"), json!("duplicate")], "{one} {other}");
        assert_eq!(one["event_id"], other["event_id"]);
    }

    until_sent(&chatflow, 20).await;
    for own in &both {
        until("the ledger holds", async || ask(own, "/api/audit").await["holds"] == true).await;
    }
}

#[tokio::test]
async fn each_contacts_updates_go_one_at_a_time_and_in_order_whoever_takes_them_in() {
    let Some(server) = Server::shared() else { return };
    let (database, folders) = (server.database(), [folder(), folder()]);
    let chatflow = mock(Duration::from_millis(3));
    let both = folders.each_ref().map(|own| bridge(own.path(), &chatflow, &database.url()));

    for step in 0..STEPS {
        for contact in 0..CONTACTS {
            let event = lead(&format!("evt_{contact}_{step}"), &mobile(contact), step);
            let (status, said) = post(&both[(step + contact) % 2], &event).await;
            assert_eq!(status, StatusCode::OK, "{said}");
        }
    }

    check_order(until_sent(&chatflow, STEPS * CONTACTS).await);
}

#[tokio::test]
async fn a_pooler_that_gives_each_transaction_another_connection_is_no_hindrance() {
    let Some(server) = Server::shared() else { return };
    let Some(bouncer) = PgBouncer::start(server.port()) else { return };
    let (database, folders) = (server.database(), [folder(), folder()]);
    let (chatflow, url) = (mock(Duration::ZERO), bouncer.url(&database));
    let both = folders.each_ref().map(|own| bridge(own.path(), &chatflow, &url));

    for step in 0..STEPS {
        for contact in 0..CONTACTS {
            let event = lead(&format!("evt_{contact}_{step}"), &mobile(contact), step);
            let (status, said) = post(&both[(step + contact) % 2], &event).await;
            assert_eq!(status, StatusCode::OK, "{said}");
        }
    }

    check_order(until_sent(&chatflow, STEPS * CONTACTS).await);
}

#[tokio::test]
async fn a_pause_of_an_operator_holds_everywhere() {
    let Some(server) = Server::shared() else { return };
    let (database, folders, chatflow) =
        (server.database(), [folder(), folder()], mock(Duration::ZERO));
    let [one, other] = folders.each_ref().map(|own| bridge(own.path(), &chatflow, &database.url()));
    let switch = async |word: &str| {
        let url = format!("http://{}/api/{word}", one.admin);
        let answer = client().post(url).bearer_auth(TOKEN).json(&()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    };
    let paused = async || ask(&other, "/api/status").await["delivery"]["paused"].clone();

    switch("pause").await;
    until("the other rests too", async || paused().await == json!(["operator"])).await;
    post(&other, &lead("evt_1", &mobile(1), 1)).await;
    switch("resume").await;

    until("the other goes on", async || paused().await == json!([])).await;
    until_sent(&chatflow, 1).await;
}

/// For each contact: no step before an earlier one, no two requests at once.
fn check_order(seen: Vec<SeenRequest>) {
    let mut contacts: HashMap<String, Vec<SeenRequest>> = HashMap::new();
    for one in seen.into_iter().filter(|one| one.method == "PUT") {
        contacts.entry(one.path.clone()).or_default().push(one);
    }
    assert_eq!(contacts.len(), CONTACTS);
    for requests in contacts.values() {
        let steps: Vec<usize> = requests.iter().map(step).collect();
        assert_eq!(steps, (0..STEPS).collect::<Vec<_>>());
        for pair in requests.windows(2) {
            assert!(pair[0].answered_at.unwrap() < pair[1].at, "two at once: {pair:?}");
        }
    }
}

fn step(of: &SeenRequest) -> usize {
    let text = of.body.to_string();
    let attributes = of.body["attributes"].as_array().unwrap_or_else(|| panic!("{text}"));
    let step = attributes.iter().find(|one| one.to_string().contains("step"));
    let digits: String = step.unwrap().to_string().chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

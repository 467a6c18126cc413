//! What a sender is told.

use futures_util::future::join_all;
use serde_json::json;

use crate::harness::{Bridge, lead};

#[tokio::test]
async fn an_event_is_answered_with_what_was_made_of_it() {
    let bridge = Bridge::start().await;
    for (document, word, updates, held) in [
        (
            json!({"id": "1", "kind": "lead", "mobile": "12025550143", "city": "Pune"}),
            "accepted",
            1,
            0,
        ),
        (json!({"id": "2", "kind": "lead", "mobile": "call me"}), "held", 0, 1),
        (json!({"id": "3", "kind": "lead", "city": "Pune"}), "skipped", 0, 0),
        (json!({"id": "4", "kind": "lead", "mobile": "12025550143"}), "ignored", 0, 0),
        (json!({"id": "5", "kind": "something else"}), "ignored", 0, 0),
        (
            json!({"id": "1", "kind": "lead", "mobile": "12025550143", "city": "Pune"}),
            "duplicate",
            0,
            0,
        ),
    ] {
        let answer = bridge.post("crm", &document).await;

        answer.expect(word);
        let body = answer.json();
        if word != "duplicate" {
            assert_eq!(
                (&body["updates"], &body["held"]),
                (&json!(updates), &json!(held)),
                "{document}"
            );
        }
    }
    bridge.drain().await;
    bridge.end().await;
}

#[tokio::test]
async fn of_fifty_identical_posts_at_once_one_is_accepted() {
    let bridge = Bridge::start().await;
    let event = lead("the-same", "12025550143", 1);

    let answers = join_all((0..50).map(|_| bridge.post("crm", &event))).await;

    let mut words: Vec<_> =
        answers.iter().map(|a| a.json()["status"].as_str().unwrap().to_owned()).collect();
    words.sort();
    assert_eq!(words.iter().filter(|word| *word == "accepted").count(), 1);
    assert_eq!(words.iter().filter(|word| *word == "duplicate").count(), 49);
    let ids: std::collections::HashSet<_> =
        answers.iter().map(|a| a.json()["event_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 1, "all get the first one's id");
    bridge.drain().await;
    assert_eq!(bridge.puts().len(), 1);
    bridge.end().await;
}

#[tokio::test]
async fn a_repeat_is_known_after_a_restart() {
    let bridge = Bridge::start().await;
    let first = bridge.post("crm", &lead("1", "12025550143", 1)).await.expect("accepted");
    bridge.drain().await;

    let bridge = bridge.restart().await;
    let second = bridge.post("crm", &lead("1", "12025550143", 1)).await.expect("duplicate");

    assert_eq!(first, second);
    bridge.end().await;
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_with_a_problem_and_leaves_nothing() {
    let bridge = Bridge::with_mapping("crm", crate::harness::CRM)
        .with_setting("server.max_body", "1KiB")
        .start()
        .await;
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(2000));
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    let json = "application/json";
    for (source, content_type, body, status) in [
        ("other", json, "{}", 404),
        ("crm", json, long.as_str(), 413),
        ("crm", json, "{", 400),
        ("crm", json, r#"{"a":1,"a":2}"#, 400),
        ("crm", json, deep.as_str(), 400),
        ("crm", json, "\u{feff}{}x", 400),
        ("crm", "image/png", "{}", 415),
    ] {
        let answer = bridge.send(source, &[("content-type", content_type)], body.to_owned()).await;

        assert_eq!(answer.status, status, "{source} {content_type} {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.json()["status"], status);
    }
    let got = bridge.http().get(bridge.hook("crm")).send().await.unwrap();
    assert_eq!(got.status(), 405);
    assert_eq!(got.headers()["allow"], "POST");
    assert_eq!(bridge.numbers().await.events_received, 0);
    bridge.end().await;
}

#[tokio::test]
async fn a_list_fans_out_into_one_update_an_item() {
    let mapping = "
verify: none
event: { id: none }
rules:
  - name: person
    for_each: $[*]
    contact: { mobile: $item.phone | phone(e164), on_missing: create }
    update: { name: $item.name }
";
    let bridge = Bridge::with_mapping("list", mapping).start().await;
    let people = json!([
        {"name": "Ann", "phone": "12025550143"},
        {"name": "Bob", "phone": 12_025_550_144_u64},
        {"name": "Cy", "phone": "none"},
    ]);

    let answer = bridge.post("list", &people).await;

    answer.expect("accepted");
    assert_eq!(
        (answer.json()["updates"].clone(), answer.json()["held"].clone()),
        (json!(2), json!(1))
    );
    bridge.drain().await;
    for (mobile, name) in [("12025550143", "Ann"), ("12025550144", "Bob")] {
        assert_eq!(bridge.chatflow.contact_by_mobile(mobile).unwrap().name, name);
    }
    bridge.end().await;
}

#[tokio::test]
async fn a_full_store_answers_503_and_goes_on_once_there_is_room() {
    let bridge = Bridge::with_mapping("crm", crate::harness::CRM)
        .with_setting("store.max_waiting", "2")
        .start()
        .await;
    bridge.chatflow.set_key(Some("another"));
    for n in 1..=2_usize {
        bridge
            .post("crm", &lead(&n.to_string(), &format!("1202555014{n}"), n))
            .await
            .expect("accepted");
    }

    let refused = bridge.post("crm", &lead("3", "12025550143", 3)).await;
    let repeated = bridge.post("crm", &lead("1", "12025550141", 1)).await;

    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.header("retry-after").is_some());
    repeated.expect("duplicate");
    bridge.chatflow.set_key(Some(crate::harness::KEY));
    bridge.resumed().await;
    bridge.drain().await;
    bridge.post("crm", &lead("3", "12025550143", 3)).await.expect("accepted");
    bridge.drain().await;
    bridge.end().await;
}

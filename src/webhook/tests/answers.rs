//! What a sender is told of what was taken in, and what is kept of it.

use super::*;

#[actix_web::test]
async fn the_answer_says_what_became_of_the_events() {
    let skipped = || Decision::Skipped(SkippedReason::NoContact);
    let control = || PlannedEvent { control: true, ..event(vec![]) };
    let one = |status, updates, held| json!({"event_id": "0000000000001", "status": status, "updates": updates, "held": held});
    for (planned, answer) in [
        (vec![event(vec![update(), held(), update()])], one("accepted", 2, 1)),
        (vec![event(vec![skipped(), held()])], one("held", 0, 1)),
        (vec![event(vec![Decision::NoEffect, skipped()])], one("skipped", 0, 0)),
        (vec![event(vec![Decision::NoEffect])], one("ignored", 0, 0)),
        (vec![event(vec![])], one("ignored", 0, 0)),
        (vec![control()], one("control", 0, 0)),
        (vec![], json!({"status": "ignored", "events": []})),
        (
            vec![control(), event(vec![held()])],
            json!({"status": "held", "events": [
                {"event_id": "0000000000001", "status": "control", "updates": 0, "held": 0},
                {"event_id": "0000000000002", "status": "held", "updates": 0, "held": 1},
            ]}),
        ),
    ] {
        assert_eq!(House::new().keep(planned.clone()).await, answer, "{planned:?}");
    }
}

#[actix_web::test]
async fn a_repeat_gets_the_id_of_the_first() {
    let house = House::new();
    let event = || PlannedEvent { id: Some("evt_1".to_owned()), ..event(vec![update()]) };

    let first = house.keep(vec![event()]).await;
    let again = house.keep(vec![event()]).await;

    assert_eq!(again, json!({"event_id": first["event_id"], "status": "duplicate"}));
    assert!(house.page_has(r#"duplicates_differ_total{source="open"} 1"#));
    assert!(house.page_has(r#"updates_enqueued_total{rule="new-lead",source="open"} 1"#));
}

#[actix_web::test]
async fn what_the_rules_planned_is_stored_without_what_has_no_effect() {
    let house = House::new();
    let planned = PlannedEvent {
        id: Some("evt_1".to_owned()),
        event_type: Some("lead".to_owned()),
        occurred_at: Some(now()),
        ..event(vec![Decision::NoEffect, held(), update()])
    };

    house.keep(vec![event(vec![]), planned]).await;

    let kept = house.store.kept.lock().unwrap();
    let (_, stored) = &kept[1];
    assert_eq!((stored.source.as_str(), stored.item), ("open", 1));
    assert_eq!(stored.dedupe.as_ref().unwrap().id, "evt_1");
    assert_eq!(stored.dedupe.as_ref().unwrap().window, Duration::from_hours(1));
    assert_eq!((stored.event_type.as_deref(), stored.occurred_at), (Some("lead"), Some(now())));
    assert_eq!(stored.updates.len(), 2);
    assert!(matches!(&stored.updates[0].state, NewState::Held { reason: HeldReason::Phone, .. }));
    assert!(matches!(&stored.updates[1].state, NewState::Waiting(_)));
    for line in [
        r#"rule_matches_total{rule="new-lead",source="open"} 1"#,
        r#"rule_misses_total{source="open"} 1"#,
        r#"mapping_errors_total{reason="phone",rule="new-lead",source="open"} 1"#,
        r#"dead_letters_total{reason="phone"} 1"#,
    ] {
        assert!(house.page_has(line), "{line}");
    }
}

#[actix_web::test]
async fn who_is_believed_is_answered_200() {
    let credentials = sign("github", "a-good-secret", &Head::default(), b"{}", now()).unwrap();
    let (name, value) = credentials.headers[0].clone();
    for request in [
        json_post("/hooks/open", "{}"),
        post("/hooks/open").set_payload("{}"),
        json_post("/hooks/github", "{}").insert_header((name.as_str(), value.as_str())),
        json_post("/hooks/path/a-good-secret", "{}"),
        json_post("/hooks/path/a%2Dgood%2dsecret", "{}"),
        json_post("/hooks/query?x=1&token=a-good-secret", "{}"),
        json_post("/hooks/header", "{}").insert_header(("X-Token", "a-good-secret")),
        json_post("/hooks/open", "{}").insert_header(("Content-Encoding", "identity")),
    ] {
        let house = House::new();
        let response = house.call(request).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers().get("content-type").unwrap(), "application/json");
    }
}

#[actix_web::test]
async fn only_what_rules_read_is_kept_and_never_a_credential() {
    let house = House::new();
    let doors = house.intake.doors();
    let headers: Headers = [
        ("X-Topic", "orders"),
        ("X-Topic", "again"),
        ("X-Hub-Signature-256", "sha256=00"),
        ("X-Token", "marker"),
        ("Authorization", "marker"),
        ("Cookie", "marker"),
        ("User-Agent", "curl"),
    ]
    .into_iter()
    .collect();
    let head = Head { headers, ..Head::default() };
    let kept = |name: &str| {
        let kept = doors.by_name[name].kept_headers(&head);
        kept.into_iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
    };

    assert_eq!(kept("github"), ["x-topic: orders", "x-topic: again", "x-token: marker"]);
    assert_eq!(
        kept("header"),
        ["x-topic: orders", "x-topic: again", "x-hub-signature-256: sha256=00"]
    );
}

//! Each call, gone well.

use super::*;
use crate::chatflow::NewContact;
use crate::chatflow::mock::Seed;
use serde_json::json;

fn ann() -> Seed {
    Seed::with_mobile("12025550143").named("Ann").tagged(&["lead"]).with("plan", "free")
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_nothing_else_in_every_wire_form() {
    for form in [
        json!({}),
        json!({"tag_changes": "array"}),
        json!({"attributes": "json_string"}),
        json!({"tag_changes": "array", "attributes": "json_string"}),
    ] {
        let mock = mock();
        let ann = mock.add_contact(ann().with("city", "Pune").tagged(&["old"]));
        let client = client_saying(&mock, wire(form.clone()));

        let changed = client
            .update(
                &ann,
                &update(json!({
                    "optin": true, "incoming_blocked": true,
                    "tags": {"add": ["gold", "new"], "remove": ["old"]},
                    "attributes": {"plan": {"set": "gold"}, "city": "remove"}
                })),
            )
            .await
            .unwrap();

        let kept = mock.contact(&ann).unwrap();
        assert_eq!(kept.name, "Ann", "{form}");
        assert_eq!(kept.tags, ["lead", "gold", "new"], "{form}");
        assert_eq!(
            kept.attributes.into_iter().collect::<Vec<_>>(),
            [("plan".into(), "gold".into())]
        );
        assert_eq!((changed.optin, changed.incoming_blocked), (Some(true), Some(true)));
        assert_eq!(changed.tags, Some(kept.tags));
        assert_eq!(changed.attribute("plan"), Some("gold"));
        assert_eq!(changed.attribute("city"), None);
    }
}

#[tokio::test]
async fn what_is_sent_is_what_the_reference_shows() {
    let mock = mock();
    let ann = mock.add_contact(ann());

    let change = update(json!({"name": "Ann B", "tags": {"replace": ["vip"]}, "optin": false}));
    client(&mock).update(&ann, &change).await.unwrap();

    let seen = mock.requests();
    assert_eq!(seen[0].method, "PUT");
    assert_eq!(seen[0].path, format!("/contacts/{}", ann.as_str()));
    assert_eq!(seen[0].query, "");
    assert_eq!(seen[0].body, json!({"name": "Ann B", "optin": false, "tags": ["vip"]}));
    assert_eq!((seen[0].at, seen[0].answered_at, seen[0].status), (1, Some(3), Some(200)));
}

#[tokio::test]
async fn a_contact_is_read_by_its_id() {
    let mock = mock();
    let ann = mock.add_contact(ann());

    let read = client(&mock).contact(&ann).await.unwrap();

    assert_eq!((read.name.as_deref(), read.mobile.as_deref()), (Some("Ann"), Some("12025550143")));
    assert_eq!((read.tags, read.optin), (Some(vec!["lead".to_owned()]), Some(false)));
}

#[tokio::test]
async fn a_contact_is_created_once_whatever_the_wire_form() {
    for (form, query) in [(json!({}), "onDuplicate=skip"), (json!({"on_duplicate": "body"}), "")] {
        let mock = mock();
        let client = client_saying(&mock, wire(form));
        let new = NewContact {
            mobile: mobile("12025550143"),
            name: Some("Ann".to_owned()),
            optin: true,
            attribute: Some(("email".to_owned(), "ann@example.com".to_owned())),
        };

        let first = client.create(&new).await.unwrap();
        let second = client.create(&NewContact { optin: false, ..new }).await.unwrap();

        assert_eq!(first.len(), 1);
        assert_eq!(first[0].attribute("email"), Some("ann@example.com"));
        assert_eq!(second, []);
        assert!(mock.contact_by_mobile("12025550143").unwrap().optin);
        assert_eq!(mock.requests()[0].query, query);
    }
}

#[tokio::test]
async fn the_key_can_be_changed_while_running() {
    let mock = mock();
    let client = client(&mock);
    assert_eq!(client.probe().await, Ok(()));

    mock.set_key(Some("another-key"));
    assert_eq!(client.probe().await.unwrap_err().label(), "unauthorized");
    client.set_key(&Secret::new("another-key\n")).unwrap();
    assert_eq!(client.probe().await, Ok(()));

    assert!(client.set_key(&Secret::new(" ")).is_err());
    assert!(client.set_key(&Secret::new("two\nlines")).is_err());
    assert_eq!(client.probe().await, Ok(()), "the old key stays");
}

#[tokio::test]
async fn tags_of_the_settings_are_told_or_they_are_not() {
    let known = Some(vec!["lead".to_owned(), "gold".to_owned()]);
    let options = MockOptions { known_tags: known.clone(), ..MockOptions::default() };
    let telling = MockChatflow::start(options).unwrap();

    assert_eq!(client(&telling).tags().await, Ok(known));
    assert_eq!(client(&mock()).tags().await, Ok(None));
}

#[tokio::test]
async fn calls_are_counted_by_operation_and_outcome() {
    let mock = mock();
    let metrics = Arc::new(Metrics::new().unwrap());
    let client = client_with(&settings(&mock.base_url()), &metrics);
    let ann = mock.add_contact(ann());

    client.find_by_mobile(&mobile("12025550143")).await.unwrap();
    client.update(&ann, &update(json!({"name": "Ann B"}))).await.unwrap();
    client.update(&id("000000000000000000000000"), &ContactUpdate::default()).await.unwrap_err();
    client.update(&ann, &update(json!({"tags": {"add": ["a,b"]}}))).await.unwrap_err();

    let page = metrics.page().unwrap();
    for line in [
        r#"delivery_attempts_total{operation="create",outcome="ok"} 0"#,
        r#"delivery_attempts_total{operation="find",outcome="ok"} 1"#,
        r#"delivery_attempts_total{operation="update",outcome="ok"} 1"#,
        r#"delivery_attempts_total{operation="update",outcome="not_found"} 1"#,
        r#"delivery_responses_total{code="200",operation="update"} 1"#,
        r#"delivery_responses_total{code="404",operation="update"} 1"#,
        r#"delivery_attempt_duration_seconds_count{operation="update"} 2"#,
        "delivery_in_flight_requests 0",
    ] {
        assert!(page.contains(&format!("chatflow_bridge_{line}\n")), "{line}\n{page}");
    }
    assert!(!page.contains("rejected"), "what cannot be said was never a call");
}

#[tokio::test]
async fn a_call_given_up_is_no_longer_in_flight() {
    use crate::chatflow::mock::Fault;
    let mock = mock();
    mock.faults().add(Fault::delay(Duration::from_mins(1)));
    let metrics = Arc::new(Metrics::new().unwrap());
    let client = client_with(&settings(&mock.base_url()), &metrics);
    let open = || metrics.delivery_in_flight_requests.with_label_values::<&str>(&[]).get();

    let probe = client.probe();
    let arrived = mock.wait_for(|seen| !seen.is_empty(), Duration::from_secs(10));
    tokio::select! {
        _ = probe => panic!("the answer is late"),
        seen = arrived => assert_eq!(seen.unwrap()[0].answered_at, None),
    }

    assert_eq!(open(), 0);
}

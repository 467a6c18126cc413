//! The same through the admin API: as it is described, and for nobody else.

use super::*;

#[tokio::test]
async fn a_pause_of_an_operator_survives_a_restart() {
    let bridge = Bridge::start().await;
    let said = command(&bridge, &["pause"]).await;
    assert!(said.out.contains("operator"), "{said:?}");

    bridge.post("crm", &lead("1", "12025550143", 1)).await.expect("accepted");
    let bridge = bridge.restart().await;

    let status = bridge.admin("/api/status").await.json();
    assert_eq!(status["delivery"]["paused"], json!(["operator"]));
    assert!(status["delivery"]["paused_by_operator_since"].is_string(), "{status}");
    let ready = bridge.observe("/readyz").await;
    assert_eq!((ready.status, &ready.json()["delivery_paused"]), (200, &json!(["operator"])));
    assert_eq!((bridge.numbers().await.ready, bridge.puts().len()), (1, 0));

    assert_eq!(bridge.change("/api/resume", &json!(null)).await.json()["paused"], json!([]));
    bridge.until(|numbers| numbers.delivered == 1).await;
    let bridge = bridge.restart().await;
    assert_eq!(bridge.admin("/api/status").await.json()["delivery"]["paused"], json!([]));
    bridge.end().await;
}

#[tokio::test]
async fn changes_come_from_no_other_site_and_only_as_post() {
    let (bridge, update) = with_a_refused_lead().await;
    let token = std::fs::read_to_string(bridge.folder().join("bridge.db.admin-token")).unwrap();
    let url = format!("http://{}/api/discard", bridge.addresses().admin);
    let post =
        || bridge.http().post(&url).bearer_auth(token.trim()).json(&json!({"names": [update]}));

    let answers = [
        (post().header("origin", "https://evil.example"), 403),
        (post().header("host", "evil.example"), 403),
        (bridge.http().post(&url).json(&json!({"names": [update]})), 401),
        (bridge.http().get(&url).bearer_auth(token.trim()), 405),
        (bridge.http().post(&url).bearer_auth(token.trim()).json(&json!({})), 400),
        (bridge.http().post(&url).bearer_auth(token.trim()).body("names"), 400),
        (post().header("origin", format!("http://{}", bridge.addresses().admin)), 200),
    ];
    for (number, (request, status)) in answers.into_iter().enumerate() {
        assert_eq!(request.send().await.unwrap().status(), status, "request {number}");
    }
    assert_eq!(bridge.numbers().await.discarded, 1);
    bridge.end().await;
}

#[tokio::test]
async fn rows_that_are_not_there_are_found_by_the_audit_and_shown_by_the_metric() {
    let (bridge, _) = with_a_refused_lead().await;
    let bridge = bridge
        .restart_after(|folder| {
            let store = rusqlite::Connection::open(store(folder)).unwrap();
            store.execute("DELETE FROM upd", []).unwrap();
        })
        .await;

    let audit = command(&bridge, &["audit"]).await;
    assert_eq!(audit.code, Some(1), "{audit:?}");
    assert!(audit.out.contains("off by 1"), "{}", audit.out);
    bridge.clock.advance(Duration::from_hours(1));
    bridge.until_metric("ledger_imbalance", 1.0).await;
    bridge.end().await;
}

#[tokio::test]
async fn the_answers_are_as_the_api_describes_them() {
    let (bridge, update) = with_a_refused_lead().await;
    bridge.post("crm", &json!({ "id": "3", "kind": "other" })).await.expect("ignored");
    let forget = "/api/sources/crm/forget-secret";
    let api = bridge.admin("/api/openapi.json").await.json();
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("http://bridge/openapi.json", api.clone()).unwrap();
    let event = event_of(&update);
    let dry = json!({ "names": [update], "dry_run": true });
    for (path, body, name) in [
        ("/api/status".to_owned(), None, "Status"),
        ("/api/events".to_owned(), None, "Events"),
        (format!("/api/events/{event}"), None, "Event"),
        ("/api/updates?state=dead&limit=1".to_owned(), None, "Updates"),
        (format!("/api/updates/{update}"), None, "Update"),
        (format!("/api/updates/{event}/other/0"), None, "Problem"),
        ("/api/updates/nonsense".to_owned(), None, "Problem"),
        ("/api/updates?state=nonsense".to_owned(), None, "Problem"),
        ("/api/updates?reason=nonsense".to_owned(), None, "Problem"),
        ("/api/causes".to_owned(), None, "Causes"),
        ("/api/audit".to_owned(), None, "Audit"),
        ("/api/replay".to_owned(), Some(dry.clone()), "Done"),
        ("/api/remap".to_owned(), Some(dry.clone()), "Done"),
        ("/api/discard".to_owned(), Some(dry.clone()), "Done"),
        ("/api/purge".to_owned(), Some(dry.clone()), "Done"),
        ("/api/discard".to_owned(), Some(json!({ "filter": {} })), "Problem"),
        ("/api/pause".to_owned(), Some(Value::Null), "Paused"),
        ("/api/resume".to_owned(), Some(Value::Null), "Paused"),
        ("/api/rejected".to_owned(), None, "Problem"),
        (forget.to_owned(), Some(Value::Null), "Forgotten"),
    ] {
        let answer = match &body {
            None => bridge.admin(&path).await,
            Some(body) => bridge.change(&path, body).await,
        };
        let place = format!("http://bridge/openapi.json#/components/schemas/{name}");
        let schema = compiler.compile(&place, &mut schemas).unwrap();
        let told = answer.json();
        let flaw = schemas.validate(&told, schema).err().map(|error| error.to_string());
        assert_eq!(flaw, None, "{path}: {told}");
        assert_eq!(name == "Problem", answer.status >= 400, "{path} {answer:?}");
    }
    assert_eq!(bridge.numbers().await.dead, 1);
    bridge.end().await;
}

#[tokio::test]
async fn refused_requests_are_told_as_the_api_describes_them() {
    let bridge =
        Bridge::with_mapping("crm", CRM).with_setting("server.keep_rejected", "1h").start().await;
    bridge.send("crm", &[("content-type", "application/json")], "{").await;
    let api = bridge.admin("/api/openapi.json").await.json();
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("http://bridge/openapi.json", api).unwrap();
    for (path, name) in [("/api/rejected", "RejectedList"), ("/api/rejected/1", "Rejected")] {
        let place = format!("http://bridge/openapi.json#/components/schemas/{name}");
        let schema = compiler.compile(&place, &mut schemas).unwrap();
        let told = bridge.admin(path).await.json();
        let flaw = schemas.validate(&told, schema).err().map(|error| error.to_string());
        assert_eq!(flaw, None, "{path}: {told}");
    }
    bridge.end().await;
}

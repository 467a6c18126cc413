//! The operator's door.

use serde_json::json;

use crate::harness::{Answer, Bridge, lead};

#[tokio::test]
async fn nothing_is_told_without_the_token() {
    let bridge = Bridge::start().await;
    let admin = format!("http://{}", bridge.addresses().admin);
    for path in ["/api/status", "/api/events", "/api/updates?state=dead"] {
        for token in [None, Some("wrong"), Some("")] {
            let mut request = bridge.http().get(format!("{admin}{path}"));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            assert_eq!(request.send().await.unwrap().status(), 401, "{path} {token:?}");
        }
        assert_eq!(bridge.admin(path).await.status, 200, "{path}");
    }
    bridge.end().await;
}

#[tokio::test]
async fn metrics_and_admin_are_not_behind_the_listener_of_senders() {
    let bridge = Bridge::start().await;
    let hooks = format!("http://{}", bridge.addresses().hooks);
    for path in [
        "/metrics",
        "/livez",
        "/readyz",
        "/api/status",
        "/",
        "/hooks",
        "/hooks/",
        "/hooks/../metrics",
        "/hooks/%2e%2e/metrics",
        "/hooks/crm/..%2f..%2fmetrics",
        "//metrics",
    ] {
        let answer =
            Answer::of(bridge.http().get(format!("{hooks}{path}")).send().await.unwrap()).await;

        assert!(matches!(answer.status, 404 | 405), "{path} {answer:?}");
        assert!(!answer.text.contains("chatflow_bridge_"), "{path}");
    }
    let machines = format!("http://{}/api/status", bridge.addresses().metrics);
    assert_eq!(bridge.http().get(machines).send().await.unwrap().status(), 404);
    bridge.end().await;
}

#[tokio::test]
async fn events_and_updates_come_a_page_at_a_time_youngest_first() {
    let bridge = Bridge::start().await;
    for n in 1..=5_usize {
        bridge
            .post("crm", &lead(&n.to_string(), &format!("1202555014{n}"), n))
            .await
            .expect("accepted");
    }
    bridge.post("crm", &json!({"id": "6", "kind": "other"})).await.expect("ignored");
    bridge.until(|numbers| numbers.delivered == 5).await;

    let (mut seen, mut next) = (Vec::new(), None::<String>);
    loop {
        let before = next.map(|next| format!("&before={next}")).unwrap_or_default();
        let page = bridge.admin(&format!("/api/events?limit=2{before}")).await.json();
        seen.extend(page["events"].as_array().unwrap().clone());
        next = page["next"].as_str().map(str::to_owned);
        if next.is_none() {
            break;
        }
    }

    assert_eq!(seen.len(), 6);
    assert_eq!(
        (seen[0]["outcome"].as_str(), seen[1]["outcome"].as_str()),
        (Some("ignored"), Some("taken"))
    );
    assert!(seen.windows(2).all(|two| two[0]["event_id"].as_str() > two[1]["event_id"].as_str()));
    assert_eq!(seen[1]["type"], "lead");
    let delivered = bridge.updates("delivered").await;
    assert_eq!(delivered.len(), 5);
    assert!(!format!("{delivered:?}").contains("1202555"), "no contact is named");
    assert_eq!(bridge.admin("/api/updates?state=nonsense").await.status, 400);
    assert_eq!(bridge.admin("/api/updates?stat=dead").await.status, 400);
    bridge.end().await;
}

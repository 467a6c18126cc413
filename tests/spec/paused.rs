//! A key that is refused kills nothing.

use std::time::Duration;

use crate::harness::{Bridge, KEY, lead};

#[tokio::test]
async fn a_refused_key_pauses_delivery_and_loses_nothing() {
    let bridge = Bridge::start().await;
    bridge.chatflow.set_key(Some("another"));

    bridge.post("crm", &lead("1", "12025550143", 1)).await.expect("accepted");
    bridge.until_metric("paused{reason=\"unauthorized\"}", 1.0).await;
    bridge.until(|numbers| numbers.in_flight == 0).await;

    let waiting = bridge.updates("waiting").await;
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0]["attempts"], 0, "{waiting:?}");
    assert_eq!(bridge.admin("/api/status").await.json()["delivery"]["paused"][0], "unauthorized");
    assert_eq!(bridge.observe("/readyz").await.status, 200, "it goes on accepting");

    bridge.chatflow.set_key(Some(KEY));
    bridge.resumed().await;
    bridge.until(|numbers| numbers.delivered == 1).await;
    assert_eq!(bridge.chatflow.contact_by_mobile("12025550143").unwrap().attributes["step"], "1");
    bridge.end().await;
}

#[tokio::test]
async fn ten_minutes_of_a_refused_key_cost_a_probe_a_minute() {
    let bridge = Bridge::start().await;
    bridge.chatflow.set_key(Some("another"));
    for n in 0..20_usize {
        bridge
            .post("crm", &lead(&n.to_string(), &format!("120255501{n:02}"), n))
            .await
            .expect("accepted");
    }
    bridge.until_metric("paused{reason=\"unauthorized\"}", 1.0).await;
    bridge.until(|numbers| numbers.in_flight == 0).await;
    bridge.chatflow.forget_requests();

    for _ in 0..600 {
        bridge.clock.advance(Duration::from_secs(1));
        bridge.observe("/livez").await;
    }

    // After 5, 10, 20, 40 and then every 60 seconds.
    let seen = bridge.chatflow.requests();
    assert!((5..=14).contains(&seen.len()), "{} requests", seen.len());
    assert!(seen.iter().all(|request| request.method == "GET"));
    assert_eq!(bridge.numbers().await.dead, 0);
    bridge.end().await;
}

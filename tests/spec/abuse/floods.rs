//! Floods: of what is not believed, and of what is.

use super::*;
use crate::harness::Answer;

const SIGNED: &str = "verify: { preset: github, secret: env:SECRET }\nevent: { id: none }\n\
    rules: [{ name: a, contact: { mobile: $.mobile }, update: { name: $.name } }]\n";
const BODY: &str = r#"{"mobile":"12025550143"}"#;

fn signature() -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(b"a-good-secret").unwrap();
    mac.update(BODY.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

async fn send(bridge: &Bridge, source: &str, from: &str, signature: Option<&str>) -> Answer {
    let mut headers = vec![("content-type", "application/json"), ("x-forwarded-for", from)];
    headers.extend(signature.map(|signature| ("x-hub-signature-256", signature)));
    bridge.send(source, &headers, BODY).await
}

fn bridge() -> Builder {
    Bridge::with_mapping("git", SIGNED)
        .and_mapping("crm", CRM)
        .with_variable("SECRET", "a-good-secret")
        .with_setting("server.trusted_proxies", "127.0.0.1")
}

#[actix_web::test]
async fn a_flood_of_what_is_not_believed_stops_no_honest_sender_at_the_same_address() {
    let bridge = bridge().with_setting("server.unverified_per_minute", "10").start().await;
    let (nat, elsewhere, good) = ("203.0.113.7", "203.0.113.8", signature());
    for _ in 0..10 {
        assert_eq!(send(&bridge, "git", nat, None).await.status, 401);
    }

    let over = send(&bridge, "git", nat, None).await;

    assert_eq!((over.status, over.header("retry-after")), (429, Some("6")));
    assert_eq!(send(&bridge, "git", nat, Some(&good)).await.status, 200);
    assert_eq!(send(&bridge, "git", nat, Some("sha256=00")).await.status, 401);
    assert_eq!(send(&bridge, "git", elsewhere, None).await.status, 401);
    assert_eq!(send(&bridge, "crm", nat, None).await.status, 200, "nothing is asked for there");
    honest_senders_are_answered(&bridge).await;
    bridge.clock.advance(Duration::from_secs(12));
    assert_eq!(send(&bridge, "git", nat, None).await.status, 401);
    let over =
        bridge.metric("intake_rejections_total{reason=\"over_budget\",source=\"git\"}").await;
    assert!((over - 1.0).abs() < 0.1, "{over}");
    bridge.end().await;
}

#[actix_web::test]
async fn honest_senders_never_use_up_what_is_left_for_strangers() {
    let bridge = bridge().with_setting("server.unverified_per_minute", "2").start().await;
    let good = signature();
    for _ in 0..20 {
        assert_eq!(send(&bridge, "git", "203.0.113.7", Some(&good)).await.status, 200);
    }
    assert_eq!(send(&bridge, "git", "203.0.113.7", None).await.status, 401);
    bridge.end().await;
}

#[actix_web::test]
async fn an_address_that_a_stranger_writes_himself_is_not_charged_in_place_of_his_own() {
    let bridge = Bridge::with_mapping("git", SIGNED)
        .with_variable("SECRET", "a-good-secret")
        .with_setting("server.unverified_per_minute", "3")
        .start()
        .await;
    for number in 0..3 {
        let from = format!("203.0.113.{number}");
        assert_eq!(send(&bridge, "git", &from, None).await.status, 401);
    }
    assert_eq!(send(&bridge, "git", "203.0.113.9", None).await.status, 429);
    bridge.end().await;
}

#[actix_web::test]
async fn a_source_that_sends_too_much_is_told_when_to_come_again_and_others_are_unharmed() {
    let bridge = Bridge::with_mapping("git", &format!("per_minute: 5\n{SIGNED}"))
        .and_mapping("crm", CRM)
        .with_variable("SECRET", "a-good-secret")
        .following_a_folder()
        .start()
        .await;
    let good = signature();
    for _ in 0..5 {
        assert_eq!(send(&bridge, "git", "a", Some(&good)).await.status, 200);
        assert_eq!(
            send(&bridge, "git", "a", None).await.status,
            401,
            "what is not believed is free"
        );
    }

    let over = send(&bridge, "git", "a", Some(&good)).await;

    assert_eq!((over.status, over.header("retry-after")), (429, Some("12")));
    honest_senders_are_answered(&bridge).await;
    std::fs::write(bridge.mappings().join("git.yaml"), format!("# x\nper_minute: 5\n{SIGNED}"))
        .unwrap();
    bridge.live().reload().await;
    assert_eq!(
        send(&bridge, "git", "a", Some(&good)).await.status,
        429,
        "a reload is no new minute"
    );
    bridge.clock.advance(Duration::from_secs(12));
    assert_eq!(send(&bridge, "git", "a", Some(&good)).await.status, 200);
    let over = bridge.metric("intake_rejections_total{reason=\"over_pace\",source=\"git\"}").await;
    assert!((over - 2.0).abs() < 0.1, "{over}");
    bridge.end().await;
}

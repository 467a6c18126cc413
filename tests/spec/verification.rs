//! Only who has the secret gets in.

use chatflow_bridge::clock::Clock;
use chatflow_bridge::webhook::head::Head;
use chatflow_bridge::webhook::verify::sign;

use crate::harness::Bridge;

const RULE: &str = "
event: { id: none }
rules: [{ name: a, contact: { mobile: $.m | phone(e164) }, update: { name: $.n } }]
";

#[tokio::test]
async fn each_preset_takes_what_its_sender_signs_and_nothing_else() {
    for preset in ["github", "typeform", "shopify", "woocommerce", "stripe"] {
        let mapping = format!("verify: {{ preset: {preset}, secret: [env:NEW, env:OLD] }}{RULE}");
        let bridge = Bridge::with_mapping("s", &mapping)
            .with_variable("NEW", "new-secret")
            .with_variable("OLD", "old-secret")
            .start()
            .await;
        let body = r#"{"m":"12025550143","n":"Ann"}"#;
        for (secret, sent, status) in [
            ("new-secret", body, 200),
            ("old-secret", body, 200),
            ("other-secret", body, 401),
            ("new-secret", r#"{"m":"12025550144","n":"Ann"}"#, 401),
        ] {
            let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
            let head = Head { method: "POST".to_owned(), ..Head::default() };
            let signed = sign(preset, secret, &head, body.as_bytes(), bridge.clock.now()).unwrap();
            headers.extend(signed.headers);
            let headers: Vec<_> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();

            let answer = bridge.send("s", &headers, sent.to_owned()).await;

            assert_eq!(answer.status, status, "{preset} {secret} {answer:?}");
            if status == 401 {
                assert!(!answer.text.contains("signature"), "no word on which: {answer:?}");
            }
        }
        assert_eq!(
            bridge.send("s", &[("content-type", "application/json")], body).await.status,
            401
        );
        bridge.drain().await;
        bridge.end().await;
    }
}

#[tokio::test]
async fn a_token_opens_where_it_is_expected() {
    for (verify, path, header, status) in [
        ("token: { in: path, secret: env:T }", "s/the-token", None, 200),
        ("token: { in: path, secret: env:T }", "s/another", None, 401),
        ("token: { in: path, secret: env:T }", "s", None, 401),
        ("token: { in: query, name: t, secret: env:T }", "s?t=the-token", None, 200),
        ("token: { in: query, name: t, secret: env:T }", "s?t=the-toke", None, 401),
        ("token: { in: query, name: t, secret: env:T }", "s?x=the-token", None, 401),
        ("token: { in: header, name: X-Token, secret: env:T }", "s", Some("the-token"), 200),
        ("token: { in: header, name: X-Token, secret: env:T }", "s", Some("another"), 401),
        ("token: { in: header, name: X-Token, secret: env:T }", "s", None, 401),
    ] {
        let mapping = format!("verify: {{ {verify} }}{RULE}");
        let bridge =
            Bridge::with_mapping("s", &mapping).with_variable("T", "the-token").start().await;
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(header.map(|token| ("x-token", token)));

        let answer = bridge.send(path, &headers, r#"{"m":"12025550143","n":"Ann"}"#).await;

        assert_eq!(answer.status, status, "{verify} {path} {header:?} {answer:?}");
        bridge.drain().await;
        bridge.end().await;
    }
}

/// Posts a signed request to a source and gives the status.
async fn post_signed(bridge: &Bridge, verify: &str, path: &str, head: Head) -> u16 {
    let body = r#"{"m":"12025550143","n":"Ann"}"#;
    let signed = sign(verify, "a-good-secret", &head, body.as_bytes(), bridge.clock.now()).unwrap();
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(signed.headers);
    let headers: Vec<_> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    bridge.send(path, &headers, body).await.status
}

#[tokio::test]
async fn a_signed_url_is_the_one_at_which_senders_reach_the_bridge() {
    let mapping = format!("verify: {{ preset: hubspot, secret: env:S }}{RULE}");
    let bridge = Bridge::with_mapping("s", &mapping)
        .with_variable("S", "a-good-secret")
        .with_setting("server.public_url", "https://hooks.example/bridge/")
        .start()
        .await;
    for (origin, status) in [
        ("https://hooks.example/bridge", 200),
        ("https://hooks.example", 401),
        ("http://hooks.example/bridge", 401),
    ] {
        let head = Head {
            method: "POST".to_owned(),
            path: "/hooks/s".to_owned(),
            query: "a=%40".to_owned(),
            origin: Some(origin.into()),
            ..Head::default()
        };
        assert_eq!(post_signed(&bridge, "hubspot", "s?a=%40", head).await, status, "{origin}");
    }
    bridge.drain().await;
    bridge.end().await;

    let bridge =
        Bridge::with_mapping("s", &mapping).with_variable("S", "a-good-secret").start().await;
    assert_eq!(bridge.post("s", &serde_json::json!({})).await.status, 503, "nobody has said it");
    assert!(bridge.metric(r#"source_up{source="s"}"#).await.abs() < f64::EPSILON);
    bridge.end().await;
}

#[tokio::test]
async fn a_forwarded_address_counts_only_from_a_trusted_proxy() {
    let mapping = format!("verify: {{ ip: [203.0.113.0/24] }}{RULE}");
    for (trusted, forwarded, status) in [
        ("127.0.0.0/8", "203.0.113.9", 200),
        ("127.0.0.0/8", "203.0.113.9, 198.51.100.7", 401),
        ("127.0.0.0/8", "198.51.100.7, 203.0.113.9", 200),
        ("10.0.0.0/8", "203.0.113.9", 401),
        ("", "203.0.113.9", 401),
    ] {
        let bridge = Bridge::with_mapping("s", &mapping)
            .with_setting("server.trusted_proxies", trusted)
            .start()
            .await;
        let headers = [("content-type", "application/json"), ("x-forwarded-for", forwarded)];

        let answer = bridge.send("s", &headers, r#"{"m":"12025550143","n":"Ann"}"#).await;

        assert_eq!(answer.status, status, "{trusted} {forwarded}");
        bridge.drain().await;
        bridge.end().await;
    }
}

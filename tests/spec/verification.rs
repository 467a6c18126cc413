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

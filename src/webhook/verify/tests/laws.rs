//! What holds for every scheme and every header.

use proptest::prelude::*;

use super::*;

fn any_scheme() -> impl Strategy<Value = String> {
    let algorithm = prop_oneof![Just("sha1"), Just("sha256"), Just("sha512")];
    let encoding = prop_oneof![Just("hex"), Just("base64"), Just("base64url")];
    let place = prop_oneof![Just("header: X-Sig"), Just("query: sig")];
    let rest = prop_oneof![
        Just(""),
        Just("format: 'v0={signature}', signed: 'v0:{method}{path}{query}{body}',"),
        Just("signed: '{body}{timestamp}', timestamp: { format: http_date, header: T },"),
        Just(
            "format: 't={timestamp},v1={signature}', signed: '{timestamp}.{body}', timestamp: { format: unix },"
        ),
        Just(
            "format: '{timestamp};{signature}', signed: '{timestamp}{body}', timestamp: { format: unix_ms },"
        ),
        Just(
            "signed: '{id}.{timestamp}.{body}{secret}', id: { header: I }, timestamp: { format: rfc3339, header: T },"
        ),
        Just("digest: true, signed: '{secret}{header:host}{body}',"),
        Just("signed: '{url}{crc32}', url: [as_sent, decoded, ports],"),
        Just("signed: '{url}{form_sorted}{body}', signed_bytes: as_sent,"),
        Just("signed: '{body}{timestamp}', timestamp: { format: unix, header: T },"),
    ];
    (algorithm, encoding, place, rest)
        .prop_filter("a query that is signed cannot hold its own signature", |(_, _, place, rest)| {
            !(place.starts_with("query") && (rest.contains("{query}") || rest.contains("{url}")))
        })
        .prop_map(|(algorithm, encoding, place, rest)| {
            format!("hmac: {{ secret: env:S, algorithm: {algorithm}, encoding: {encoding}, {rest} signature: {{ {place} }} }}")
        })
}

fn nibble(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap()
}

/// A parameter's value as it stands in a query.
fn escaped(text: &str) -> String {
    text.bytes().flat_map(|byte| ['%', nibble(byte >> 4), nibble(byte & 15)]).collect()
}

proptest! {
    #[test]
    fn a_verifier_accepts_what_its_signer_signs(
        text in any_scheme(),
        body: Vec<u8>,
        second in 0_i64..4_000_000_000,
    ) {
        let verifier = verifier(&text, &[("S", "a-good-secret")]);
        let head = Head { query: "a=1".into(), ..post(&[("Host", "bridge.example")]) };
        let mut credentials = verifier.sign(&head, &body, at(second), "msg").unwrap();
        for (_, value) in &mut credentials.query {
            *value = escaped(value);
        }

        let verdict = verifier.judge(&signed(&head, &credentials), &body, at(second));

        prop_assert_eq!(verdict, Verdict::Genuine, "{}", text);
    }

    #[test]
    fn no_header_and_no_body_make_a_verifier_panic(
        value: String, body: Vec<u8>, name in 0..40_usize,
    ) {
        let name = presets().filter(|name| *name != "adyen").nth(name).unwrap_or("stripe");
        let (secret, _) = two_secrets(name);
        let base = post(&[("PAYPAL-TRANSMISSION-ID", "1")]);
        let signed = signer(name, secret).sign(&base, b"", at(0), "").unwrap();
        let (header, _) = signed.headers.last().unwrap();
        let head = post(&[(header, &value)]);
        let verdict = verifier_for(name, secret).judge(&head, &body, at(0));
        prop_assert!(matches!(verdict, Verdict::Refused(_)));
    }
}

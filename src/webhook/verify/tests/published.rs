//! Vectors that senders have published, and presets under small changes.

use std::collections::BTreeMap;

use super::*;

#[derive(serde::Deserialize)]
struct Vector {
    preset: String,
    secret: String,
    method: String,
    headers: BTreeMap<String, String>,
    body: String,
    now_unix: i64,
    expect: String,
    source: String,
}

#[test]
fn published_vectors_are_judged_as_their_senders_say() {
    let vectors: Vec<Vector> =
        serde_json::from_str(include_str!("../../../../tests/fixtures/vectors.json")).unwrap();
    for vector in &vectors {
        let head = Head {
            method: vector.method.clone(),
            headers: vector.headers.iter().collect(),
            ..Head::default()
        };
        let verdict = preset(&vector.preset, &vector.secret).judge(
            &head,
            vector.body.as_bytes(),
            at(vector.now_unix),
        );
        let valid = vector.expect == "valid";
        assert_eq!(verdict == Verdict::Genuine, valid, "{}: {}", vector.preset, vector.source);
    }
    for name in presets() {
        let covered =
            vectors.iter().any(|vector| vector.preset == name && vector.expect == "valid");
        assert!(covered, "no vector for `{name}`");
    }
}

#[test]
fn a_generic_scheme_is_said_by_its_parameters() {
    let body = br#"{"a": "z"}"#;
    for (text, header) in [
        (
            "hmac: { secret: env:S, signature: { header: X-Signature } }",
            "f417af3a21bd70379b5796d5f013915e7029f62c580fb0f500f59a35a6f04c89",
        ),
        (
            "hmac: { secret: env:S, algorithm: sha512, format: 'sha512={signature}', signature: { header: X-Signature } }",
            "sha512=4ab17cc8ec668ead8bf498f87f8f32848c04d5ca3c9bcfcd3db9363f0deb44e580b329502a7fdff633d4d8fca301cc5c94a55a2fec458c675fb0ff2655898324",
        ),
    ] {
        let verifier = verifier(text, &[("S", "secret")]);
        let head = post(&[("X-Signature", header)]);
        let upper = post(&[("X-Signature", &header.to_uppercase().replace("SHA", "sha"))]);
        assert_eq!(verifier.judge(&head, body, at(0)), Verdict::Genuine, "{text}");
        assert_eq!(verifier.judge(&upper, body, at(0)), Verdict::Genuine, "{text}");
    }
}

#[test]
fn a_plain_hash_over_secret_and_body_can_be_said_too() {
    let verifier = verifier(
        "hmac: { secret: env:S, digest: true, signed: '{secret}{body}', signature: { header: X } }",
        &[("S", "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy")],
    );
    let body = br#"[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]"#;
    let head = post(&[("x", "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de")]);

    assert_eq!(verifier.judge(&head, body, at(0)), Verdict::Genuine);
}

/// Every bit of the signature that this text of a header stands for, flipped in turn.
fn flipped_signatures(header: &str) -> Vec<String> {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let start = header.rfind(['=', ',']).map_or(0, |end| end + 1);
    // Padding is no separator.
    let start = if start >= header.len() - 1 {
        let bare = header.trim_end_matches('=');
        bare.rfind(['=', ',']).map_or(0, |end| end + 1)
    } else {
        start
    };
    let (before, signature) = header.split_at(start);
    let hex = hex::decode(signature).ok().map(|bytes| (bytes, "hex"));
    let base64 = || STANDARD.decode(signature).ok().map(|bytes| (bytes, "base64"));
    let base64url = || URL_SAFE_NO_PAD.decode(signature).ok().map(|bytes| (bytes, "base64url"));
    let (bytes, encoding) = hex.or_else(base64).or_else(base64url).unwrap();
    let encode = |bytes: &[u8]| match encoding {
        "hex" => hex::encode(bytes),
        "base64" => STANDARD.encode(bytes),
        _ => URL_SAFE_NO_PAD.encode(bytes),
    };
    assert!(bytes.len() >= 20, "{header}");
    let flip = |bit: usize| {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        format!("{before}{}", encode(&bytes))
    };
    (0..bytes.len() * 8).map(flip).collect()
}

#[test]
fn one_bit_of_body_signature_timestamp_or_secret_makes_every_preset_refuse() {
    let now = at(1_795_435_200);
    let body = br#"{"id":"evt_1"}"#.to_vec();
    for name in presets() {
        let (secret, other) = two_secrets(name);
        let verifier = preset(name, secret);
        let credentials = sign(name, secret, &post(&[]), &body, now).unwrap();
        let head = signed(&post(&[]), &credentials);
        let refused = |head: &Head, body: &[u8], what: &str| {
            let verdict = verifier.judge(head, body, now);
            assert!(matches!(verdict, Verdict::Refused(_)), "{name}: {what}: {verdict:?}");
        };
        assert_eq!(verifier.judge(&head, &body, now), Verdict::Genuine, "{name}");

        for bit in 0..body.len() * 8 {
            let mut changed = body.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            refused(&head, &changed, "body");
        }
        let (header, value) = credentials.headers.last().unwrap();
        for flipped in flipped_signatures(value) {
            let others = credentials.headers.iter().filter(|(own, _)| own != header);
            let mut headers: Headers = others.cloned().collect();
            headers.add(header, &flipped);
            refused(&Head { headers, ..post(&[]) }, &body, "signature");
        }
        for text in ["1795435200", "23 Nov 2026"] {
            let mut changed = false;
            let headers = head.headers.iter().map(|(own, value)| {
                let later = value.replace(text, &text.replace('2', "3"));
                changed |= later != value;
                (own.to_owned(), later)
            });
            let headers: Headers = headers.collect();
            if changed {
                refused(&Head { headers, ..post(&[]) }, &body, "timestamp");
            }
        }
        let verdict = preset(name, other).judge(&head, &body, now);
        assert_eq!(verdict, Verdict::Refused(Reason::SignatureMismatch), "{name}: secret");
        let empty = verifier.judge(&post(&[(header, "")]), &body, now);
        assert!(matches!(empty, Verdict::Refused(_)), "{name}: nothing");
    }
}

//! The verifier held against published vectors, against its own signer, and against small changes.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::mapping::syntax::{Node, Problem, Problems};
use crate::webhook::head::Headers;

/// Secrets by name, as if from the environment; files by path.
struct Given(&'static [(&'static str, &'static str)]);

impl SecretSource for Given {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned())
    }

    fn file(&self, path: &Path) -> std::io::Result<String> {
        self.variable(path.to_str().unwrap()).ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }
}

fn read(text: &str) -> (Option<VerifySpec>, Vec<Problem>) {
    let mut problems = Problems::default();
    let spec = VerifySpec::read(&Node::read(text).unwrap(), &mut problems);
    (spec, problems.into_sorted())
}

fn verifier(text: &str, secrets: &'static [(&'static str, &'static str)]) -> Verifier {
    let (spec, problems) = read(text);
    spec.unwrap_or_else(|| panic!("{problems:?}")).resolve(&Given(secrets)).unwrap()
}

fn preset(name: &str, secret: &str) -> Verifier {
    VerifySpec::preset(name, secret).unwrap().resolve(&Given(&[])).unwrap()
}

fn post(headers: &[(&str, &str)]) -> Head {
    let headers: Headers = headers.iter().copied().collect();
    Head { method: "POST".into(), path: "/hooks/a".into(), headers, ..Head::default() }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// The request with what its signer adds.
fn signed(head: &Head, credentials: &Credentials) -> Head {
    let mut head = head.clone();
    for (name, value) in &credentials.headers {
        head.headers.add(name, value);
    }
    let pairs = credentials.query.iter().map(|(name, value)| format!("{name}={value}"));
    let own = (!head.query.is_empty()).then(|| head.query.clone());
    head.query = own.into_iter().chain(pairs).collect::<Vec<_>>().join("&");
    head.token.clone_from(&credentials.token);
    head
}

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
        serde_json::from_str(include_str!("../../../tests/fixtures/vectors.json")).unwrap();
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

const SECRETS: &[(&str, &str, &str)] = &[
    ("close", "b9260244ef33625f9b4b26a27db08758", "b9260244ef33625f9b4b26a27db08759"),
    ("standard-webhooks", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZI", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZJ"),
    ("svix", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZI", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZJ"),
];

/// A secret that fits the preset, and one that differs in a bit.
fn two_secrets(name: &str) -> (&'static str, &'static str) {
    let own = SECRETS.iter().find(|(own, ..)| *own == name);
    own.map_or(("a-good-secret", "a-good-secreu"), |(_, one, other)| (one, other))
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

#[test]
fn the_window_has_two_sides_and_only_a_right_signature_learns_of_it() {
    let verifier = preset("stripe", "whsec_test_secret");
    let credentials = verifier.sign(&post(&[]), b"{}", at(1_000_000), "").unwrap();
    let head = signed(&post(&[]), &credentials);
    for (now, verdict) in [
        (1_000_000, Verdict::Genuine),
        (1_000_300, Verdict::Genuine),
        (999_700, Verdict::Genuine),
        (1_000_301, Verdict::Refused(Reason::TimestampSkew)),
        (999_699, Verdict::Refused(Reason::TimestampSkew)),
    ] {
        assert_eq!(verifier.judge(&head, b"{}", at(now)), verdict, "{now}");
    }
    let wrong = verifier.judge(&head, b"[]", at(2_000_000));
    assert_eq!(wrong, Verdict::Refused(Reason::SignatureMismatch));
}

#[test]
fn any_of_several_secrets_may_have_signed() {
    let verifier = verifier(
        "{ preset: github, secret: [env:NEW, file:/old] }",
        &[("NEW", "new-secret"), ("/old", "old-secret\r\n")],
    );
    for (secret, genuine) in [("new-secret", true), ("old-secret", true), ("older-secret", false)] {
        let credentials = sign("github", secret, &post(&[]), b"{}", at(0)).unwrap();
        let verdict = verifier.judge(&signed(&post(&[]), &credentials), b"{}", at(0));
        assert_eq!(verdict == Verdict::Genuine, genuine, "{secret}");
    }
}

#[test]
fn a_signature_given_twice_is_refused_unless_both_say_the_same() {
    let verifier = preset("github", "a-good-secret");
    let credentials = sign("github", "a-good-secret", &post(&[]), b"{}", at(0)).unwrap();
    let (name, value) = &credentials.headers[0];

    let same = post(&[(name, value), (name, value)]);
    let differing = post(&[(name, value), (name, "sha256=00")]);

    assert_eq!(verifier.judge(&same, b"{}", at(0)), Verdict::Genuine);
    let refused = Verdict::Refused(Reason::SignatureMismatch);
    assert_eq!(verifier.judge(&differing, b"{}", at(0)), refused);
}

#[test]
fn the_stronger_scheme_decides_once_it_is_present() {
    let verifier = preset("svix", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZI");
    let other = preset("standard-webhooks", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZI");
    let right = signed(&post(&[]), &other.sign(&post(&[]), b"{}", at(0), "m").unwrap());
    assert_eq!(verifier.judge(&right, b"{}", at(0)), Verdict::Genuine);

    let mut both = right.clone();
    both.headers.add("svix-signature", "v1,AAAA");

    assert!(matches!(verifier.judge(&both, b"{}", at(0)), Verdict::Refused(_)));
}

#[test]
fn a_credential_is_judged_without_the_body() {
    const SECRET: &[(&str, &str)] = &[("T", "a-good-token")];
    let auth = |value| post(&[("Authorization", value)]);
    let query = |query: &str| Head { query: query.to_owned(), ..post(&[]) };
    let path = |token: &str| Head { token: Some(token.to_owned()), ..post(&[]) };
    let wrong = Verdict::Refused(Reason::Auth);
    for (text, head, verdict) in [
        ("token: { in: path, secret: env:T }", path("a-good-token"), Verdict::Genuine),
        ("token: { in: path, secret: env:T }", path("a-good-tokem"), wrong),
        ("token: { in: path, secret: env:T }", post(&[]), wrong),
        (
            "token: { in: query, secret: env:T }",
            query("x=1&token=a%2Dgood-token"),
            Verdict::Genuine,
        ),
        ("token: { in: query, secret: env:T }", query("token=a-good-token&token=b"), wrong),
        ("token: { in: query, name: k, secret: env:T }", query("k=a-good-token"), Verdict::Genuine),
        ("token: { in: query, name: k, secret: env:T }", query("token=a-good-token"), wrong),
        (
            "token: { in: header, name: X-Token, secret: env:T }",
            post(&[("x-token", "a-good-token")]),
            Verdict::Genuine,
        ),
        ("token: { in: header, name: X-Token, secret: env:T }", post(&[("x-token", "")]), wrong),
        ("bearer: { secret: env:T }", auth("bearer a-good-token"), Verdict::Genuine),
        ("bearer: { secret: env:T }", auth("Basic a-good-token"), wrong),
        (
            "basic: { username: hook, password: env:T }",
            auth("Basic aG9vazphLWdvb2QtdG9rZW4="),
            Verdict::Genuine,
        ),
        (
            "basic: { username: hooK, password: env:T }",
            auth("Basic aG9vazphLWdvb2QtdG9rZW4="),
            wrong,
        ),
        ("basic: { username: hook, password: env:T }", auth("Basic ?"), wrong),
        ("none", post(&[]), Verdict::Genuine),
        ("preset: github\nsecret: env:T", post(&[]), Verdict::NeedsBody),
        (
            "all: [{ preset: github, secret: env:T }, { bearer: { secret: env:T } }]",
            post(&[]),
            wrong,
        ),
        (
            "all: [{ preset: github, secret: env:T }, { bearer: { secret: env:T } }]",
            auth("Bearer a-good-token"),
            Verdict::NeedsBody,
        ),
        (
            "any: [{ preset: github, secret: env:T }, { bearer: { secret: env:T } }]",
            auth("Bearer a-good-token"),
            Verdict::Genuine,
        ),
        (
            "any: [{ bearer: { secret: env:T } }, { preset: github, secret: env:T }]",
            post(&[]),
            Verdict::NeedsBody,
        ),
    ] {
        assert_eq!(verifier(text, SECRET).judge_head(&head, at(0)), verdict, "{text} {head:?}");
    }
}

#[test]
fn a_missing_or_empty_secret_names_its_place_and_nothing_else() {
    for (text, message) in [
        (
            "preset: github\nsecret: env:NONE",
            "the secret `env:NONE` is not set: give the environment variable a value",
        ),
        ("preset: github\nsecret: env:EMPTY", "the secret `env:EMPTY` is empty"),
        (
            "preset: github\nsecret: [env:GOOD, file:/none]",
            "the secret `file:/none` cannot be read (entity not found)",
        ),
        (
            "preset: close\nsecret: env:GOOD",
            "the secret `env:GOOD` is no hexadecimal text, as its scheme wants",
        ),
        (
            "preset: svix\nsecret: env:GOOD",
            "the secret `env:GOOD` is no base64 text, as its scheme wants",
        ),
        ("preset: svix\nsecret: env:BARE", "the secret `env:BARE` is empty"),
    ] {
        let spec = read(text).0.unwrap();
        let secrets = Given(&[("EMPTY", "  "), ("GOOD", "a good secret"), ("BARE", "whsec_")]);
        assert_eq!(spec.resolve(&secrets).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn what_cannot_be_read_is_reported_with_its_place_and_what_to_write() {
    for (text, code, at, message) in [
        ("nonne", "E040", "nonne", "is expected"),
        ("{}", "E040", "{}", "is expected"),
        ("preset: gihub\nsecret: env:S", "E040", "gihub", "did you mean `github`?"),
        ("preset: github", "E004", "preset: github", "`secret` is missing here"),
        ("preset: github\nsecrt: env:S\nsecret: env:S", "E002", "secrt", "did you mean `secret`?"),
        ("preset: github\nsecret: env:S\ntolerance: 5m", "E040", "5m", "signs no timestamp"),
        ("preset: stripe\nsecret: env:S\ntolerance: soon", "E008", "soon", "a duration is"),
        ("preset: github\nsecret: env:A-B", "E040", "env:A-B", "environment variable"),
        ("preset: github\nsecret: abc", "W002", "abc", "`env:NAME`"),
        ("none", "W001", "none", "anybody can post"),
        ("token: { in: pth, secret: env:S }", "E040", "pth", "did you mean `path`?"),
        ("token: { in: header, secret: env:S }", "E004", "{ in: header, secret: env:S }", "`name`"),
        ("hmac: { secret: env:S }", "E004", "{ secret: env:S }", "`signature` is missing here"),
        (
            "hmac: { secret: env:S, algoritm: sha1, signature: { header: X } }",
            "E002",
            "algoritm",
            "did you mean `algorithm`?",
        ),
        (
            "hmac: { secret: env:S, algorithm: sha255, signature: { header: X } }",
            "E040",
            "sha255",
            "did you mean `sha256`?",
        ),
        (
            "hmac: { secret: env:S, signed: '{bdy}', signature: { header: X } }",
            "E040",
            "'{bdy}'",
            "did you mean `body`?",
        ),
        (
            "hmac: { secret: env:S, format: 'v1', signature: { header: X } }",
            "E040",
            "'v1'",
            "`{signature}` once",
        ),
        (
            "hmac: { secret: env:S, signature: { header: 'X Y' } }",
            "E040",
            "'X Y'",
            "the name of a header",
        ),
        ("hmac: { secret: env:S, signature: { } }", "E040", "{ }", "one place is expected"),
        ("all: []", "E040", "[]", "a list of ways"),
        ("any: [none]\nall: [none]", "E040", "any: [none]\nall: [none]", "one way is expected"),
    ] {
        let (_, problems) = read(text);
        let found = problems.iter().any(|problem| {
            let place = text.get(problem.span.clone()).unwrap_or_default();
            let said = format!("{} {}", problem.message, problem.help.as_deref().unwrap_or(""));
            problem.code.as_str() == code && place.trim_end() == at && said.contains(message)
        });
        assert!(found, "{text}: {problems:?}");
    }
}

#[test]
fn what_is_signed_and_what_is_checked_have_to_fit_together() {
    let rest = "secret: env:S, signature: { header: X }";
    for (parameters, message) in [
        ("signed: '{timestamp}{body}'", "`{timestamp}` is used here"),
        ("timestamp: { format: unix }", "the timestamp is nowhere"),
        ("timestamp: { format: unix, header: T }", "the timestamp is not signed"),
        (
            "format: '{timestamp},{signature}', signed: '{timestamp}', timestamp: { format: unix, header: T }",
            "in two places",
        ),
        ("id: { header: I }", "belong together"),
        ("signed: '{id}{body}'", "belong together"),
        ("digest: true", "put `{secret}` into `signed`"),
    ] {
        let (spec, problems) = read(&format!("hmac: {{ {rest}, {parameters} }}"));
        assert_eq!(spec, None, "{parameters}");
        assert!(problems.iter().any(|p| p.message.contains(message)), "{parameters}: {problems:?}");
    }
}

#[test]
fn no_secret_shows_itself() {
    let spec = read("preset: github\nsecret: marker-secret").0.unwrap();
    let verifier = spec.resolve(&Given(&[])).unwrap();
    assert!(!format!("{spec:?} {verifier:?}").contains("marker"), "{verifier:?}");
}

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
    ];
    (algorithm, encoding, place, rest)
        .prop_filter("a query that is signed cannot hold its own signature", |(_, _, place, rest)| {
            !(place.starts_with("query") && rest.contains("{query}"))
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
    fn no_header_makes_a_verifier_panic(value: String, name in 0..20_usize) {
        let name = presets().nth(name).unwrap_or("stripe");
        let (secret, _) = two_secrets(name);
        let header = sign(name, secret, &post(&[]), b"", at(0)).unwrap().headers.pop().unwrap().0;
        let verdict = preset(name, secret).judge(&post(&[(&header, &value)]), b"", at(0));
        prop_assert!(matches!(verdict, Verdict::Refused(_)));
    }
}

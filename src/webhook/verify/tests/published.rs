//! Vectors that senders have published, and presets under small changes.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::webhook::handshake;

/// What `vectors.json` and `vectors-more.json` hold.
#[derive(serde::Deserialize)]
struct Vector {
    #[serde(alias = "preset")]
    provider: String,
    secret: String,
    method: String,
    #[serde(default)]
    url: Option<String>,
    headers: BTreeMap<String, String>,
    body: String,
    #[serde(default)]
    now_unix: Option<i64>,
    #[serde(default)]
    scheme: String,
    expect: String,
    source: String,
    /// Of a handshake: the answer.
    #[serde(default)]
    note: Option<String>,
}

fn vectors() -> Vec<Vector> {
    let read = |text| serde_json::from_str::<Vec<Vector>>(text).unwrap();
    let mut vectors = read(include_str!("../../../../tests/fixtures/vectors.json"));
    vectors.extend(read(include_str!("../../../../tests/fixtures/vectors-more.json")));
    vectors
}

impl Vector {
    fn head(&self) -> Head {
        let url = self.url.as_deref().unwrap_or("https://bridge.example/hooks/a");
        let (scheme, rest) = url.split_once("://").unwrap();
        let (host, rest) = rest.split_once('/').unwrap();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        Head {
            method: self.method.clone(),
            origin: Some(format!("{scheme}://{host}").into()),
            path: format!("/{path}"),
            query: query.to_owned(),
            headers: self.headers.iter().collect(),
            ..Head::default()
        }
    }

    /// The verifier that its sender's preset is; `generic` ones say their scheme by parameters.
    fn verifier(&self) -> Verifier {
        let secret = self.secret.strip_prefix("ed25519-public-key-hex:").unwrap_or(&self.secret);
        if self.provider != "generic" {
            return preset(&self.provider, secret);
        }
        let algorithm = if self.scheme.contains("sha512") { "sha512" } else { "sha256" };
        let value = self.headers.values().next().unwrap();
        let format = value
            .split_once('=')
            .map_or("{signature}".to_owned(), |(name, _)| format!("{name}={{signature}}"));
        let text = format!(
            "hmac: {{ secret: {secret}, algorithm: {algorithm}, format: '{format}', signature: {{ header: X-Signature }} }}"
        );
        read(&text).0.unwrap().resolve(&Given(&[])).unwrap()
    }
}

#[test]
fn published_vectors_are_judged_as_their_senders_say() {
    let (mut seen, mut handshakes) = (BTreeSet::new(), 0);
    for vector in vectors() {
        let (head, body) = (vector.head(), vector.body.as_bytes());
        let now = at(vector.now_unix.unwrap_or(1_795_435_200));
        let verifier = vector.verifier();
        let case = format!("{}: {}", vector.provider, vector.source);
        let valid = vector.expect == "valid";
        if let Some(answer) =
            vector.note.as_deref().and_then(|n| n.split_once("expected answer 200 "))
        {
            let reply = match vector.method.as_str() {
                "GET" => handshake::without_body(&verifier, &head),
                _ => handshake::verified(&verifier, &head, body.into(), now),
            };
            let reply = reply.unwrap().expect("it is answered");
            let (told, expected): (serde_json::Value, serde_json::Value) = (
                serde_json::from_str(&reply.body).unwrap(),
                serde_json::from_str(answer.1).unwrap(),
            );
            assert_eq!(told, expected, "{case}");
            handshakes += 1;
            continue;
        }

        let verdict = verifier.judge(&head, body, now);

        assert_eq!(verdict == Verdict::Genuine, valid, "{case}: {verdict:?}");
        if valid {
            seen.insert(vector.provider);
        }
    }
    assert_eq!(handshakes, 2);
    seen.extend(fixtures().filter(Meta::is_signed).map(|meta| meta.preset().to_owned()));
    for summary in summaries() {
        assert_eq!(seen.contains(summary.name), summary.has_vectors, "{}", summary.name);
    }
}

/// A request of a sender, as `senders/*/*.meta.json` holds it.
#[derive(serde::Deserialize)]
struct Meta {
    provider: String,
    event: String,
    method: String,
    path_query: String,
    url: String,
    headers: BTreeMap<String, String>,
    body_file: String,
    secret: String,
    signed_at_unix: i64,
    auth: serde_json::Value,
    #[serde(default)]
    public_key_b64: Option<String>,
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/senders")
}

fn fixtures() -> impl Iterator<Item = Meta> {
    let files = std::fs::read_dir(folder()).unwrap().flat_map(|sender| {
        std::fs::read_dir(sender.unwrap().path()).unwrap().map(|file| file.unwrap().path())
    });
    let mut files: Vec<_> =
        files.filter(|file| file.to_str().unwrap().ends_with(".meta.json")).collect();
    files.sort();
    assert!(files.len() > 50, "the fixtures were not found");
    files.into_iter().map(|file| serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap())
}

impl Meta {
    fn ways(&self) -> Vec<&serde_json::Value> {
        match &self.auth {
            serde_json::Value::Array(ways) => ways.iter().collect(),
            one => vec![one],
        }
    }

    fn kind(&self) -> &str {
        self.ways()[0]["type"].as_str().unwrap()
    }

    fn is_signed(&self) -> bool {
        matches!(self.kind(), "hmac" | "digest" | "ed25519")
    }

    fn preset(&self) -> &str {
        &self.provider
    }

    fn head(&self) -> Head {
        let (path, query) = self.path_query.split_once('?').unwrap_or((&self.path_query, ""));
        Head {
            method: self.method.clone(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: self.headers.iter().collect(),
            origin: Some("https://bridge.example".into()),
            ..Head::default()
        }
    }

    fn body(&self) -> Vec<u8> {
        std::fs::read(folder().join(&self.provider).join(&self.body_file)).unwrap()
    }

    /// `verify:` as a person would write it for this request, without the secret.
    fn verify(&self) -> Option<String> {
        let way = self.ways()[0];
        let text = |name: &str| way[name].as_str().unwrap_or_default().to_owned();
        Some(match self.kind() {
            "hmac" | "digest" => format!("preset: {}\nsecret: env:S", self.preset()),
            "ed25519" => {
                format!("preset: {}\nkey: {}", self.preset(), self.public_key_b64.as_ref().unwrap())
            }
            "url" => format!("token: {{ in: query, name: {}, secret: env:S }}", text("param")),
            "header" if text("header") == "Authorization" => "bearer: { secret: env:S }".to_owned(),
            "header" => {
                format!("token: {{ in: header, name: {}, secret: env:S }}", text("header"))
            }
            "basic" => format!("basic: {{ username: {}, password: env:S }}", text("user")),
            "bearer" => "bearer: { secret: env:S }".to_owned(),
            "body" => format!("token: {{ in: body, path: {}, secret: env:S }}", text("path")),
            _ => return None,
        })
    }

    fn secret(&self) -> String {
        let user = self.ways()[0]["user"].as_str().map(|user| format!("{user}:"));
        let secret = user.and_then(|user| self.secret.strip_prefix(&user)).unwrap_or(&self.secret);
        secret.strip_prefix("Bearer ").unwrap_or(secret).to_owned()
    }
}

#[test]
fn every_request_of_a_sender_is_believed_and_with_another_body_it_is_not() {
    let mut believed = BTreeMap::new();
    for meta in fixtures() {
        let Some(text) = meta.verify() else { continue };
        let spec = read(&text).0.unwrap_or_else(|| panic!("{text}"));
        let verifier = spec.resolve(&One(meta.secret())).unwrap();
        let (head, mut body) = (meta.head(), meta.body());
        let now = at(meta.signed_at_unix);
        let case = format!("{}/{} {}", meta.provider, meta.event, meta.url);

        assert_eq!(verifier.judge(&head, &body, now), Verdict::Genuine, "{case}");

        if meta.is_signed() {
            body.push(b' ');
            assert!(matches!(verifier.judge(&head, &body, now), Verdict::Refused(_)), "{case}");
        }
        *believed.entry(meta.kind().to_owned()).or_insert(0) += 1;
    }
    for (kind, least) in [("hmac", 20), ("ed25519", 2), ("url", 8), ("body", 1), ("basic", 3)] {
        assert!(believed[kind] >= least, "{believed:?}");
    }
}

/// A secret of any name.
struct One(String);

impl SecretSource for One {
    fn variable(&self, _name: &str) -> Option<String> {
        Some(self.0.clone())
    }

    fn file(&self, _path: &Path) -> std::io::Result<String> {
        Err(std::io::ErrorKind::NotFound.into())
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

/// What can change on the way, bit by bit: the body, the headers that verify it, the fields inside it.
#[test]
fn one_bit_of_body_signature_timestamp_or_secret_makes_every_preset_refuse() {
    let now = at(1_795_435_200);
    // Its signature stands in the body: `a_signature_inside_the_body_covers_what_it_says`.
    for name in presets().filter(|name| *name != "adyen") {
        let (secret, other) = two_secrets(name);
        let signer = signer(name, secret);
        let verifier = verifier_for(name, secret);
        let (base, body) = sample(name);
        let credentials = signer.sign(&base, &body, now, "msg_1").unwrap();
        let head = signed(&base, &credentials);
        let refused = |head: &Head, body: &[u8], what: &str| {
            let verdict = verifier.judge(head, body, now);
            assert!(matches!(verdict, Verdict::Refused(_)), "{name}: {what}: {verdict:?}");
        };
        assert_eq!(verifier.judge(&head, &body, now), Verdict::Genuine, "{name}");

        for bit in 0..body.len() * 8 {
            let mut changed = body.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            refused(&head, &changed, &format!("body, bit {bit}"));
        }
        let (header, value) = credentials.headers.last().unwrap();
        let with = |value: &str| {
            let others = head.headers.iter().filter(|(own, _)| own != header);
            let mut headers: Headers = others.collect();
            headers.add(header, value);
            Head { headers, ..head.clone() }
        };
        for flipped in flipped_signatures(value) {
            refused(&with(&flipped), &body, "signature");
        }
        refused(&with(""), &body, "nothing");
        for text in ["1795435200", "23 Nov 2026", "2026-11-23"] {
            let mut changed = false;
            let headers = head.headers.iter().map(|(own, value)| {
                let later = value.replace(text, &text.replace('2', "3"));
                changed |= later != value;
                (own.to_owned(), later)
            });
            let headers: Headers = headers.collect();
            if changed {
                refused(&Head { headers, ..head.clone() }, &body, "timestamp");
            }
        }
        let verdict = verifier_for(name, other).judge(&head, &body, now);
        assert_eq!(verdict, Verdict::Refused(Reason::SignatureMismatch), "{name}: secret");
        if signer.signs_url() {
            for origin in ["https://bridge.exampld", "http://bridge.example"] {
                let head = Head { origin: Some(origin.into()), ..head.clone() };
                refused(&head, &body, "URL");
            }
            refused(&Head { query: format!("{}&x", head.query), ..head.clone() }, &body, "query");
        }
    }
}

/// A request that the preset's sender could send.
fn sample(name: &str) -> (Head, Vec<u8>) {
    if name == "twilio" {
        let head = post(&[("Content-Type", "application/x-www-form-urlencoded")]);
        return (head, b"From=12025550143&To=12025550144".to_vec());
    }
    let transmission = ("PAYPAL-TRANSMISSION-ID", "69cd13f0-d67a-11e5-baa3-778b53f4ae55");
    let headers = if name == "paypal" { vec![transmission] } else { vec![] };
    (post(&headers), br#"{"id":"evt_1"}"#.to_vec())
}

#[test]
fn a_signature_inside_the_body_covers_what_it_says_and_no_second_item() {
    let vectors = vectors();
    let vector = vectors.iter().find(|vector| vector.provider == "adyen").unwrap();
    let (verifier, head) = (vector.verifier(), vector.head());
    let judge = |body: &str| verifier.judge(&head, body.as_bytes(), at(0)) == Verdict::Genuine;
    assert!(judge(&vector.body));
    let signature = vector.body.split("hmacSignature\":\"").nth(1).unwrap();
    let (signature, _) = signature.split_once('"').unwrap();
    for flipped in flipped_signatures(signature) {
        assert!(!judge(&vector.body.replace(signature, &flipped)));
    }
    assert!(!judge(&vector.body.replace("TestMerchant", "TestMerchanu")));
    let item = vector.body.split_once('[').unwrap().1.rsplit_once(']').unwrap().0;
    assert!(!judge(&vector.body.replace(item, &format!("{item},{item}"))));
    let other = format!("{}7", vector.secret.strip_suffix('6').unwrap());
    assert!(
        preset("adyen", &other).judge(&head, vector.body.as_bytes(), at(0)) != Verdict::Genuine
    );
}

#[test]
fn a_body_that_is_no_form_is_covered_by_its_hash_in_the_query() {
    let vectors = vectors();
    let json = vectors.iter().find(|v| v.url.as_ref().is_some_and(|u| u.contains("bodySHA256")));
    let vector = json.unwrap();
    let (verifier, head) = (vector.verifier(), vector.head());
    let judge = |head: &Head, body: &[u8]| verifier.judge(head, body, at(0)) == Verdict::Genuine;
    assert!(judge(&head, vector.body.as_bytes()));
    assert!(!judge(&head, vector.body.replace("true", "truf").as_bytes()));
    let mut without = head.clone();
    without.query = "foo=1&bar=2".into();
    let signed_url = preset("twilio", &vector.secret).sign(&without, b"", at(0), "").unwrap();
    let without = signed(&Head { headers: Headers::default(), ..without }, &signed_url);
    assert!(judge(&without, b""), "the URL alone is signed");
    assert!(!judge(&without, b"{}"), "and nothing else passes with it");
}

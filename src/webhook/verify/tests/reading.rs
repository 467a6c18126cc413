//! `verify:` as people write it, rightly and wrongly, and its secrets.

use super::*;

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
        reports(text, code, at, message);
    }
}

/// Whether reading this reports a problem with this code, place and words.
fn reports(text: &str, code: &str, at: &str, message: &str) {
    let (_, problems) = read(text);
    let found = problems.iter().any(|problem| {
        let place = text.get(problem.span.clone()).unwrap_or_default();
        let said = format!("{} {}", problem.message, problem.help.as_deref().unwrap_or(""));
        problem.code.as_str() == code && place.trim_end() == at && said.contains(message)
    });
    assert!(found, "{text}: {problems:?}");
}

#[test]
fn what_is_new_to_a_sender_is_read_as_strictly() {
    for (text, code, at, message) in [
        ("ip: []", "E040", "[]", "name an address"),
        ("ip: [10.0.0.0/33]", "E040", "10.0.0.0/33", "an address or a range"),
        ("token: { in: body, secret: env:S }", "E004", "{ in: body, secret: env:S }", "`path`"),
        ("token: { in: body, path: a, secret: env:S }", "E040", "a", "names and positions"),
        ("preset: github\nsecret: adopt", "E040", "adopt", "`handshake: asana`"),
        ("preset: github\nkey: env:S", "E040", "env:S", "a shared secret"),
        (
            "preset: paypal\nkey: env:S",
            "E004",
            "preset: paypal\nkey: env:S",
            "`webhook_id` is missing",
        ),
        ("preset: hubspot\nsecret: env:S\nversion: v4", "E040", "v4", "did you mean `v1`?"),
        ("preset: github\nsecret: env:S\nhandshake: slak", "E040", "slak", "did you mean `slack`?"),
        ("preset: slack\nsecret: env:S\nhandshake: zoom", "E040", "zoom", "of its own"),
        ("preset: slack\nsecret: env:S\nchallenge_token: env:S", "E040", "env:S", "has a token"),
        (
            "bearer: { secret: env:S }\nhandshake: ebay",
            "E004",
            "bearer: { secret: env:S }\nhandshake: ebay",
            "`challenge_token: env:NAME`",
        ),
        (
            "public_key: { algorithm: ed25519, signature: { header: X } }",
            "E004",
            "{ algorithm: ed25519, signature: { header: X } }",
            "`key` is missing",
        ),
        (
            "public_key: { algorithm: sha256, key: env:K, signature: { header: X } }",
            "E040",
            "sha256",
            "ecdsa_p256_sha256",
        ),
        (
            "hmac: { secret: env:S, signature: { json: $.a, header: X } }",
            "E040",
            "{ json: $.a, header: X }",
            "one place is expected",
        ),
        (
            "hmac: { secret: env:S, signed: '{setting:x}{body}', signature: { header: X } }",
            "E040",
            "'{setting:x}{body}'",
            "json:$.path",
        ),
    ] {
        reports(text, code, at, message);
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
        ("signed: '{url}{form_sorted}'", "any other body would pass unsigned"),
        ("signed: '{url}'", "nothing of the body is signed"),
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

#[test]
fn a_public_key_may_stand_in_the_file_and_has_to_be_one() {
    let key = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let (spec, problems) = read(&format!("preset: gohighlevel\nkey: {key}"));
    assert_eq!(problems, []);
    assert!(spec.unwrap().resolve(&Given(&[])).is_ok());
    let text = "public_key: { algorithm: ed25519, key: env:K, encoding: base64, signature: { header: X } }";
    let error = read(text).0.unwrap().resolve(&Given(&[("K", "a secret")])).unwrap_err();
    assert!(error.to_string().contains("is no public key"), "{error}");
    let text = "public_key: { algorithm: rsa_sha256, key: env:K, signature: { header: X } }";
    let error = read(text).0.unwrap().resolve(&Given(&[("K", OTHER_ED25519)])).unwrap_err();
    assert!(error.to_string().contains("a key of another kind"), "{error}");
}

#[test]
fn a_version_that_is_said_is_the_only_one() {
    let pinned =
        verifier("{ preset: hubspot, secret: env:S, version: v3 }", &[("S", "a-good-secret")]);
    let any = preset("hubspot", "a-good-secret");
    let v1 = verifier("{ preset: hubspot, secret: env:S, version: v1 }", &[("S", "a-good-secret")]);
    let head = signed(&post(&[]), &v1.sign(&post(&[]), b"[]", at(0), "").unwrap());
    assert_eq!(any.judge(&head, b"[]", at(0)), Verdict::Genuine);
    let missing = Verdict::Refused(Reason::SignatureMissing);
    assert_eq!(pinned.judge(&head, b"[]", at(0)), missing);
    assert!(any.signs_url() && pinned.signs_url() && !v1.signs_url());

    // A wrong signature of a stronger version is not made good by a right one of a weaker.
    let mut both = head;
    both.headers.add("x-hubspot-signature-v3", "AAAA");
    both.headers.add("x-hubspot-request-timestamp", "0");
    let mismatch = Verdict::Refused(Reason::SignatureMismatch);
    assert_eq!(any.judge(&both, b"[]", at(0)), mismatch);
}

#[test]
fn the_body_is_signed_after_inflating_unless_it_is_said_otherwise() {
    let payload = Payload { as_sent: b"packed", inflated: b"{}" };
    for (text, signed_body) in [
        ("hmac: { secret: env:S, signature: { header: X } }", &b"{}"[..]),
        ("hmac: { secret: env:S, signed_bytes: as_sent, signature: { header: X } }", b"packed"),
        ("preset: github\nsecret: env:S\nsigned_bytes: as_sent", b"packed"),
        ("preset: github\nsecret: env:S", b"{}"),
    ] {
        let verifier = verifier(text, &[("S", "a-good-secret")]);
        let credentials = verifier.sign(&post(&[]), signed_body, at(0), "").unwrap();
        let head = signed(&post(&[]), &credentials);
        assert_eq!(verifier.judge(&head, payload, at(0)), Verdict::Genuine, "{text}");
    }
}

#[test]
fn a_token_in_the_body_must_be_right_wherever_it_stands() {
    let each = verifier(
        "token: { in: body, path: '$.value[*].t', secret: env:T }",
        &[("T", "good-token")],
    );
    let form =
        verifier("token: { in: body, path: $.token, secret: env:T }", &[("T", "good-token")]);
    let wrong = Verdict::Refused(Reason::Auth);
    for (body, verdict) in [
        (r#"{"value":[{"t":"good-token"}]}"#, Verdict::Genuine),
        (r#"{"value":[{"t":"good-token"},{"t":"good-token"}]}"#, Verdict::Genuine),
        (r#"{"value":[{"t":"good-token"},{"t":"bad-token"}]}"#, wrong),
        (r#"{"value":[]}"#, wrong),
        ("{}", wrong),
        ("no JSON", wrong),
    ] {
        assert_eq!(each.judge(&post(&[]), body.as_bytes(), at(0)), verdict, "{body}");
    }
    let head = post(&[("content-type", "application/x-www-form-urlencoded; charset=utf-8")]);
    assert_eq!(form.judge(&head, b"a=b&token=good%2Dtoken", at(0)), Verdict::Genuine);
    assert_eq!(form.judge(&head, b"token=good-token&token=other", at(0)), wrong);
    assert_eq!(form.judge_head(&head, at(0)), Verdict::NeedsBody);
}

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

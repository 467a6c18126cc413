//! What is believed, and what is not.

use super::*;

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

//! Every known mistake is made once, and named.

use super::*;

const NOW: i64 = 1_795_435_200;

/// What is said of a request, as one text.
fn told(verifier: &Verifier, head: &Head, body: &[u8]) -> String {
    let diagnosis = verifier.diagnose(head, body, at(NOW));
    let findings: Vec<_> = diagnosis.findings.iter().map(ToString::to_string).collect();
    findings.join("; ")
}

/// A request as the preset's sender signs it.
fn request(name: &str, secret: &str, body: &[u8], second: i64) -> Head {
    let base = post(&[]);
    signed(&base, &signer(name, secret).sign(&base, body, at(second), "msg_1").unwrap())
}

#[test]
fn a_mistake_of_the_secret_is_named() {
    for (made_by, secret, judged_by, ours, finding) in [
        ("github", "a-good-secret", "github", "a-good-secret\n", "without the blanks or line ends"),
        ("github", "4a4b4c4d4e4f5051", "github", "other-secret", "no known mistake fits"),
        (
            "standard-webhooks",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZI",
            "stripe",
            "whsec_x",
            "the signature is missing: header `stripe-signature`",
        ),
        ("github", "a-good-secret", "shopify", "a-good-secret", "it is signed as `github` signs"),
        ("github", "other-secret", "shopify", "a-good-secret", "such as `github` sends"),
        ("slack", "a-good-secret", "slack", "a-good-secret", ""),
    ] {
        let head = request(made_by, secret, b"{}", NOW);
        let said = told(&preset(judged_by, ours), &head, b"{}");
        assert!(said.contains(finding), "{made_by} {judged_by}: {said}");
        assert_eq!(said.is_empty(), finding.is_empty(), "{said}");
    }
    for (key, ours, finding) in [
        ("utf8", "4a4b4c4d4e4f5051", "as hexadecimal digits"),
        ("base64", "4a4b4c4d4e4f5051", "as hexadecimal digits"),
        ("hex", "4a4b4c4d4e4f5051", ""),
    ] {
        let signs = verifier(
            "hmac: { secret: env:S, key: hex, signature: { header: X } }",
            &[("S", "4a4b4c4d4e4f5051")],
        );
        let head = signed(&post(&[]), &signs.sign(&post(&[]), b"{}", at(NOW), "").unwrap());
        let text = format!("hmac: {{ secret: {ours}, key: {key}, signature: {{ header: X }} }}");
        let said = told(&read(&text).0.unwrap().resolve(&Given(&[])).unwrap(), &head, b"{}");
        assert!(said.contains(finding), "{key}: {said}");
        assert_eq!(said.is_empty(), finding.is_empty(), "{said}");
    }
    // Stripe's secret is the key as it stands, Svix's is base64 behind its prefix.
    let whole = verifier(
        "hmac: { secret: env:S, key: base64, strip: whsec_, signature: { header: X } }",
        &[("S", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZI")],
    );
    let text = "hmac: { secret: env:S, signature: { header: X } }";
    let signs = verifier(text, &[("S", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZI")]);
    let head = signed(&post(&[]), &signs.sign(&post(&[]), b"{}", at(NOW), "").unwrap());
    assert!(told(&whole, &head, b"{}").contains("whole"), "{}", told(&whole, &head, b"{}"));
    let head = signed(&post(&[]), &whole.sign(&post(&[]), b"{}", at(NOW), "").unwrap());
    assert!(told(&signs, &head, b"{}").contains("without what stands before its `_`"));
}

#[test]
fn of_several_secrets_the_one_that_signed_is_named() {
    let rotating = verifier(
        "{ preset: github, secret: [env:NEW, env:OLD] }",
        &[("NEW", "new-secret"), ("OLD", "old-secret")],
    );
    for (secret, said) in [
        ("new-secret", "the first of 2 secrets signed it (`env:NEW`)"),
        (
            "old-secret",
            "secret 2 of 2 signed it (`env:OLD`): the sender does not use the first one",
        ),
    ] {
        let head = request("github", secret, b"{}", NOW);
        assert_eq!(told(&rotating, &head, b"{}"), said);
    }
}

#[test]
fn a_mistake_of_the_clock_is_named() {
    let stripe = preset("stripe", "a-good-secret");
    for (second, finding) in [
        (NOW - 7 * 60, "its timestamp is 7m old and may be 5m off"),
        (NOW + 3600, "its timestamp is 1h in the future"),
        (NOW, ""),
    ] {
        let head = request("stripe", "a-good-secret", b"{}", second);
        let said = told(&stripe, &head, b"{}");
        assert!(said.contains(finding), "{said}");
        assert_eq!(said.is_empty(), finding.is_empty(), "{said}");
    }
    let webflow = preset("webflow", "a-good-secret");
    let text = "hmac: { secret: env:S, signed: '{timestamp}:{body}', signature: { header: x-webflow-signature }, timestamp: { header: x-webflow-timestamp, format: unix } }";
    let seconds = verifier(text, &[("S", "a-good-secret")]);
    let head = signed(&post(&[]), &seconds.sign(&post(&[]), b"{}", at(NOW), "").unwrap());
    let said = told(&webflow, &head, b"{}");
    assert!(said.contains("written as `unix`, `unix_ms` is expected"), "{said}");
}

#[test]
fn what_is_missing_is_named() {
    let slack = preset("slack", "a-good-secret");
    let full = request("slack", "a-good-secret", b"{}", NOW);
    let without = |name: &str| Head {
        headers: full.headers.iter().filter(|(own, _)| *own != name).collect(),
        ..full.clone()
    };
    let mut twice = full.clone();
    twice.headers.add("x-slack-signature", "v0=00");
    let other_form = post(&[("x-slack-signature", "sha256=00")]);
    let hubspot = post(&[("x-hubspot-signature", "00"), ("x-hubspot-signature-version", "v9")]);
    let svix = preset("svix", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZI");
    let no_id = Head {
        headers: request("svix", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZI", b"{}", NOW)
            .headers
            .iter()
            .filter(|(own, _)| *own != "svix-id")
            .collect(),
        ..post(&[])
    };
    for (verifier, head, finding) in [
        (&slack, without("x-slack-signature"), "header `x-slack-signature` is expected"),
        (&slack, without("x-slack-request-timestamp"), "the timestamp is missing"),
        (&slack, twice, "given twice with different values"),
        (&slack, other_form, "no signature of the form `v0={signature}`"),
        (
            &preset("hubspot", "a-good-secret"),
            hubspot,
            "header `x-hubspot-signature-version` is not `v2`",
        ),
        (&svix, no_id, "header `svix-id`, which is signed, is missing"),
    ] {
        let said = told(verifier, &head, b"{}");
        assert!(said.contains(finding), "{finding}: {said}");
    }
}

#[test]
fn another_encoding_is_named() {
    let text =
        "hmac: { secret: env:S, encoding: base64, signature: { header: x-razorpay-signature } }";
    let base64 = verifier(text, &[("S", "a-good-secret")]);
    let head = signed(&post(&[]), &base64.sign(&post(&[]), b"{}", at(NOW), "").unwrap());
    let said = told(&preset("razorpay", "a-good-secret"), &head, b"{}");
    assert!(said.contains("right when it is read as base64, the scheme says hex"), "{said}");
    let strange = post(&[("x-razorpay-signature", "what?")]);
    let said = told(&preset("razorpay", "a-good-secret"), &strange, b"{}");
    assert!(said.contains("cannot be read as hex"), "{said}");
}

#[test]
fn a_url_that_was_changed_on_the_way_is_named() {
    let square = preset("square", "a-good-secret");
    for (origin, path, query, finding) in [
        ("http://bridge.example", "/hooks/a", "", "with `https` for `http`"),
        ("https://bridge.example:8443", "/hooks/a", "", "without its port"),
        ("https://bridge.example", "/hooks/a/", "", "without the slash"),
        ("https://bridge.example", "/hooks/a", "x=1", "without its query"),
        ("https://bridge.example", "/hooks/a", "", ""),
        ("https://other.example", "/hooks/a", "", "no known mistake fits"),
    ] {
        let head = Head {
            origin: Some(origin.into()),
            path: path.to_owned(),
            query: query.to_owned(),
            ..request("square", "a-good-secret", b"{}", NOW)
        };
        let said = told(&square, &head, b"{}");
        assert!(said.contains(finding), "{origin}{path}: {said}");
        assert_eq!(said.is_empty(), finding.is_empty(), "{said}");
    }
    let unknown = Head { origin: None, ..request("square", "a-good-secret", b"{}", NOW) };
    assert!(told(&square, &unknown, b"{}").contains("set `server.public_url`"));
}

#[test]
fn a_body_that_was_changed_on_the_way_is_named() {
    let github = preset("github", "a-good-secret");
    for (signed_body, arrived, finding) in [
        ("{\"a\":1}", "{\"a\":1}\n", "without the line end"),
        ("{\"a\":1}\n", "{\"a\":1}", "with a line end behind it"),
        ("{\n\"a\":1}", "{\r\n\"a\":1}", "with LF for CRLF"),
        ("{\r\n\"a\":1}", "{\n\"a\":1}", "with CRLF for LF"),
        ("{\"a\":1,\"b\":[]}", "{ \"a\": 1, \"b\": [] }", "as compact JSON"),
        ("{\"a\": 1, \"b\": []}", "{\"a\":1,\"b\":[]}", "with blanks behind `,` and `:`"),
        ("{\n  \"a\": 1\n}", "{\"a\":1}", "as indented JSON"),
        ("{\"a\":\"x\\/y\"}", "{\"a\":\"x/y\"}", "with `\\/` for `/`"),
        ("{\"a\":\"\\u00e9\"}", "{\"a\":\"é\"}", "with `\\u` escapes"),
        ("{\"a\":1}", "{\"a\":2}", "no known mistake fits"),
    ] {
        let head = request("github", "a-good-secret", signed_body.as_bytes(), NOW);
        let said = told(&github, &head, arrived.as_bytes());
        assert!(said.contains(finding), "{signed_body:?}: {said}");
    }
    let whole = "From=%2B1&To=2";
    let text = "hmac: { secret: env:S, signed: '{url}{form_sorted}', body_hash: { query: h }, signature: { header: X } }";
    let forms = verifier(text, &[("S", "a-good-secret")]);
    let signature = forms.sign(&post(&[]), b"", at(NOW), "").unwrap();
    let said = told(&forms, &signed(&post(&[]), &signature), whole.as_bytes());
    assert!(said.contains("does not cover the whole body"), "{said}");
}

#[test]
fn a_mistake_of_a_token_or_an_address_is_named() {
    const SECRET: &[(&str, &str)] = &[("T", "a-good-token")];
    for (text, head, finding) in [
        ("token: { in: path, secret: env:T }", post(&[]), "in the path is missing"),
        ("token: { in: query, secret: env:T }", post(&[]), "query parameter `token` is missing"),
        (
            "token: { in: header, name: X-T, secret: env:T }",
            post(&[("x-t", "a-good-token ")]),
            "blanks around it",
        ),
        ("bearer: { secret: env:T }", post(&[("authorization", "Bearer b")]), "is another than"),
        (
            "token: { in: body, path: $.t, secret: env:T }",
            post(&[]),
            "`$.t` of the body is missing",
        ),
        ("ip: 192.0.2.0/24", post(&[]), "`server.trusted_proxies`"),
        (
            "ip: 192.0.2.0/24",
            Head { client: Some("198.51.100.1".parse().unwrap()), ..post(&[]) },
            "none of those under `ip`",
        ),
    ] {
        let said = told(&verifier(text, SECRET), &head, b"{}");
        assert!(said.contains(finding), "{text}: {said}");
    }
}

#[test]
fn a_diagnosis_shows_nothing_of_the_request_or_the_secrets() {
    let github = preset("github", "marker-secret");
    for name in presets().filter(|name| *name != "adyen") {
        let (secret, _) = two_secrets(name);
        let head = post(&[("PAYPAL-TRANSMISSION-ID", "marker")]);
        let credentials = signer(name, secret).sign(&head, b"marker", at(NOW), "marker").unwrap();
        let said = told(&github, &signed(&head, &credentials), b"marker");
        assert!(!said.is_empty() && !said.contains("marker"), "{name}: {said}");
    }
}

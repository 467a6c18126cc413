//! Who gets an answer, and who does not. The senders' own requests are in `tests/spec/handshakes.rs`.

use std::path::Path;

use super::super::verify::{SecretSource, VerifySpec};
use super::*;
use crate::mapping::syntax::{Node, Problems};
use crate::webhook::head::Headers;

struct One;

impl SecretSource for One {
    fn variable(&self, _name: &str) -> Option<String> {
        Some("a-good-secret".to_owned())
    }

    fn file(&self, _path: &Path) -> std::io::Result<String> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

fn verifier(verify: &str) -> Verifier {
    let mut problems = Problems::default();
    let spec = VerifySpec::read(&Node::read(verify).unwrap(), &mut problems);
    spec.unwrap_or_else(|| panic!("{:?}", problems.into_sorted())).resolve(&One).unwrap()
}

fn get(query: &str) -> Head {
    Head { method: "GET".into(), path: "/hooks/a".into(), query: query.into(), ..Head::default() }
}

fn told(answer: Result<Option<Reply>, Refusal>) -> Result<Option<String>, u16> {
    match answer {
        Ok(reply) => Ok(reply.map(|reply| reply.body)),
        Err(Refusal::Challenge { status }) => Err(status),
        Err(refusal) => panic!("{refusal:?}"),
    }
}

#[test]
fn a_challenge_is_echoed_only_for_those_who_send_one_and_within_bounds() {
    let long = format!("challenge={}", "a".repeat(LONGEST + 1));
    for (verify, query, answer) in [
        ("{ preset: dropbox, secret: env:S }", "challenge=a%20b", Ok(Some("a b"))),
        ("{ preset: dropbox, secret: env:S }", "challenge=%3Cscript%3E", Ok(Some("<script>"))),
        ("{ preset: dropbox, secret: env:S }", "challenge=a%0D%0Ab", Err(400)),
        ("{ preset: dropbox, secret: env:S }", "challenge=a&challenge=b", Err(400)),
        ("{ preset: dropbox, secret: env:S }", long.as_str(), Err(400)),
        ("{ preset: dropbox, secret: env:S }", "", Err(400)),
        ("{ preset: github, secret: env:S }", "challenge=a", Ok(None)),
        ("{ preset: slack, secret: env:S }", "challenge=a", Ok(None)),
        ("{ preset: meta, secret: env:S }", "hub.challenge=1", Ok(None)),
        (
            "{ preset: meta, secret: env:S, challenge_token: env:T }",
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=a-good-secret",
            Ok(Some("1")),
        ),
        (
            "{ preset: meta, secret: env:S, challenge_token: env:T }",
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=a-good-secreu",
            Err(403),
        ),
        (
            "{ preset: meta, secret: env:S, challenge_token: env:T }",
            "hub.mode=subscribe&hub.challenge=1",
            Err(403),
        ),
        ("{ preset: x-twitter, secret: env:S }", "crc_token=%7B%22a%22:1%7D", Err(400)),
        ("{ token: { in: path, secret: env:S }, handshake: mailchimp }", "", Ok(Some(""))),
    ] {
        let answer = answer.map(|text| text.map(str::to_owned));
        assert_eq!(told(without_body(&verifier(verify), &get(query))), answer, "{verify} {query}");
    }
}

#[test]
fn methods_follow_from_the_handshakes() {
    for (verify, methods) in [
        ("none", "POST"),
        ("{ preset: slack, secret: env:S }", "POST"),
        ("{ preset: intercom, secret: env:S }", "HEAD, POST"),
        ("{ preset: dropbox, secret: env:S }", "GET, POST"),
        ("{ preset: meta, secret: env:S }", "POST"),
        ("{ preset: meta, secret: env:S, challenge_token: env:T }", "GET, POST"),
        (
            "{ any: [{ preset: dropbox, secret: env:S }, { preset: trello, secret: env:S }] }",
            "GET, HEAD, POST",
        ),
    ] {
        assert_eq!(allowed(Some(&verifier(verify))), methods, "{verify}");
    }
    assert_eq!(allowed(None), "POST");
}

#[test]
fn what_could_be_an_event_is_not_signed() {
    let zoom = verifier("{ preset: zoom, secret: env:S }");
    for (body, answered) in [
        (r#"{"event":"endpoint.url_validation","payload":{"plainToken":"abc-1_2"}}"#, Ok(true)),
        (r#"{"event":"endpoint.url_validation","payload":{"plainToken":"v0:1:{}"}}"#, Err(400)),
        (r#"{"event":"endpoint.url_validation","payload":{"plainToken":""}}"#, Err(400)),
        (r#"{"event":"endpoint.url_validation"}"#, Err(400)),
        (r#"{"event":"other","plainToken":"endpoint.url_validation"}"#, Ok(false)),
    ] {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let answer = verified(&zoom, &Head::default(), body.as_bytes().into(), now);
        let answer = told(answer).map(|reply| reply.is_some());
        assert_eq!(answer, answered, "{body}");
    }
}

#[test]
fn an_event_is_no_question() {
    for (verify, body) in [
        ("{ preset: slack, secret: env:S }", r#"{"type":"event_callback","a":"url_verification"}"#),
        (
            "{ preset: discord, key: '79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664' }",
            r#"{"type":1,"event":{}}"#,
        ),
        ("{ preset: xero, secret: env:S }", r#"{"events":[{}]}"#),
        ("{ preset: twitch, secret: env:S }", r#"{"challenge":"a"}"#),
    ] {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let answer = verified(&verifier(verify), &Head::default(), body.as_bytes().into(), now);
        assert_eq!(told(answer), Ok(None), "{verify}");
    }
    for (verify, headers, body) in [
        ("{ preset: woocommerce, secret: env:S }", vec![], "webhook_id=1&a=b"),
        (
            "{ preset: woocommerce, secret: env:S }",
            vec![("x-wc-webhook-signature", "a")],
            "webhook_id=1",
        ),
        ("{ preset: github, secret: env:S }", vec![], "webhook_id=1"),
        (
            "{ bearer: { secret: env:S }, handshake: monday }",
            vec![],
            r#"{"challenge":"a","event":{}}"#,
        ),
        ("{ bearer: { secret: env:S }, handshake: monday }", vec![], r#"{"challenge":{}}"#),
    ] {
        let headers: Headers = headers.into_iter().collect();
        let head = Head { headers, ..Head::default() };
        let answer = unsigned(&verifier(verify), &head, body.as_bytes());
        assert_eq!(told(answer), Ok(None), "{verify} {body}");
    }
}

#[test]
fn a_secret_is_taken_from_a_first_request_only_where_that_was_said() {
    let offer = |secret: &str| Head {
        headers: [("X-Hook-Secret", secret)].into_iter().collect(),
        ..Head::default()
    };
    let adopting = verifier("{ preset: asana, secret: adopt }");
    let good = offer("b537207f20cbfa02357cf448134da559");
    assert!(adopting.awaits_secret());
    assert!(offered_secret(&adopting, &good).is_some());
    assert!(offered_secret(&adopting, &offer("short")).is_none());
    assert!(offered_secret(&verifier("{ preset: asana, secret: env:S }"), &good).is_none());
    assert!(offered_secret(&verifier("none"), &good).is_none());

    adopting.adopt("b537207f20cbfa02357cf448134da559");
    assert!(!adopting.awaits_secret());
}

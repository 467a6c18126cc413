//! The verifier held against published vectors, against its own signer, and against small changes.

mod judging;
mod laws;
mod published;
mod reading;

use std::path::Path;

use jiff::Timestamp;

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

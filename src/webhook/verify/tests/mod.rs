//! The verifier held against published vectors, against its own signer, and against small changes.

mod diagnosing;
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
    VerifySpec::preset(name, secret, SETTINGS).unwrap().resolve(&Given(&[])).unwrap()
}

/// What presets want beside the secret.
const SETTINGS: &[(&str, &str)] = &[("webhook_id", "1JE4291016473214C")];

/// The preset as its sender has it, with a private key where it has one.
fn signer(name: &str, secret: &str) -> Verifier {
    VerifySpec::preset(name, secret, SETTINGS).unwrap().resolve_to_sign(&Given(&[])).unwrap()
}

fn post(headers: &[(&str, &str)]) -> Head {
    let headers: Headers = headers.iter().copied().collect();
    let origin = Some("https://bridge.example".into());
    Head { method: "POST".into(), path: "/hooks/a".into(), headers, origin, ..Head::default() }
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

/// What the receiver of a preset's sender has: the secret, or the public key of the sender's private one.
fn verifier_for(name: &str, secret: &str) -> Verifier {
    let public = PAIRS.iter().find(|(private, _)| *private == secret);
    preset(name, public.map_or(secret, |(_, public)| public))
}

macro_rules! key {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/fixtures/keys/", $name, ".pem"))
    };
}

/// Private keys with what belongs to them, and each with the public key of another.
const PAIRS: &[(&str, &str)] = &[
    (key!("ed25519-private"), key!("ed25519-public")),
    (key!("rsa-private"), key!("rsa-certificate")),
    (key!("p256-private"), key!("p256-public")),
];

/// Public keys that belong to none of these.
const OTHER_ED25519: &str = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const OTHER_P256: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";

const SECRETS: &[(&str, &str, &str)] = &[
    ("discord", key!("ed25519-private"), OTHER_ED25519),
    ("gohighlevel", key!("ed25519-private"), OTHER_ED25519),
    ("paypal", key!("rsa-private"), key!("rsa-other")),
    ("sendgrid", key!("p256-private"), OTHER_P256),
    ("close", "b9260244ef33625f9b4b26a27db08758", "b9260244ef33625f9b4b26a27db08759"),
    ("standard-webhooks", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZI", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZJ"),
    ("svix", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZI", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZJ"),
];

/// A secret that fits the preset, and one that differs in a bit.
fn two_secrets(name: &str) -> (&'static str, &'static str) {
    let own = SECRETS.iter().find(|(own, ..)| *own == name);
    own.map_or(("a-good-secret", "a-good-secreu"), |(_, one, other)| (one, other))
}

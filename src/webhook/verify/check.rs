//! Holding a request against what its source asks for.

use std::sync::{Arc, OnceLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use subtle::ConstantTimeEq;

use super::asked::Asked;
use super::key::Key;
use super::pointer::Pointer;
use super::scheme::{Place, Scheme};
use super::secret::Secret;
use super::signature;
use crate::decode::query_pairs;
use crate::webhook::address::Network;
use crate::webhook::head::{Differing, Head, only};

/// What the door asks of a request, with its secrets.
#[derive(Debug)]
pub(super) enum Check {
    Open,
    /// Something that needs no body: any of the secrets.
    Credential(Credential, Vec<Secret>),
    /// The client's address is one of these.
    Address(Vec<Network>),
    /// The strongest first; the first one that is present decides.
    Signature(Vec<Keyed>),
    All(Vec<Check>),
    Any(Vec<Check>),
}

/// A scheme with its keys, any of which may have signed.
#[derive(Debug)]
pub(super) struct Keyed {
    pub(super) scheme: Scheme,
    pub(super) keys: Vec<Key>,
    /// Where the sender gives its secret: the key once it has.
    pub(super) adopted: Option<Arc<OnceLock<Key>>>,
}

impl Keyed {
    /// The keys there are by now.
    pub(super) fn keys(&self) -> Vec<&Key> {
        let adopted = self.adopted.as_ref().and_then(|cell| cell.get());
        self.keys.iter().chain(adopted).collect()
    }
}

/// A secret that is sent along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Credential {
    Token(TokenPlace),
    /// The user's name.
    Basic(String),
    Bearer,
}

/// Where a token stands; a header's name in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenPlace {
    Path,
    Query(String),
    Header(String),
    /// In the body: all that is selected must match, and something must be.
    Body(Pointer),
}

/// Why a request is not believed. For the operator; the sender is not told which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// There is no signature, or a part of what is signed is not there.
    SignatureMissing,
    /// The signature does not belong to this request and any of the secrets, or it was given twice.
    SignatureMismatch,
    /// The signature is right, and too old or from the future.
    TimestampSkew,
    /// The token, password or bearer token is missing or wrong, or the address is none of the source's.
    Auth,
}

impl Reason {
    /// Every reason.
    pub const ALL: &[Self] =
        &[Self::SignatureMissing, Self::SignatureMismatch, Self::TimestampSkew, Self::Auth];

    /// The `reason` label of `intake_rejections_total`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::SignatureMissing => "signature_missing",
            Self::SignatureMismatch => "signature_mismatch",
            Self::TimestampSkew => "timestamp_skew",
            Self::Auth => "auth",
        }
    }
}

/// What a check makes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is from whom it should be.
    Genuine,
    /// That cannot be told before the body is there.
    NeedsBody,
    /// It is not believed.
    Refused(Reason),
}

impl Check {
    /// Judges a request, by its head alone where `asked` is without its body.
    pub(super) fn judge(&self, asked: &Asked<'_>, body: Seen, now: Timestamp) -> Verdict {
        match self {
            Self::Open => Verdict::Genuine,
            Self::Credential(Credential::Token(TokenPlace::Body(pointer)), secrets) => {
                if body == Seen::HeadOnly {
                    return Verdict::NeedsBody;
                }
                let given = asked.texts(pointer);
                let all = given.iter().fold(true, |all, one| all & matches_any(one, secrets));
                if all && !given.is_empty() {
                    Verdict::Genuine
                } else {
                    Verdict::Refused(Reason::Auth)
                }
            }
            Self::Credential(credential, secrets) => {
                let given = credential.given(asked.head);
                if given.is_some_and(|given| matches_any(&given, secrets)) {
                    Verdict::Genuine
                } else {
                    Verdict::Refused(Reason::Auth)
                }
            }
            Self::Address(networks) => {
                let of = |address| networks.iter().any(|network| network.contains(address));
                if asked.head.client.is_some_and(of) {
                    Verdict::Genuine
                } else {
                    Verdict::Refused(Reason::Auth)
                }
            }
            Self::Signature(_) if body == Seen::HeadOnly => Verdict::NeedsBody,
            Self::Signature(versions) => match in_force(versions, asked) {
                None => Verdict::Refused(Reason::SignatureMissing),
                Some(version) => {
                    match signature::judge(&version.scheme, &version.keys(), asked, now) {
                        Ok(_) => Verdict::Genuine,
                        Err(reason) => Verdict::Refused(reason),
                    }
                }
            },
            Self::All(checks) => {
                let mut verdict = Verdict::Genuine;
                for check in checks {
                    match check.judge(asked, body, now) {
                        Verdict::Genuine => {}
                        Verdict::NeedsBody => verdict = Verdict::NeedsBody,
                        refused @ Verdict::Refused(_) => return refused,
                    }
                }
                verdict
            }
            Self::Any(checks) => {
                let mut verdict = Verdict::Refused(Reason::Auth);
                for check in checks {
                    match check.judge(asked, body, now) {
                        Verdict::Genuine => return Verdict::Genuine,
                        Verdict::NeedsBody => verdict = Verdict::NeedsBody,
                        refused @ Verdict::Refused(_) if verdict != Verdict::NeedsBody => {
                            verdict = refused;
                        }
                        Verdict::Refused(_) => {}
                    }
                }
                verdict
            }
        }
    }

    /// Calls back with every check that is no combination.
    pub(super) fn each<'c>(&'c self, call: &mut impl FnMut(&'c Check)) {
        match self {
            Self::All(checks) | Self::Any(checks) => checks.iter().for_each(|c| c.each(call)),
            alone => call(alone),
        }
    }
}

/// How much of a request there is to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    HeadOnly,
    All,
}

/// The scheme that decides: the first that is present.
pub(super) fn in_force<'v>(versions: &'v [Keyed], asked: &Asked<'_>) -> Option<&'v Keyed> {
    versions.iter().find(|version| signature::is_present(&version.scheme, asked))
}

impl Credential {
    /// What the request gives for it; two different values are none.
    pub(super) fn given(&self, head: &Head) -> Option<String> {
        let authorization = |scheme: &str| {
            let (own, rest) = head.headers.only("authorization").ok()??.split_once(' ')?;
            own.eq_ignore_ascii_case(scheme).then(|| rest.trim().to_owned())
        };
        match self {
            Self::Token(TokenPlace::Path) => head.token.clone(),
            // Its check reads it.
            Self::Token(TokenPlace::Body(_)) => None,
            Self::Token(TokenPlace::Header(name)) => {
                head.headers.only(name).ok()?.map(str::to_owned)
            }
            Self::Token(TokenPlace::Query(name)) => {
                let values = query_pairs(&head.query).filter(|(own, _)| own == name);
                let value: Result<_, Differing> = only(values.map(|(_, value)| value));
                value.ok()?
            }
            Self::Basic(user) => {
                let decoded = STANDARD.decode(authorization("basic")?).ok()?;
                let decoded = String::from_utf8(decoded).ok()?;
                let (given, password) = decoded.split_once(':')?;
                bool::from(given.as_bytes().ct_eq(user.as_bytes())).then(|| password.to_owned())
            }
            Self::Bearer => authorization("bearer"),
        }
    }
}

fn matches_any(given: &str, secrets: &[Secret]) -> bool {
    let mut found = false;
    for secret in secrets {
        found |= bool::from(secret.as_bytes().ct_eq(given.as_bytes()));
    }
    found
}

impl Check {
    /// The header that carries what verifies the request, in lower case.
    pub(super) fn header(&self) -> Vec<&str> {
        match self {
            Self::Credential(Credential::Token(TokenPlace::Header(name)), _) => vec![name],
            Self::Signature(versions) => versions
                .iter()
                .filter_map(|version| match &version.scheme.signature {
                    Place::Header(name) => Some(name.as_str()),
                    Place::Query(_) | Place::Json(_) => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The parameter of the query that carries what verifies the request.
    pub(super) fn parameter(&self) -> Vec<&str> {
        match self {
            Self::Credential(Credential::Token(TokenPlace::Query(name)), _) => vec![name],
            Self::Signature(versions) => versions
                .iter()
                .filter_map(|version| match &version.scheme.signature {
                    Place::Query(name) => Some(name.as_str()),
                    Place::Header(_) | Place::Json(_) => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

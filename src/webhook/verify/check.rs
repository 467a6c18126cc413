//! Holding a request against what its source asks for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use subtle::ConstantTimeEq;

use super::hmac::{self, Key};
use super::scheme::{Place, Scheme};
use super::secret::Secret;
use crate::decode::query_pairs;
use crate::webhook::head::{Differing, Head, only};

/// What the door asks of a request, with its secrets.
#[derive(Debug)]
pub(super) enum Check {
    Open,
    /// Something that needs no body: any of the secrets.
    Credential(Credential, Vec<Secret>),
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
    /// The token, password or bearer token is missing or wrong.
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
    /// Judges a request, by its head alone while there is no body.
    pub(super) fn judge(&self, head: &Head, body: Option<&[u8]>, now: Timestamp) -> Verdict {
        match self {
            Self::Open => Verdict::Genuine,
            Self::Credential(credential, secrets) => {
                let given = credential.given(head);
                if given.is_some_and(|given| matches_any(&given, secrets)) {
                    Verdict::Genuine
                } else {
                    Verdict::Refused(Reason::Auth)
                }
            }
            Self::Signature(versions) => {
                let Some(body) = body else { return Verdict::NeedsBody };
                let present = versions.iter().find(|v| hmac::is_present(&v.scheme, head));
                match present {
                    None => Verdict::Refused(Reason::SignatureMissing),
                    Some(Keyed { scheme, keys }) => hmac::verify(scheme, keys, head, body, now),
                }
            }
            Self::All(checks) => {
                let mut verdict = Verdict::Genuine;
                for check in checks {
                    match check.judge(head, body, now) {
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
                    match check.judge(head, body, now) {
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

impl Credential {
    /// What the request gives for it; two different values are none.
    fn given(&self, head: &Head) -> Option<String> {
        let authorization = |scheme: &str| {
            let (own, rest) = head.headers.only("authorization").ok()??.split_once(' ')?;
            own.eq_ignore_ascii_case(scheme).then(|| rest.trim().to_owned())
        };
        match self {
            Self::Token(TokenPlace::Path) => head.token.clone(),
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
                    Place::Query(_) => None,
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
                    Place::Header(_) => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

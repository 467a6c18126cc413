//! Signing a request as its sender would: for the demo, for tests, for whoever sends a sample.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::Verifier;
use super::asked::{Asked, Payload};
use super::check::{Check, Credential, TokenPlace};
use super::signature;
use super::spec::VerifySpec;
use crate::webhook::head::Head;

/// What a sender adds to a request so that it is believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Parameters of the query, not escaped yet.
    pub query: Vec<(String, String)>,
    /// What stands behind the source's name in the path.
    pub token: Option<String>,
}

/// Signs a request as the sender of this preset would; the preset must be known and the secret fit it.
pub fn sign(
    preset: &str,
    secret: &str,
    head: &Head,
    body: &[u8],
    now: Timestamp,
) -> Option<Credentials> {
    struct NoSource;
    impl super::SecretSource for NoSource {
        fn variable(&self, _name: &str) -> Option<String> {
            None
        }

        fn file(&self, _path: &std::path::Path) -> std::io::Result<String> {
            Err(std::io::ErrorKind::Unsupported.into())
        }
    }
    let spec = VerifySpec::preset(preset, secret, &[])?;
    spec.resolve_to_sign(&NoSource).ok()?.sign(head, body, now, "msg_1")
}

impl Verifier {
    /// Signs a request with the first secret, in the first way that is believed; `id` where the scheme signs one.
    /// Nothing where the scheme signs a header that the request does not have, wants a private key that is not
    /// there, or has its signature inside the body.
    pub fn sign(&self, head: &Head, body: &[u8], now: Timestamp, id: &str) -> Option<Credentials> {
        let mut credentials = Credentials::default();
        credentials.add(&self.check, &Asked::new(head, Payload::from(body)), now, id)?;
        Some(credentials)
    }
}

impl Credentials {
    fn add(&mut self, check: &Check, asked: &Asked<'_>, now: Timestamp, id: &str) -> Option<()> {
        match check {
            // Nothing can be added for it: the address has to be right, and a token in the body has to stand there.
            Check::Open
            | Check::Address(_)
            | Check::Credential(Credential::Token(TokenPlace::Body(_)), _) => {}
            Check::Credential(credential, secrets) => {
                let secret = secrets.first()?.as_str();
                let authorization = |value: String| ("authorization".to_owned(), value);
                match credential {
                    Credential::Token(TokenPlace::Body(_)) => {}
                    Credential::Token(TokenPlace::Path) => self.token = Some(secret.to_owned()),
                    Credential::Token(TokenPlace::Query(name)) => {
                        self.query.push((name.clone(), secret.to_owned()));
                    }
                    Credential::Token(TokenPlace::Header(name)) => {
                        self.headers.push((name.clone(), secret.to_owned()));
                    }
                    Credential::Basic(user) => {
                        let pair = STANDARD.encode(format!("{user}:{secret}"));
                        self.headers.push(authorization(format!("Basic {pair}")));
                    }
                    Credential::Bearer => {
                        self.headers.push(authorization(format!("Bearer {secret}")));
                    }
                }
            }
            Check::Signature(versions) => {
                let version = versions.first()?;
                let keys = version.keys();
                let signature = signature::sign(&version.scheme, keys.first()?, asked, now, id)?;
                self.headers.extend(signature.headers);
                self.query.extend(signature.query);
            }
            Check::All(checks) => {
                for check in checks {
                    self.add(check, asked, now, id)?;
                }
            }
            Check::Any(checks) => self.add(checks.first()?, asked, now, id)?,
        }
        Some(())
    }
}

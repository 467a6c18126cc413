//! Whether a request is from whom it should be: schemes as data, one verifier for all of them.
//!
//! [`VerifySpec`] is `verify:` as a mapping file says it, [`Verifier`] the same with its secrets; `presets.yaml`
//! holds the parameters of known senders, [`sign`](fn@sign) makes what they send, `diagnose` says what is wrong with
//! a request that is not believed.
//!
//! # Promises
//!
//! - Secrets and signatures are compared in constant time, signatures as the bytes they stand for.
//! - Of several signatures and several secrets any pair may match; a header that is given twice with different
//!   values is refused; entries that cannot be read are passed over.
//! - No secret, no request: what cannot be verified is never taken (`verify: none` has to be said).

mod asked;
mod check;
mod der;
mod describe;
mod diagnose;
mod encoding;
mod key;
mod message;
mod parameters;
mod pointer;
mod presets;
mod public_key;
mod read;
mod recognise;
mod references;
mod resolve;
mod schema;
mod scheme;
mod secret;
mod shown;
mod sign;
mod signature;
mod spec;
mod spelling;
mod template;
#[cfg(test)]
mod tests;

pub use asked::Payload;
pub use check::{Reason, Verdict};
pub use diagnose::{Diagnosis, Finding};
pub use presets::{Summary, names as presets, summaries};
pub use recognise::recognise;
pub use schema::schema;
pub use secret::{MissingSecret, Secret, SecretRef, SecretSource, Unusable};
pub use sign::{Credentials, sign};
pub use spec::VerifySpec;

use jiff::Timestamp;

use self::asked::Asked;
use self::check::{Check, Credential, Seen, TokenPlace, in_force};
use self::key::{Key, Use};
use self::scheme::Part;
use super::handshake::Handshake;
use super::head::Head;

/// Until when a certificate (DER) holds; nothing where the bytes are none.
pub fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    der::not_after(certificate)
}

/// Shorter secrets work, with a warning.
const SHORT: usize = 8;

/// `verify:` with its secrets.
#[derive(Debug)]
pub struct Verifier {
    check: Check,
    greetings: Vec<(Handshake, Vec<Secret>)>,
    headers: Vec<String>,
    parameters: Vec<String>,
}

impl Verifier {
    fn new(check: Check, greetings: Vec<(Handshake, Vec<Secret>)>) -> Self {
        let (mut headers, mut parameters) = (Vec::new(), Vec::new());
        check.each(&mut |check| {
            headers.extend(check.header().into_iter().map(str::to_owned));
            parameters.extend(check.parameter().into_iter().map(str::to_owned));
        });
        Self { check, greetings, headers, parameters }
    }

    /// Judges a request by its head, before the body is read.
    pub fn judge_head(&self, head: &Head, now: Timestamp) -> Verdict {
        let asked = Asked::new(head, Payload::from(&[]));
        self.check.judge(&asked, Seen::HeadOnly, now)
    }

    /// Judges a request; never [`Verdict::NeedsBody`].
    pub fn judge<'b>(&self, head: &Head, body: impl Into<Payload<'b>>, now: Timestamp) -> Verdict {
        self.check.judge(&Asked::new(head, body.into()), Seen::All, now)
    }

    /// What the sender asks before it sends events, and the tokens that it gives then.
    pub(super) fn greetings(&self) -> &[(Handshake, Vec<Secret>)] {
        &self.greetings
    }

    /// The secret that signed this request; the first of them where that cannot be told.
    pub(super) fn signing_secret<'b>(
        &self,
        head: &Head,
        body: impl Into<Payload<'b>>,
        now: Timestamp,
    ) -> Option<Secret> {
        let asked = Asked::new(head, body.into());
        let (mut signer, mut first) = (None, None);
        self.check.each(&mut |check| {
            let Check::Signature(versions) = check else { return };
            let own = versions.iter().flat_map(|version| version.keys()).next();
            first = first.take().or_else(|| own.map(|key| key.secret.clone()));
            let Some(version) = in_force(versions, &asked) else { return };
            let keys = version.keys();
            if let Ok(place) = signature::judge(&version.scheme, &keys, &asked, now) {
                signer = keys.get(place).map(|key| key.secret.clone());
            }
        });
        signer.or(first)
    }

    /// Whether a sender's secret is to be taken from its first request, and none has come yet.
    pub fn awaits_secret(&self) -> bool {
        let mut awaits = false;
        self.check.each(&mut |check| {
            if let Check::Signature(versions) = check {
                let cells = versions.iter().filter_map(|version| version.adopted.as_ref());
                awaits |= cells.into_iter().any(|cell| cell.get().is_none());
            }
        });
        awaits
    }

    /// Whether a sender's secret is taken from its first request.
    pub(super) fn adopts(&self) -> bool {
        let mut adopts = false;
        self.check.each(&mut |check| {
            if let Check::Signature(versions) = check {
                adopts |= versions.iter().any(|version| version.adopted.is_some());
            }
        });
        adopts
    }

    /// Takes the secret that the sender gave, the first time; one that cannot be a key is passed over.
    pub fn adopt(&self, secret: &str) {
        self.check.each(&mut |check| {
            let Check::Signature(versions) = check else { return };
            for version in versions {
                let place = SecretRef::Adopted.to_string();
                let key = Key::new(&version.scheme, place, Secret::new(secret), Use::Verify);
                if let (Some(cell), Ok(key)) = (&version.adopted, key) {
                    // Whoever came first has set it.
                    drop(cell.set(key));
                }
            }
        });
    }

    /// Whether the URL is signed, so that it has to be known as the sender wrote it.
    pub fn signs_url(&self) -> bool {
        let mut signs = false;
        self.check.each(&mut |check| {
            if let Check::Signature(versions) = check {
                let needs = |version: &check::Keyed| version.scheme.signed.contains(&Part::Url);
                signs |= versions.iter().all(needs) || versions.first().is_some_and(needs);
            }
        });
        signs
    }

    /// The headers that carry a token or signature, in lower case: not to be kept.
    pub fn headers(&self) -> &[String] {
        &self.headers
    }

    /// The parameters of the query that carry a token or signature: not to be kept.
    pub fn parameters(&self) -> &[String] {
        &self.parameters
    }

    /// Whether a token behind the source's name in the path is asked for.
    pub fn takes_path_token(&self) -> bool {
        let mut takes = false;
        self.check.each(&mut |check| {
            takes |= matches!(check, Check::Credential(Credential::Token(TokenPlace::Path), _));
        });
        takes
    }

    /// Whether one of the secrets is so short that it could be guessed.
    pub fn has_short_secret(&self) -> bool {
        let mut short = false;
        self.check.each(&mut |check| match check {
            Check::Credential(_, secrets) => {
                short |= secrets.iter().any(|secret| secret.as_bytes().len() < SHORT);
            }
            Check::Signature(versions) => {
                let keys = versions.iter().flat_map(|version| &version.keys);
                short |= keys.filter_map(Key::len).any(|bytes| bytes < SHORT);
            }
            _ => {}
        });
        short
    }
}

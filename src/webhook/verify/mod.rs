//! Whether a request is from whom it should be: schemes as data, one verifier for all of them.
//!
//! [`VerifySpec`] is `verify:` as a mapping file says it, [`Verifier`] the same with its secrets; `presets.yaml`
//! holds the parameters of known senders, [`sign`](fn@sign) makes what they send.
//!
//! # Promises
//!
//! - Secrets and signatures are compared in constant time, signatures as the bytes they stand for.
//! - Of several signatures and several secrets any pair may match; a header that is given twice with different
//!   values is refused; entries that cannot be read are passed over.
//! - No secret, no request: what cannot be verified is never taken (`verify: none` has to be said).

mod check;
mod hmac;
mod presets;
mod read;
mod recognise;
mod schema;
mod scheme;
mod secret;
mod sign;
mod spec;
mod template;
#[cfg(test)]
mod tests;

pub use check::{Reason, Verdict};
pub use presets::names as presets;
pub use recognise::recognise;
pub use schema::schema;
pub use secret::{MissingSecret, Secret, SecretRef, SecretSource, Unusable};
pub use sign::{Credentials, sign};
pub use spec::VerifySpec;

use jiff::Timestamp;

use super::head::Head;
use check::{Check, Credential, TokenPlace};

/// Shorter secrets work, with a warning.
const SHORT: usize = 8;

/// `verify:` with its secrets.
#[derive(Debug)]
pub struct Verifier {
    check: Check,
    headers: Vec<String>,
    parameters: Vec<String>,
}

impl Verifier {
    fn new(check: Check) -> Self {
        let (mut headers, mut parameters) = (Vec::new(), Vec::new());
        check.each(&mut |check| {
            headers.extend(check.header().into_iter().map(str::to_owned));
            parameters.extend(check.parameter().into_iter().map(str::to_owned));
        });
        Self { check, headers, parameters }
    }

    /// Judges a request by its head, before the body is read.
    pub fn judge_head(&self, head: &Head, now: Timestamp) -> Verdict {
        self.check.judge(head, None, now)
    }

    /// Judges a request; never [`Verdict::NeedsBody`].
    pub fn judge(&self, head: &Head, body: &[u8], now: Timestamp) -> Verdict {
        self.check.judge(head, Some(body), now)
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
                short |= versions.iter().flat_map(|v| &v.keys).any(|key| key.len() < SHORT);
            }
            _ => {}
        });
        short
    }
}

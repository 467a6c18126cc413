//! Whether a request shows what its source asks for, right or wrong: seen in its head, before anything is read.

use super::Verifier;
use super::check::{Check, Credential, TokenPlace};
use super::scheme::Place;
use crate::decode::query_pairs;
use crate::webhook::head::Head;

impl Verifier {
    /// Whether the head has the signature, the token or the address that the source asks for, or may have it in its
    /// body. What shows nothing cannot be believed, whatever its body is.
    pub fn is_shown(&self, head: &Head) -> bool {
        self.check.is_shown(head)
    }
}

impl Check {
    fn is_shown(&self, head: &Head) -> bool {
        match self {
            Self::Open | Self::Credential(Credential::Token(TokenPlace::Body(_)), _) => true,
            Self::Credential(credential, _) => credential.given(head).is_some(),
            Self::Address(networks) => {
                head.client.is_some_and(|client| networks.iter().any(|net| net.contains(client)))
            }
            Self::Signature(versions) => versions.iter().any(|version| {
                let place = &version.scheme.signature;
                match place {
                    Place::Header(name) => head.headers.first(name).is_some(),
                    Place::Query(name) => query_pairs(&head.query).any(|(own, _)| own == *name),
                    Place::Json(_) => true,
                }
            }),
            Self::All(checks) => checks.iter().all(|check| check.is_shown(head)),
            Self::Any(checks) => checks.iter().any(|check| check.is_shown(head)),
        }
    }
}

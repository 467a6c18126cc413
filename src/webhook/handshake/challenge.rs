//! Questions that stand in the query or in a header.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Handshake, Ready, Reply, bounded, token};
use crate::decode::query_pairs;
use crate::webhook::head::{Head, only};
use crate::webhook::refusal::Refusal;
use crate::webhook::verify::Verifier;

const MALFORMED: Refusal = Refusal::Challenge { status: 400 };

/// Answers a `GET` or `HEAD`.
pub(super) fn answer(
    (handshake, tokens): Ready<'_>,
    verifier: &Verifier,
    head: &Head,
) -> Result<Reply, Refusal> {
    match handshake {
        Handshake::Head | Handshake::Mailchimp => Ok(Reply::empty()),
        Handshake::Dropbox => {
            parameter(head, "challenge").and_then(|c| bounded(&c)).map(Reply::text)
        }
        Handshake::Okta => {
            // https://developer.okta.com/docs/concepts/event-hooks/#one-time-verification-request
            let challenge = head.headers.only("x-okta-verification-challenge");
            let challenge = challenge.ok().flatten().ok_or(MALFORMED).and_then(bounded)?;
            Ok(Reply::json(&json!({ "verification": challenge })))
        }
        Handshake::Meta => {
            // https://developers.facebook.com/docs/graph-api/webhooks/getting-started
            let given = parameter(head, "hub.verify_token").unwrap_or_default();
            let is_one = tokens.iter().fold(false, |found, own| {
                found | bool::from(own.as_bytes().ct_eq(given.as_bytes()))
            });
            let subscribes = parameter(head, "hub.mode").is_ok_and(|mode| mode == "subscribe");
            if !is_one || !subscribes {
                return Err(Refusal::Challenge { status: 403 });
            }
            parameter(head, "hub.challenge").and_then(|c| bounded(&c)).map(Reply::text)
        }
        Handshake::Ebay => {
            // https://developer.ebay.com/marketplace-account-deletion
            let code = parameter(head, "challenge_code")?;
            let own = tokens.first().ok_or(MALFORMED)?;
            let origin = head.origin.as_deref().ok_or(MALFORMED)?;
            let mut hash = Sha256::new();
            for part in [token(&code)?.as_bytes(), own.as_bytes(), origin.as_bytes()] {
                hash.update(part);
            }
            hash.update(head.path.as_bytes());
            Ok(Reply::json(&json!({ "challengeResponse": hex::encode(hash.finalize()) })))
        }
        Handshake::XTwitter => {
            let asked = parameter(head, "crc_token")?;
            let asked = token(&asked)?;
            let secret = verifier.signing_secret(head, &[], jiff::Timestamp::UNIX_EPOCH);
            let secret = secret.ok_or(MALFORMED)?;
            let mac = signed(secret.as_bytes(), asked).ok_or(MALFORMED)?;
            let response = format!("sha256={}", STANDARD.encode(mac));
            Ok(Reply::json(&json!({ "response_token": response })))
        }
        Handshake::Asana
        | Handshake::Discord
        | Handshake::MicrosoftGraph
        | Handshake::Monday
        | Handshake::Slack
        | Handshake::Twitch
        | Handshake::WooCommerce
        | Handshake::Xero
        | Handshake::Zoom => Err(MALFORMED),
    }
}

/// Microsoft Graph's question: a token in the query of a `POST` without a body.
/// <https://learn.microsoft.com/graph/change-notifications-delivery-webhooks>
pub(super) fn validation_token(head: &Head, body: &[u8]) -> Result<Option<Reply>, Refusal> {
    if !body.is_empty() || !query_pairs(&head.query).any(|(name, _)| name == "validationToken") {
        return Ok(None);
    }
    parameter(head, "validationToken").and_then(|token| bounded(&token)).map(Reply::text).map(Some)
}

/// HMAC-SHA256 of a text.
pub(super) fn signed(key: &[u8], text: &str) -> Option<Vec<u8>> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).ok()?;
    mac.update(text.as_bytes());
    Some(mac.finalize().into_bytes().to_vec())
}

fn parameter(head: &Head, name: &str) -> Result<String, Refusal> {
    let values = query_pairs(&head.query).filter(|(own, _)| own == name);
    only(values.map(|(_, value)| value)).ok().flatten().ok_or(MALFORMED)
}

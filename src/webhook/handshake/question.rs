//! Questions that are the body.

use serde_json::json;

use super::challenge::signed;
use super::{Reply, bounded, token};
use crate::decode::{self, Limits};
use crate::document::Value;
use crate::webhook::head::Head;
use crate::webhook::refusal::Refusal;
use crate::webhook::verify::{Secret, Verifier};

/// No question is longer: what is longer is an event, and is not read twice.
const LONGEST: usize = 4096;

/// The body as JSON, where it may be a question: short, and with this word in it.
fn document(body: &[u8], word: &str) -> Option<Value> {
    let holds = |word: &[u8]| body.windows(word.len()).any(|window| window == word);
    if body.len() > LONGEST || !holds(word.as_bytes()) {
        return None;
    }
    decode::json(body, &Limits::default()).ok()
}

fn member<'v>(document: &'v Value, name: &str) -> Option<&'v str> {
    document.member(name).and_then(Value::as_text)
}

/// `{"type":"url_verification","challenge":C}` <https://docs.slack.dev/reference/events/url_verification>
pub(super) fn slack(body: &[u8]) -> Result<Option<Reply>, Refusal> {
    let asked = document(body, "url_verification");
    match asked.as_ref().filter(|asked| member(asked, "type") == Some("url_verification")) {
        None => Ok(None),
        Some(asked) => {
            bounded(member(asked, "challenge").unwrap_or_default()).map(Reply::text).map(Some)
        }
    }
}

/// `{"event":"endpoint.url_validation","payload":{"plainToken":P}}`
/// <https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint>
pub(super) fn zoom(
    body: &[u8],
    secret: impl FnOnce() -> Option<Secret>,
) -> Result<Option<Reply>, Refusal> {
    let asked = document(body, "endpoint.url_validation");
    let asked = asked.filter(|asked| member(asked, "event") == Some("endpoint.url_validation"));
    let Some(asked) = asked else { return Ok(None) };
    let plain = asked.member("payload").and_then(|payload| member(payload, "plainToken"));
    let plain = token(plain.unwrap_or_default())?;
    let secret = secret().ok_or(Refusal::Challenge { status: 400 })?;
    let mac = signed(secret.as_bytes(), plain).ok_or(Refusal::Challenge { status: 400 })?;
    Ok(Some(Reply::json(&json!({ "plainToken": plain, "encryptedToken": hex::encode(mac) }))))
}

/// A body that is `{"challenge":C}` and nothing else <https://developer.monday.com/api-reference/reference/webhooks>
pub(super) fn monday(body: &[u8]) -> Result<Option<Reply>, Refusal> {
    let Some(Value::Object(members)) = document(body, "challenge") else { return Ok(None) };
    match (members.len(), members.get("challenge")) {
        (1, Some(Value::Text(challenge))) => {
            let challenge = bounded(challenge)?;
            Ok(Some(Reply::json(&json!({ "challenge": challenge }))))
        }
        _ => Ok(None),
    }
}

/// The message type in a header, the challenge in the body
/// <https://dev.twitch.tv/docs/eventsub/handling-webhook-events/#responding-to-a-challenge-request>
pub(super) fn twitch(head: &Head, body: &[u8]) -> Result<Option<Reply>, Refusal> {
    let kind = head.headers.only("twitch-eventsub-message-type");
    if kind != Ok(Some("webhook_callback_verification")) {
        return Ok(None);
    }
    let asked = document(body, "challenge");
    let challenge = asked.as_ref().and_then(|asked| member(asked, "challenge"));
    bounded(challenge.unwrap_or_default()).map(Reply::text).map(Some)
}

/// `{"type":0}` of webhook events, `{"type":1}` of interactions
/// <https://docs.discord.com/developers/events/webhook-events>
pub(super) fn discord(body: &[u8]) -> Option<Reply> {
    let asked = document(body, "type")?;
    match asked.member("type") {
        Some(Value::Number(kind)) if &**kind == "0" => {
            Some(Reply { status: 204, ..Reply::empty() })
        }
        Some(Value::Number(kind)) if &**kind == "1" && asked.member("event").is_none() => {
            Some(Reply::json(&json!({ "type": 1 })))
        }
        _ => None,
    }
}

/// The intent to receive: no events <https://developer.xero.com/documentation/guides/webhooks/configuring-your-server>
pub(super) fn xero(body: &[u8]) -> Option<Reply> {
    match document(body, "events")?.member("events") {
        Some(Value::List(events)) if events.is_empty() => Some(Reply::empty()),
        _ => None,
    }
}

/// The ping of a webhook that was saved: `webhook_id=N`, unsigned, and nothing else
/// (`class-wc-webhook.php`, `deliver_ping`).
pub(super) fn woocommerce(verifier: &Verifier, head: &Head, body: &[u8]) -> Option<Reply> {
    let number = body.strip_prefix(b"webhook_id=")?;
    let is_number = (1..=20).contains(&number.len()) && number.iter().all(u8::is_ascii_digit);
    let is_signed = verifier.headers().iter().any(|name| head.headers.first(name).is_some());
    (is_number && !is_signed).then(Reply::empty)
}

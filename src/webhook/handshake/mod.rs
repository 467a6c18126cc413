//! What senders ask before they send events, and some now and then: answered on the spot, never kept.
//!
//! [`Handshake`] names them; `challenge` answers those whose question stands in the query or a header, `question`
//! those whose question is the body. Sources: PROVIDERS' own documentation, named beside each.
//!
//! # Promises
//!
//! - A handshake runs only for a source that has it, and after the signature where its sender signs it.
//! - What is echoed is bounded, has no control characters and is never taken for a page.
//! - Where the answer is signed with the key that signs events, a question that could be an event is refused.

mod challenge;
mod question;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::head::Head;
use super::refusal::Refusal;
use super::verify::{Payload, Secret, Verifier};

/// The longest text that is given back.
const LONGEST: usize = 1024;

/// What a sender asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handshake {
    /// The secret comes in the first request and is given back.
    Asana,
    /// A signed `PING`.
    Discord,
    /// `GET ?challenge=`.
    Dropbox,
    /// `GET ?challenge_code=`, hashed with a token and the URL.
    Ebay,
    /// `HEAD` (Intercom, Trello).
    Head,
    /// `GET`, which may lack the secret.
    Mailchimp,
    /// `GET ?hub.challenge=`, with a token.
    Meta,
    /// `POST ?validationToken=`.
    MicrosoftGraph,
    /// `POST {"challenge": …}`.
    Monday,
    /// `GET` with a header.
    Okta,
    /// A signed `url_verification`.
    Slack,
    /// A signed `webhook_callback_verification`.
    Twitch,
    /// An unsigned `webhook_id=N`.
    WooCommerce,
    /// `GET ?crc_token=`, to be signed.
    XTwitter,
    /// Well and badly signed probes; to the bad ones an empty 401.
    Xero,
    /// A signed `endpoint.url_validation`, to be signed.
    Zoom,
}

/// An answer that a sender's protocol asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The content type, where there is a body.
    pub content_type: Option<&'static str>,
    /// A header that belongs to the answer.
    pub header: Option<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Reply {
    /// 200 without a body.
    pub(super) const fn empty() -> Self {
        Self { status: 200, content_type: None, header: None, body: String::new() }
    }

    fn text(body: String) -> Self {
        Self { content_type: Some("text/plain; charset=utf-8"), body, ..Self::empty() }
    }

    fn json(value: &serde_json::Value) -> Self {
        let body = value.to_string();
        Self { content_type: Some("application/json"), body, ..Self::empty() }
    }
}

impl Handshake {
    /// Every handshake.
    pub const ALL: &[Self] = &[
        Self::Asana,
        Self::Discord,
        Self::Dropbox,
        Self::Ebay,
        Self::Head,
        Self::Mailchimp,
        Self::Meta,
        Self::MicrosoftGraph,
        Self::Monday,
        Self::Okta,
        Self::Slack,
        Self::Twitch,
        Self::WooCommerce,
        Self::XTwitter,
        Self::Xero,
        Self::Zoom,
    ];

    /// Its name, as under `handshake:`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asana => "asana",
            Self::Discord => "discord",
            Self::Dropbox => "dropbox",
            Self::Ebay => "ebay",
            Self::Head => "head",
            Self::Mailchimp => "mailchimp",
            Self::Meta => "meta",
            Self::MicrosoftGraph => "microsoft-graph",
            Self::Monday => "monday",
            Self::Okta => "okta",
            Self::Slack => "slack",
            Self::Twitch => "twitch",
            Self::WooCommerce => "woocommerce",
            Self::XTwitter => "x-twitter",
            Self::Xero => "xero",
            Self::Zoom => "zoom",
        }
    }

    /// All names with what they mean.
    pub(super) fn words() -> Vec<(&'static str, Self)> {
        Self::ALL.iter().map(|handshake| (handshake.name(), *handshake)).collect()
    }

    /// Whether the sender gives a token in it that was agreed on: `challenge_token:`.
    pub(super) const fn needs_token(self) -> bool {
        matches!(self, Self::Meta | Self::Ebay)
    }

    /// The method that it comes with.
    const fn method(self) -> &'static str {
        match self {
            Self::Dropbox
            | Self::Ebay
            | Self::Mailchimp
            | Self::Meta
            | Self::Okta
            | Self::XTwitter => "GET",
            Self::Head => "HEAD",
            Self::Asana
            | Self::Discord
            | Self::MicrosoftGraph
            | Self::Monday
            | Self::Slack
            | Self::Twitch
            | Self::WooCommerce
            | Self::Xero
            | Self::Zoom => "POST",
        }
    }
}

/// A handshake and its tokens, ready to be answered.
type Ready<'v> = &'v (Handshake, Vec<Secret>);

/// The handshakes of a source that can be answered: those with a token only where it is known.
fn ready(verifier: &Verifier) -> impl Iterator<Item = Ready<'_>> {
    let known = |(handshake, tokens): &Ready<'_>| !handshake.needs_token() || !tokens.is_empty();
    verifier.greetings().iter().filter(known)
}

/// The methods that a source takes, for `Allow`.
pub(super) fn allowed(verifier: Option<&Verifier>) -> &'static str {
    let methods: Vec<_> = verifier
        .into_iter()
        .flat_map(|verifier| ready(verifier).map(|(handshake, _)| handshake.method()))
        .collect();
    match (methods.contains(&"GET"), methods.contains(&"HEAD")) {
        (false, false) => "POST",
        (true, false) => "GET, POST",
        (false, true) => "HEAD, POST",
        (true, true) => "GET, HEAD, POST",
    }
}

/// Answers a request that has no body, by its method: nothing where no handshake asks for this one.
pub(super) fn without_body(verifier: &Verifier, head: &Head) -> Result<Option<Reply>, Refusal> {
    for greeting in ready(verifier).filter(|(handshake, _)| handshake.method() == head.method) {
        if head.method != "POST" {
            return challenge::answer(greeting, verifier, head).map(Some);
        }
    }
    Ok(None)
}

/// Answers a question whose sender does not sign it; nothing where the request is none.
pub(super) fn unsigned(
    verifier: &Verifier,
    head: &Head,
    body: &[u8],
) -> Result<Option<Reply>, Refusal> {
    for (handshake, _) in ready(verifier) {
        let reply = match handshake {
            Handshake::MicrosoftGraph => challenge::validation_token(head, body)?,
            Handshake::Monday => question::monday(body)?,
            Handshake::WooCommerce => question::woocommerce(verifier, head, body),
            _ => None,
        };
        if reply.is_some() {
            return Ok(reply);
        }
    }
    Ok(None)
}

/// Answers a question of a request that is believed; nothing where the request is none.
pub(super) fn verified(
    verifier: &Verifier,
    head: &Head,
    payload: Payload<'_>,
    now: Timestamp,
) -> Result<Option<Reply>, Refusal> {
    for (handshake, _) in ready(verifier) {
        let body = payload.inflated;
        let reply = match handshake {
            Handshake::Discord => question::discord(body),
            Handshake::Slack => question::slack(body)?,
            Handshake::Twitch => question::twitch(head, body)?,
            Handshake::Xero => question::xero(body),
            Handshake::Zoom => {
                question::zoom(body, || verifier.signing_secret(head, payload, now))?
            }
            _ => None,
        };
        if reply.is_some() {
            return Ok(reply);
        }
    }
    Ok(None)
}

/// Whether who is not believed is told so without a word.
pub(super) fn refuses_in_silence(verifier: &Verifier) -> bool {
    verifier.greetings().iter().any(|(handshake, _)| *handshake == Handshake::Xero)
}

/// The secret that a sender offers in its first request, where the source takes it so.
pub(super) fn offered_secret<'h>(verifier: &Verifier, head: &'h Head) -> Option<&'h str> {
    let asks = |(handshake, _): &(Handshake, Vec<Secret>)| *handshake == Handshake::Asana;
    if !verifier.adopts() || !verifier.greetings().iter().any(asks) {
        return None;
    }
    let secret = head.headers.only(ASANA_HEADER).ok()??;
    let is_one = (16..=256).contains(&secret.len()) && secret.bytes().all(|b| b.is_ascii_graphic());
    is_one.then_some(secret)
}

const ASANA_HEADER: &str = "x-hook-secret";

/// The secret is given back: that is how its sender knows that it is kept.
/// <https://developers.asana.com/docs/webhooks-guide>
pub(super) fn secret_taken(secret: &str) -> Reply {
    Reply { header: Some(("X-Hook-Secret", secret.to_owned())), ..Reply::empty() }
}

/// A text that may be given back.
fn bounded(text: &str) -> Result<String, Refusal> {
    let fits = !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(Refusal::Challenge { status: 400 }) }
}

/// A text that may be signed: a token of letters and digits is no event.
fn token(text: &str) -> Result<&str, Refusal> {
    let of_a_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.=+/".contains(&byte);
    let fits = !text.is_empty() && text.len() <= 256 && text.bytes().all(of_a_token);
    if fits { Ok(text) } else { Err(Refusal::Challenge { status: 400 }) }
}

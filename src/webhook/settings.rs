//! The part of `server.*` that the door reads.

use std::sync::Arc;

use serde::{Deserialize, Deserializer};

use super::address::Network;
use crate::units::{ByteSize, Span};

/// What a request may cost.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct IntakeSettings {
    /// The largest body where its source does not say otherwise.
    pub max_body: ByteSize,
    /// The largest body whatever anybody says.
    pub max_body_ceiling: ByteSize,
    /// What all bodies being received may hold together.
    pub max_buffered: ByteSize,
    /// How long a request may take to arrive.
    pub request_timeout: Span,
    /// Requests that are not believed, for each client address; 0 is no limit.
    pub unverified_per_minute: u32,
    /// How long refused requests are kept in memory; 0 is not at all.
    pub keep_rejected: Span,
    /// Where senders reach the bridge: what stands before `/hooks/…` in the URLs that some of them sign.
    pub public_url: Option<PublicUrl>,
    /// The proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<Network>,
}

/// A URL of http or https without query, and without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(Arc<str>);

/// Why a text is no such URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the URL at which senders reach the bridge is expected, such as `https://hooks.example`: without user, query or fragment"
)]
pub struct InvalidPublicUrl;

impl std::str::FromStr for PublicUrl {
    type Err = InvalidPublicUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().trim_end_matches('/');
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let strange = |c: char| matches!(c, '?' | '#' | '@') || c.is_whitespace() || c.is_control();
        match rest {
            Some(rest) if !rest.is_empty() && !rest.starts_with('/') && !rest.contains(strange) => {
                Ok(Self(text.into()))
            }
            _ => Err(InvalidPublicUrl),
        }
    }
}

impl<'de> Deserialize<'de> for PublicUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl PublicUrl {
    /// Its text, to be put before a path.
    pub fn origin(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl Default for IntakeSettings {
    fn default() -> Self {
        Self {
            max_body: ByteSize(1 << 20),
            max_body_ceiling: ByteSize(16 << 20),
            max_buffered: ByteSize(64 << 20),
            request_timeout: Span(std::time::Duration::from_secs(10)),
            unverified_per_minute: 600,
            keep_rejected: Span(std::time::Duration::ZERO),
            public_url: None,
            trusted_proxies: Vec::new(),
        }
    }
}

/// The largest body that is taken, and the name of what says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimit {
    /// The size, as sent and as inflated.
    pub size: ByteSize,
    /// The setting, or the key of the mapping file.
    pub name: &'static str,
}

impl std::fmt::Display for BodyLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (`{}`)", self.size, self.name)
    }
}

impl IntakeSettings {
    /// The largest body of a source that says `body.max` itself, or does not.
    pub fn body_limit(&self, own: Option<ByteSize>) -> BodyLimit {
        let (size, name) = own.map_or((self.max_body, "server.max_body"), |own| (own, "body.max"));
        if size > self.max_body_ceiling {
            BodyLimit { size: self.max_body_ceiling, name: "server.max_body_ceiling" }
        } else {
            BodyLimit { size, name }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_is_above_all() {
        let text = r#"{"max_body": "20MiB", "request_timeout": "3s"}"#;
        let settings: IntakeSettings = serde_json::from_str(text).unwrap();

        for (own, size, name) in [
            (None, 16 << 20, "server.max_body_ceiling"),
            (Some(1 << 30), 16 << 20, "server.max_body_ceiling"),
            (Some(1 << 10), 1 << 10, "body.max"),
        ] {
            let limit = BodyLimit { size: ByteSize(size), name };
            assert_eq!(settings.body_limit(own.map(ByteSize)), limit);
        }
        let limit = BodyLimit { size: ByteSize(1 << 20), name: "server.max_body" };
        assert_eq!(IntakeSettings::default().body_limit(None), limit);
        assert_eq!(settings.max_buffered, ByteSize(64 << 20));
    }
    #[test]
    fn a_public_url_is_one_that_a_path_can_follow() {
        for (text, origin) in [
            ("https://hooks.example", Some("https://hooks.example")),
            ("http://10.0.0.1:8080/", Some("http://10.0.0.1:8080")),
            ("https://example.com/bridge/", Some("https://example.com/bridge")),
            ("hooks.example", None),
            ("ftp://hooks.example", None),
            ("https://", None),
            ("https:///hooks", None),
            ("https://user:word@hooks.example", None),
            ("https://hooks.example?a=b", None),
        ] {
            let read = text.parse::<PublicUrl>().ok();
            assert_eq!(read.map(|url| url.origin()).as_deref(), origin, "{text}");
        }
    }
}

//! The spellings of a URL that senders sign: as it was sent, decoded, with and without the port.

use crate::decode::percent_decoded;

/// How a sender may have spelled the URL that it signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As the request line has it.
    AsSent,
    /// With the characters decoded that `HubSpot` decodes before it signs.
    Decoded,
    /// Without a port, and with the scheme's own port said (Twilio does either).
    Ports,
}

/// What `HubSpot` decodes, of all that can be escaped.
/// <https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation>
const DECODED: &[&str] = &[
    "%3A", "%2F", "%3F", "%40", "%21", "%24", "%27", "%28", "%29", "%2A", "%2C", "%3B", "%26",
    "%3D", "%2B", "%60", "%22", "%3E", "%3C",
];

/// The URL in all of these spellings, without repeats.
pub(super) fn spellings(url: &str, forms: &[Spelling]) -> Vec<String> {
    let mut urls: Vec<String> = Vec::new();
    let mut add = |url: String| {
        if !urls.contains(&url) {
            urls.push(url);
        }
    };
    for form in forms {
        match form {
            Spelling::AsSent => add(url.to_owned()),
            Spelling::Decoded => {
                add(decoded(url));
                add(percent_decoded(url));
            }
            Spelling::Ports => {
                if let Some(parts) = Parts::of(url) {
                    add(parts.with_port(None));
                    add(parts.with_port(Some(parts.port.unwrap_or(parts.own_port()))));
                }
            }
        }
    }
    urls
}

fn decoded(url: &str) -> String {
    let mut text = url.to_owned();
    for escape in DECODED {
        let plain = percent_decoded(escape);
        text = text.replace(escape, &plain).replace(&escape.to_ascii_lowercase(), &plain);
    }
    text
}

/// A URL taken apart as far as its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts<'u> {
    pub(super) scheme: &'u str,
    pub(super) host: &'u str,
    pub(super) port: Option<&'u str>,
    /// From the path on.
    pub(super) rest: &'u str,
}

impl<'u> Parts<'u> {
    pub(super) fn of(url: &'u str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => {
                (host, Some(port))
            }
            _ => (authority, None),
        };
        Some(Self { scheme, host, port, rest })
    }

    pub(super) fn own_port(&self) -> &'static str {
        if self.scheme == "http" { "80" } else { "443" }
    }

    pub(super) fn with_port(&self, port: Option<&str>) -> String {
        let Self { scheme, host, rest, .. } = self;
        match port {
            None => format!("{scheme}://{host}{rest}"),
            Some(port) => format!("{scheme}://{host}:{port}{rest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_the_spellings_that_senders_use() {
        for (url, forms, urls) in [
            (
                "https://a.example/h?x=%40",
                &[Spelling::AsSent][..],
                vec!["https://a.example/h?x=%40"],
            ),
            (
                "https://a.example/h?x=%40%2f%20",
                &[Spelling::AsSent, Spelling::Decoded],
                vec![
                    "https://a.example/h?x=%40%2f%20",
                    "https://a.example/h?x=@/%20",
                    "https://a.example/h?x=@/ ",
                ],
            ),
            (
                "https://a.example:1234/h",
                &[Spelling::AsSent, Spelling::Ports],
                vec!["https://a.example:1234/h", "https://a.example/h"],
            ),
            (
                "http://a.example?x",
                &[Spelling::AsSent, Spelling::Ports],
                vec!["http://a.example?x", "http://a.example:80?x"],
            ),
            ("https://[::1]/h", &[Spelling::Ports], vec!["https://[::1]/h", "https://[::1]:443/h"]),
        ] {
            assert_eq!(spellings(url, forms), urls, "{url}");
        }
    }
}

//! `chatflow.*` of the settings.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

use crate::secret::Secret;
use crate::units::Span;

/// `chatflow.*`: where the API is, with which key, and how to speak to it.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChatflowSettings {
    /// Where the API is, without a slash at the end; https unless the host is this machine.
    pub base_url: BaseUrl,
    /// The API key, from Settings → API & Webhooks.
    pub api_key: Option<Secret>,
    /// A file that holds the API key; read again when it changes.
    pub api_key_file: Option<PathBuf>,
    /// From the first byte sent to the last byte of the answer.
    pub timeout: Span,
    /// Until a connection stands, TLS included.
    pub connect_timeout: Span,
    /// Certificates (PEM) to trust beside the system's, for a company's own proxy.
    pub ca_file: Option<PathBuf>,
    /// The URL of a proxy, which may hold a password. `HTTPS_PROXY` and its like are not read.
    pub proxy: Option<Secret>,
    /// How to say what the API's reference leaves open.
    pub wire: WireSettings,
}

impl Default for ChatflowSettings {
    fn default() -> Self {
        Self {
            base_url: BaseUrl::default(),
            api_key: None,
            api_key_file: None,
            timeout: Span(Duration::from_secs(10)),
            connect_timeout: Span(Duration::from_secs(3)),
            ca_file: None,
            proxy: None,
            wire: WireSettings::default(),
        }
    }
}

/// `chatflow.wire.*`: the forms of what the API's reference calls "string" and shows otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WireSettings {
    /// The form of `attributes` in an update.
    pub attributes: AttributesForm,
    /// The form of `tagsToAdd` and `tagsToRemove`.
    pub tag_changes: TagChangesForm,
    /// Where `onDuplicate` stands when contacts are created.
    pub on_duplicate: OnDuplicatePlace,
}

/// The form of `attributes` in an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributesForm {
    /// An array of `{name, value}`.
    #[default]
    Array,
    /// The same array as JSON in a text.
    JsonString,
}

impl AttributesForm {
    /// All of them, the default first.
    pub const ALL: &[Self] = &[Self::Array, Self::JsonString];

    /// The word of the setting.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Array => "array",
            Self::JsonString => "json_string",
        }
    }
}

/// The form of `tagsToAdd` and `tagsToRemove`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagChangesForm {
    /// One text, the tags separated by commas.
    #[default]
    String,
    /// An array of texts.
    Array,
}

impl TagChangesForm {
    /// All of them, the default first.
    pub const ALL: &[Self] = &[Self::String, Self::Array];

    /// The word of the setting.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Array => "array",
        }
    }
}

/// Where `onDuplicate` stands when contacts are created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDuplicatePlace {
    /// In the query.
    #[default]
    Query,
    /// Beside the fields of each contact in the body.
    Body,
}

impl OnDuplicatePlace {
    /// All of them, the default first.
    pub const ALL: &[Self] = &[Self::Query, Self::Body];

    /// The word of the setting.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Body => "body",
        }
    }
}

/// Where the API is: an absolute URL without query, fragment, credentials or a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct BaseUrl(String);

/// Why a text is no address of an API.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBaseUrl {
    /// It is no URL.
    #[error("`base_url` is no URL: expected one such as `https://chatflow.pabbly.com/api/v1`")]
    NotAUrl,
    /// The key would travel in the clear.
    #[error(
        "`base_url` needs https, since the API key travels with every request; plain http goes to this machine alone (127.0.0.1, [::1], localhost)"
    )]
    Insecure,
    /// It holds more than scheme, host, port and path.
    #[error("`base_url` is scheme, host, port and path alone, without credentials, `?` or `#`")]
    TooMuch,
}

impl BaseUrl {
    /// The URL, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host and the port, where one is written: fit for messages.
    pub(super) fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or(self.as_str(), |(_, rest)| rest);
        rest.split_once('/').map_or(rest, |(host, _)| host)
    }

    pub(super) fn is_secure(&self) -> bool {
        self.0.starts_with("https:")
    }
}

impl Default for BaseUrl {
    fn default() -> Self {
        Self("https://chatflow.pabbly.com/api/v1".to_owned())
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text.trim()).map_err(|_| InvalidBaseUrl::NotAUrl)?;
        match (url.scheme(), url.host_str()) {
            ("https", Some(_)) => {}
            ("http", Some(host)) if is_loopback(host) => {}
            ("http", Some(_)) => return Err(InvalidBaseUrl::Insecure),
            _ => return Err(InvalidBaseUrl::NotAUrl),
        }
        let credentials = !url.username().is_empty() || url.password().is_some();
        if credentials || url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidBaseUrl::TooMuch);
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = InvalidBaseUrl;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or_else(
        |_| host == "localhost" || host.ends_with(".localhost"),
        |address| address.is_loopback(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_never_travels_in_the_clear() {
        for (text, read) in [
            ("https://chatflow.pabbly.com/api/v1/", Ok("https://chatflow.pabbly.com/api/v1")),
            ("https://gate.example:8443", Ok("https://gate.example:8443")),
            ("http://127.0.0.1:8081/api/v1", Ok("http://127.0.0.1:8081/api/v1")),
            ("http://[::1]:8081", Ok("http://[::1]:8081")),
            ("http://localhost:1/", Ok("http://localhost:1")),
            ("http://chatflow.pabbly.com/api/v1", Err(InvalidBaseUrl::Insecure)),
            ("http://127.0.0.1.example/", Err(InvalidBaseUrl::Insecure)),
            ("http://localhost.example/", Err(InvalidBaseUrl::Insecure)),
            ("ftp://127.0.0.1/", Err(InvalidBaseUrl::NotAUrl)),
            ("chatflow.pabbly.com", Err(InvalidBaseUrl::NotAUrl)),
            ("", Err(InvalidBaseUrl::NotAUrl)),
            ("https://user:pass@gate.example/", Err(InvalidBaseUrl::TooMuch)),
            ("https://gate.example/?a=b", Err(InvalidBaseUrl::TooMuch)),
        ] {
            assert_eq!(
                text.parse::<BaseUrl>(),
                read.map(|url| BaseUrl(url.to_owned())),
                "{text:?}"
            );
        }
    }

    #[test]
    fn settings_hide_the_key_and_refuse_what_they_do_not_know() {
        let settings: ChatflowSettings = serde_json::from_value(serde_json::json!({
            "api_key": "marker-key", "timeout": "2s", "proxy": "http://u:marker-password@proxy:3128",
            "wire": {"attributes": "json_string", "tag_changes": "array", "on_duplicate": "body"}
        }))
        .unwrap();

        assert!(!format!("{settings:?}").contains("marker"));
        assert_eq!(settings.timeout.0, Duration::from_secs(2));
        assert_eq!(settings.connect_timeout.0, Duration::from_secs(3));
        assert_eq!(settings.wire.attributes, AttributesForm::JsonString);
        assert!(serde_json::from_str::<ChatflowSettings>(r#"{"key":"x"}"#).is_err());
    }

    #[test]
    fn a_message_names_the_host_alone() {
        assert_eq!(BaseUrl::default().host(), "chatflow.pabbly.com");
        assert_eq!("http://[::1]:81/a/b".parse::<BaseUrl>().unwrap().host(), "[::1]:81");
    }
}

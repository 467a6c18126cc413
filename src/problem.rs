//! An error answer in the form of RFC 9457, `application/problem+json`.

use serde::Serialize;

/// The content type of a [`Problem`].
pub const CONTENT_TYPE: &str = "application/problem+json";

/// What a caller is told when a request was not taken: a status, a stable kind, a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The HTTP status, 400 to 599.
    pub status: u16,
    /// A relative URI that names the kind of problem and never changes, such as `/problems/too-large`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The kind in words; the same for every occurrence.
    pub title: &'static str,
    /// What happened this time; never a secret, a body or personal data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Seconds for the `Retry-After` header, where trying again makes sense.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// A problem without detail.
    pub const fn new(status: u16, kind: &'static str, title: &'static str) -> Self {
        Self { status, kind, title, detail: None, retry_after: None }
    }

    /// The same, with what happened this time.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same, asking the caller to come back after so many seconds.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

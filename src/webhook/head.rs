//! The head of a request, as far as anything behind the door reads it.

use std::net::IpAddr;
use std::sync::Arc;

/// Everything of a request but its body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// `POST`, or what was sent instead.
    pub method: String,
    /// The path as it was sent, undecoded.
    pub path: String,
    /// The query as it was sent, without the `?`.
    pub query: String,
    /// What stands behind the source's name in the path, decoded.
    pub token: Option<String>,
    /// The headers.
    pub headers: Headers,
    /// Where senders reach the bridge, such as `https://hooks.example`: what stands before the path in a URL that
    /// is signed. Nothing where nobody has said it.
    pub origin: Option<Arc<str>>,
    /// The address of the client; nothing where proxies in between do not tell it.
    pub client: Option<IpAddr>,
}

impl Head {
    /// The URL as its sender wrote it, as far as can be told; nothing without an origin.
    pub fn url(&self) -> Option<String> {
        let Self { origin, path, query, .. } = self;
        let origin = origin.as_deref()?;
        let mark = if query.is_empty() { "" } else { "?" };
        Some(format!("{origin}{path}{mark}{query}"))
    }
}

/// Headers in the order they came, names in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers(Vec<(Box<str>, Box<str>)>);

/// One name was given with different values, so that readers would disagree on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Differing;

impl Headers {
    /// Adds one; its name is kept in lower case.
    pub fn add(&mut self, name: &str, value: &str) {
        self.0.push((name.to_ascii_lowercase().into(), value.into()));
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The first of this name (in lower case).
    pub fn first(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(own, value)| (own == name).then_some(value))
    }

    /// The one value of this name (in lower case), which may stand there repeatedly.
    pub fn only(&self, name: &str) -> Result<Option<&str>, Differing> {
        only(self.iter().filter(|(own, _)| *own == name).map(|(_, value)| value))
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut headers = Self::default();
        for (name, value) in pairs {
            headers.add(name.as_ref(), value.as_ref());
        }
        headers
    }
}

/// The one value among equal ones.
pub(super) fn only<T: PartialEq>(
    mut values: impl Iterator<Item = T>,
) -> Result<Option<T>, Differing> {
    let Some(first) = values.next() else { return Ok(None) };
    if values.all(|value| value == first) { Ok(Some(first)) } else { Err(Differing) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_is_repeated_counts_only_while_its_values_agree() {
        let headers: Headers =
            [("X-A", "1"), ("x-a", "1"), ("X-B", "1"), ("x-b", "2")].into_iter().collect();

        assert_eq!(headers.only("x-a"), Ok(Some("1")));
        assert_eq!(headers.only("x-b"), Err(Differing));
        assert_eq!(headers.only("x-c"), Ok(None));
        assert_eq!(headers.first("x-b"), Some("1"));
    }
}

//! The name of a source.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The name of a source, as it stands in `/hooks/{source}`: 1 to 63 of `a-z`, `0-9` and `-`; cheap to copy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceName(Arc<str>);

/// Why a text is no name of a source.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSourceName {
    /// A character that cannot stand in it, no character, or too many.
    #[error("a source's name has 1 to 63 of `a-z`, `0-9` and `-`")]
    Spelling,
    /// A name that metrics use for requests that name no source.
    #[error("`unknown` is reserved: it counts the requests that name no source")]
    Reserved,
}

impl SourceName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for SourceName {
    type Error = InvalidSourceName;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let of_a_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !(1..=63).contains(&text.len()) || !text.bytes().all(of_a_name) {
            return Err(InvalidSourceName::Spelling);
        }
        if text == "unknown" {
            return Err(InvalidSourceName::Reserved);
        }
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for SourceName {
    type Error = InvalidSourceName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(text.as_str())
    }
}

impl From<SourceName> for String {
    fn from(name: SourceName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_into_an_address_and_a_label() {
        for (text, read) in [
            ("typeform", Ok(())),
            ("shop-2", Ok(())),
            ("unknown", Err(InvalidSourceName::Reserved)),
            ("Shop", Err(InvalidSourceName::Spelling)),
            ("a/b", Err(InvalidSourceName::Spelling)),
            ("", Err(InvalidSourceName::Spelling)),
        ] {
            assert_eq!(SourceName::try_from(text).map(|_| ()), read, "{text:?}");
        }
    }
}

//! A text that nobody may see: it shows itself as stars wherever it is printed.

use std::fmt;

use serde::Deserialize;

/// A key, token or password. It has no `Serialize`, and `Debug` and `Display` print stars; [`Secret::expose`] is
/// the one way to its text, so that a search for `expose` finds every use.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(Box<str>);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself: to be compared or sent, never to be printed.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing but white space in it.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret: Secret = serde_json::from_str("\"tell-nobody\"").unwrap();

        assert_eq!(
            format!("{secret} {secret:?} {:?}", Some(&secret)),
            "******** ******** Some(********)"
        );
        assert_eq!(secret.expose(), "tell-nobody");
    }
}

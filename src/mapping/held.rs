//! Why a value could not be had, so that its update is held.

use crate::contact::HeldReason;

/// A value that could not be had. The detail says what was expected and what was found, never a
/// value of the event: it is shown, logged and counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{detail}")]
pub struct Held {
    /// The word for it, from the closed list.
    pub reason: HeldReason,
    /// What was expected, what was found, what to do.
    pub detail: String,
}

impl Held {
    /// A value held for this reason.
    pub fn new(reason: HeldReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    /// Several values where one is expected.
    pub fn several(count: usize) -> Self {
        Self::new(
            HeldReason::Several,
            format!(
                "{count} values where one is expected: choose with `pick`, or make one text with `join`"
            ),
        )
    }

    /// A value of the wrong kind: `expected` and `found` as in "a text" and "an object".
    pub fn kind(expected: &str, found: &str) -> Self {
        Self::new(HeldReason::Type, format!("{expected} is expected, {found} was found"))
    }

    /// The same, with the place it happened at in front.
    #[must_use]
    pub fn at(self, place: &str) -> Self {
        Self { reason: self.reason, detail: format!("{place}: {}", self.detail) }
    }
}

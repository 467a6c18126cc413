//! A change to one attribute.

use serde::{Deserialize, Serialize};

/// What becomes of an attribute. Removing is said, never meant by an empty text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeChange {
    /// It gets this value, which is not empty.
    Set(String),
    /// It is taken away (on the wire: an empty value).
    Remove,
}

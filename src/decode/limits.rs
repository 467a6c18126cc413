//! How large a document may become, whatever the size of its body.

/// The bounds of a document; the size of the body is bounded where it is received and inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Levels of nesting: lists and objects inside one another.
    pub levels: usize,
    /// Values of every kind, lists and objects themselves included.
    pub nodes: usize,
    /// Fields of a form, repeated ones each.
    pub keys: usize,
    /// Parts of a multipart body.
    pub parts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { levels: 64, nodes: 100_000, keys: 10_000, parts: 1_000 }
    }
}

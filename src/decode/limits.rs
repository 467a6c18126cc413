//! How large a document may become, whatever the size of its body.

/// The bounds of a document; the size of the body is bounded where it is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Levels of nesting: lists and objects inside one another.
    pub levels: usize,
    /// Values of every kind, lists and objects themselves included.
    pub nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { levels: 64, nodes: 100_000 }
    }
}

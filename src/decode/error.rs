//! Why a body did not become a document.

/// What is wrong with a body: what, and where; never what stands there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No format is known for the content type.
    #[error("the content type is not handled: send `application/json`")]
    UnsupportedContentType,
    /// The body is no text in UTF-8.
    #[error("the body is not UTF-8 from byte {at} on")]
    NotUtf8 {
        /// How many bytes were right before it.
        at: usize,
    },
    /// The body breaks the grammar of its format.
    #[error("the body does not parse: {what} (line {line}, column {column})")]
    Syntax {
        /// What was expected, or what is wrong.
        what: &'static str,
        /// The line, from 1.
        line: usize,
        /// The character in the line, from 1.
        column: usize,
    },
    /// An object names one member twice, so that readers would disagree on its value.
    #[error("a key stands twice in one object (line {line}, column {column})")]
    RepeatedKey {
        /// The line of the second one, from 1.
        line: usize,
        /// Its character in the line, from 1.
        column: usize,
    },
    /// Lists and objects are nested too deep.
    #[error("the body is nested deeper than the limit of {limit} levels")]
    TooDeep {
        /// The levels that are allowed.
        limit: usize,
    },
    /// The document has too many values.
    #[error("the body holds more than the limit of {limit} values")]
    TooManyNodes {
        /// The values that are allowed.
        limit: usize,
    },
}

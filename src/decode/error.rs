//! Why a body did not become a document.

/// What is wrong with a body: what, and where; never what stands there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No format is known for the content type.
    #[error(
        "the content type is not handled: send JSON, a form, `multipart/form-data`, XML or NDJSON, or name the format in the source's `body.format`"
    )]
    UnsupportedContentType,
    /// The content type names a charset that is not known.
    #[error("the charset of the content type is not known: send UTF-8")]
    UnknownCharset,
    /// The body is no text in UTF-8.
    #[error("the body is not UTF-8 from byte {at} on")]
    NotUtf8 {
        /// How many bytes were right before it.
        at: usize,
    },
    /// The body is no text in the charset it claims.
    #[error("the body is not in the charset that it names, {charset}")]
    NotInCharset {
        /// The charset's own name.
        charset: &'static str,
    },
    /// The body does not unpack.
    #[error("the body is not the {coding} that its `Content-Encoding` says")]
    Packed {
        /// What it was said to be.
        coding: &'static str,
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
    /// The body breaks the grammar of its format, in a part or field that has no line.
    #[error("the body does not parse: {what} (field or part {number})")]
    Field {
        /// What was expected, or what is wrong.
        what: &'static str,
        /// Which field or part it is, from 1.
        number: usize,
    },
    /// The content type of a multipart body does not say what stands between its parts.
    #[error("the content type names no `boundary` of 1 to 70 characters")]
    NoBoundary,
    /// A field that `parse_json` names does not hold JSON.
    #[error("a field of `body.parse_json` holds no JSON: {0}")]
    NestedJson(#[source] Box<Error>),
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
    /// The form has too many fields.
    #[error("the body holds more than the limit of {limit} keys")]
    TooManyKeys {
        /// The fields that are allowed.
        limit: usize,
    },
    /// The multipart body has too many parts.
    #[error("the body holds more than the limit of {limit} parts")]
    TooManyParts {
        /// The parts that are allowed.
        limit: usize,
    },
}

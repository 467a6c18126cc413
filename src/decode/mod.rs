//! Bytes and a content type in, one document out. Pure.
//!
//! [`document`] chooses the format, [`json()`] reads it under [`Limits`]; [`query`] and [`headers`] make documents
//! of what stands around the body.
//!
//! # Promises
//!
//! - Numbers keep every digit.
//! - No bytes make it panic, and no body becomes a document beyond the limits.
//! - An [`Error`] says what and where, never what stands there.

mod error;
mod json;
mod limits;
mod request;

pub use error::Error;
pub use json::json;
pub use limits::Limits;
pub use request::{headers, percent_decoded, query, query_pairs, query_without};

use crate::document::Value;

/// How a body is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// As its content type says.
    #[default]
    Auto,
    /// As JSON, whatever the content type says.
    Json,
}

/// Reads a body into a document.
///
/// With [`Format::Auto`], `application/json`, `text/json` and every `…+json` are JSON, and so is a body without a
/// content type, or called a form or plain text, that begins like a list or an object: senders' content types lie.
pub fn document(
    content_type: Option<&str>,
    body: &[u8],
    format: Format,
    limits: &Limits,
) -> Result<Value, Error> {
    let as_json = match format {
        Format::Json => true,
        Format::Auto => match content_type.map(media_type).as_deref() {
            Some("application/json" | "text/json") => true,
            None | Some("" | "application/x-www-form-urlencoded" | "text/plain") => {
                begins_like_json(body)
            }
            Some(other) => other.ends_with("+json"),
        },
    };
    if as_json { json(body, limits) } else { Err(Error::UnsupportedContentType) }
}

/// The media type in lower case, without its parameters.
fn media_type(content_type: &str) -> String {
    let (media, _) = content_type.split_once(';').unwrap_or((content_type, ""));
    media.trim().to_ascii_lowercase()
}

fn begins_like_json(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'['))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_follows_the_content_type_and_a_lie_is_seen_through() {
        let limits = Limits::default();
        for (content_type, body, read) in [
            (Some("application/json"), "1", true),
            (Some("Application/JSON; charset=utf-8"), "{}", true),
            (Some("application/cloudevents+json"), "{}", true),
            (None, " {}", true),
            (None, "a=1", false),
            (Some("application/x-www-form-urlencoded"), "[]", true),
            (Some("application/x-www-form-urlencoded"), "a=1", false),
            (Some("text/plain"), "{}", true),
            (Some("text/xml"), "<a/>", false),
            (Some("image/png"), "{}", false),
        ] {
            let document = document(content_type, body.as_bytes(), Format::Auto, &limits);
            assert_eq!(document.is_ok(), read, "{content_type:?} {body:?}");
            assert!(read || document == Err(Error::UnsupportedContentType));
        }
    }

    #[test]
    fn a_source_can_say_that_it_is_json_whatever_the_content_type_says() {
        let read = document(Some("image/png"), b"{}", Format::Json, &Limits::default());
        assert!(read.is_ok());
    }
}

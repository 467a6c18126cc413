//! Bytes and a content type in, one document out. Pure.
//!
//! [`inflate`](fn@inflate) takes a `Content-Encoding` off, [`document`] chooses the format, reads it under [`Limits`]
//! and gives the document the shape that its source asks for: [`json()`], forms, multipart bodies, XML and NDJSON, each
//! in a file of its own. [`query`] and [`headers`] make documents of what stands around the body.
//!
//! # Promises
//!
//! - Numbers keep every digit.
//! - No bytes make it panic, and no body becomes a document beyond the limits.
//! - What a reader takes is read in one way only: repeated keys, fields that are two things at once and bytes behind
//!   the end are refused.
//! - An [`Error`] says what and where, never what stands there.

mod charset;
mod error;
mod fields;
mod form;
mod inflate;
mod json;
mod limits;
mod media;
mod multipart;
mod ndjson;
mod request;
mod shape;
#[cfg(test)]
mod tests;
mod xml;

pub use error::Error;
pub use inflate::{Coding, inflate};
pub use json::json;
pub use limits::Limits;
pub use request::{headers, percent_decoded, query, query_pairs, query_without};

use std::borrow::Cow;

use crate::document::Value;

/// How a body is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// As its content type says.
    #[default]
    Auto,
    /// As JSON, whatever the content type says; and so for the others.
    Json,
    /// As `application/x-www-form-urlencoded`.
    Form,
    /// As `multipart/form-data`; the content type still names the boundary.
    Multipart,
    /// As XML.
    Xml,
    /// As JSON documents, one a line.
    Ndjson,
}

/// What a source says about its bodies, and what they may cost.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'o> {
    /// How they are read.
    pub format: Format,
    /// Members that are JSON in a text.
    pub parse_json: &'o [String],
    /// Members of forms, multipart bodies and XML that are lists also when there is only one.
    pub always_arrays: &'o [String],
    /// The bounds of the document.
    pub limits: Limits,
}

/// Reads a body, as it is once it is inflated, into a document.
///
/// With [`Format::Auto`] the content type says the format: `application/json`, `text/json` and every `…+json` are JSON,
/// `application/xml`, `text/xml` and every `…+xml` XML, and so on. A body without a content type, or called a form or
/// plain text, that begins like JSON or XML is read as that: senders' content types lie.
pub fn document(
    content_type: Option<&str>,
    body: &[u8],
    options: &Options<'_>,
) -> Result<Value, Error> {
    let content_type = content_type.unwrap_or_default();
    let limits = &options.limits;
    let format = match options.format {
        Format::Auto => format_of(&media::media_type(content_type), body)?,
        said => said,
    };
    let label = media::parameter(content_type, "charset");
    let charset = charset::named(label.as_deref())?;
    let mut document = match format {
        Format::Auto | Format::Json => json(&utf8(body, charset)?, limits)?,
        Format::Form => form::form(body, charset, limits)?,
        Format::Multipart => multipart::multipart(content_type, body, charset, limits)?,
        Format::Xml => {
            let declared = xml::declared_charset(body);
            let charset = if label.is_some() { charset } else { charset::named(declared)? };
            xml::xml(&charset::text(body, charset)?, limits)?
        }
        Format::Ndjson => ndjson::ndjson(&charset::text(body, charset)?, limits)?,
    };
    if matches!(format, Format::Form | Format::Multipart | Format::Xml) {
        shape::always_arrays(&mut document, options.always_arrays);
    }
    shape::parse_json(&mut document, options.parse_json, limits)?;
    Ok(document)
}

/// The format of a media type; what `body` begins with counts where the type is likely to be a lie.
fn format_of(media: &str, body: &[u8]) -> Result<Format, Error> {
    match media {
        "application/json" | "text/json" => return Ok(Format::Json),
        "application/xml" | "text/xml" => return Ok(Format::Xml),
        "multipart/form-data" => return Ok(Format::Multipart),
        "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/x-jsonlines"
        | "application/jsonlines" => return Ok(Format::Ndjson),
        "" | "text/plain" | "application/x-www-form-urlencoded" => {}
        other if other.ends_with("+json") => return Ok(Format::Json),
        other if other.ends_with("+xml") => return Ok(Format::Xml),
        _ => return Err(Error::UnsupportedContentType),
    }
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    match body.trim_ascii_start().first() {
        Some(b'{' | b'[') => Ok(Format::Json),
        Some(b'<') => Ok(Format::Xml),
        _ if media == "application/x-www-form-urlencoded" => Ok(Format::Form),
        _ => Err(Error::UnsupportedContentType),
    }
}

/// The bytes in UTF-8; as they are where they are to be that already, so that the reader says what is wrong with them.
fn utf8<'b>(
    body: &'b [u8],
    charset: &'static encoding_rs::Encoding,
) -> Result<Cow<'b, [u8]>, Error> {
    if charset == encoding_rs::UTF_8
        && !body.starts_with(b"\xFE\xFF")
        && !body.starts_with(b"\xFF\xFE")
    {
        return Ok(Cow::Borrowed(body));
    }
    Ok(match charset::text(body, charset)? {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    })
}

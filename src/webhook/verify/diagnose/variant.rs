//! How URLs and bodies are changed between a sender and us.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::super::asked::Asked;
use super::super::spelling::Parts;
use crate::decode::percent_decoded;
use crate::document::Value;

/// The URL in other spellings, each with what was done to it.
pub(super) fn urls(url: &str) -> Vec<(&'static str, String)> {
    let mut urls = Vec::new();
    if let Some(parts) = Parts::of(url) {
        let other = if parts.scheme == "https" { "http" } else { "https" };
        let swapped = Parts { scheme: other, ..parts };
        let how =
            if other == "http" { "with `http` for `https`" } else { "with `https` for `http`" };
        urls.push((how, swapped.with_port(parts.port)));
        urls.push((how, swapped.with_port(None)));
        urls.push(("without its port", parts.with_port(None)));
        urls.push(("with the port said", parts.with_port(Some(parts.own_port()))));
        let (path, query) = parts.rest.split_once('?').map_or((parts.rest, ""), |(p, q)| (p, q));
        let mark = if query.is_empty() { "" } else { "?" };
        let with = |path: &str| {
            let rest = format!("{path}{mark}{query}");
            Parts { rest: &rest, ..parts }.with_port(parts.port)
        };
        match path.strip_suffix('/') {
            Some(bare) => urls.push(("without the slash at the end of its path", with(bare))),
            None => urls.push(("with a slash at the end of its path", with(&format!("{path}/")))),
        }
        urls.push(("without its query", Parts { rest: path, ..parts }.with_port(parts.port)));
    }
    urls.push(("decoded", percent_decoded(url)));
    urls.push(("with `%20` for `+`", url.replace('+', "%20")));
    urls.push(("with `+` for `%20`", url.replace("%20", "+")));
    urls.retain(|(_, other)| other != url);
    urls
}

/// The body in other spellings, each with what was done to it.
pub(super) fn bodies(asked: &Asked<'_>) -> Vec<(&'static str, Vec<u8>)> {
    let body = asked.payload.inflated;
    let mut bodies = Vec::new();
    let trimmed = body.trim_ascii();
    bodies.push(("without the line end or blanks around it", trimmed.to_vec()));
    if let Some(bare) = body.strip_suffix(b"\n") {
        let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
        bodies.push(("without the line end behind it", bare.to_vec()));
    }
    bodies.push(("with a line end behind it", [body, b"\n"].concat()));
    bodies.push(("with a line end (CRLF) behind it", [body, b"\r\n"].concat()));
    if let Some(bare) = body.strip_prefix(b"\xEF\xBB\xBF") {
        bodies.push(("without the byte order mark", bare.to_vec()));
    }
    if let Ok(text) = std::str::from_utf8(body) {
        let unix = text.replace("\r\n", "\n");
        bodies.push(("with CRLF for LF", unix.replace('\n', "\r\n").into_bytes()));
        bodies.push(("with LF for CRLF", unix.into_bytes()));
        if asked.is_form() {
            bodies.push(("with `%20` for `+`", text.replace('+', "%20").into_bytes()));
            bodies.push(("with `+` for `%20`", text.replace("%20", "+").into_bytes()));
        }
    }
    if let Some(document) = asked.document() {
        let compact = written(document, CompactFormatter);
        bodies.push(("as compact JSON", compact.clone()));
        bodies.push(("as JSON with blanks behind `,` and `:`", written(document, Spaced)));
        for indent in [&b"  "[..], b"    ", b"\t"] {
            let pretty = written(document, PrettyFormatter::with_indent(indent));
            bodies.push(("as indented JSON", [&pretty[..], b"\n"].concat()));
            bodies.push(("as indented JSON", pretty));
        }
        if let Ok(text) = String::from_utf8(compact) {
            let escaped = ascii(&text);
            let slashes = text.replace('/', "\\/");
            bodies.push(("as JSON with `\\/` for `/`", slashes.into_bytes()));
            bodies.push(("as JSON with `\\u` escapes", escaped.clone().into_bytes()));
            let both = escaped.replace('/', "\\/");
            bodies.push(("as JSON with `\\/` and `\\u` escapes", both.into_bytes()));
            let spaced = String::from_utf8(written(document, Spaced)).unwrap_or_default();
            let spaced = ascii(&spaced).into_bytes();
            bodies.push(("as JSON with blanks behind `,` and `:` and `\\u` escapes", spaced));
        }
    }
    bodies.retain(|(_, other)| other != body);
    bodies
}

fn written(document: &Value, formatter: impl Formatter) -> Vec<u8> {
    let mut text = Vec::new();
    match document.serialize(&mut Serializer::with_formatter(&mut text, formatter)) {
        Ok(()) => text,
        Err(_) => Vec::new(),
    }
}

/// Everything beyond ASCII as `\uXXXX`.
fn ascii(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            escaped.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a text does not fail.
                write!(escaped, "\\u{unit:04x}").unwrap_or_default();
            }
        }
    }
    escaped
}

/// JSON with a blank behind `,` and `:`, as Python and others write it.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { to.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { to.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        to.write_all(b": ")
    }
}

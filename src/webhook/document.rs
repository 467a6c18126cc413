//! From the body of a request to its document, as the source says.

use crate::decode::{self, Format, Limits, Options};
use crate::document::Value;
use crate::mapping::{self, Source};

/// Reads a body to `source` into a document: for a request, for `test` and for `explain` alike. The body is as it is
/// once it is inflated.
pub fn decode_for(
    source: &Source,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Value, decode::Error> {
    let format = match source.body.format {
        mapping::Format::Auto => Format::Auto,
        mapping::Format::Json => Format::Json,
        mapping::Format::Form => Format::Form,
        mapping::Format::Multipart => Format::Multipart,
        mapping::Format::Xml => Format::Xml,
        mapping::Format::Ndjson => Format::Ndjson,
    };
    let options = Options {
        format,
        parse_json: &source.body.parse_json,
        always_arrays: &source.body.always_arrays,
        limits: Limits::default(),
    };
    decode::document(content_type, body, &options)
}

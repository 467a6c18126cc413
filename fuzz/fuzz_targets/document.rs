//! A content type in the first line, the body behind it: the choice of the format, charsets, lists and JSON in texts.
#![no_main]

use chatflow_bridge::decode::{Options, document};
use libfuzzer_sys::fuzz_target;

mod law;

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let content_type = String::from_utf8_lossy(&data[..end]);
    let body = data.get(end + 1..).unwrap_or_default();
    let (parse_json, always_arrays) = (["a".to_owned(), "payload".to_owned()], ["b".to_owned()]);
    let options =
        Options { parse_json: &parse_json, always_arrays: &always_arrays, ..Options::default() };
    if let Ok(document) = document(Some(&content_type), body, &options) {
        law::holds(&document);
    }
});

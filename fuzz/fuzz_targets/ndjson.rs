//! The reader of JSON, one document a line.
#![no_main]

use chatflow_bridge::decode::{Format, Options, document};
use libfuzzer_sys::fuzz_target;

mod law;

fuzz_target!(|body: &[u8]| {
    let options = Options { format: Format::Ndjson, ..Options::default() };
    if let Ok(document) = document(Some("application/x-ndjson"), body, &options) {
        law::holds(&document);
    }
});

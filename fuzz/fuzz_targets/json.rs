//! The reader of JSON.
#![no_main]

use chatflow_bridge::decode::{Format, Options, document};
use libfuzzer_sys::fuzz_target;

mod law;

fuzz_target!(|body: &[u8]| {
    let options = Options { format: Format::Json, ..Options::default() };
    if let Ok(document) = document(Some("application/json"), body, &options) {
        law::holds(&document);
    }
});

//! The reader of forms.
#![no_main]

use chatflow_bridge::decode::{Format, Options, document};
use libfuzzer_sys::fuzz_target;

mod law;

fuzz_target!(|body: &[u8]| {
    let options = Options { format: Format::Form, ..Options::default() };
    if let Ok(document) = document(Some("application/x-www-form-urlencoded"), body, &options) {
        law::holds(&document);
    }
});

//! The reader of multipart bodies whose boundary is `B`.
#![no_main]

use chatflow_bridge::decode::{Format, Options, document};
use libfuzzer_sys::fuzz_target;

mod law;

fuzz_target!(|body: &[u8]| {
    let options = Options { format: Format::Multipart, ..Options::default() };
    if let Ok(document) = document(Some("multipart/form-data; boundary=B"), body, &options) {
        law::holds(&document);
    }
});

//! The reader of XML.
#![no_main]

use chatflow_bridge::decode::{Format, Options, document};
use libfuzzer_sys::fuzz_target;

mod law;

fuzz_target!(|body: &[u8]| {
    let options = Options { format: Format::Xml, ..Options::default() };
    if let Ok(document) = document(Some("text/xml"), body, &options) {
        law::holds(&document);
    }
});

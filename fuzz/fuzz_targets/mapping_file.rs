//! The reader of mapping files, what shows their problems, and the rules that come of it on a small event.
#![no_main]

use chatflow_bridge::decode::{Limits, json};
use chatflow_bridge::document::Value;
use chatflow_bridge::mapping::diagnostics::{Colour, render};
use chatflow_bridge::mapping::{Input, Set};
use chatflow_bridge::webhook::check_door;
use libfuzzer_sys::fuzz_target;

const EVENT: &[u8] =
    br#"{"id":1,"mobile":"+12025550143","a":["x",{"b":null}],"t":"2026-11-23T12:00:00Z"}"#;

fuzz_target!(|text: &str| {
    let read = Set::read_with(vec![("fuzz.yaml".to_owned(), text.to_owned())], &check_door);
    for report in &read.reports {
        if !report.problems.is_empty() {
            render(report, Colour::Never);
        }
    }
    let Some(set) = read.set else { return };
    let document = json(EVENT, &Limits::default()).expect("it is JSON");
    let nothing = Value::default();
    for source in set.iter() {
        let received_at = jiff::Timestamp::UNIX_EPOCH;
        source.plan(&Input {
            document: &document,
            headers: &nothing,
            query: &nothing,
            received_at,
        });
    }
});

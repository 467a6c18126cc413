//! Running a test.

use super::difference::{self, Difference};
use super::expect::Expect;
use super::given::Body;
use super::usual::usual_content_type;
use super::{Test, actual, compare};
use crate::document::Value;
use crate::mapping::{Explained, Input, Source, shown};

/// What a test needs that mapping does not do itself.
pub trait Outside {
    /// Reads a file named in `body_file`, from where the mapping file stands; else says why not.
    fn read_file(&mut self, name: &str) -> Result<Vec<u8>, String>;

    /// Makes a document of a body to `source` with this content type, as for a request; else says why not.
    fn decode(
        &mut self,
        source: &Source,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Value, String>;
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Whether everything was as expected.
    pub passed: bool,
    /// What was not: expected and actual, in the field names of mapping files.
    pub failures: Vec<String>,
    /// What was planned, as [`shown::event`] shows it.
    pub events: Vec<serde_json::Value>,
    /// Of each event that is expected, both sides.
    pub differences: Vec<Difference>,
    /// What every rule saw.
    pub explained: Vec<Explained>,
    /// Whether it is `expect` that is not met.
    pub misses_expect: bool,
    /// What `expect` would have to be for the test to pass; nothing where there was no document to map.
    pub actual: Option<serde_json::Value>,
}

/// Runs a test of a source.
pub fn run(source: &Source, test: &Test, outside: &mut dyn Outside) -> Outcome {
    let decoded;
    let document = match &test.body {
        Body::Document(document) => document,
        sent => match decode(source, test, sent, outside) {
            Ok(document) => {
                decoded = document;
                &decoded
            }
            Err(failure) => {
                let failures = vec![failure];
                return Outcome { passed: false, failures, ..Outcome::default() };
            }
        },
    };
    let explained = source.explain(&Input {
        document,
        headers: &test.headers,
        query: &test.query,
        received_at: test.received_at,
    });
    let events: Vec<_> = explained.iter().map(|explained| &explained.event).collect();
    let shown: Vec<_> = events.iter().copied().map(shown::event).collect();
    let (mut failures, mut differences) = (Vec::new(), Vec::new());
    match &test.expect {
        Expect::One(expected) => match events.as_slice() {
            [event] => {
                compare::event(expected, event, &test.lookups, &mut failures);
                differences.push(difference::of(expected, event, &test.lookups));
            }
            [] if matches!(expected, super::expect::OfEvent::Ignored) => {}
            other => failures.push(format!("expected one event, got {}", other.len())),
        },
        Expect::Each(expected) => {
            if expected.len() != events.len() {
                failures.push(format!("expected {} events, got {}", expected.len(), events.len()));
            }
            for (place, (expected, event)) in expected.iter().zip(&events).enumerate() {
                let before = failures.len();
                compare::event(expected, event, &test.lookups, &mut failures);
                differences.push(difference::of(expected, event, &test.lookups));
                for failure in failures.iter_mut().skip(before) {
                    *failure = format!("event {place}: {failure}");
                }
            }
        }
    }
    let misses_expect = !failures.is_empty();
    if !test.events.is_empty() && test.events.len() != events.len() {
        failures.push(format!("`event`: expected {}, got {}", test.events.len(), events.len()));
    }
    for (pinned, event) in test.events.iter().zip(&shown) {
        for (name, expected) in pinned {
            let actual = event.get(name).unwrap_or(&serde_json::Value::Null);
            compare::differences(&format!("event.{name}"), expected, actual, &mut |line| {
                failures.push(line);
            });
        }
    }
    let form = match &test.expect {
        Expect::One(_) => actual::Form::Short,
        Expect::Each(_) => actual::Form::Batch,
    };
    let actual = Some(actual::expectation(&events, &test.lookups, form));
    Outcome {
        passed: failures.is_empty(),
        failures,
        events: shown,
        differences,
        explained,
        misses_expect,
        actual,
    }
}

fn decode(
    source: &Source,
    test: &Test,
    body: &Body,
    outside: &mut dyn Outside,
) -> Result<Value, String> {
    let said = test.headers.member("content-type").and_then(Value::as_text);
    match body {
        Body::Document(document) => Ok(document.clone()),
        Body::Raw(sent) => outside.decode(source, said, sent.as_bytes()),
        Body::Typed(sent, usual) => outside.decode(source, said.or(Some(usual)), sent.as_bytes()),
        Body::File(name) => {
            let decoded = outside.read_file(name).and_then(|sent| {
                let usual = if said.is_none() { usual_content_type(name, &sent) } else { None };
                outside.decode(source, said.or(usual.as_deref()), &sent)
            });
            decoded.map_err(|error| format!("`body_file: {name}`: {error}"))
        }
    }
}

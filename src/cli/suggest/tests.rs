//! Whatever is captured, what is suggested is a mapping without a problem that passes its own tests.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::document::{Members, Value};
use crate::mapping::testing::{Outside, run as run_test};
use crate::mapping::{Set, Source};
use crate::webhook::check_verify;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/suggest")
}

/// A body file that is the captured event, and bodies decoded as for a request.
struct Event<'e>(&'e [u8]);

impl Outside for Event<'_> {
    fn read_file(&mut self, _name: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.to_vec())
    }

    fn decode(
        &mut self,
        _source: &Source,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Value, String> {
        decode::document(content_type, body, Format::Auto, &Limits::default())
            .map_err(|error| error.to_string())
    }
}

/// What is wrong with the mapping that is suggested for an event; with the mapping itself.
fn wrong(
    body: &[u8],
    document: &Value,
    headers: &[(String, String)],
    in_a_file: bool,
) -> (Vec<String>, String) {
    let presets: Vec<_> = verify::recognise(headers).into_iter().map(str::to_owned).collect();
    let source = SourceName::try_from("sender").unwrap();
    let text = suggest(&Captured {
        source: &source,
        document,
        headers,
        presets: &presets,
        country: None,
        body_file: in_a_file.then_some(("fixtures/sender-1.json", None)),
    })
    .text;
    let read = Set::read_with(vec![("sender.yaml".to_owned(), text.clone())], &check_verify);
    let mut wrong: Vec<_> = read
        .reports
        .iter()
        .flat_map(|report| report.diagnostics())
        .map(|found| format!("{} line {}: {}", found.code, found.line, found.message))
        .collect();
    if let Some(set) = read.set {
        let source = set.get("sender").unwrap();
        if source.tests().is_empty() {
            wrong.push("it has no tests".to_owned());
        }
        for test in source.tests() {
            let outcome = run_test(source, test, &mut Event(body));
            wrong
                .extend(outcome.failures.iter().map(|failure| format!("{}: {failure}", test.name)));
        }
    }
    (wrong, text)
}

/// Every fixture, with its headers in lower case.
fn fixtures() -> Vec<(String, Vec<u8>, Value, Vec<(String, String)>)> {
    let text = std::fs::read_to_string(folder().join("headers.json")).unwrap();
    let headers: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut found = Vec::new();
    for (name, headers) in headers.as_object().unwrap() {
        let body = std::fs::read(folder().join(name)).unwrap();
        let document = decode::json(&body, &Limits::default()).unwrap();
        let headers = headers.as_object().unwrap().iter();
        let headers =
            headers.map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap().to_owned()));
        found.push((name.clone(), body, document, headers.collect()));
    }
    assert!(found.len() > 30);
    found
}

#[test]
fn every_suggestion_is_a_mapping_without_a_problem_that_passes_its_own_tests() {
    for (name, body, document, headers) in fixtures() {
        for (headers, in_a_file) in [(headers.as_slice(), true), (&[], false)] {
            let (wrong, text) = wrong(&body, &document, headers, in_a_file);
            assert!(wrong.is_empty(), "{name}: {wrong:#?}\n{text}");
        }
    }
}

fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "phone", "mobile", "email", "name", "first_name", "last_name", "consent", "optin", "tags", "id",
            "event_id", "type", "event", "timestamp", "created_at", "label", "key", "value", "data", "contacts",
            "country", "primary", "items", "whatsapp", "contact_id", "field", "text", "unsubscribed",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[a-zA-Z0-9_ '\"#:$|.\\\\-]{0,12}",
    ]
}

fn any_single() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| Value::Number(number.to_string().into())),
        Just(Value::Number("1E5".into())),
        any::<String>().prop_map(Value::text),
        prop::sample::select(vec![
            "+12025550143",
            "12025550143",
            "(202) 555-0119",
            "9812345678",
            "ann@example.com",
            "yes",
            "no",
            "true",
            "2026-11-23T12:00:00Z",
            "1795435200",
            "IN",
            "lead, vip",
            "Ann Lee",
            "lead.created",
            "none",
            "null",
            "65a1b2c3d4e5f60718293a4b",
            "# check: allow W001",
            "$.x",
            "",
            " ",
            "something-else",
        ])
        .prop_map(Value::text),
    ]
}

fn any_document() -> impl Strategy<Value = Value> {
    let inner = any_single().prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            any_object(inner),
        ]
    });
    prop_oneof![4 => any_object(inner.clone()), 1 => prop::collection::vec(inner, 0..4).prop_map(Value::List)]
}

fn any_object(inner: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    prop::collection::vec((any_key(), inner), 0..6).prop_map(|members| {
        Value::Object(
            members.into_iter().map(|(name, value)| (name.into(), value)).collect::<Members>(),
        )
    })
}

proptest! {
    #[test]
    fn whatever_the_event_the_suggestion_is_read_and_passes(document in any_document()) {
        let body = serde_json::to_vec(&document).unwrap();
        let headers = [("x-event-type".to_owned(), "lead".to_owned())];
        for headers in [&headers[..], &[]] {
            let (wrong, text) = wrong(&body, &document, headers, false);
            prop_assert!(wrong.is_empty(), "{:#?}\n{}", wrong, text);
        }
    }
}

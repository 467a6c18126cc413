//! The reference of the mapping language: every example in `docs/mapping.md` is run.

use std::path::Path;

use chatflow_bridge::decode;
use chatflow_bridge::document::{Members, Value};
use chatflow_bridge::mapping::diagnostics::{Colour, render};
use chatflow_bridge::mapping::testing::{Outside, run};
use chatflow_bridge::mapping::{Decision, Input, Planned, Read, Set, Source, shown};
use chatflow_bridge::webhook::check_door;

fn reference() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/mapping.md");
    std::fs::read_to_string(file).unwrap()
}

/// The fenced blocks that follow a marker, in order.
fn blocks(marker: &str) -> Vec<String> {
    let text = reference();
    let mark = format!("<!-- {marker} -->\n```");
    let blocks: Vec<_> = text
        .split(&mark)
        .skip(1)
        .map(|piece| {
            let (_, rest) = piece.split_once('\n').unwrap();
            rest.split_once("\n```").unwrap().0.to_owned() + "\n"
        })
        .collect();
    assert!(!blocks.is_empty(), "no block is marked `{marker}`");
    blocks
}

/// The lines `event → written → given` of the blocks with a marker.
fn lines(marker: &str) -> Vec<[String; 3]> {
    let parts = |line: &str| -> [String; 3] {
        let parts: Vec<_> = line.split("  →  ").map(|part| part.trim().to_owned()).collect();
        parts.try_into().unwrap_or_else(|parts| panic!("three parts are expected: {parts:?}"))
    };
    blocks(marker).iter().flat_map(|block| block.lines()).map(parts).collect()
}

/// An example with what it leaves out.
fn completed(example: &str) -> String {
    let lacks = |key: &str| !example.lines().any(|line| line.starts_with(key));
    let mut text = example.to_owned();
    if lacks("event:") {
        text.push_str("event: { id: none }\n");
    }
    if lacks("verify:") {
        text.push_str("verify: none # check: allow W001 because it is an example\n");
    }
    text
}

/// The examples that are whole files.
pub(crate) fn mappings() -> Vec<(String, String)> {
    let numbered = blocks("example").into_iter().enumerate();
    numbered.map(|(n, text)| (format!("example {n}"), completed(&text))).collect()
}

fn read(text: &str) -> Read {
    Set::read_with(vec![("example.yaml".to_owned(), text.to_owned())], &check_door)
}

/// The source of a file without problems.
fn source(text: &str) -> std::sync::Arc<Source> {
    let Read { set, reports } = read(text);
    assert!(reports[0].problems.is_empty(), "{text}\n{}", render(&reports[0], Colour::Never));
    std::sync::Arc::clone(set.unwrap().iter().next().unwrap())
}

struct AsSent;

impl Outside for AsSent {
    fn read_file(&mut self, _: &str) -> Result<Vec<u8>, String> {
        Err("an example reads no file".to_owned())
    }

    fn decode(
        &mut self,
        _: &Source,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Value, String> {
        decode::document(content_type, body, &decode::Options::default())
            .map_err(|error| error.to_string())
    }
}

#[test]
fn every_example_passes_its_check_and_its_tests() {
    let mut failures = Vec::new();
    for (name, text) in mappings() {
        let source = source(&text);
        assert!(!source.tests().is_empty(), "{name} has no test\n{text}");
        for test in source.tests() {
            let outcome = run(&source, test, &mut AsSent);
            if !outcome.passed {
                failures.push(format!("{name}, `{}`: {:#?}", test.name, outcome.failures));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What one rule makes of an event, as the file's tests say it.
fn planned(rule: &str, event: &str) -> Vec<Planned> {
    let text = format!(
        "verify: none # check: allow W001 because it is an example\nevent: {{ id: none }}\nrules:\n  - name: line\n    \
         contact: {{ id: 65a1b2c3d4e5f60718293a4b }}\n{rule}tests: # check: allow W004 because the lines are the tests\n"
    );
    let document = decode::json(event.as_bytes(), &decode::Limits::default())
        .unwrap_or_else(|e| panic!("{event}: {e}"));
    let nothing = Value::Object(Members::default());
    let input = Input {
        document: &document,
        headers: &nothing,
        query: &nothing,
        received_at: jiff::Timestamp::UNIX_EPOCH,
    };
    source(&text).plan(&input).remove(0).planned
}

/// A value inside braces: a path with its steps is quoted there.
fn in_yaml(written: &str) -> String {
    if written.starts_with('$') {
        format!("'{}'", written.replace('\'', "''"))
    } else {
        written.to_owned()
    }
}

fn held_or(planned: &[Planned], given: impl Fn(&serde_json::Value) -> String) -> String {
    match planned.first().map(|planned| &planned.decision) {
        None | Some(Decision::NoEffect) => "nothing".to_owned(),
        Some(Decision::Held(held)) => format!("held: {}", held.reason),
        Some(Decision::Skipped(reason)) => format!("skipped: {reason}"),
        Some(Decision::Update(update)) => given(&shown::update(&update.update)),
    }
}

#[test]
fn every_value_gives_what_its_line_says() {
    let mut failures = Vec::new();
    for [event, written, expected] in lines("values") {
        let rule = format!("    update: {{ attributes: {{ x: {} }} }}\n", in_yaml(&written));
        let given = held_or(&planned(&rule, &event), |update| match &update["attributes"]["x"] {
            serde_json::Value::String(text) => text.clone(),
            _ => "removed".to_owned(),
        });
        if given != expected {
            failures.push(format!("{event} → {written} → {given}, not {expected}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_list_of_tags_is_what_its_line_says() {
    for [event, written, expected] in lines("tags") {
        let rule = format!("    update: {{ tags_to_add: {} }}\n", in_yaml(&written));
        let given = held_or(&planned(&rule, &event), |update| {
            let tags = update["tags_to_add"].as_array().unwrap();
            let tags: Vec<_> = tags.iter().map(|tag| tag.as_str().unwrap()).collect();
            format!("[{}]", tags.join(", "))
        });
        assert_eq!(given, expected, "{event} → {written}");
    }
}

#[test]
fn every_condition_is_answered_as_its_line_says() {
    for [event, written, expected] in lines("conditions") {
        let block = if written.starts_with('{') {
            written.clone()
        } else {
            // Block style, as in a file, where nothing needs quotes.
            format!("\n      {written}")
        };
        let rule = format!("    when: {block}\n    update: {{ name: yes-it-does }}\n");
        let given = match planned(&rule, &event).first().map(|planned| &planned.decision) {
            None => "no",
            Some(Decision::Held(held)) => {
                assert_eq!(held.reason.as_str(), "condition", "{written}");
                "held"
            }
            Some(_) => "yes",
        };
        assert_eq!(given, expected, "{event} → {written}");
    }
}

#[test]
fn every_stumble_is_refused_with_the_line_as_it_should_be() {
    for block in blocks("refused") {
        for line in block.lines() {
            let (written, mended) = line.split_once("  →  ").unwrap();
            let text = completed(&format!(
                "rules:\n  - name: a\n    contact: {{ mobile: $.p }}\n    update:\n      {written}\ntests: []\n"
            ));
            let Read { set, reports } = read(&text);
            assert!(set.is_none(), "{written} is taken");
            let said = render(&reports[0], Colour::Never);
            assert!(said.contains(&format!("`{mended}`")), "{written}:\n{said}");
        }
    }
}

#[test]
fn every_block_of_the_reference_is_run() {
    let text = reference();
    let fences = text.matches("\n```yaml\n").count() + text.matches("\n```text\n").count();
    let run: usize = ["example", "values", "tags", "conditions", "refused"]
        .iter()
        .map(|marker| blocks(marker).len())
        .sum();
    assert_eq!(fences, run, "a block has no marker above it");
}

//! The log in JSON: every line an object, every field one that is documented.

use std::collections::BTreeSet;

use chatflow_bridge::chatflow::mock::{Fault, MockChatflow, MockOptions};
use serde_json::{Value, json};

use crate::harness::{CRM, Child, Collector, KEY, client, lead};

const MOBILE: &str = "12025550143";

/// The words that stand in the first column of the tables of docs/logs.md.
fn documented() -> BTreeSet<String> {
    let rows = include_str!("../../docs/logs.md").lines().filter(|line| line.starts_with("| `"));
    let first = rows.filter_map(|row| row.split('|').nth(1));
    first.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_field_of_a_line_is_documented_and_a_line_has_the_trace_of_its_event() {
    let options = MockOptions { api_key: Some(KEY.to_owned()), ..MockOptions::default() };
    let chatflow = MockChatflow::start(options).unwrap();
    chatflow.faults().add(Fault::status(503).times(1));
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mappings")).unwrap();
    std::fs::write(folder.path().join("mappings/crm.yaml"), CRM).unwrap();
    let collector = Collector::start();
    let endpoint = [("BRIDGE_TELEMETRY__OTLP_ENDPOINT", &*collector.endpoint())];
    let child = Child::serve_with(folder.path(), &chatflow.base_url(), &endpoint);
    let hook = format!("http://{}/hooks/crm", child.hooks);

    for body in [lead("1", MOBILE, 1).to_string(), "{".to_owned()] {
        let request = client().post(&hook).header("content-type", "application/json");
        request.body(body).send().await.unwrap();
    }
    let spans = collector
        .until(|spans| {
            let outcome = |span: &crate::harness::Span| span.attributes.get("outcome").cloned();
            spans.iter().any(|span| outcome(span).as_deref() == Some("delivered"))
        })
        .await;
    std::fs::write(folder.path().join("mappings/crm.yaml"), "rules: 1").unwrap();
    child.hang_up();
    let lines = lines_with(&child, "told by SIGHUP to reload").await;

    let documented = documented();
    for line in &lines {
        let fields: BTreeSet<_> = line.as_object().unwrap().keys().cloned().collect();
        let missing: Vec<_> = fields.difference(&documented).collect();
        assert!(missing.is_empty(), "docs/logs.md lacks {missing:?} of {line}");
    }
    for message in ["started", "event taken in", "request refused", "delivery attempt ended"] {
        let of_it: Vec<_> = lines.iter().filter(|line| line["message"] == message).collect();
        assert!(!of_it.is_empty(), "there is `{message}`: {lines:#?}");
        if message == "event taken in" || message == "delivery attempt ended" {
            let trace = json!(spans[0].trace);
            assert!(of_it.iter().all(|line| line["trace_id"] == trace), "{of_it:?}");
        }
    }
    assert_eq!(child.terminate(), Some(0));
}

/// The fields of the macros that log, in a source file.
fn fields_of(source: &str) -> BTreeSet<String> {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut fields = BTreeSet::new();
    for level in ["error!(", "warn!(", "info!(", "debug!("] {
        let mut pieces = source.split(level);
        let mut before = pieces.next().unwrap_or_default();
        for piece in pieces {
            let is_another = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            before = piece;
            if is_another {
                continue;
            }
            let mut depth = 0;
            let mut arguments = vec![String::new()];
            let mut rest = piece.chars();
            while let Some(c) = rest.next() {
                match c {
                    ')' | ']' | '}' if depth == 0 => break,
                    ',' if depth == 0 => arguments.push(String::new()),
                    '"' => {
                        // Texts are no fields; an escaped quote ends none.
                        while let Some(c) = rest.next().filter(|c| *c != '"') {
                            if c == '\\' {
                                rest.next();
                            }
                        }
                    }
                    _ => arguments.last_mut().unwrap().push(c),
                }
                depth += i32::from("([{".contains(c)) - i32::from(")]}".contains(c));
            }
            for argument in arguments {
                let name = argument.trim().trim_start_matches(['%', '?']);
                let name: String =
                    name.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                if !name.is_empty() && !argument.trim().starts_with("target:") {
                    fields.insert(name);
                }
            }
        }
    }
    fields
}

#[test]
fn every_field_that_a_line_may_have_is_documented() {
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut fields = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                fields.extend(fields_of(&std::fs::read_to_string(path).unwrap()));
            }
        }
    }

    assert!(fields.len() > 20, "the sources were read: {fields:?}");
    let documented = documented();
    let missing: Vec<_> = fields.difference(&documented).collect();
    assert!(missing.is_empty(), "docs/logs.md lacks {missing:?}");
    let of_every_line = ["timestamp", "level", "message", "target", "trace_id"].map(str::to_owned);
    let said = fields.into_iter().chain(of_every_line).collect();
    let gone: Vec<_> = documented.difference(&said).collect();
    assert!(gone.is_empty(), "no line has {gone:?}, which docs/logs.md has");
}

/// The lines of the log once one with this message is there.
async fn lines_with(child: &Child, message: &str) -> Vec<Value> {
    let begun = std::time::Instant::now();
    loop {
        let log = child.log();
        // What `check` says of the mappings at the start is for a person, and is no part of the log.
        let lines = log.lines().filter(|line| line.starts_with('{'));
        let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).expect(line)).collect();
        if lines.iter().any(|line| line["message"] == message) {
            return lines;
        }
        assert!(begun.elapsed() < crate::harness::PATIENCE, "no `{message}`: {log}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

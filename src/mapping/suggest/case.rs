//! The tests of a suggested mapping: what is expected is what the engine makes of the event.

use super::yaml;
use crate::document::{Members, Value};
use crate::mapping::{PlannedEvent, shown};

/// Levels of a document that a mapping file holds as a block.
const LEVELS: usize = 56;
/// Nodes of one.
const MOST: usize = 20_000;

/// The request of a test.
pub(super) enum Body<'b> {
    /// A file beside the mapping, and its content type where its name does not say.
    File(&'b str, Option<&'b str>),
    /// The document itself.
    Document(&'b Value),
}

/// A test, as the file holds it.
pub(super) fn of(
    name: &str,
    body: &Body<'_>,
    headers: &[(String, String)],
    planned: &[PlannedEvent],
    has_items: bool,
) -> Value {
    let mut test = Members::new();
    test.insert("name".into(), Value::text(name));
    match body {
        Body::File(file, content_type) => {
            test.insert("body_file".into(), Value::text(*file));
            if let Some(content_type) = content_type {
                test.insert("content_type".into(), Value::text(*content_type));
            }
        }
        Body::Document(document) if is_a_block(document) => {
            test.insert("body".into(), (*document).clone());
        }
        Body::Document(document) => {
            let sent = serde_json::to_string(document).unwrap_or_default();
            test.insert("raw".into(), Value::text(sent));
            test.insert("content_type".into(), Value::text("application/json"));
        }
    }
    if !headers.is_empty() {
        let headers =
            headers.iter().map(|(name, value)| (name.as_str().into(), Value::text(value.as_str())));
        test.insert("headers".into(), Value::Object(headers.collect()));
    }
    if let [event] = planned {
        let pins = pins(event);
        if !pins.is_empty() {
            test.insert("event".into(), Value::Object(pins));
        }
    }
    test.insert("expect".into(), expect(planned, has_items));
    Value::Object(test)
}

/// Whether a document can stand in the file as a block.
fn is_a_block(document: &Value) -> bool {
    fn nodes(value: &Value) -> usize {
        match value {
            Value::List(items) => 1 + items.iter().map(nodes).sum::<usize>(),
            Value::Object(members) => {
                1 + members.values().map(|value| 1 + nodes(value)).sum::<usize>()
            }
            _ => 1,
        }
    }
    matches!(document, Value::List(_) | Value::Object(_))
        && yaml::fits(document, LEVELS)
        && nodes(document) < MOST
}

fn pins(event: &PlannedEvent) -> Members {
    let mut pins = Members::new();
    let is_said =
        |text: &&String| !matches!(text.as_str(), "none" | "null" | "~") && !text.trim().is_empty();
    if let Some(id) = event.id.as_ref().filter(is_said) {
        pins.insert("id".into(), Value::text(id.as_str()));
    }
    if let Some(kind) = event.event_type.as_ref().filter(is_said) {
        pins.insert("type".into(), Value::text(kind.as_str()));
    }
    if let Some(at) = event.occurred_at {
        pins.insert("occurred_at".into(), Value::text(at.to_string()));
    }
    pins
}

fn expect(planned: &[PlannedEvent], has_items: bool) -> Value {
    let of_event = |event: &PlannedEvent| {
        if shown::status(event) == "ignored" && event.planned.is_empty() {
            return Value::text("ignored");
        }
        Value::List(
            event.planned.iter().map(|planned| entry(&shown::of(planned), has_items)).collect(),
        )
    };
    match planned {
        [] => Value::text("ignored"),
        [event] => of_event(event),
        events => {
            let events = events.iter().map(of_event).collect();
            Value::Object([("events".into(), Value::List(events))].into_iter().collect())
        }
    }
}

/// What came of a rule, in the words of `expect`.
fn entry(shown: &serde_json::Value, has_items: bool) -> Value {
    let mut entry = Members::new();
    let mut put = |name: &str, value: Option<&serde_json::Value>| {
        entry.extend(value.map(|value| (name.into(), yaml::of_json(value))));
    };
    put("rule", shown.get("rule"));
    if has_items {
        put("item", shown.get("item"));
    }
    let reason = shown.get("reason");
    match shown.get("state").and_then(serde_json::Value::as_str) {
        Some("planned") => {
            put("contact", shown.get("contact"));
            put("update", shown.get("update"));
        }
        Some("held") => put("held", reason),
        Some("skipped") => put("skipped", reason),
        _ => put("no_effect", Some(&serde_json::Value::Bool(true))),
    }
    Value::Object(entry)
}

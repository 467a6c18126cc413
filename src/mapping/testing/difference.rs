//! Expected and actual of one event side by side, both in the words of `expect`, so that they can be held against each
//! other line by line.

use serde_json::{Map, Value, json};

use super::compare::{Came, came};
use super::expect::{Entry, OfEvent, Wanted};
use super::given::Lookups;
use crate::mapping::{Decision, Planned, PlannedEvent, shown};

/// What was expected of an event and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What the test says.
    pub expected: Value,
    /// What it would have to say to pass.
    pub actual: Value,
}

/// Both sides, as far as the test looks at them.
pub(super) fn of(expected: &OfEvent, event: &PlannedEvent, lookups: &Lookups) -> Difference {
    let entries = match expected {
        OfEvent::Ignored => {
            let actual = actual(&[], event, lookups);
            return Difference { expected: json!("ignored"), actual };
        }
        OfEvent::Control => {
            let actual = actual(&[], event, lookups);
            return Difference { expected: json!("control"), actual };
        }
        OfEvent::Rules(entries) => entries,
    };
    let expected = entries.iter().map(said).collect();
    Difference { expected: Value::Array(expected), actual: actual(entries, event, lookups) }
}

fn actual(entries: &[Entry], event: &PlannedEvent, lookups: &Lookups) -> Value {
    let status = shown::status(event);
    if matches!(status, "ignored" | "control") {
        return json!(status);
    }
    // In the order of the test, so that what is alike stands side by side.
    let mut left: Vec<&Planned> = event.planned.iter().collect();
    let mut ordered = Vec::new();
    for entry in entries {
        let is_meant = |planned: &&Planned| entry.is_about(planned);
        if let Some(at) = left.iter().position(is_meant) {
            ordered.push(became(left.remove(at), Some(entry), lookups));
        }
    }
    ordered.extend(left.into_iter().map(|planned| became(planned, None, lookups)));
    Value::Array(ordered)
}

/// An entry as it stands in the test.
fn said(entry: &Entry) -> Value {
    let mut shown = Map::new();
    shown.insert("rule".to_owned(), json!(entry.rule));
    if let Some(item) = entry.item {
        shown.insert("item".to_owned(), json!(item));
    }
    if let Some(contact) = &entry.contact {
        shown.insert("contact".to_owned(), contact.clone());
    }
    let (name, value) = match &entry.wanted {
        Wanted::Update(update) => ("update", update.clone()),
        Wanted::Contains(part) => ("update_contains", part.clone()),
        Wanted::Held(text) => ("held", json!(text)),
        Wanted::Skipped(reason) => ("skipped", json!(reason)),
        Wanted::NoEffect => ("no_effect", json!(true)),
        Wanted::Dead(reason) => ("dead", json!(reason)),
        Wanted::Anything => return Value::Object(shown),
    };
    shown.insert(name.to_owned(), value);
    Value::Object(shown)
}

/// The entry that would be right: of what the test does not look at, nothing.
fn became(planned: &Planned, entry: Option<&Entry>, lookups: &Lookups) -> Value {
    let mut shown = Map::new();
    shown.insert("rule".to_owned(), json!(*planned.rule));
    if entry.map_or(planned.item > 0, |entry| entry.item.is_some()) {
        shown.insert("item".to_owned(), json!(planned.item));
    }
    if let Decision::Update(update) = &planned.decision
        && entry.is_none_or(|entry| entry.contact.is_some())
    {
        shown.insert("contact".to_owned(), shown::contact(&update.target.who));
    }
    let wanted = entry.map(|entry| &entry.wanted);
    let (name, value) = match came(planned, lookups) {
        Came::Skipped(reason) => ("skipped", json!(reason)),
        Came::Planned(Decision::Skipped(reason)) => ("skipped", json!(reason)),
        Came::Dead(reason) => ("dead", json!(reason)),
        Came::Planned(Decision::NoEffect) => ("no_effect", json!(true)),
        Came::Planned(Decision::Held(held)) => {
            let reason = format!("{}: {}", held.reason, held.detail);
            match wanted {
                Some(Wanted::Held(text)) if reason.contains(text) => ("held", json!(text)),
                _ => ("held", json!(reason)),
            }
        }
        Came::Planned(Decision::Update(update)) => {
            let update = shown::update(&update.update);
            match wanted {
                Some(Wanted::Anything) => return Value::Object(shown),
                Some(Wanted::Contains(part)) => ("update_contains", within(part, &update)),
                _ => ("update", update),
            }
        }
    };
    shown.insert(name.to_owned(), value);
    Value::Object(shown)
}

/// Of what there is, the part that is looked at.
fn within(part: &Value, whole: &Value) -> Value {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            let both = part
                .iter()
                .filter_map(|(name, part)| Some((name.clone(), within(part, whole.get(name)?))));
            Value::Object(both.collect())
        }
        (Value::Array(part), Value::Array(whole)) if part.iter().all(|p| whole.contains(p)) => {
            Value::Array(part.clone())
        }
        (_, whole) => whole.clone(),
    }
}

impl Entry {
    /// Whether the entry is about what a rule gave.
    fn is_about(&self, planned: &Planned) -> bool {
        *planned.rule == *self.rule && self.item.is_none_or(|item| item == planned.item)
    }
}

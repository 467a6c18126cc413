//! What `expect` would have to be, from what was planned.

use serde_json::{Map, Value, json};

use super::compare::{Came, came};
use super::given::Lookups;
use crate::mapping::{Decision, Planned, PlannedEvent, shown};

/// How an expectation is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One event as it is, several under `events`.
    Short,
    /// Always under `events`.
    Batch,
}

/// The expectation that these events meet.
pub(super) fn expectation(events: &[&PlannedEvent], lookups: &Lookups, form: Form) -> Value {
    match events {
        [] => json!("ignored"),
        [event] if form == Form::Short => of_event(event, lookups),
        _ => json!({
            "events": events.iter().map(|event| of_event(event, lookups)).collect::<Vec<_>>(),
        }),
    }
}

fn of_event(event: &PlannedEvent, lookups: &Lookups) -> Value {
    match shown::status(event) {
        status @ ("ignored" | "control") => json!(status),
        _ => event.planned.iter().map(|planned| entry(planned, event, lookups)).collect(),
    }
}

fn entry(planned: &Planned, event: &PlannedEvent, lookups: &Lookups) -> Value {
    let mut entry = Map::new();
    let mut put = |name: &str, value: Value| {
        entry.insert(name.to_owned(), value);
    };
    put("rule", json!(*planned.rule));
    let of_rule = event.planned.iter().filter(|other| other.rule == planned.rule).count();
    if planned.item > 0 || of_rule > 1 {
        put("item", json!(planned.item));
    }
    match came(planned, lookups) {
        Came::Planned(Decision::Update(update)) => {
            put("contact", shown::contact(&update.target.who));
            put("update", shown::update(&update.update));
        }
        Came::Planned(Decision::Held(held)) => put("held", json!(held.reason)),
        Came::Planned(Decision::NoEffect) => put("no_effect", json!(true)),
        Came::Planned(Decision::Skipped(reason)) => put("skipped", json!(reason)),
        Came::Skipped(reason) => put("skipped", json!(reason)),
        Came::Dead(reason) => put("dead", json!(reason)),
    }
    Value::Object(entry)
}

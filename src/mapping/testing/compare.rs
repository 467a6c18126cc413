//! Holding what was planned against what is expected.

use serde_json::Value;

use super::expect::{Entry, OfEvent, Wanted};
use super::given::{Lookup, Lookups};
use crate::contact::{DeadReason, OnMissing, PlannedUpdate, SkippedReason, Who};
use crate::mapping::{Decision, Planned, PlannedEvent, shown};

/// What came of a rule once the contact was looked up.
pub(super) enum Came<'p> {
    Planned(&'p Decision),
    Skipped(SkippedReason),
    Dead(DeadReason),
}

/// Adds a line for every difference.
pub(super) fn event(
    expected: &OfEvent,
    actual: &PlannedEvent,
    lookups: &Lookups,
    failures: &mut Vec<String>,
) {
    let status = shown::status(actual);
    match expected {
        OfEvent::Ignored | OfEvent::Control => {
            let wanted = if matches!(expected, OfEvent::Ignored) { "ignored" } else { "control" };
            if status != wanted {
                failures.push(format!("expected `{wanted}`, got `{status}`"));
                failures.extend(actual.planned.iter().map(|planned| unexpected(planned, lookups)));
            }
        }
        OfEvent::Rules(_) if actual.control => {
            failures.push("expected what each rule gave, got `control`".to_owned());
        }
        OfEvent::Rules(entries) => {
            let mut left: Vec<&Planned> = actual.planned.iter().collect();
            for entry in entries {
                let is_meant = |planned: &&Planned| {
                    *planned.rule == *entry.rule && entry.item.is_none_or(|i| i == planned.item)
                };
                match left.iter().position(is_meant) {
                    Some(at) => compare(entry, left.remove(at), lookups, failures),
                    None => failures
                        .push(format!("`{}`: expected, but the rule did not match", entry.rule)),
                }
            }
            failures.extend(left.into_iter().map(|planned| unexpected(planned, lookups)));
        }
    }
}

fn unexpected(planned: &Planned, lookups: &Lookups) -> String {
    format!("`{}`: not expected: {}", place(planned), describe(&came(planned, lookups)))
}

fn compare(entry: &Entry, planned: &Planned, lookups: &Lookups, failures: &mut Vec<String>) {
    let came = came(planned, lookups);
    let place = place(planned);
    if let (Some(expected), Decision::Update(update)) = (&entry.contact, &planned.decision) {
        let actual = shown::contact(&update.target.who);
        differences("contact", expected, &actual, &mut |line| {
            failures.push(format!("`{place}`: {line}"));
        });
    }
    let mut fail = |line: String| failures.push(format!("`{place}`: {line}"));
    let mut other = |expected: String| {
        fail(format!("expected {expected}, got {}", describe(&came)));
    };
    match (&entry.wanted, &came) {
        (Wanted::Update(expected), Came::Planned(Decision::Update(update))) => {
            differences("update", expected, &shown::update(&update.update), &mut fail);
        }
        (Wanted::Contains(expected), Came::Planned(Decision::Update(update))) => {
            missing("update", expected, &shown::update(&update.update), &mut fail);
        }
        (Wanted::Anything, Came::Planned(Decision::Update(_)))
        | (Wanted::NoEffect, Came::Planned(Decision::NoEffect)) => {}
        (Wanted::Held(text), Came::Planned(Decision::Held(held))) => {
            let reason = format!("{}: {}", held.reason, held.detail);
            if !reason.contains(text) {
                other(format!("`held: {text}`"));
            }
        }
        (
            Wanted::Skipped(expected),
            Came::Planned(Decision::Skipped(reason)) | Came::Skipped(reason),
        ) if expected == reason => {}
        (Wanted::Dead(expected), Came::Dead(reason)) if expected == reason => {}
        (Wanted::Update(expected), _) => other(format!("`update: {expected}`")),
        (Wanted::Contains(expected), _) => other(format!("`update_contains: {expected}`")),
        (Wanted::Anything, _) => other("an update".to_owned()),
        (Wanted::NoEffect, _) => other("`no_effect: true`".to_owned()),
        (Wanted::Held(text), _) => other(format!("`held: {text}`")),
        (Wanted::Skipped(reason), _) => other(format!("`skipped: {reason}`")),
        (Wanted::Dead(reason), _) => other(format!("`dead: {reason}`")),
    }
}

fn place(planned: &Planned) -> String {
    match planned.item {
        0 => planned.rule.to_string(),
        item => format!("{}, item {item}", planned.rule),
    }
}

fn describe(came: &Came<'_>) -> String {
    match came {
        Came::Skipped(reason) | Came::Planned(Decision::Skipped(reason)) => {
            format!("`skipped: {reason}`")
        }
        Came::Dead(reason) => format!("`dead: {reason}`"),
        Came::Planned(Decision::NoEffect) => "`no_effect: true`".to_owned(),
        Came::Planned(Decision::Held(held)) => format!("`held: {}: {}`", held.reason, held.detail),
        Came::Planned(Decision::Update(update)) => format!(
            "`{{ contact: {}, update: {} }}`",
            shown::contact(&update.target.who),
            shown::update(&update.update)
        ),
    }
}

/// What the look-up makes of a planned update.
pub(super) fn came<'p>(planned: &'p Planned, lookups: &Lookups) -> Came<'p> {
    let decision = &planned.decision;
    let Decision::Update(update) = decision else { return Came::Planned(decision) };
    match lookups.of(&update.target.who) {
        Lookup::Found => Came::Planned(decision),
        Lookup::Ambiguous => Came::Dead(DeadReason::Ambiguous),
        Lookup::Missing => match (update.target.on_missing, &update.target.who) {
            (OnMissing::Skip, _) => Came::Skipped(SkippedReason::ContactMissing),
            // An id is either there or not: nothing can be created under it.
            (_, Who::Id(_)) => Came::Dead(DeadReason::NotFound),
            (OnMissing::Dead, _) => Came::Dead(DeadReason::ContactMissing),
            (OnMissing::Create, _) if has_mobile(update) => Came::Planned(decision),
            (OnMissing::Create, _) => Came::Skipped(SkippedReason::NoMobileToCreate),
        },
    }
}

fn has_mobile(update: &PlannedUpdate) -> bool {
    matches!(update.target.who, Who::Mobile(_)) || update.update.mobile.is_some()
}

/// A line for every field that differs, by its name.
pub(super) fn differences(
    name: &str,
    expected: &Value,
    actual: &Value,
    fail: &mut dyn FnMut(String),
) {
    let (Value::Object(wanted), Value::Object(found)) = (expected, actual) else {
        if expected != actual {
            fail(format!("`{name}`: expected {expected}, got {actual}"));
        }
        return;
    };
    for (key, expected) in wanted {
        match found.get(key) {
            Some(actual) => differences(&format!("{name}.{key}"), expected, actual, fail),
            None => fail(format!("`{name}.{key}`: expected {expected}, got nothing")),
        }
    }
    for (key, actual) in found.iter().filter(|(key, _)| !wanted.contains_key(*key)) {
        fail(format!("`{name}.{key}`: expected nothing, got {actual}"));
    }
}

/// A line for every part of `expected` that is not in `actual`.
fn missing(name: &str, expected: &Value, actual: &Value, fail: &mut dyn FnMut(String)) {
    match (expected, actual) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (key, expected) in wanted {
                match found.get(key) {
                    Some(actual) => missing(&format!("{name}.{key}"), expected, actual, fail),
                    None => fail(format!("`{name}.{key}`: expected {expected}, got nothing")),
                }
            }
        }
        (Value::Array(wanted), Value::Array(found)) => {
            for item in wanted.iter().filter(|item| !found.contains(item)) {
                fail(format!("`{name}`: expected {item} in it, got {actual}"));
            }
        }
        _ => differences(name, expected, actual, fail),
    }
}

//! What a source's rules make of a document.

use std::sync::Arc;

use jiff::Timestamp;

use super::body::Split;
use super::event::Known;
use super::explain::{Answer, Tracer, What};
use super::expr::{Lets, Scope};
use super::rule::Matched;
use super::source::Asks;
use super::{Held, Source};
use crate::contact::{PlannedUpdate, SkippedReason};
use crate::document::Value;

/// A request as the rules see it.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The body as one document.
    pub document: &'a Value,
    /// The headers, an object of texts with names in lower case; never credentials or signatures.
    pub headers: &'a Value,
    /// The query, an object of texts (or lists of them, where a name is repeated).
    pub query: &'a Value,
    /// When the request was received.
    pub received_at: Timestamp,
}

/// One event of the request, and what the rules made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedEvent {
    /// The sender's id of it, by which a repeat is known.
    pub id: Option<String>,
    /// Its type, as the sender calls it.
    pub event_type: Option<String>,
    /// When it happened, as the sender says.
    pub occurred_at: Option<Timestamp>,
    /// Whether it is a control message, so that no rule was asked.
    pub control: bool,
    /// What each rule that matched made of it, in the order of the rules and items.
    pub planned: Vec<Planned>,
}

/// One rule applied to one item of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The rule.
    pub rule: Arc<str>,
    /// The place of the item in what `for_each` selects, else 0.
    pub item: u32,
    /// What came of it.
    pub decision: Decision,
}

/// What came of a rule that matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// An update to send.
    Update(Box<PlannedUpdate>),
    /// It could not be applied.
    Held(Held),
    /// It is not to be sent, on purpose.
    Skipped(SkippedReason),
    /// There is nothing to change.
    NoEffect,
}

/// Applies a source's rules to a request.
pub(super) fn plan(source: &Source, input: &Input<'_>) -> Vec<PlannedEvent> {
    let mut planned = Vec::new();
    events(source, input, None, &mut |event| planned.push(event));
    planned
}

/// The same, event by event, with notes taken of what is evaluated.
pub(super) fn events(
    source: &Source,
    input: &Input<'_>,
    tracer: Option<&Tracer>,
    then: &mut dyn FnMut(PlannedEvent),
) {
    let document = source.body.document(input);
    let scope =
        |document| Scope::new(document).with_request(input.headers, input.query).noted_by(tracer);
    match source.body.split(document) {
        Split::One(event) if source.body.splits() => {
            then(plan_event(source, scope(event).with_batch(document), input.received_at));
        }
        Split::One(event) => then(plan_event(source, scope(event), input.received_at)),
        Split::Each(events) => {
            for event in events {
                let scope = scope(event).with_batch(document);
                then(plan_event(source, scope, input.received_at));
            }
        }
    }
}

fn plan_event(source: &Source, scope: Scope<'_>, received_at: Timestamp) -> PlannedEvent {
    let event_value = |known: &Known| {
        if source.reads_event { known.value(&source.name, received_at) } else { Value::Null }
    };
    // What `event` itself reads of `$event` is what is known before: its values are not kept for the rules.
    let before = event_value(&Known::default());
    let lets = Lets::new(&source.lets);
    let known = source.event.find(&scope.with_event(&before).with_lets(&lets), &source.timezone);

    let event = event_value(&known);
    let lets = Lets::new(&source.lets);
    let scope = scope.with_event(&event).with_lets(&lets);
    let control = source.control.iter().any(|when| {
        let holds =
            scope.note(|| when.holds(&scope), |holds| What::Control { holds: Answer::of(holds) });
        holds == Ok(true)
    });
    let mut planned = Vec::new();
    if !control {
        let mut rules = source.compiled.iter();
        while let Some(rule) = rules.next() {
            let matched = rule.apply(&scope, source.country, &mut planned);
            if source.asks == Asks::First && matched == Matched::Yes {
                for not_asked in rules {
                    let (name, after) = (Arc::clone(&not_asked.name), Arc::clone(&rule.name));
                    scope.note(|| (), |()| What::NotAsked { rule: name, after });
                }
                break;
            }
        }
    }
    for planned in &mut planned {
        if let Decision::Update(update) = &mut planned.decision {
            update.note_keys(&source.looked_up);
        }
    }
    let Known { id, event_type, occurred_at } = known;
    PlannedEvent { id, event_type, occurred_at, control, planned }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

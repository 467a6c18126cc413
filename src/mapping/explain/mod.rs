//! Why an event becomes what it becomes: what every rule saw and decided.
//!
//! [`Source::explain`] applies the rules as [`Source::plan`] does, through the same code, and takes notes on the way:
//! a tree of [`Noted`]. Where planning may stop (one clause that does not hold decides), explaining goes on, so that
//! every clause is seen. [`Coverage`] sums up over many events which rules and clauses ever held.
//!
//! # Promises
//!
//! - The plan that is explained is the plan that `serve` makes (a property test in `tests`).
//! - Without notes nothing is copied: one branch for each thing that is evaluated.

mod coverage;
mod field;
mod trace;

pub use coverage::{Coverage, Untouched};
pub(super) use field::{Becomes, field, note_field};
pub(super) use trace::Whose;
pub use trace::{Answer, Came, Gave, Noted, Tracer, What};

use serde_json::{Value as Json, json};

use super::plan::{self, Input, Planned, PlannedEvent};
use super::{Source, shown};

/// One event of a request, what the rules made of it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// What was planned.
    pub event: PlannedEvent,
    /// Everything that was evaluated: the event's own fields, `let`s of the file, `control`, the rules.
    pub trace: Vec<Noted>,
}

impl Source {
    /// Applies the rules as [`Source::plan`] does, and says why.
    pub fn explain(&self, input: &Input<'_>) -> Vec<Explained> {
        let tracer = Tracer::default();
        let mut explained = Vec::new();
        plan::events(self, input, Some(&tracer), &mut |event| {
            explained.push(Explained { event, trace: tracer.take() });
        });
        explained
    }
}

impl Explained {
    /// The notes of each rule that was asked.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &[Noted])> {
        self.trace.iter().filter_map(|noted| match &noted.what {
            What::Rule { rule } => Some((&**rule, noted.inside.as_slice())),
            _ => None,
        })
    }

    /// What a rule noted on the way to an update: that of its item, or of all where there is none for it.
    pub fn trace_of(&self, planned: &Planned) -> &[Noted] {
        let Some((_, inside)) = self.rules().find(|(rule, _)| *rule == &*planned.rule) else {
            return &[];
        };
        let item = inside
            .iter()
            .find(|noted| matches!(noted.what, What::Item { item, .. } if item == planned.item));
        item.map_or(inside, |noted| &noted.inside)
    }

    /// The event as [`shown::event`] shows it, each update with its `trace`; what belongs to no update stands in the
    /// event's own `trace`: `event`, `lets`, `control`, `not_matched`, `not_asked`.
    pub fn to_json(&self) -> Json {
        let mut shown = shown::event(&self.event);
        if let Some(updates) = shown.get_mut("updates").and_then(Json::as_array_mut) {
            for (update, planned) in updates.iter_mut().zip(&self.event.planned) {
                if let Some(update) = update.as_object_mut() {
                    update.insert("trace".to_owned(), json!(self.trace_of(planned)));
                }
            }
        }
        let mut not_matched = Vec::new();
        for (rule, inside) in self.rules() {
            let mut of_rule = inside.iter().peekable();
            if !of_rule.clone().any(|noted| matches!(noted.what, What::Item { .. }))
                && !self.event.planned.iter().any(|planned| *planned.rule == *rule)
            {
                not_matched.push(json!({ "rule": rule, "item": null, "trace": inside }));
            }
            for noted in of_rule.by_ref() {
                if let What::Item { item, came: Came::NotMatched } = noted.what {
                    not_matched.push(json!({ "rule": rule, "item": item, "trace": noted.inside }));
                }
            }
        }
        let of = |wanted: fn(&What) -> bool| -> Vec<&Noted> {
            self.trace.iter().filter(|noted| wanted(&noted.what)).collect()
        };
        let trace = json!({
            "event": of(|what| matches!(what, What::Field { .. })),
            "lets": of(|what| matches!(what, What::Let { .. })),
            "control": of(|what| matches!(what, What::Control { .. })),
            "not_matched": not_matched,
            "not_asked": of(|what| matches!(what, What::NotAsked { .. })),
        });
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("trace".to_owned(), trace);
        }
        shown
    }
}

#[cfg(test)]
mod tests;

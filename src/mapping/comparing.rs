//! What two versions of a mapping make of the same events: counts, fields gained and lost, and examples.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

use super::{Decision, Planned, PlannedEvent, shown};

/// Examples that are kept of one rule.
const EXAMPLES: usize = 3;

/// The names of what every update has.
const ADDRESS: [&str; 2] = ["contact", "on_missing"];

/// The differences between two sets, source by source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// By the name of the source.
    pub sources: BTreeMap<String, OfSource>,
}

/// What became of the events of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OfSource {
    /// Events that were compared.
    pub events: u64,
    /// Those of them that came out otherwise.
    pub differ: u64,
    /// Events of which the number, the id, the type, the time, or whether it is a control message is otherwise.
    pub events_changed: u64,
    /// Examples of these.
    pub examples: Vec<Example>,
    /// By the name of the rule, in the order they are met.
    pub rules: IndexMap<String, OfRule>,
}

/// What became of one rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OfRule {
    /// Events that the rule matched.
    pub matched: Sides,
    /// Updates that were held.
    pub held: Sides,
    /// Updates that are planned only after.
    pub gained: u64,
    /// Updates that were planned only before.
    pub lost: u64,
    /// Whatever else is otherwise: an update with other fields, another reason, a match without effect.
    pub changed: u64,
    /// Fields that planned updates have only after, and in how many: `attributes.city`, `tags_to_add: lead`, `optin`.
    pub fields_gained: BTreeMap<String, u64>,
    /// Fields that planned updates had only before, and in how many.
    pub fields_lost: BTreeMap<String, u64>,
    /// Fields with another value, and in how many.
    pub fields_changed: BTreeMap<String, u64>,
    /// Examples.
    pub examples: Vec<Example>,
}

/// A number before and after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sides {
    /// With the old set.
    pub before: u64,
    /// With the new one.
    pub after: u64,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The event, by the name or id it came under.
    pub event: String,
    /// Its place in the request.
    pub place: usize,
    /// What it was, as [`shown`] shows it; nothing where there was none.
    pub before: Option<Value>,
    /// What it becomes.
    pub after: Option<Value>,
}

/// One rule and item of one event.
type Key = (Arc<str>, u32);

impl Comparison {
    /// Holds what both versions of a source make of one request against each other.
    pub fn add(
        &mut self,
        source: &str,
        name: &str,
        before: &[PlannedEvent],
        after: &[PlannedEvent],
    ) {
        let of_source = self.sources.entry(source.to_owned()).or_default();
        for place in 0..before.len().max(after.len()) {
            of_source.event(name, place, before.get(place), after.get(place));
        }
    }

    /// Whether anything is otherwise.
    pub fn differs(&self) -> bool {
        self.sources.values().any(|source| source.differ > 0)
    }
}

impl OfSource {
    fn event(
        &mut self,
        name: &str,
        place: usize,
        before: Option<&PlannedEvent>,
        after: Option<&PlannedEvent>,
    ) {
        self.events += 1;
        self.differ += u64::from(before != after);
        let example = |before, after| Example { event: name.to_owned(), place, before, after };
        let (was, is) = (before.map(identity), after.map(identity));
        if was != is {
            self.events_changed += 1;
            if self.examples.len() < EXAMPLES {
                self.examples.push(example(was, is));
            }
        }
        let (before, after) = (by_key(before), by_key(after));
        for (planned, side) in [(&before, Side::Before), (&after, Side::After)] {
            let rules: BTreeSet<_> = planned.keys().map(|(rule, _)| rule).collect();
            for rule in rules {
                side.of(&mut self.rule(rule).matched).add();
            }
        }
        let only_after = after.keys().filter(|key| !before.contains_key(*key));
        for key in before.keys().chain(only_after) {
            let (was, is) = (before.get(key).copied(), after.get(key).copied());
            let of_rule = self.rule(&key.0);
            of_rule.update(was, is);
            if was != is && of_rule.examples.len() < EXAMPLES {
                of_rule.examples.push(example(was.map(shown::of), is.map(shown::of)));
            }
        }
    }

    fn rule(&mut self, name: &str) -> &mut OfRule {
        self.rules.entry(name.to_owned()).or_default()
    }
}

impl OfRule {
    /// Whether anything of the rule is otherwise.
    pub const fn differs(&self) -> bool {
        self.gained + self.lost + self.changed > 0
    }

    fn update(&mut self, before: Option<&Planned>, after: Option<&Planned>) {
        for (planned, side) in [(before, Side::Before), (after, Side::After)] {
            if matches!(planned.map(|planned| &planned.decision), Some(Decision::Held(_))) {
                side.of(&mut self.held).add();
            }
        }
        if before == after {
            return;
        }
        let (was, is) = (fields(before), fields(after));
        match (&was, &is) {
            (None, Some(_)) => self.gained += 1,
            (Some(_), None) => self.lost += 1,
            _ => self.changed += 1,
        }
        let one_sided = was.is_none() || is.is_none();
        let (mut was, mut is) = (was.unwrap_or_default(), is.unwrap_or_default());
        if one_sided {
            // Every update has them: that it is there says it already.
            for name in ADDRESS {
                drop((was.remove(name), is.remove(name)));
            }
        }
        for (field, value) in &is {
            match was.get(field) {
                None => self.fields_gained.entry(field.clone()).or_default().add(),
                Some(other) if other != value => {
                    self.fields_changed.entry(field.clone()).or_default().add();
                }
                Some(_) => {}
            }
        }
        for field in was.keys().filter(|field| !is.contains_key(*field)) {
            self.fields_lost.entry(field.clone()).or_default().add();
        }
    }
}

/// One of the two sets.
#[derive(Debug, Clone, Copy)]
enum Side {
    Before,
    After,
}

impl Side {
    const fn of(self, sides: &mut Sides) -> &mut u64 {
        match self {
            Self::Before => &mut sides.before,
            Self::After => &mut sides.after,
        }
    }
}

/// Counting.
trait Count {
    fn add(&mut self);
}

impl Count for u64 {
    fn add(&mut self) {
        *self += 1;
    }
}

fn by_key(event: Option<&PlannedEvent>) -> IndexMap<Key, &Planned> {
    let planned = event.into_iter().flat_map(|event| &event.planned);
    planned.map(|planned| ((Arc::clone(&planned.rule), planned.item), planned)).collect()
}

/// What is known about an event beside its updates.
fn identity(event: &PlannedEvent) -> Value {
    serde_json::json!({
        "id": event.id,
        "type": event.event_type,
        "occurred_at": event.occurred_at.map(|at| at.to_string()),
        "control": event.control,
    })
}

/// The fields of a planned update by their names, each tag a field of its own; nothing where none is planned.
fn fields(planned: Option<&Planned>) -> Option<BTreeMap<String, Value>> {
    let Decision::Update(update) = &planned?.decision else { return None };
    let mut found = BTreeMap::new();
    let address = [shown::contact(&update.target.who), serde_json::json!(update.target.on_missing)];
    found.extend(ADDRESS.map(str::to_owned).into_iter().zip(address));
    let Value::Object(changes) = shown::update(&update.update) else { return Some(found) };
    for (name, value) in changes {
        match value {
            Value::Array(tags) => {
                for tag in tags {
                    let tag = tag.as_str().map_or_else(|| tag.to_string(), str::to_owned);
                    found.insert(format!("{name}: {tag}"), Value::Null);
                }
            }
            Value::Object(members) if name == "attributes" => {
                for (attribute, value) in members {
                    found.insert(format!("{name}.{attribute}"), value);
                }
            }
            value => {
                found.insert(name, value);
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests;

//! `event:`: what the sender says about an event: its id, its type, when it happened.

use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::explain::note_field;
use super::expr::{Expr, Path, Reading, Scope};
use super::steps::moment;
use super::syntax::{Code, Fields, Node, Problem, Problems, scalar};
use super::tags;
use crate::document::Value;
use crate::event::SourceName;
use crate::units::Span;

/// For how long a repeat is known where the file does not say.
pub(super) const WINDOW: Duration = Duration::from_hours(7 * 24);

/// Where to find what the sender says about an event.
#[derive(Debug, Default)]
pub(super) struct EventFields {
    /// The parts of the id, all of which must be there; none where the sender has no id.
    id: Vec<Expr>,
    event_type: Option<Expr>,
    occurred_at: Option<Expr>,
    says_when: bool,
}

/// What is known about one event. What could not be had is absent: it holds nothing.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) id: Option<String>,
    pub(super) event_type: Option<String>,
    pub(super) occurred_at: Option<Timestamp>,
}

impl EventFields {
    /// Reads the block and the window that stands in it.
    pub(super) fn read(
        node: Option<&Node>,
        file: &Node,
        reading: &Reading<'_>,
        problems: &mut Problems,
    ) -> (Self, Duration) {
        let mut found = Self::default();
        let mut window = None;
        let mut id = None;
        if let Some(node) = node
            && let Some(mut fields) = Fields::of(node, problems)
        {
            id = fields.take("id");
            found.event_type = fields.take("type").and_then(|n| Expr::read(n, reading, problems));
            let occurred_at = fields.take("occurred_at");
            found.says_when = occurred_at.is_some();
            found.occurred_at = occurred_at.and_then(|n| Expr::read(n, reading, problems));
            window = fields.take("dedupe_window").and_then(|n| scalar::quantity(n, problems));
            fields.finish(problems);
        }
        match id {
            Some(node) if node.as_text() == Some("none") => {}
            Some(node) => found.id = parts(node, reading, problems),
            None => problems.add(Problem::warning(
                Code::NoEventId,
                &node.unwrap_or(file).span,
                "without `event.id` an event that is sent twice is applied twice",
                "a path to the sender's id, or `id: none` where the sender has none",
            )),
        }
        (found, window.map_or(WINDOW, |Span(window)| window))
    }

    /// Whether the file says where the id is.
    pub(super) const fn has_id(&self) -> bool {
        !self.id.is_empty()
    }

    /// Whether the file says when an event happened.
    pub(super) const fn has_occurred_at(&self) -> bool {
        self.says_when
    }

    /// Hands over every path that is read.
    pub(super) fn each_path(&self, then: &mut dyn FnMut(&Path)) {
        for value in self.id.iter().chain(&self.event_type).chain(&self.occurred_at) {
            value.each_path(then);
        }
    }

    pub(super) fn find(&self, scope: &Scope<'_>, timezone: &TimeZone) -> Known {
        let text =
            |name: &str, value: &Expr| note_field(scope, name, || value.text(scope)).ok().flatten();
        let parts: Option<Vec<_>> = self.id.iter().map(|part| text("event.id", part)).collect();
        Known {
            id: parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join("|")),
            event_type: self.event_type.as_ref().and_then(|value| text("event.type", value)),
            occurred_at: self
                .occurred_at
                .as_ref()
                .and_then(|value| text("event.occurred_at", value))
                .and_then(|text| moment(&Value::text(text), timezone)),
        }
    }
}

impl Known {
    /// The value of `$event`.
    pub(super) fn value(&self, source: &SourceName, received_at: Timestamp) -> Value {
        let mut members = IndexMap::new();
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                members.insert(name.into(), Value::text(value));
            }
        };
        put("id", self.id.clone());
        put("type", self.event_type.clone());
        put("occurred_at", self.occurred_at.map(|at| at.to_string()));
        put("received_at", Some(received_at.to_string()));
        put("source", Some(source.as_str().to_owned()));
        Value::Object(members)
    }
}

fn parts(node: &Node, reading: &Reading<'_>, problems: &mut Problems) -> Vec<Expr> {
    let items = node.as_list().unwrap_or(std::slice::from_ref(node));
    if items.is_empty() {
        problems.error(
            Code::Shape,
            &node.span,
            "the parts of the id are expected, an empty list was found",
        );
    }
    tags::refuse_remove(node, problems);
    for item in items.iter().filter(|item| joins(item)) {
        problems.add(Problem::warning(
            Code::JoinedId,
            &item.span,
            "`join` passes over parts that are missing: two events may share an id",
            "a list of parts, `id: [$.a, $.b]`: one that is missing makes it no id",
        ));
    }
    items.iter().filter_map(|item| Expr::read(item, reading, problems)).collect()
}

/// Whether a value is made with `join`, as a form or as a step.
fn joins(node: &Node) -> bool {
    let step = node.as_text().is_some_and(|text| {
        text.starts_with('$')
            && text.split('|').any(|step| step.trim() == "join" || step.trim().starts_with("join("))
    });
    step || matches!(&node.kind, super::syntax::Kind::Map(entries)
        if entries.iter().any(|(key, _)| key.as_text() == Some("join")))
}

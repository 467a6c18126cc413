//! What a test expects, in the field names of mapping files.

use serde_json::{Map, Value, json};

use crate::contact::{DeadReason, SkippedReason};
use crate::mapping::expr::nearest;
use crate::mapping::syntax::{Code, Fields, Kind, Node, Problem, Problems, scalar};

/// What a test expects of a request.
#[derive(Debug)]
pub(super) enum Expect {
    /// Of its only event.
    One(OfEvent),
    /// Of each of its events, in order.
    Each(Vec<OfEvent>),
}

/// What a test expects of one event.
#[derive(Debug)]
pub(super) enum OfEvent {
    /// No rule has anything to change.
    Ignored,
    /// It is a control message.
    Control,
    /// What each rule gave, all of it.
    Rules(Vec<Entry>),
}

/// What a test expects of one rule and item.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) rule: String,
    pub(super) item: Option<u32>,
    pub(super) contact: Option<Value>,
    pub(super) wanted: Wanted,
}

/// What must have come of it.
#[derive(Debug)]
pub(super) enum Wanted {
    /// This change and nothing else.
    Update(Value),
    /// A change that has this in it.
    Contains(Value),
    /// Held, with this text in the reason.
    Held(String),
    /// Skipped for this reason.
    Skipped(SkippedReason),
    /// Nothing to change.
    NoEffect,
    /// A dead letter for this reason, after the look-up.
    Dead(DeadReason),
    /// An update, whatever is in it.
    Anything,
}

impl Expect {
    pub(super) fn read(node: &Node, rules: &[&str], problems: &mut Problems) -> Option<Self> {
        let Kind::Map(_) = node.kind else {
            return OfEvent::read(node, rules, problems).map(Self::One);
        };
        let mut fields = Fields::of(node, problems)?;
        let Some(events) = fields.take("events") else {
            let message =
                "`ignored`, `control`, a list of what each rule gave, or `events` is expected";
            let problem = Problem::error(Code::Shape, node.span.clone(), message);
            problems.add(problem.help("what a rule gave is an item of a list: `- rule: name`"));
            return None;
        };
        fields.finish(problems);
        let Some(items) = events.as_list() else {
            problems.error(Code::Shape, &events.span, "a list is expected: an item for each event");
            return None;
        };
        let read = |item| OfEvent::read(item, rules, problems);
        Some(Self::Each(items.iter().filter_map(read).collect()))
    }
}

impl OfEvent {
    fn read(node: &Node, rules: &[&str], problems: &mut Problems) -> Option<Self> {
        if let Some(items) = node.as_list() {
            let read = |item| Entry::read(item, rules, problems);
            return Some(Self::Rules(items.iter().filter_map(read).collect()));
        }
        match node.as_text() {
            Some("ignored") => Some(Self::Ignored),
            Some("control") => Some(Self::Control),
            _ => {
                let message = "`ignored`, `control` or a list of what each rule gave is expected";
                problems.error(Code::Shape, &node.span, message);
                None
            }
        }
    }
}

impl Entry {
    fn read(node: &Node, rules: &[&str], problems: &mut Problems) -> Option<Self> {
        let mut fields = Fields::of(node, problems)?;
        let rule = fields.need("rule", problems).and_then(|node| {
            let rule = scalar::text(node, "the name of a rule", problems)?;
            if !rules.contains(&rule) {
                let message = format!("no rule is named `{rule}`");
                let problem = Problem::error(Code::Name, node.span.clone(), message);
                problems.add(match nearest(rule, rules.iter().copied()) {
                    Some(near) => problem.help(format!("did you mean `{near}`?")),
                    None => problem,
                });
            }
            Some(rule.to_owned())
        });
        let item = fields.take("item").and_then(|node| scalar::number(node, 0, u32::MAX, problems));
        let contact = fields.take("contact").and_then(|node| contact(node, problems));
        let wanted = wanted(&mut fields, contact.is_some(), problems);
        fields.finish(problems);
        Some(Self { rule: rule?, item, contact, wanted: wanted? })
    }
}

/// The keys of which one says what came of a rule.
const OUTCOMES: &[&str] = &["update", "update_contains", "held", "skipped", "no_effect", "dead"];

fn wanted(fields: &mut Fields<'_>, has_contact: bool, problems: &mut Problems) -> Option<Wanted> {
    let mut found: Vec<Option<Wanted>> = Vec::new();
    if let Some(node) = fields.take("update") {
        found.push(update(node, problems).map(Wanted::Update));
    }
    if let Some(node) = fields.take("update_contains") {
        found.push(update(node, problems).map(Wanted::Contains));
    }
    if let Some(node) = fields.take("held") {
        let text = scalar::text(node, "a text in the reason", problems);
        found.push(text.map(|text| Wanted::Held(text.to_owned())));
    }
    if let Some(node) = fields.take("skipped") {
        let words: Vec<_> = SkippedReason::ALL.iter().map(|r| (r.as_str(), *r)).collect();
        found.push(scalar::word(node, &words, problems).map(Wanted::Skipped));
    }
    if let Some(node) = fields.take("dead") {
        let words: Vec<_> = DeadReason::ALL.iter().map(|r| (r.as_str(), *r)).collect();
        found.push(scalar::word(node, &words, problems).map(Wanted::Dead));
    }
    if let Some(node) = fields.take("no_effect") {
        found.push(scalar::word(node, &[("true", ())], problems).map(|()| Wanted::NoEffect));
    }
    match found.len() {
        1 => found.into_iter().next().flatten(),
        0 if has_contact => Some(Wanted::Anything),
        0 => {
            let message = "one of `update`, `update_contains`, `held`, `skipped`, `no_effect`, `dead` is missing here";
            let missing = Problem::error(Code::MissingKey, fields.span().clone(), message);
            fields.miss(OUTCOMES, missing, problems);
            None
        }
        _ => {
            problems.error(Code::Value, fields.span(), "one thing comes of a rule, not several");
            None
        }
    }
}

/// A contact as [`shown`](crate::mapping::shown) shows it.
fn contact(node: &Node, problems: &mut Problems) -> Option<Value> {
    let mut fields = Fields::of(node, problems)?;
    let mut shown = Map::new();
    for name in ["id", "mobile"] {
        if let Some(node) = fields.take(name) {
            shown.insert(name.to_owned(), json!(scalar::text(node, "a text", problems)?));
        }
    }
    if let Some(node) = fields.take("attribute") {
        let mut attribute = Fields::of(node, problems)?;
        let mut text = |name| {
            attribute.need(name, problems).and_then(|node| scalar::text(node, "a text", problems))
        };
        let (name, value) = (text("name"), text("value"));
        attribute.finish(problems);
        shown.insert("attribute".to_owned(), json!({ "name": name?, "value": value? }));
    }
    if shown.len() != 1 {
        let message = "one of `id`, `mobile` and `attribute` says who the contact is";
        problems.error(Code::Value, fields.span(), message);
    }
    fields.finish(problems);
    Some(Value::Object(shown))
}

/// A change as [`shown`](crate::mapping::shown) shows it.
fn update(node: &Node, problems: &mut Problems) -> Option<Value> {
    let mut fields = Fields::of(node, problems)?;
    let mut shown = Map::new();
    for name in ["name", "mobile"] {
        if let Some(node) = fields.take(name)
            && let Some(text) = scalar::text(node, "a text", problems)
        {
            shown.insert(name.to_owned(), json!(text));
        }
    }
    for name in ["optin", "incoming_blocked"] {
        if let Some(node) = fields.take(name) {
            shown.extend(scalar::boolean(node, problems).map(|b| (name.to_owned(), json!(b))));
        }
    }
    if let Some(node) = fields.take("tags") {
        let tags = removed(node).unwrap_or_else(|| json!(scalar::words(node, "a tag", problems)));
        shown.insert("tags".to_owned(), tags);
    }
    for name in ["tags_to_add", "tags_to_remove"] {
        if let Some(node) = fields.take(name) {
            shown.insert(name.to_owned(), json!(scalar::words(node, "a tag", problems)));
        }
    }
    if let Some(node) = fields.take("attributes") {
        let mut attributes = Map::new();
        for (key, value) in Fields::of(node, problems)?.rest() {
            let change = removed(value)
                .or_else(|| scalar::text(value, "a text", problems).map(|text| json!(text)));
            attributes.extend(
                change.map(|change| (key.as_text().unwrap_or_default().to_owned(), change)),
            );
        }
        shown.insert("attributes".to_owned(), Value::Object(attributes));
    }
    fields.finish(problems);
    Some(Value::Object(shown))
}

/// `{ remove: true }`
fn removed(node: &Node) -> Option<Value> {
    let Kind::Map(entries) = &node.kind else { return None };
    let [(key, value)] = entries.as_slice() else { return None };
    let is_removed = key.as_text() == Some("remove") && value.as_bool() == Some(true);
    is_removed.then(|| json!({ "remove": true }))
}

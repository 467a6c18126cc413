//! `attributes` and `attributes_from`: attributes the rule names, and those it takes from what the event holds.

use std::borrow::Cow;

use indexmap::IndexMap;

use super::Held;
use super::explain::{field, note_field};
use super::expr::{Evaluated, Expr, Path, Reading, Scope, looks_like_path};
use super::syntax::{Code, Fields, Kind, Node, Problem, Problems, scalar};
use crate::contact::AttributeChange;
use crate::document::Value;

/// Changes to attributes, by name and in order.
pub(super) type Changes = IndexMap<String, AttributeChange>;

/// The attributes of one rule.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    named: Vec<(String, Expr)>,
    found: Vec<From>,
}

#[derive(Debug)]
enum From {
    /// Members of an object or a table.
    Members { from: Expr, members: Vec<Member> },
    /// One whose name comes from the event.
    Named { name: Expr, value: Expr },
}

#[derive(Debug)]
struct Member {
    /// The attribute.
    attribute: String,
    /// The event's name of it.
    name: String,
    /// Where `from` is a path: the path to the member, which minds keys that a table has twice.
    path: Option<Expr>,
}

impl Attributes {
    /// Reads `attributes`, the rule's own names.
    pub(super) fn read_named(
        &mut self,
        node: &Node,
        reading: &Reading<'_>,
        problems: &mut Problems,
    ) {
        let Some(mut fields) = Fields::of(node, problems) else { return };
        for (key, value) in fields.rest() {
            let name = key.as_text().unwrap_or_default();
            if name.trim().is_empty() {
                problems.error(Code::Name, &key.span, "the name of an attribute is expected");
            }
            self.named.extend(Expr::read(value, reading, problems).map(|v| (name.to_owned(), v)));
        }
    }

    /// Reads `attributes_from`: a list, or one alone.
    pub(super) fn read_found(
        &mut self,
        node: &Node,
        reading: &Reading<'_>,
        problems: &mut Problems,
    ) {
        for item in node.as_list().unwrap_or(std::slice::from_ref(node)) {
            self.found.extend(From::read(item, reading, problems));
        }
    }

    /// The names that stand in the file.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let members = self.found.iter().flat_map(|from| match from {
            From::Members { members, .. } => members.as_slice(),
            From::Named { .. } => &[],
        });
        let named = self.named.iter().map(|(name, _)| name.as_str());
        named.chain(members.map(|member| member.attribute.as_str()))
    }

    /// Whether the name of one comes from the event.
    pub(super) fn takes_names(&self) -> bool {
        self.found.iter().any(|from| matches!(from, From::Named { .. }))
    }

    /// Hands over every path that is read.
    pub(super) fn each_path(&self, then: &mut dyn FnMut(&Path)) {
        for (_, value) in &self.named {
            value.each_path(then);
        }
        for from in &self.found {
            match from {
                From::Members { from, .. } => from.each_path(then),
                From::Named { name, value } => {
                    name.each_path(then);
                    value.each_path(then);
                }
            }
        }
    }

    /// The changes: what the event names first, then the rule's own, which win.
    pub(super) fn changes(&self, scope: &Scope<'_>) -> Result<Changes, Held> {
        let mut changes = Changes::new();
        for from in &self.found {
            from.add(scope, &mut changes).map_err(|held| held.at("`update.attributes_from`"))?;
        }
        for (name, value) in &self.named {
            let path = format_args!("update.attributes.{name}");
            let change = field(scope, path, || value.attribute(scope))?;
            if let Some(change) = change {
                changes.insert(name.clone(), change);
            }
        }
        Ok(changes)
    }
}

impl From {
    fn read(node: &Node, reading: &Reading<'_>, problems: &mut Problems) -> Option<Self> {
        let mut fields = Fields::of(node, problems)?;
        if let Some(name) = fields.take("name") {
            let name = Expr::read(name, reading, problems);
            let value =
                fields.need("value", problems).and_then(|node| Expr::read(node, reading, problems));
            fields.finish(problems);
            return Some(Self::Named { name: name?, value: value? });
        }
        let from = fields.need("from", problems);
        let only = fields.take("only").map(|node| scalar::words(node, "a name", problems));
        if only.is_none() {
            let missing = Problem::error(
                Code::MissingKey,
                fields.span().clone(),
                "`only` is missing here",
            )
            .help("attributes must exist in Chatflow: `only: [city, plan]` names those to take");
            fields.miss(&["only"], missing, problems);
        }
        let rename = fields.take("rename").map(|node| renames(node, problems)).unwrap_or_default();
        let prefix = fields.take("prefix").and_then(|node| scalar::text(node, "a text", problems));
        fields.finish(problems);
        let members = only?
            .into_iter()
            .map(|name| {
                let own = rename.get(&name).unwrap_or(&name);
                let attribute = format!("{}{own}", prefix.unwrap_or_default());
                let path = from.and_then(|from| member_of(from, &name, reading));
                Member { attribute, name, path }
            })
            .collect();
        Some(Self::Members { from: Expr::read(from?, reading, problems)?, members })
    }

    fn add(&self, scope: &Scope<'_>, changes: &mut Changes) -> Result<(), Held> {
        match self {
            Self::Named { name, value } => {
                let name = name.text(scope)?;
                let shown = name.as_deref().unwrap_or("(an attribute without a name)");
                let path = format_args!("update.attributes.{shown}");
                let change = note_field(scope, path, || value.attribute(scope))?;
                if let (Some(name), Some(change)) = (name, change) {
                    changes.insert(name, change);
                }
            }
            Self::Members { from, members } => {
                let Some(object) = object(from, scope)? else { return Ok(()) };
                for Member { attribute, name, path } in members {
                    let change = || match (path, object.member(name)) {
                        (Some(path), _) => path.attribute(scope),
                        (None, Some(value)) => Expr::Literal(value.clone()).attribute(scope),
                        (None, None) => Ok(None),
                    };
                    let shown = format_args!("update.attributes.{attribute}");
                    let change = note_field(scope, shown, change)?;
                    if let Some(change) = change {
                        changes.insert(attribute.clone(), change);
                    }
                }
            }
        }
        Ok(())
    }
}

/// The object that `from` gives; nothing where it is blank.
fn object<'s>(from: &'s Expr, scope: &Scope<'s>) -> Result<Option<Cow<'s, Value>>, Held> {
    let value = match from.evaluate(scope)? {
        Evaluated::Absent | Evaluated::Remove => return Ok(None),
        Evaluated::One(value) => value,
        Evaluated::Many(values) => return Err(Held::several(values.len())),
        Evaluated::Mobile(_) => return Err(Held::kind("an object or a table", "a phone number")),
    };
    match &*value {
        Value::Object(_) => Ok(Some(value)),
        blank if blank.is_blank() => Ok(None),
        other => Err(Held::kind("an object or a table", other.kind())),
    }
}

/// The path to a member, where `from` is a path without steps.
fn member_of(from: &Node, name: &str, reading: &Reading<'_>) -> Option<Expr> {
    let path = from.as_text().filter(|text| looks_like_path(text) && !text.contains('|'))?;
    let escaped = name.replace('\\', "\\\\").replace('\'', "\\'");
    let kind = Kind::Scalar { text: format!("{}['{escaped}']", path.trim()), quoted: true };
    // What is wrong with `from` is reported once, where it is read itself.
    Expr::read(&Node { span: from.span.clone(), kind }, reading, &mut Problems::default())
}

fn renames(node: &Node, problems: &mut Problems) -> IndexMap<String, String> {
    let Some(mut fields) = Fields::of(node, problems) else { return IndexMap::new() };
    let pair = |(key, value): (&Node, &Node)| {
        let to = scalar::text(value, "the attribute's name", problems)?;
        Some((key.as_text()?.to_owned(), to.to_owned()))
    };
    fields.rest().into_iter().filter_map(pair).collect()
}

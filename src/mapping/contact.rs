//! `contact:`: who an update is for.

use super::Held;
use super::explain::field;
use super::expr::{Expr, Path, Reading, Scope};
use super::syntax::{Code, Fields, Node, Problem, Problems, scalar};
use super::tags;
use crate::contact::{ContactId, HeldReason, OnMissing, SkippedReason, Target, Who};

/// The keys of which one says who it is: a rule's takes the place of that of `defaults`.
pub(super) const WAYS: &[&str] = &["id", "mobile", "attribute", "first_of"];

/// Those of them that can stand in a list.
const KEYS: &[&str] = &["id", "mobile", "attribute"];
/// What to do when the API knows no such contact.
pub(super) const ON_MISSING: &[(&str, OnMissing)] =
    &[("dead", OnMissing::Dead), ("skip", OnMissing::Skip), ("create", OnMissing::Create)];

/// What to do when the event names no contact.
pub(super) const ON_BLANK: &[(&str, OnBlank)] = &[("skip", OnBlank::Skip), ("hold", OnBlank::Hold)];

/// How a rule finds the contact.
#[derive(Debug)]
pub(super) struct Contact {
    /// Tried in turn: the first whose value is not blank.
    keys: Vec<Key>,
    on_missing: OnMissing,
    on_blank: OnBlank,
}

#[derive(Debug)]
enum Key {
    Id(Expr),
    Mobile(Expr),
    Attribute { name: String, value: Expr },
}

/// What becomes of an update whose event names no contact.
#[derive(Debug, Clone, Copy)]
pub(super) enum OnBlank {
    Skip,
    Hold,
}

/// The contact, or why there is none.
pub(super) enum Found {
    /// The contact.
    Target(Target),
    /// The event names none, and that is no accident.
    Skipped(SkippedReason),
}

impl Contact {
    pub(super) fn read(
        node: &Node,
        reading: &Reading<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let mut fields = Fields::of(node, problems)?;
        let on_missing =
            fields.take("on_missing").and_then(|node| scalar::word(node, ON_MISSING, problems));
        let on_blank =
            fields.take("on_blank").and_then(|node| scalar::word(node, ON_BLANK, problems));
        let keys = match one_way(&mut fields, WAYS, problems) {
            Some(Way { name: "first_of", value }) => first_of(value, reading, problems),
            Some(way) => Key::read(&way, reading, problems).into_iter().collect(),
            None => {
                missing(&mut fields, WAYS, "`id`, `mobile`, `attribute` or `first_of`", problems);
                Vec::new()
            }
        };
        fields.finish(problems);
        Some(Self {
            keys,
            on_missing: on_missing.unwrap_or_default(),
            on_blank: on_blank.unwrap_or(OnBlank::Skip),
        })
    }

    /// Whether contacts are found by mobile number.
    pub(super) fn reads_mobile(&self) -> bool {
        self.keys.iter().any(|key| matches!(key, Key::Mobile(_)))
    }

    /// The attributes by which contacts are looked up.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| match key {
            Key::Attribute { name, .. } => Some(name.as_str()),
            Key::Id(_) | Key::Mobile(_) => None,
        })
    }

    /// Hands over every path that is read.
    pub(super) fn each_path(&self, then: &mut dyn FnMut(&Path)) {
        for key in &self.keys {
            let (Key::Id(value) | Key::Mobile(value) | Key::Attribute { value, .. }) = key;
            value.each_path(then);
        }
    }

    /// The first key that is not blank.
    pub(super) fn find(
        &self,
        scope: &Scope<'_>,
        country: Option<phonenumber::country::Id>,
    ) -> Result<Found, Held> {
        for key in &self.keys {
            if let Some(who) = key.find(scope, country)? {
                return Ok(Found::Target(Target { who, on_missing: self.on_missing }));
            }
        }
        match self.on_blank {
            OnBlank::Skip => Ok(Found::Skipped(SkippedReason::NoContact)),
            OnBlank::Hold => {
                Err(Held::new(HeldReason::Required, "`contact`: the event names no contact"))
            }
        }
    }
}

/// One way to name a contact, as it stands in the file.
struct Way<'n> {
    name: &'static str,
    value: &'n Node,
}

/// Takes the first of `ways` that stands in the file; more than one is a problem.
fn one_way<'n>(
    fields: &mut Fields<'n>,
    ways: &[&'static str],
    problems: &mut Problems,
) -> Option<Way<'n>> {
    let mut found: Vec<_> = ways
        .iter()
        .filter_map(|name| fields.take_with_key(name).map(|(key, value)| (*name, key, value)))
        .collect();
    found.sort_by_key(|(_, key, _)| key.span.start);
    for (_, key, _) in found.iter().skip(1) {
        let problem = Problem::error(
            Code::Value,
            key.span.clone(),
            "one of `id`, `mobile`, `attribute` and `first_of` says who the contact is",
        );
        problems.add(problem.help("`first_of` takes a list of them, to be tried in turn"));
    }
    found.into_iter().next().map(|(name, _, value)| Way { name, value })
}

fn missing(
    fields: &mut Fields<'_>,
    names: &[&'static str],
    expected: &str,
    problems: &mut Problems,
) {
    let message = format!("one of {expected} is missing here");
    let missing = Problem::error(Code::MissingKey, fields.span().clone(), message);
    let missing = if fields.is_empty() {
        missing
    } else {
        missing.help("whatever else finds a contact is one of its attributes: `attribute: { name: email, value: $.email }`")
    };
    fields.miss(names, missing, problems);
}

fn first_of(list: &Node, reading: &Reading<'_>, problems: &mut Problems) -> Vec<Key> {
    let Some(items) = list.as_list().filter(|items| !items.is_empty()) else {
        let message = "a list of `id`, `mobile` and `attribute` is expected";
        problems.error(Code::Shape, &list.span, message);
        return Vec::new();
    };
    let mut keys = Vec::new();
    for item in items {
        let Some(mut fields) = Fields::of(item, problems) else { continue };
        match one_way(&mut fields, KEYS, problems) {
            Some(way) => keys.extend(Key::read(&way, reading, problems)),
            None => missing(&mut fields, KEYS, "`id`, `mobile` or `attribute`", problems),
        }
        fields.finish(problems);
    }
    keys
}

impl Key {
    fn read(way: &Way<'_>, reading: &Reading<'_>, problems: &mut Problems) -> Option<Self> {
        tags::refuse_remove(way.value, problems);
        match way.name {
            "id" => Expr::read(way.value, reading, problems).map(Self::Id),
            "mobile" => Expr::read(way.value, reading, problems).map(Self::Mobile),
            _ => {
                let mut fields = Fields::of(way.value, problems)?;
                let name = fields
                    .need("name", problems)
                    .and_then(|node| scalar::text(node, "the attribute's name", problems));
                let value = fields
                    .need("value", problems)
                    .and_then(|node| Expr::read(node, reading, problems));
                fields.finish(problems);
                Some(Self::Attribute { name: name?.to_owned(), value: value? })
            }
        }
    }

    fn find(
        &self,
        scope: &Scope<'_>,
        country: Option<phonenumber::country::Id>,
    ) -> Result<Option<Who>, Held> {
        match self {
            Self::Id(value) => field(scope, "contact.id", || {
                let Some(text) = value.text(scope)? else { return Ok(None) };
                ContactId::try_from(text.trim().to_owned())
                    .map(|id| Some(Who::Id(id)))
                    .map_err(|error| Held::new(HeldReason::Type, error.to_string()))
            }),
            Self::Mobile(value) => field(scope, "contact.mobile", || {
                Ok(value.mobile(scope, country)?.map(Who::Mobile))
            }),
            Self::Attribute { name, value } => field(scope, "contact.attribute", || {
                let value = value.text(scope)?;
                Ok(value.map(|value| Who::Attribute { name: name.clone(), value }))
            }),
        }
    }
}

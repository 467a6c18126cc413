//! A compiled value and what it gives.

use super::guard::Guarded;
use super::index::Index;
use super::path::Path;
use super::pipe::Piped;
use super::scope::{Named, Scope};
use super::template::Template;
use crate::contact::Mobile;
use crate::document::Value;
use crate::mapping::Held;
use std::borrow::Cow;

/// What a value gives for one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evaluated<'s> {
    /// Nothing: the event does not have it, or a condition does not hold.
    Absent,
    /// One value, which may be blank, a list or an object.
    One(Cow<'s, Value>),
    /// What a path that can select several has selected: one at least.
    Many(Vec<Cow<'s, Value>>),
    /// A mobile number that a `phone` step has read: it is not read again.
    Mobile(Mobile),
    /// What is there is to be removed.
    Remove,
}

/// A compiled value.
#[derive(Debug)]
pub enum Expr {
    /// The value itself.
    Literal(Value),
    /// What a path selects.
    Path(Path),
    /// A text with values in it.
    Template(Template),
    /// A value that goes through steps.
    Piped(Box<Piped>),
    /// The first that is not blank.
    FirstOf(Vec<Expr>),
    /// Those that are not blank, as one text with this between.
    Join(Vec<Expr>, Box<str>),
    /// Those that are not blank, as one list.
    AllOf(Vec<Expr>),
    /// A table made of an array.
    Index(Box<Index>),
    /// The wish to remove what is there.
    Remove,
    /// A value with `when`, `default`, `required`, `empty` or `on_error`.
    Guarded(Box<Guarded>),
}

/// What a `map` step that does not say `otherwise` gives for what its table does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mapping) enum Unmapped {
    /// The value as it is.
    Keep,
    /// Nothing: in tags and `optin`, which are lists of agreed words.
    Drop,
}

impl Expr {
    /// The value for one event.
    pub fn evaluate<'s>(&'s self, scope: &Scope<'s>) -> Result<Evaluated<'s>, Held> {
        self.give(scope, Unmapped::Keep)
    }

    /// The value for one event, for a field that has its own way with unmapped words.
    pub(in crate::mapping) fn give<'s>(
        &'s self,
        scope: &Scope<'s>,
        unmapped: Unmapped,
    ) -> Result<Evaluated<'s>, Held> {
        match self {
            Self::Literal(value) => Ok(Evaluated::One(Cow::Borrowed(value))),
            Self::Path(path) => Evaluated::selected(path, scope),
            Self::Template(template) => template.render(scope, unmapped),
            Self::Piped(piped) => piped.give(scope, unmapped),
            Self::FirstOf(values) => {
                for value in values {
                    let found = value.give(scope, unmapped)?;
                    if !found.is_blank() {
                        return Ok(found);
                    }
                }
                Ok(Evaluated::Absent)
            }
            Self::Join(values, with) => {
                let mut parts = Vec::new();
                for value in values {
                    let found = value.give(scope, unmapped)?;
                    found.add_texts(&mut parts).map_err(|held| held.at(&value.label()))?;
                }
                Ok(joined(&parts, with))
            }
            Self::AllOf(values) => {
                let mut list = Vec::new();
                for value in values {
                    let found = value.give(scope, unmapped)?;
                    let elements = found.elements("a value to list");
                    list.extend(elements.map_err(|held| held.at(&value.label()))?);
                }
                if list.is_empty() {
                    return Ok(Evaluated::Absent);
                }
                let list = list.into_iter().map(Cow::into_owned).collect();
                Ok(Evaluated::one(Value::List(list)))
            }
            Self::Index(index) => {
                let table = index.table(scope)?;
                if table.repeated.is_empty() {
                    return Ok(Evaluated::one(table.value));
                }
                Err(index.repeats())
            }
            Self::Remove => Ok(Evaluated::Remove),
            Self::Guarded(guarded) => {
                guarded.give(scope, unmapped, || guarded.value().give(scope, unmapped))
            }
        }
    }

    /// The path, where the value is nothing but one that gives one value at most.
    pub(super) fn as_singular_path(&self) -> Option<&Path> {
        if let Self::Path(path) = self { path.is_singular().then_some(path) } else { None }
    }

    /// The value as a `let` keeps it: several become a list.
    pub(super) fn named(&self, scope: &Scope<'_>) -> Result<Named, Held> {
        let mut repeated = Vec::new();
        let mut with_repeats = |index: &Index| {
            let table = index.table(scope)?;
            repeated = table.repeated;
            Ok(Evaluated::one(table.value))
        };
        let found = match self {
            Self::Index(index) => with_repeats(index)?,
            Self::Guarded(guarded) => match guarded.value() {
                Self::Index(index) => {
                    guarded.give(scope, Unmapped::Keep, || with_repeats(index))?
                }
                _ => self.evaluate(scope)?,
            },
            _ => self.evaluate(scope)?,
        };
        let mut mobile = None;
        let value = match found {
            Evaluated::Absent | Evaluated::Remove => None,
            Evaluated::One(value) => Some(value.into_owned()),
            Evaluated::Many(values) => {
                Some(Value::List(values.into_iter().map(Cow::into_owned).collect()))
            }
            Evaluated::Mobile(number) => {
                let value = Value::text(number.as_str());
                mobile = Some(number);
                Some(value)
            }
        };
        Ok(Named { value, repeated, mobile })
    }

    /// Whether the value may ask to remove what is there: `remove: true` or `empty: remove` in it.
    pub fn may_remove(&self) -> bool {
        match self {
            Self::Remove => true,
            Self::FirstOf(values) => values.iter().any(Self::may_remove),
            Self::Guarded(guarded) => guarded.may_remove(),
            _ => false,
        }
    }

    /// What messages call the value: the path it comes from, or its form.
    pub(in crate::mapping) fn label(&self) -> String {
        match self {
            Self::Literal(_) => "the value".to_owned(),
            Self::Path(path) => format!("`{}`", path.text()),
            Self::Template(template) => format!("`{}`", template.text()),
            Self::Piped(piped) => piped.from().label(),
            Self::FirstOf(_) => "`first_of`".to_owned(),
            Self::Join(..) => "`join`".to_owned(),
            Self::AllOf(_) => "`all_of`".to_owned(),
            Self::Index(index) => format!("`{}`", index.path().text()),
            Self::Remove => "`remove`".to_owned(),
            Self::Guarded(guarded) => guarded.value().label(),
        }
    }

    /// Whether the event has the value before any step is taken, as something other than null.
    pub(super) fn is_spoken_of(&self, scope: &Scope<'_>) -> Result<bool, Held> {
        Ok(match self {
            Self::Piped(piped) => piped.from().is_spoken_of(scope)?,
            Self::Guarded(guarded) => {
                guarded.holds(scope)? && guarded.value().is_spoken_of(scope)?
            }
            Self::FirstOf(values) | Self::AllOf(values) | Self::Join(values, _) => {
                for value in values {
                    if value.is_spoken_of(scope)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Path(_) | Self::Literal(_) => match self.evaluate(scope)? {
                Evaluated::Absent => false,
                Evaluated::One(value) => *value != Value::Null,
                Evaluated::Many(values) => values.iter().any(|value| **value != Value::Null),
                Evaluated::Mobile(_) | Evaluated::Remove => true,
            },
            Self::Template(_) | Self::Index(_) | Self::Remove => {
                !matches!(self.evaluate(scope)?, Evaluated::Absent)
            }
        })
    }
}

/// Texts as one, or nothing where there are none.
pub(in crate::mapping) fn joined(parts: &[String], with: &str) -> Evaluated<'static> {
    if parts.is_empty() {
        return Evaluated::Absent;
    }
    Evaluated::one(Value::text(parts.join(with)))
}

/// The text of a text, number or boolean, as JSON writes it; nothing for the other kinds.
pub(in crate::mapping) fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) | Value::Number(text) => Some(text),
        Value::Bool(true) => Some("true"),
        Value::Bool(false) => Some("false"),
        Value::Null | Value::List(_) | Value::Object(_) => None,
    }
}

/// Whether a value is blank, or a list of nothing but blanks.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::List(items) => items.iter().all(is_blank),
        _ => value.is_blank(),
    }
}

/// The one value that a value is or holds: an array of one item is that item, blanks do not count.
fn only_one(value: Cow<'_, Value>) -> Result<Option<Cow<'_, Value>>, Held> {
    match value {
        Cow::Borrowed(Value::List(items)) => {
            let mut filled = items.iter().filter(|item| !is_blank(item));
            match (filled.next(), filled.count()) {
                (None, _) => Ok(None),
                (Some(one), 0) => only_one(Cow::Borrowed(one)),
                (Some(_), more) => Err(Held::several(1 + more)),
            }
        }
        Cow::Owned(Value::List(items)) => {
            let mut filled = items.into_iter().filter(|item| !is_blank(item));
            match (filled.next(), filled.count()) {
                (None, _) => Ok(None),
                (Some(one), 0) => only_one(Cow::Owned(one)),
                (Some(_), more) => Err(Held::several(1 + more)),
            }
        }
        value => Ok((!value.is_blank()).then_some(value)),
    }
}

impl<'s> Evaluated<'s> {
    /// What a path selects.
    pub(in crate::mapping) fn selected(path: &Path, scope: &Scope<'s>) -> Result<Self, Held> {
        if path.is_singular() {
            if let Some(index) = path.as_let()
                && let Some(mobile) = scope.mobile(index)?
            {
                return Ok(Self::Mobile(mobile.clone()));
            }
            return Ok(path
                .select_one(scope)?
                .map_or(Self::Absent, |one| Self::One(Cow::Borrowed(one))));
        }
        Ok(Self::many(path.select(scope)?.into_iter().map(Cow::Borrowed).collect()))
    }

    /// One value that was made.
    pub(in crate::mapping) fn one(value: Value) -> Self {
        Self::One(Cow::Owned(value))
    }

    /// What was selected, absent where that is nothing.
    pub(in crate::mapping) fn many(values: Vec<Cow<'s, Value>>) -> Self {
        if values.is_empty() { Self::Absent } else { Self::Many(values) }
    }

    /// Blank is: nothing, null, a text of nothing but white space, an empty list, or nothing but those.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::One(value) => is_blank(value),
            Self::Many(values) => values.iter().all(|value| is_blank(value)),
            Self::Mobile(_) | Self::Remove => false,
        }
    }

    /// The one value that is there; nothing where it is blank, held where there are several.
    pub(in crate::mapping) fn single(self, expected: &str) -> Result<Option<Cow<'s, Value>>, Held> {
        match self {
            Self::Absent => Ok(None),
            Self::One(value) => only_one(value),
            Self::Many(values) => {
                let mut filled = values.into_iter().filter(|value| !is_blank(value));
                match (filled.next(), filled.count()) {
                    (None, _) => Ok(None),
                    (Some(one), 0) => only_one(one),
                    (Some(_), more) => Err(Held::several(1 + more)),
                }
            }
            Self::Mobile(mobile) => Ok(Some(Cow::Owned(Value::text(mobile.as_str())))),
            Self::Remove => Err(Held::kind(expected, "`remove`")),
        }
    }

    /// What is there, one by one: the items of a list, what a path selected (and, of a list among it, the
    /// items), or the value itself; without blanks.
    pub(in crate::mapping) fn elements(self, expected: &str) -> Result<Vec<Cow<'s, Value>>, Held> {
        fn add<'s>(value: Cow<'s, Value>, found: &mut Vec<Cow<'s, Value>>) {
            match value {
                Cow::Borrowed(Value::List(items)) => found.extend(items.iter().map(Cow::Borrowed)),
                Cow::Owned(Value::List(items)) => found.extend(items.into_iter().map(Cow::Owned)),
                value => found.push(value),
            }
        }
        let mut found = Vec::new();
        match self {
            Self::Absent => {}
            Self::One(value) => add(value, &mut found),
            Self::Many(values) => values.into_iter().for_each(|value| add(value, &mut found)),
            Self::Mobile(mobile) => found.push(Cow::Owned(Value::text(mobile.as_str()))),
            Self::Remove => return Err(Held::kind(expected, "`remove`")),
        }
        found.retain(|value| !is_blank(value));
        Ok(found)
    }

    /// Adds the texts of what is there, without blanks.
    pub(in crate::mapping) fn add_texts(self, texts: &mut Vec<String>) -> Result<(), Held> {
        for element in self.elements("a text")? {
            let Some(one) = only_one(element)? else { continue };
            match text_of(&one) {
                Some(text) => texts.push(text.to_owned()),
                None => return Err(Held::kind("a text", one.kind())),
            }
        }
        Ok(())
    }
}

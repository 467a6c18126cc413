//! A compiled value and what it gives.

use super::evaluated::{Evaluated, joined};
use super::guard::Guarded;
use super::index::Index;
use super::path::Path;
use super::pipe::Piped;
use super::scope::{Named, Scope};
use super::template::Template;
use crate::document::Value;
use crate::mapping::Held;
use crate::mapping::explain::{Gave, What};
use std::borrow::Cow;
use std::collections::HashSet;

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
        // A path and a step note themselves, and there is nothing to be said of a literal.
        let form = match self {
            Self::Literal(_) | Self::Path(_) | Self::Remove => return self.make(scope, unmapped),
            Self::Template(template) => template.text(),
            Self::Piped(_) => "steps",
            Self::FirstOf(_) => "first_of",
            Self::Join(..) => "join",
            Self::AllOf(_) => "all_of",
            Self::Index(_) => "index",
            Self::Guarded(_) => "when",
        };
        scope.note(
            || self.make(scope, unmapped),
            |found| What::Form { form: form.into(), gave: Gave::of(found) },
        )
    }

    fn make<'s>(&'s self, scope: &Scope<'s>, unmapped: Unmapped) -> Result<Evaluated<'s>, Held> {
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
        let (mut repeated, mut mobiles) = (HashSet::new(), Vec::new());
        let mut with_repeats = |index: &Index| {
            let table = index.table(scope)?;
            (repeated, mobiles) = (table.repeated, table.mobiles);
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
        let value = match found {
            Evaluated::Absent | Evaluated::Remove => None,
            Evaluated::One(value) => Some(value.into_owned()),
            Evaluated::Many(values) => {
                Some(Value::List(values.into_iter().map(Cow::into_owned).collect()))
            }
            Evaluated::Mobile(number) => {
                let value = Value::text(number.as_str());
                mobiles.push(number);
                Some(value)
            }
        };
        Ok(Named { value, repeated, mobiles })
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

    /// Hands over every path that the value may read, also those of its conditions and steps.
    pub fn each_path(&self, then: &mut dyn FnMut(&Path)) {
        match self {
            Self::Literal(_) | Self::Remove => {}
            Self::Path(path) => then(path),
            Self::Template(template) => template.values().for_each(|value| value.each_path(then)),
            Self::Piped(piped) => piped.each_path(then),
            Self::FirstOf(values) | Self::Join(values, _) | Self::AllOf(values) => {
                for value in values {
                    value.each_path(then);
                }
            }
            Self::Index(index) => index.each_path(then),
            Self::Guarded(guarded) => guarded.each_path(then),
        }
    }

    /// The value as it stands in the file, as far as one line can show it.
    pub(in crate::mapping) fn shown(&self) -> String {
        match self {
            Self::Literal(value) => serde_json::to_string(value).unwrap_or_default(),
            Self::Path(path) => path.text().to_owned(),
            other => other.label().replace('`', ""),
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
        let scope = &scope.unnoted();
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

//! A compiled value and what it gives.

use super::path::Path;
use super::scope::{Named, Scope};
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
}

impl Expr {
    /// The value for one event.
    pub fn evaluate<'s>(&'s self, scope: &Scope<'s>) -> Result<Evaluated<'s>, Held> {
        match self {
            Self::Literal(value) => Ok(Evaluated::One(Cow::Borrowed(value))),
            Self::Path(path) => Evaluated::selected(path, scope),
        }
    }

    /// The path, where the value is nothing but one that gives one value at most.
    pub(super) fn as_singular_path(&self) -> Option<&Path> {
        if let Self::Path(path) = self { path.is_singular().then_some(path) } else { None }
    }

    /// The value as a `let` keeps it: several become a list.
    pub(super) fn named(&self, scope: &Scope<'_>) -> Result<Named, Held> {
        let value = match self.evaluate(scope)? {
            Evaluated::Absent | Evaluated::Remove => None,
            Evaluated::One(value) => Some(value.into_owned()),
            Evaluated::Many(values) => {
                Some(Value::List(values.into_iter().map(Cow::into_owned).collect()))
            }
        };
        Ok(Named { value, repeated: Vec::new() })
    }
}

impl<'s> Evaluated<'s> {
    /// What a path selects.
    pub(super) fn selected(path: &Path, scope: &Scope<'s>) -> Result<Self, Held> {
        if path.is_singular() {
            return Ok(path
                .select_one(scope)?
                .map_or(Self::Absent, |one| Self::One(Cow::Borrowed(one))));
        }
        let found = path.select(scope)?;
        if found.is_empty() {
            return Ok(Self::Absent);
        }
        Ok(Self::Many(found.into_iter().map(Cow::Borrowed).collect()))
    }
}

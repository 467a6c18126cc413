//! What a value gives, and how fields and steps take it: one value, several, none.

use super::path::Path;
use super::scope::Scope;
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
            let Some(one) = path.select_one(scope)? else { return Ok(Self::Absent) };
            if let (Some(index), Value::Text(digits)) = (path.root_let(), one)
                && let Some(mobile) = scope.mobile(index, digits)?
            {
                return Ok(Self::Mobile(mobile.clone()));
            }
            return Ok(Self::One(Cow::Borrowed(one)));
        }
        Ok(Self::many(path.select(scope)?.into_iter().map(Cow::Borrowed).collect()))
    }

    /// The same, with a mobile number as the text that it is.
    #[must_use]
    pub(in crate::mapping) fn plain(self) -> Self {
        match self {
            Self::Mobile(mobile) => Self::one(Value::text(mobile.as_str())),
            other => other,
        }
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

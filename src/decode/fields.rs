//! Named texts, as forms and multipart bodies have them, and the document they make together.
//!
//! `a=1` is a member, `a=1&a=2` a list. Brackets nest as in PHP: `a[b]=1` is a member of a member, `a[]=1` appends to
//! a list, and numbers make a list where they are exactly 0 to n-1. A name whose brackets do not close is a name
//! like any other. What cannot be all at once (`a=1&a[b]=2`) is refused.

use indexmap::IndexMap;

use super::{Error, Limits};
use crate::document::{Members, Value};

/// What is under a name so far.
enum Field {
    /// One text, or several under the same name.
    Texts(Vec<Box<str>>),
    /// What `[]` has appended.
    Appended(Vec<Field>),
    /// What is under names or numbers.
    Keyed(IndexMap<Box<str>, Field>),
}

/// The fields of a body.
pub(super) struct Fields<'l> {
    members: IndexMap<Box<str>, Field>,
    number: usize,
    nodes: usize,
    limits: &'l Limits,
}

impl<'l> Fields<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        Self { members: IndexMap::new(), number: 0, nodes: 1, limits }
    }

    /// Adds a field.
    pub(super) fn add(&mut self, name: &str, text: &str) -> Result<(), Error> {
        self.number += 1;
        if self.number > self.limits.keys {
            return Err(Error::TooManyKeys { limit: self.limits.keys });
        }
        let (first, keys) = brackets(name);
        // The document itself, each bracket, and a list where the name is repeated.
        if keys.len() + 2 > self.limits.levels {
            return Err(Error::TooDeep { limit: self.limits.levels });
        }
        let number = self.number;
        let mut fresh = 1;
        let empty = |next: Option<&&str>| match next {
            None => Field::Texts(Vec::new()),
            Some(&"") => Field::Appended(Vec::new()),
            Some(_) => Field::Keyed(IndexMap::new()),
        };
        let mut at = self.members.entry(first.into()).or_insert_with(|| empty(keys.first()));
        for (place, key) in keys.iter().enumerate() {
            let next = || empty(keys.get(place + 1));
            at = match at {
                Field::Appended(items) if key.is_empty() => {
                    fresh += 1;
                    let new = items.len();
                    items.push(next());
                    // It was pushed on the line before.
                    match items.get_mut(new) {
                        Some(item) => item,
                        None => return Ok(()),
                    }
                }
                Field::Keyed(members) if !key.is_empty() => {
                    members.entry((*key).into()).or_insert_with(|| {
                        fresh += 1;
                        next()
                    })
                }
                _ => return Err(conflict(number)),
            };
        }
        let Field::Texts(texts) = at else { return Err(conflict(number)) };
        texts.push(text.into());
        self.nodes += fresh;
        if self.nodes > self.limits.nodes {
            return Err(Error::TooManyNodes { limit: self.limits.nodes });
        }
        Ok(())
    }

    /// The document.
    pub(super) fn into_document(self) -> Value {
        let members = self.members.into_iter().map(|(name, field)| (name, value(field)));
        Value::Object(members.collect())
    }
}

fn conflict(number: usize) -> Error {
    let what = "a field is a text and has fields in it, or a list and an object, at once";
    Error::Field { what, number }
}

/// The name before the brackets and what stands in each; no brackets where they do not all close at the end.
fn brackets(name: &str) -> (&str, Vec<&str>) {
    let whole = (name, Vec::new());
    let Some((first, rest)) = name.split_once('[') else { return whole };
    let Some(rest) = rest.strip_suffix(']') else { return whole };
    let keys: Vec<_> = rest.split("][").collect();
    let nested = |key: &&str| key.contains(['[', ']']);
    if first.is_empty() || first.contains(']') || keys.iter().any(nested) {
        return whole;
    }
    (first, keys)
}

/// No deeper than the limit of levels.
fn value(field: Field) -> Value {
    match field {
        Field::Texts(mut texts) if texts.len() == 1 => texts.pop().map_or(Value::Null, Value::Text),
        Field::Texts(texts) => Value::List(texts.into_iter().map(Value::Text).collect()),
        Field::Appended(items) => Value::List(items.into_iter().map(value).collect()),
        Field::Keyed(members) => {
            let Some(places) = places(&members) else {
                let members = members.into_iter().map(|(name, field)| (name, value(field)));
                return Value::Object(members.collect::<Members>());
            };
            let mut items = vec![Value::Null; members.len()];
            for (place, field) in places.into_iter().zip(members.into_values()) {
                if let Some(item) = items.get_mut(place) {
                    *item = value(field);
                }
            }
            Value::List(items)
        }
    }
}

/// The place of each member, where their names are exactly the numbers from 0 on.
fn places(members: &IndexMap<Box<str>, Field>) -> Option<Vec<usize>> {
    let place = |name: &str| {
        let place: usize = name.parse().ok()?;
        // `01` and `+1` are names; names are not repeated, so those below the count are all of them.
        (place < members.len() && place.to_string() == name).then_some(place)
    };
    members.keys().map(|name| place(name)).collect()
}

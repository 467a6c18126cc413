//! Arrays of pairs, such as `[{ "label": "Phone", "value": "…" }]`: to be read by name, not by place.

use super::survey::{Place, Way, child};
use crate::document::Value;

/// What names a pair, the most readable first.
const KEYS: &[&str] = &["label", "question", "title", "name", "field", "key", "ref", "slug", "id"];
/// Members that hold the key of a pair one level down.
const HOLDERS: &[&str] = &["field", "question"];
/// What holds the value of a pair.
const VALUES: &[&str] = &["value", "values", "answer", "text", "response", "content"];
/// The same where each item says of what type it is; else they are what a person has.
const TYPED: &[&str] = &["email", "phone_number", "phone", "number", "date", "boolean", "url"];
/// The same one level down.
const NESTED: &[(&str, &str)] = &[("choice", "label"), ("choices", "labels"), ("text", "value")];

/// A table of pairs, as a `let` makes it.
#[derive(Debug)]
pub(super) struct Pairs {
    /// The name of the `let`.
    pub(super) name: String,
    /// The array.
    pub(super) array: String,
    /// The path of the key, from `$item`.
    pub(super) key: String,
    /// The paths of the value, from `$item`: the first that is not blank.
    pub(super) values: Vec<String>,
}

/// An entry: its name, the place of its item, and the value with its place in the item.
type Entry<'d> = (String, usize, (Place, &'d Value));

/// The table of an array of pairs and its entries; nothing where it is none.
pub(super) fn of<'d>(
    items: &'d [Value],
    path: &str,
    known: &[Pairs],
) -> Option<(Pairs, Vec<Entry<'d>>)> {
    // Phone numbers and addresses with `label: work` are no answers to questions.
    if items.iter().any(|item| item.member("primary").is_some()) {
        return None;
    }
    let key = key(items)?;
    let values: Vec<Vec<&str>> = values(items, &key);
    let has_value = |item: &Value| values.iter().any(|way| at(item, way).is_some());
    if values.is_empty() || !items.iter().all(has_value) {
        return None;
    }
    let mut entries: Vec<Entry<'d>> = Vec::new();
    let mut repeated: Vec<String> = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let Some(name) = at(item, &key).and_then(Value::as_text) else { continue };
        let found = values.iter().find_map(|way| {
            let value = at(item, way)?;
            (!value.is_blank()).then_some((way, value))
        });
        let Some((way, value)) = found else { continue };
        if entries.iter().any(|(known, ..)| known == name) {
            repeated.push(name.to_owned());
        }
        let is_single = |value: &Value| !matches!(value, Value::List(_) | Value::Object(_));
        let is_readable = match value {
            Value::Object(_) => false,
            Value::List(items) => items.iter().all(is_single),
            _ => true,
        };
        if is_readable {
            let way = way.iter().map(|name| Way::Member((*name).to_owned())).collect();
            entries.push((name.to_owned(), place, (way, value)));
        }
    }
    // A key that repeats cannot be read by name: it is left to the person who writes the mapping.
    entries.retain(|(name, ..)| !repeated.contains(name));
    let written =
        |way: &Vec<&str>| way.iter().fold("$item".to_owned(), |path, name| child(&path, name));
    let pairs = Pairs {
        name: name(path, known),
        array: path.to_owned(),
        key: written(&key),
        values: values.iter().map(written).collect(),
    };
    Some((pairs, entries))
}

/// The way to what names every item: a text, and different for most of them.
fn key(items: &[Value]) -> Option<Vec<&'static str>> {
    let ways = HOLDERS
        .iter()
        .flat_map(|holder| KEYS.iter().map(move |key| vec![*holder, *key]))
        .chain(KEYS.iter().map(|key| vec![*key]));
    let mut best: Option<(usize, Vec<&'static str>)> = None;
    for way in ways {
        let mut names: Vec<&str> = Vec::new();
        let all = items.iter().all(|item| {
            let name =
                at(item, &way).and_then(Value::as_text).filter(|name| !name.trim().is_empty());
            names.extend(name);
            name.is_some()
        });
        names.sort_unstable();
        names.dedup();
        if all && best.as_ref().is_none_or(|(count, _)| names.len() > *count) {
            best = Some((names.len(), way));
        }
    }
    best.map(|(_, way)| way)
}

fn values(items: &[Value], key: &[&str]) -> Vec<Vec<&'static str>> {
    let there = |way: &Vec<&'static str>| {
        let is_there =
            |item: &Value| at(item, way).is_some_and(|value| !matches!(value, Value::Object(_)));
        way.as_slice() != key && items.iter().any(is_there)
    };
    let is_typed = items.iter().all(|item| item.member("type").is_some());
    let typed = TYPED.iter().filter(|_| is_typed);
    let single = VALUES.iter().chain(typed).map(|name| vec![*name]);
    let nested = NESTED.iter().map(|(outer, inner)| vec![*outer, *inner]);
    single.chain(nested).filter(there).collect()
}

fn at<'d>(item: &'d Value, way: &[&str]) -> Option<&'d Value> {
    way.iter().try_fold(item, |value, name| value.member(name))
}

/// A name for the `let`: that of the array, where it can be one.
fn name(path: &str, known: &[Pairs]) -> String {
    let last = path.rsplit(['.', '[']).next().unwrap_or_default();
    let is_name = last.starts_with(|c: char| c.is_ascii_lowercase())
        && last.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let is_reserved = crate::mapping::expr::Names::RESERVED.contains(&last);
    let name = if is_name && !is_reserved { last } else { "answer" };
    let mut own = name.to_owned();
    let mut number = 1;
    while known.iter().any(|pairs| pairs.name == own) {
        number += 1;
        own = format!("{name}_{number}");
    }
    own
}

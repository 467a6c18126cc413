//! Every value of an event that a mapping could name, with the path a mapping would name it by.

use super::pairs::{self, Pairs};
use super::words::Words;
use crate::document::Value;

/// Values that are looked at; an event has rarely more than a few hundred.
const MOST: usize = 3000;
/// Levels that are looked at.
const DEEPEST: usize = 16;
/// Longest path that is worth writing, in bytes.
const LONGEST_PATH: usize = 240;

/// One value of the event.
#[derive(Debug, Clone)]
pub(super) struct Field<'d> {
    /// The path, as a mapping writes it.
    pub(super) path: String,
    /// The words of its key.
    pub(super) own: Words,
    /// The words of the keys above it.
    pub(super) around: Words,
    /// The path of what it stands in.
    pub(super) home: String,
    /// A single value, or a list of single values.
    pub(super) value: &'d Value,
    /// Where it stands in the document.
    pub(super) place: Place,
    /// How much of `place`, from the top, a smaller document must keep whole for the path to select it still.
    pub(super) whole_from: usize,
    /// How many keys down it is.
    pub(super) depth: usize,
}

/// The way to a value: names of members and places in lists.
pub(super) type Place = Vec<Way>;

/// One step of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    Member(String),
    Item(usize),
}

/// All that was found.
#[derive(Debug, Default)]
pub(super) struct Survey<'d> {
    pub(super) fields: Vec<Field<'d>>,
    pub(super) pairs: Vec<Pairs>,
    /// Arrays of objects, with their paths and places, the outermost first.
    pub(super) arrays: Vec<(String, Place, &'d [Value])>,
}

/// Where the survey stands.
#[derive(Clone)]
struct Here {
    path: String,
    around: String,
    key: String,
    place: Place,
    whole_from: Option<usize>,
    depth: usize,
    /// Whether an item of an array stands above, so that an array here is not one of the event's own.
    inside_an_item: bool,
}

impl<'d> Survey<'d> {
    /// Looks through a value that a mapping reads as `root`, such as `$` or `$item`, and that stands at `place`.
    pub(super) fn of(value: &'d Value, root: &str, place: Place) -> Self {
        let mut survey = Self::default();
        let here = Here {
            path: root.to_owned(),
            around: String::new(),
            key: String::new(),
            place,
            whole_from: None,
            depth: 0,
            inside_an_item: false,
        };
        survey.visit(value, &here, root);
        survey
    }

    fn visit(&mut self, value: &'d Value, here: &Here, home: &str) {
        if self.fields.len() >= MOST || here.depth > DEEPEST || here.path.len() > LONGEST_PATH {
            return;
        }
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    self.visit(value, &here.member(name), &here.path);
                }
            }
            Value::List(items) => self.list(value, items, here, home),
            _ => self.add(value, here, home),
        }
    }

    fn list(&mut self, value: &'d Value, items: &'d [Value], here: &Here, home: &str) {
        let is_single = |item: &Value| !matches!(item, Value::List(_) | Value::Object(_));
        if items.iter().all(is_single) {
            self.add(value, here, home);
            return;
        }
        if let Some((pairs, fields)) = pairs::of(items, &here.path, &self.pairs) {
            for (name, item, value) in fields {
                let mut inner = here.clone();
                inner.around = format!("{} {}", here.around, here.key);
                name.clone_into(&mut inner.key);
                inner.place.push(Way::Item(item));
                inner.whole_from = Some(inner.whole_from.unwrap_or(inner.place.len()));
                inner.place.extend(value.0);
                let root = format!("${}", pairs.name);
                inner.path = child(&root, &name);
                inner.depth += 1;
                self.add(value.1, &inner, &root);
            }
            self.pairs.push(pairs);
            return;
        }
        if items.iter().all(|item| matches!(item, Value::Object(_))) && !here.inside_an_item {
            self.arrays.push((here.path.clone(), here.place.clone(), items));
        }
        let is_first = |item: &Value| item.member("primary") == Some(&Value::Bool(true));
        let mut first = items.iter().enumerate().filter(|(_, item)| is_first(item));
        let (at, selector) = match (first.next(), first.next()) {
            (Some((at, _)), None) => (at, "[?@.primary==true]"),
            _ => (0, "[0]"),
        };
        let Some(item) = items.get(at) else { return };
        let mut inner = here.clone();
        inner.path.push_str(selector);
        inner.place.push(Way::Item(at));
        inner.inside_an_item = true;
        if selector != "[0]" {
            inner.whole_from = Some(inner.whole_from.unwrap_or(inner.place.len()));
        }
        let home = inner.path.clone();
        self.visit(item, &inner, &home);
    }

    fn add(&mut self, value: &'d Value, here: &Here, home: &str) {
        if here.path.len() <= LONGEST_PATH {
            self.fields.push(Field {
                path: here.path.clone(),
                own: Words::of(&here.key),
                around: Words::of(&here.around),
                home: home.to_owned(),
                value,
                whole_from: here.whole_from.unwrap_or(here.place.len()),
                place: here.place.clone(),
                depth: here.depth,
            });
        }
    }
}

impl Here {
    fn member(&self, name: &str) -> Self {
        let mut inner = self.clone();
        inner.path = child(&self.path, name);
        inner.around = format!("{} {}", self.around, self.key);
        name.clone_into(&mut inner.key);
        inner.place.push(Way::Member(name.to_owned()));
        inner.depth += 1;
        inner
    }
}

impl<'d> Field<'d> {
    /// The value, where it is one: a list of one item is that item.
    pub(super) fn one(&self) -> Option<&'d Value> {
        let value = match self.value {
            Value::List(items) => {
                let mut there = items.iter().filter(|item| !item.is_blank());
                let first = there.next()?;
                if there.next().is_some() {
                    return None;
                }
                first
            }
            single => single,
        };
        (!value.is_blank()).then_some(value)
    }

    /// The text of the one value: of a text, a number or a boolean.
    pub(super) fn text(&self) -> Option<&'d str> {
        match self.one()? {
            Value::Text(text) | Value::Number(text) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// The words of the key and of those above it.
    pub(super) fn say(&self, meanings: &[&str]) -> bool {
        self.own.say(meanings) || self.around.say(meanings)
    }

    /// The path of the object that the value is a member of: of an item of a list of phone numbers, whose they are.
    pub(super) fn owner(&self) -> &str {
        let listed = self.home.strip_suffix("[?@.primary==true]");
        let list = listed.or_else(|| self.home.strip_suffix("[0]"));
        list.and_then(|list| list.rsplit_once('.')).map_or(&self.home, |(owner, _)| owner)
    }

    /// What must stay of a document for the path to select the value still.
    pub(super) fn kept(&self) -> &[Way] {
        self.place.get(..self.whole_from).unwrap_or(&self.place)
    }

    /// How much speaks for it that it stands in the same object as another.
    pub(super) fn nearness(&self, home: &str) -> i32 {
        if self.home == home || self.owner() == home { 15 } else { 0 }
    }
}

/// The path of a member.
pub(super) fn child(path: &str, name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if is_plain {
        return format!("{path}.{name}");
    }
    let mut written = format!("{path}['");
    for c in name.chars() {
        match c {
            '\'' | '\\' => {
                written.push('\\');
                written.push(c);
            }
            c if super::yaml::is_printed(c) || u32::from(c) > 0xffff => written.push(c),
            c => written.extend(format!("\\u{:04x}", u32::from(c)).chars()),
        }
    }
    written.push_str("']");
    written
}

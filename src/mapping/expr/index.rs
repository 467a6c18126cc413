//! `index`: an array of pairs made a table, to be read by name and not by position.

use super::evaluated::{Evaluated, text_of};
use super::path::Path;
use super::scope::Scope;
use super::value::Expr;
use crate::contact::{HeldReason, Mobile};
use crate::document::{Members, Value};
use crate::mapping::Held;
use std::borrow::Cow;
use std::collections::HashSet;

/// A table made of an array.
#[derive(Debug)]
pub struct Index {
    pub(super) path: Path,
    pub(super) key: Expr,
    pub(super) value: Expr,
    pub(super) on_repeat: OnRepeat,
}

/// What becomes of a key that repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mapping) enum OnRepeat {
    /// Reading it is held.
    Hold,
    /// The first counts.
    First,
    /// The last counts.
    Last,
    /// All of them, as a list.
    List,
}

/// The words of `on_repeat`; without it a key that repeats is held when it is read.
pub(in crate::mapping) const ON_REPEAT: &[(&str, OnRepeat)] =
    &[("first", OnRepeat::First), ("last", OnRepeat::Last), ("list", OnRepeat::List)];

/// The table, and the keys that repeat though nothing is said about that.
pub(in crate::mapping) struct Indexed {
    pub(in crate::mapping) value: Value,
    pub(in crate::mapping) repeated: HashSet<Box<str>>,
    /// The values that a `phone` step has read.
    pub(in crate::mapping) mobiles: Vec<Mobile>,
}

impl Index {
    /// The array.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(in crate::mapping) fn each_path(&self, then: &mut dyn FnMut(&Path)) {
        then(&self.path);
        self.key.each_path(then);
        self.value.each_path(then);
    }

    pub(in crate::mapping) fn table<'s>(&'s self, scope: &Scope<'s>) -> Result<Indexed, Held> {
        let (mut members, mut repeated) = (Members::new(), HashSet::new());
        let mut mobiles = Vec::new();
        for item in self.items(scope)? {
            let within = scope.with_inner_item(item);
            let at = |held: Held| held.at(&format!("`{}`", self.path.text()));
            let Some(key) = self.key.evaluate(&within)?.single("a text as key").map_err(at)? else {
                continue;
            };
            let Some(key) = text_of(&key) else {
                return Err(at(Held::kind("a text as key", key.kind())));
            };
            let found = self.value.evaluate(&within)?;
            if found.is_blank() {
                continue;
            }
            let value = match found {
                Evaluated::Absent | Evaluated::Remove => continue,
                Evaluated::One(value) => value.into_owned(),
                Evaluated::Mobile(mobile) => {
                    let value = Value::text(mobile.as_str());
                    mobiles.push(mobile);
                    value
                }
                Evaluated::Many(values) => {
                    Value::List(values.into_iter().map(Cow::into_owned).collect())
                }
            };
            self.add(&mut members, &mut repeated, key, value);
        }
        Ok(Indexed { value: Value::Object(members), repeated, mobiles })
    }

    /// What the path selects; of a path without `[*]`, the items of the one array.
    fn items<'s>(&self, scope: &Scope<'s>) -> Result<Vec<&'s Value>, Held> {
        let found = self.path.select(scope)?;
        if let ([Value::List(items)], true) = (found.as_slice(), self.path.is_singular()) {
            return Ok(items.iter().collect());
        }
        Ok(found)
    }

    fn add(
        &self,
        members: &mut Members,
        repeated: &mut HashSet<Box<str>>,
        key: &str,
        value: Value,
    ) {
        let Some(before) = members.get_mut(key) else {
            let value =
                if self.on_repeat == OnRepeat::List { Value::List(vec![value]) } else { value };
            members.insert(key.into(), value);
            return;
        };
        match (self.on_repeat, before) {
            (OnRepeat::First, _) => {}
            (OnRepeat::List, Value::List(values)) => values.push(value),
            (OnRepeat::Last | OnRepeat::List, before) => *before = value,
            (OnRepeat::Hold, _) => {
                repeated.insert(key.into());
            }
        }
    }

    /// That the table has a key more than once where no single key is read.
    pub(in crate::mapping) fn repeats(&self) -> Held {
        let detail = format!(
            "`{}`: the table has a key more than once: say `on_repeat: first`, `last` or `list`",
            self.path.text()
        );
        Held::new(HeldReason::Several, detail)
    }
}

//! Steps: what a value goes through on its way into a field.
//!
//! A step leaves a blank as it is; only `default` and `required` act on one. Text steps apply to each
//! element of a list. A step that fails holds the update: it never falls through. Everything that can be
//! known from the file (patterns, formats, tables, countries) is compiled when the file is read.

mod call;
mod control;
mod currency;
mod date;
mod html;
mod list;
mod long;
mod number;
mod parse;
pub(in crate::mapping) mod phone;
mod registry;
mod table;
mod text;

pub(in crate::mapping) use text::bad_pattern;

pub(in crate::mapping) use call::{Arg, ArgKind, Call};
pub use date::moment;
pub(in crate::mapping) use long::of_item;
pub(in crate::mapping) use parse::{calls, first_pipe};
pub use phone::warm_phone_metadata;
pub(in crate::mapping) use registry::names;

use std::borrow::Cow;

use crate::document::Value;
use crate::mapping::Held;
use crate::mapping::expr::{Evaluated, Expr, Path, Placed, Scope, Unmapped, text_of};
use crate::mapping::syntax::{Code, Problem, Problems};

/// A compiled step.
#[derive(Debug)]
pub(in crate::mapping) enum Step {
    Text(text::TextStep),
    List(list::ListStep),
    Map(Box<table::MapStep>),
    Bool(number::Words),
    Number,
    Email,
    Money(currency::MoneyStep),
    Date(Box<date::DateStep>),
    Phone(phone::PhoneStep),
    Json,
    Path(Path),
    Default(Box<Expr>),
    Required,
}

/// What a step does to the knowledge that a value is a mobile number that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mapping) enum Effect {
    /// What comes out is such a number.
    ReadsPhones,
    /// What comes out went in.
    Chooses,
    /// A blank becomes something else.
    FillsBlanks,
    /// What comes out is another value.
    Changes,
}

impl Step {
    /// Takes the step.
    pub(in crate::mapping) fn apply<'s>(
        &'s self,
        value: Evaluated<'s>,
        scope: &Scope<'s>,
        unmapped: Unmapped,
    ) -> Result<Evaluated<'s>, Held> {
        match self {
            Self::Default(default) if value.is_blank() => return default.give(scope, unmapped),
            Self::Required if value.is_blank() => return Err(control::missing()),
            Self::Default(_) | Self::Required => return Ok(value),
            _ if value.is_blank() => return Ok(value),
            _ => {}
        }
        match self {
            Self::Text(step) => each(value, &mut |value| step.change(value)),
            Self::List(step) => step.apply(value),
            Self::Map(step) => step.apply(value, scope, unmapped),
            Self::Bool(words) => words.apply(value),
            Self::Number => each(value, &mut number::number),
            Self::Email => each(value, &mut text::email),
            Self::Money(step) => {
                let currency = step.currency(scope)?;
                each(value, &mut |value| currency::decimal(value, currency))
            }
            Self::Date(step) => step.apply(value, scope),
            Self::Phone(step) => step.apply(value, scope),
            Self::Json => each(value, &mut control::json),
            Self::Path(path) => control::select(path, value, scope),
            Self::Default(_) | Self::Required => Ok(value),
        }
    }

    /// Hands over every path that the arguments read; not that of `path`, which reads what came before.
    pub(in crate::mapping) fn each_path(&self, then: &mut dyn FnMut(&Path)) {
        match self {
            Self::Map(step) => step.each_path(then),
            Self::Money(currency::MoneyStep::Path(path)) => then(path),
            Self::Date(step) => step.each_path(then),
            Self::Phone(step) => step.each_path(then),
            Self::Default(default) => default.each_path(then),
            _ => {}
        }
    }

    /// What the step does to the knowledge that a value is a mobile number.
    pub(in crate::mapping) fn effect(&self) -> Effect {
        match self {
            Self::Phone(_) => Effect::ReadsPhones,
            Self::List(step) if step.only_chooses() => Effect::Chooses,
            Self::Required => Effect::Chooses,
            Self::Default(_) => Effect::FillsBlanks,
            _ => Effect::Changes,
        }
    }
}

/// Warns of words in tables that the step before `map` never gives.
pub(in crate::mapping) fn warn(steps: &[Placed], calls: &[Call<'_>], problems: &mut Problems) {
    for ((before, here), call) in steps.iter().zip(steps.iter().skip(1)).zip(calls.iter().skip(1)) {
        if let (Step::Text(text), Step::Map(map)) = (&before.step, &here.step)
            && let Some(word) = map.never_reached_after(text)
        {
            problems.add(Problem::warning(
                Code::NeverReached,
                &call.span,
                format!(
                    "after `{}` the entry `{word}` of this table is never reached",
                    before.name
                ),
                "write the word as it comes out of the step before",
            ));
        }
    }
}

/// What a step makes of one value: another, or nothing.
type Changed = Result<Option<Value>, Held>;

/// Applies a change to a value, or to each element of a list; what becomes nothing is left out.
fn each<'s>(
    value: Evaluated<'s>,
    change: &mut dyn FnMut(&Value) -> Changed,
) -> Result<Evaluated<'s>, Held> {
    Ok(match value {
        Evaluated::Absent => Evaluated::Absent,
        Evaluated::One(value) => match deep(&value, change)? {
            Some(value) => Evaluated::one(value),
            None => Evaluated::Absent,
        },
        Evaluated::Many(values) => {
            let mut changed = Vec::with_capacity(values.len());
            for value in &values {
                changed.extend(deep(value, change)?.map(Cow::Owned));
            }
            Evaluated::many(changed)
        }
        Evaluated::Mobile(mobile) => {
            change(&Value::text(mobile.as_str()))?.map_or(Evaluated::Absent, Evaluated::one)
        }
        Evaluated::Remove => return Err(Held::kind("a value", "`remove`")),
    })
}

fn deep(value: &Value, change: &mut dyn FnMut(&Value) -> Changed) -> Changed {
    match value {
        Value::List(items) => {
            let mut changed = Vec::with_capacity(items.len());
            for item in items {
                changed.extend(deep(item, change)?);
            }
            Ok(Some(Value::List(changed)))
        }
        _ if value.is_blank() => Ok(Some(value.clone())),
        _ => change(value),
    }
}

/// The text of a value that must have one.
fn text(value: &Value) -> Result<&str, Held> {
    text_of(value).ok_or_else(|| Held::kind("a text", value.kind()))
}

#[cfg(test)]
mod tests;

//! List steps: they make lists, choose from them or make one text of them.

use std::borrow::Cow;
use std::collections::HashSet;

use super::call::Args;
use super::{Changed, deep, each, text};
use crate::contact::HeldReason;
use crate::document::Value;
use crate::mapping::Held;
use crate::mapping::expr::{Evaluated, joined, text_of};
use crate::mapping::syntax::{Code, Problem, Problems};

/// A list step. A single value is a list of one; blank items do not count.
#[derive(Debug)]
pub(in crate::mapping) enum ListStep {
    /// A text cut at a separator; the pieces trimmed, blank ones dropped.
    Split(Box<str>),
    /// One text of all, with this between.
    Join(Box<str>),
    /// One of several.
    Pick(Pick),
    /// Without repeats.
    Unique,
    /// Those of an allow-list.
    Only(HashSet<Box<str>>),
    /// Those that are no placeholder.
    Drop(HashSet<Box<str>>),
}

/// Which of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mapping) enum Pick {
    /// The first.
    First,
    /// The last.
    Last,
    /// The only one: held where there are several.
    Only,
}

impl ListStep {
    /// The names of these steps.
    pub(super) const NAMES: [&str; 6] = ["split", "join", "pick", "unique", "only", "drop"];

    /// Reads a step by its name.
    pub(super) fn read(name: &str, args: &mut Args<'_>, problems: &mut Problems) -> Option<Self> {
        match name {
            "split" => split(args, problems),
            "join" => {
                args.text("what goes between", problems).map(|(with, _)| Self::Join(with.into()))
            }
            "pick" => pick(args, problems).map(Self::Pick),
            "unique" => Some(Self::Unique),
            "only" => words("only", args, problems).map(Self::Only),
            "drop" => words("drop", args, problems).map(Self::Drop),
            _ => None,
        }
    }

    /// Whether what comes out is part of what went in.
    pub(super) fn only_chooses(&self) -> bool {
        !matches!(self, Self::Split(_) | Self::Join(_))
    }

    pub(super) fn apply<'s>(&self, value: Evaluated<'s>) -> Result<Evaluated<'s>, Held> {
        match self {
            Self::Split(separator) => split_all(value, separator),
            Self::Join(with) => {
                let mut parts = Vec::new();
                value.add_texts(&mut parts)?;
                Ok(joined(&parts, with))
            }
            Self::Pick(pick) => {
                let mut elements = value.elements("a list")?;
                let picked = match pick {
                    Pick::First => elements.into_iter().next(),
                    Pick::Only if elements.len() > 1 => return Err(Held::several(elements.len())),
                    Pick::Last | Pick::Only => elements.pop(),
                };
                Ok(picked.map_or(Evaluated::Absent, Evaluated::One))
            }
            Self::Unique => {
                let mut elements = value.elements("a list")?;
                let mut seen = HashSet::new();
                // Objects have no text to be told apart by, so that they are compared as written.
                elements.retain(|element| {
                    let key = text_of(element)
                        .map_or_else(|| format!("{element:?}"), |text| format!("={text}"));
                    seen.insert(key)
                });
                let elements = elements.into_iter().map(Cow::into_owned).collect();
                Ok(Evaluated::one(Value::List(elements)))
            }
            Self::Only(words) => each(value, &mut |value| keep(value, |word| words.contains(word))),
            Self::Drop(words) => {
                each(value, &mut |value| keep(value, |word| !words.contains(word)))
            }
        }
    }
}

fn keep(value: &Value, wanted: impl FnOnce(&str) -> bool) -> Changed {
    Ok(wanted(text(value)?).then(|| value.clone()))
}

fn split_all<'s>(value: Evaluated<'_>, separator: &str) -> Result<Evaluated<'s>, Held> {
    let mut pieces = Vec::new();
    for element in value.elements("a text")? {
        deep(&element, &mut |value| {
            let parts = text(value)?.split(separator).map(str::trim);
            pieces.extend(parts.filter(|part| !part.is_empty()).map(Value::text));
            Ok(None)
        })?;
    }
    Ok(Evaluated::one(Value::List(pieces)))
}

fn split(args: &mut Args<'_>, problems: &mut Problems) -> Option<ListStep> {
    let (separator, arg) = args.text("a separator", problems)?;
    if separator.is_empty() {
        let problem = Problem::error(Code::Step, arg.span.clone(), "a separator is not empty");
        args.wrong(problem, problems);
    }
    Some(ListStep::Split(separator.into()))
}

fn pick(args: &mut Args<'_>, problems: &mut Problems) -> Option<Pick> {
    let Some(arg) = args.next("which") else {
        args.text("`first`, `last` or `only`", problems)?;
        return None;
    };
    let words = [("first", Pick::First), ("last", Pick::Last), ("only", Pick::Only)];
    args.one_of(arg, &words, problems)
}

fn words(name: &str, args: &mut Args<'_>, problems: &mut Problems) -> Option<HashSet<Box<str>>> {
    let mut words = HashSet::new();
    let given = args.rest();
    if given.is_empty() {
        args.text(
            if name == "only" { "the words to keep" } else { "the words to drop" },
            problems,
        )?;
    }
    for arg in given {
        words.extend(args.texts(arg, problems).into_iter().map(Box::from));
    }
    Some(words)
}

/// That a value is not what a step can work with.
pub(super) fn failed(expected: &str, value: &Value) -> Held {
    let found = match value {
        Value::Text(_) => "a text that is none",
        other => other.kind(),
    };
    Held::new(HeldReason::Step, format!("{expected} is expected, {found} was found"))
}

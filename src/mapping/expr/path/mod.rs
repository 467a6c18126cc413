//! Paths: RFC 9535 `JSONPath` from a root of the mapping language.
//!
//! `jsonpath-rust` parses, [`query`] makes of its model one that is well-typed and keeps compiled
//! patterns, [`select`] walks documents with it: numbers exact, order as the RFC asks, `$` inside
//! a filter always the event's document.

mod missing;
mod query;
mod root;
mod select;
mod syntax;

use crate::contact::HeldReason;
use crate::document::Value;
use crate::mapping::Held;
use crate::mapping::explain::{Gave, What};
use crate::mapping::expr::scope::{Names, Scope};
use query::{Segment, Selector};
use select::At;
use std::collections::HashSet;

pub use missing::Missing;
use root::Root;
pub(in crate::mapping) use root::resolve;

/// A path compiled for the place it stands at.
#[derive(Debug, Clone)]
pub struct Path {
    text: Box<str>,
    root: Root,
    segments: Vec<Segment>,
}

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PathError {
    /// What is wrong.
    pub message: String,
    /// Where, in bytes from the start of the text.
    pub offset: usize,
    /// What to write instead.
    pub help: Option<String>,
}

impl PathError {
    fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { message: message.into(), offset, help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Whether a text is to be read as a path: `$` and then `.`, `[`, a letter, nothing or a pipe.
pub fn looks_like_path(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('$') else { return false };
    let begins = |c: char| c == '.' || c == '[' || c.is_alphabetic();
    rest.is_empty() || rest.starts_with(begins) || rest.trim_start().starts_with('|')
}

impl Path {
    /// Compiles a path, whose root must be one of `names`.
    pub fn parse(text: &str, names: &Names) -> Result<Self, PathError> {
        let (root, rest) = root::split(text, names)?;
        let segments = query::parse(rest).map_err(|error| PathError {
            offset: error.offset + text.len() - rest.len(),
            ..error
        })?;
        Ok(Self { text: text.into(), root, segments })
    }

    /// The path as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the path can select one value at most.
    pub fn is_singular(&self) -> bool {
        self.segments.iter().all(Segment::is_singular)
    }

    /// Whether the path ends in `[*]` or `.*`.
    pub fn ends_in_wildcard(&self) -> bool {
        matches!(self.segments.last(), Some(Segment::Child(Selector::Wildcard)))
    }

    /// The path less its last segment: of `$.data[*]`, what `$.data` selects.
    #[must_use]
    pub fn parent(&self) -> Self {
        let mut parent = self.clone();
        parent.segments.pop();
        parent
    }

    /// Whether the path reads the request's headers, and which one where it names one.
    pub fn header(&self) -> Option<Option<&str>> {
        match (&self.root, self.segments.first()) {
            (Root::Headers, Some(Segment::Child(Selector::Name(name)))) => Some(Some(name)),
            (Root::Headers, _) => Some(None),
            _ => None,
        }
    }

    /// The `let` that the path starts from, by its place among the names.
    pub(in crate::mapping) fn root_let(&self) -> Option<usize> {
        if let Root::Let(index) = self.root { Some(index) } else { None }
    }

    /// Whether the path reads `$event`.
    pub fn reads_event(&self) -> bool {
        self.root == Root::Event
    }

    /// Whether the path starts from the event's document.
    pub fn reads_document(&self) -> bool {
        self.root == Root::Document
    }

    /// The index of a wildcard or number segment, if any: what reads differently when a form
    /// sends a field once.
    pub fn has_position(&self) -> bool {
        let positional = |segment: &Segment| {
            matches!(segment, Segment::Child(Selector::Wildcard | Selector::Index(_)))
        };
        self.segments.iter().any(positional)
    }

    /// What the path selects, in the order of RFC 9535.
    pub fn select<'s>(&self, scope: &Scope<'s>) -> Result<Vec<&'s Value>, Held> {
        let select = || {
            let mut found = Vec::new();
            if let Some(start) = self.start(scope)? {
                let at = At { root: scope.document(), here: start };
                select::select(&self.segments, at, &mut found);
            }
            Ok(found)
        };
        scope.note(select, |found| match found {
            Err(held) => self.noted(Gave::Held(Held::clone(held)), scope),
            Ok(found) if found.is_empty() => self.noted(Gave::Absent, scope),
            Ok(found) => self.noted(Gave::Values(found.iter().copied().cloned().collect()), scope),
        })
    }

    /// The one value of a path that can select no more; nothing for others.
    pub fn select_one<'s>(&self, scope: &Scope<'s>) -> Result<Option<&'s Value>, Held> {
        let select = || {
            let Some(start) = self.start(scope)? else { return Ok(None) };
            Ok(select::walk(&self.segments, start))
        };
        scope.note(select, |found| match found {
            Err(held) => self.noted(Gave::Held(Held::clone(held)), scope),
            Ok(None) => self.noted(Gave::Absent, scope),
            Ok(Some(one)) => self.noted(Gave::Value(Value::clone(one)), scope),
        })
    }

    /// What the path selects inside a value that came from elsewhere.
    pub fn select_in<'v>(&self, value: &'v Value, document: &'v Value) -> Vec<&'v Value> {
        let mut found = Vec::new();
        select::select(&self.segments, At { root: document, here: value }, &mut found);
        found
    }

    fn noted(&self, gave: Gave, scope: &Scope<'_>) -> What {
        let missing = (gave == Gave::Absent).then(|| self.missing(scope)).flatten();
        What::Path { path: self.text.clone(), gave, missing }
    }

    /// The root, as it is written.
    fn root_text(&self) -> &str {
        self.text.split(['.', '[']).next().unwrap_or_default()
    }

    fn start<'s>(&self, scope: &Scope<'s>) -> Result<Option<&'s Value>, Held> {
        let Root::Let(index) = self.root else { return Ok(self.fixed(scope)) };
        scope.note_let(
            index,
            || self.named(index, scope),
            |read| What::Let {
                name: self.root_text().to_owned(),
                gave: match read {
                    Err(held) => Gave::Held(held.clone()),
                    Ok(None) => Gave::Absent,
                    Ok(Some(value)) => Gave::Value(Value::clone(value)),
                },
            },
        )
    }

    fn fixed<'s>(&self, scope: &Scope<'s>) -> Option<&'s Value> {
        match self.root {
            Root::Document => Some(scope.document()),
            Root::Item => scope.item(),
            Root::Batch => scope.batch(),
            Root::Headers => Some(scope.headers()),
            Root::Query => Some(scope.query()),
            Root::Event => Some(scope.event()),
            Root::Let(_) => None,
        }
    }

    fn named<'s>(&self, index: usize, scope: &Scope<'s>) -> Result<Option<&'s Value>, Held> {
        if scope.repeated(index)?.is_some_and(|keys| self.reads_one_of(keys)) {
            let detail = format!(
                "`{}`: the table has this key more than once: say `on_repeat: first`, `last` or `list`",
                self.text
            );
            return Err(Held::new(HeldReason::Several, detail));
        }
        scope.named(index)
    }

    /// Whether the first segment reads one of `keys`.
    fn reads_one_of(&self, keys: &HashSet<Box<str>>) -> bool {
        self.segments.first().is_some_and(|first| keys.iter().any(|key| first.may_read(key)))
    }
}

#[cfg(test)]
mod tests;

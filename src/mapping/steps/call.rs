//! A step as it is written: a name and arguments, whatever the syntax around it.

use std::ops::Range;

use crate::mapping::expr::{Path, nearest};
use crate::mapping::syntax::{Code, Node, Problem, Problems};

/// A step as it is written.
#[derive(Debug)]
pub(in crate::mapping) struct Call<'n> {
    pub(in crate::mapping) name: String,
    /// The name and the arguments.
    pub(in crate::mapping) span: Range<usize>,
    pub(in crate::mapping) args: Vec<Arg>,
    pub(in crate::mapping) named: Vec<(String, Range<usize>, Arg)>,
    /// The argument of the long form, where the step reads it by itself.
    pub(in crate::mapping) form: Option<&'n Node>,
}

/// One argument.
#[derive(Debug)]
pub(in crate::mapping) struct Arg {
    pub(in crate::mapping) span: Range<usize>,
    pub(in crate::mapping) kind: ArgKind,
}

/// What an argument is.
#[derive(Debug)]
pub(in crate::mapping) enum ArgKind {
    /// A word without quotes: a name, a number, `true`.
    Word(String),
    /// A quoted text.
    Text(String),
    /// A path.
    Path(Path),
    /// A list.
    List(Vec<Arg>),
}

impl Call<'_> {
    /// The step in one line, for those who ask what it did.
    pub(in crate::mapping) fn written(&self) -> String {
        let by_place = self.args.iter().map(Arg::written);
        let named = self.named.iter().map(|(key, _, arg)| format!("{key}={}", arg.written()));
        let form = self.form.map(|_| "…".to_owned());
        let args: Vec<_> = by_place.chain(named).chain(form).collect();
        if args.is_empty() {
            return self.name.clone();
        }
        format!("{}({})", self.name, args.join(", "))
    }
}

impl Arg {
    fn written(&self) -> String {
        match &self.kind {
            ArgKind::Word(word) => word.clone(),
            ArgKind::Text(text) => format!("{text:?}"),
            ArgKind::Path(path) => path.text().to_owned(),
            ArgKind::List(items) => {
                let items: Vec<_> = items.iter().map(Self::written).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }

    /// The text of a word or a quoted text.
    pub(in crate::mapping) fn as_text(&self) -> Option<&str> {
        match &self.kind {
            ArgKind::Word(text) | ArgKind::Text(text) => Some(text),
            ArgKind::Path(_) | ArgKind::List(_) => None,
        }
    }

    /// What it is, in words.
    pub(super) const fn what(&self) -> &'static str {
        match self.kind {
            ArgKind::Word(_) => "a word",
            ArgKind::Text(_) => "a text",
            ArgKind::Path(_) => "a path",
            ArgKind::List(_) => "a list",
        }
    }
}

/// The arguments of a call, each taken once; what is left at the end is reported.
pub(super) struct Args<'c> {
    call: &'c Call<'c>,
    by_place: std::slice::Iter<'c, Arg>,
    named: Vec<&'c (String, Range<usize>, Arg)>,
    known: Vec<&'static str>,
    failed: bool,
}

impl<'c> Args<'c> {
    pub(super) fn of(call: &'c Call<'c>) -> Self {
        Self {
            call,
            by_place: call.args.iter(),
            named: call.named.iter().collect(),
            known: Vec::new(),
            failed: false,
        }
    }

    /// Reports that an argument is not what it should be.
    pub(super) fn wrong(&mut self, problem: Problem, problems: &mut Problems) {
        self.failed = true;
        problems.add(problem);
    }

    fn expected(&mut self, arg: &Arg, expected: &str, problems: &mut Problems) {
        let message =
            format!("`{}` takes {expected} here, {} was found", self.call.name, arg.what());
        self.wrong(Problem::error(Code::Step, arg.span.clone(), message), problems);
    }

    /// An argument that is given by name only.
    pub(super) fn by_name(&mut self, name: &'static str) -> Option<&'c Arg> {
        self.known.push(name);
        let at = self.named.iter().position(|(own, ..)| own == name)?;
        let (_, _, arg) = self.named.remove(at);
        Some(arg)
    }

    /// An argument that is given by its place or by name.
    pub(super) fn next(&mut self, name: &'static str) -> Option<&'c Arg> {
        self.by_name(name).or_else(|| self.by_place.next())
    }

    /// All arguments that are given by place and were not taken.
    pub(super) fn rest(&mut self) -> Vec<&'c Arg> {
        self.by_place.by_ref().collect()
    }

    /// All arguments that are given by name and were not taken.
    pub(super) fn rest_by_name(&mut self) -> Vec<&'c (String, Range<usize>, Arg)> {
        std::mem::take(&mut self.named)
    }

    /// The text of an argument.
    pub(super) fn as_text(&mut self, arg: &'c Arg, problems: &mut Problems) -> Option<&'c str> {
        let text = arg.as_text();
        if text.is_none() {
            self.expected(arg, "a text", problems);
        }
        text
    }

    /// A text that must be there.
    pub(super) fn text(
        &mut self,
        name: &'static str,
        problems: &mut Problems,
    ) -> Option<(&'c str, &'c Arg)> {
        let Some(arg) = self.next(name) else {
            // A single word is the argument's name, anything else says what it is.
            let named = if name.contains(' ') { name.to_owned() } else { format!("`{name}`") };
            let message = format!("`{}` needs {named}", self.call.name);
            self.wrong(Problem::error(Code::Step, self.call.span.clone(), message), problems);
            return None;
        };
        self.as_text(arg, problems).map(|text| (text, arg))
    }

    /// A number of things that must be there.
    pub(super) fn count(&mut self, name: &'static str, problems: &mut Problems) -> Option<usize> {
        let (text, arg) = self.text(name, problems)?;
        let count = text.parse().ok();
        if count.is_none() {
            let message = format!("`{}` takes a whole number here", self.call.name);
            self.wrong(Problem::error(Code::Step, arg.span.clone(), message), problems);
        }
        count
    }

    /// One of some words, where it is given by this name.
    pub(super) fn word<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&'static str, T)],
        problems: &mut Problems,
    ) -> Option<T> {
        let arg = self.by_name(name)?;
        self.one_of(arg, words, problems)
    }

    /// The meaning of an argument that is one of some words.
    pub(super) fn one_of<T: Copy>(
        &mut self,
        arg: &'c Arg,
        words: &[(&'static str, T)],
        problems: &mut Problems,
    ) -> Option<T> {
        let text = self.as_text(arg, problems)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let listed: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            let message =
                format!("`{}` takes {} here, not `{text}`", self.call.name, listed.join(", "));
            self.wrong(Problem::error(Code::Step, arg.span.clone(), message), problems);
        }
        found
    }

    /// A list of texts: a list in brackets, or a single text.
    pub(super) fn texts(&mut self, arg: &'c Arg, problems: &mut Problems) -> Vec<&'c str> {
        match &arg.kind {
            ArgKind::List(items) => {
                items.iter().filter_map(|item| self.as_text(item, problems)).collect()
            }
            _ => self.as_text(arg, problems).into_iter().collect(),
        }
    }

    /// Reports what was not taken; whether all arguments were right.
    pub(super) fn finish(mut self, problems: &mut Problems) -> bool {
        let name = &self.call.name;
        if let Some(arg) = self.by_place.next() {
            let message = if self.call.args.len() == 1 && self.known.is_empty() {
                format!("`{name}` takes no arguments")
            } else {
                format!("`{name}` takes no more arguments")
            };
            self.wrong(Problem::error(Code::Step, arg.span.clone(), message), problems);
        }
        for (key, span, _) in std::mem::take(&mut self.named) {
            let problem = Problem::error(
                Code::Step,
                span.clone(),
                format!("`{name}` takes no argument `{key}`"),
            );
            let problem = match nearest(key, self.known.iter().copied()) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem,
            };
            self.wrong(problem, problems);
        }
        !self.failed
    }
}

//! What is wrong with a file, for people and for programs.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::Serialize;

use super::syntax::{Allowed, Problem, Severity};

/// A file and all that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The file, as it is shown.
    pub file: String,
    /// Its text, with secrets made unreadable.
    pub text: String,
    /// What is wrong, in the order of the file.
    pub problems: Vec<Problem>,
}

/// Whether to use colour; that is for a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    Never,
    /// With escape sequences.
    Always,
}

/// One problem, for a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic<'r> {
    /// The file, as it is shown.
    pub file: &'r str,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// Where it ends: the place after the last character.
    pub end: Place,
    /// The code, which never changes its meaning.
    pub code: &'static str,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// What is wrong.
    pub message: &'r str,
    /// What to write instead.
    pub help: Option<&'r str>,
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
}

impl Report {
    /// Whether there is an error, not only warnings.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity() == Severity::Error)
    }

    /// Adds what another part finds wrong with the file, such as with its `verify`; not what the file allows.
    pub fn add(&mut self, problems: Vec<Problem>) {
        let allowed = Allowed::read(&self.text);
        for problem in problems {
            let known = |own: &Problem| own.code == problem.code && own.span == problem.span;
            if !self.problems.iter().any(known) && !allowed.silences(&problem) {
                self.problems.push(problem);
            }
        }
        self.problems.sort_by_key(|problem| problem.span.start);
    }

    /// The problems for a program: `line`, `column` and `end` count characters from 1.
    pub fn diagnostics(&self) -> Vec<Diagnostic<'_>> {
        self.problems.iter().map(|problem| self.diagnostic(problem)).collect()
    }

    fn diagnostic<'r>(&'r self, problem: &'r Problem) -> Diagnostic<'r> {
        let span = first_line(&self.text, &problem.span);
        let Place { line, column } = place(&self.text, span.start);
        Diagnostic {
            file: &self.file,
            line,
            column,
            end: place(&self.text, span.end),
            code: problem.code.as_str(),
            severity: match problem.severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            message: &problem.message,
            help: problem.help.as_deref(),
        }
    }
}

/// All problems of a file for people: each with its place, the line, a caret and what to write instead. Empty
/// where there is none.
pub fn render(report: &Report, colour: Colour) -> String {
    let renderer = match colour {
        Colour::Never => Renderer::plain(),
        Colour::Always => Renderer::styled(),
    };
    let mut shown = String::new();
    for problem in &report.problems {
        let level = match problem.severity() {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let span = first_line(&report.text, &problem.span);
        let snippet = Snippet::source(report.text.as_str())
            .path(report.file.as_str())
            .annotation(AnnotationKind::Primary.span(span));
        let title = level.primary_title(problem.message.as_str()).id(problem.code.as_str());
        let mut group = title.element(snippet);
        if let Some(help) = &problem.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        if !shown.is_empty() {
            shown.push_str("\n\n");
        }
        shown.push_str(&renderer.render(&[group]));
    }
    shown
}

/// A span within the text and within its first line: a whole block is shown by its beginning.
fn first_line(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = floor(text, span.start);
    let end = floor(text, span.end).max(start);
    let within = text.get(start..end).unwrap_or_default();
    let line = within.split(['\n', '\r']).next().unwrap_or_default();
    start..start + line.trim_end().len()
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The place of a byte of a text.
pub fn place(text: &str, at: usize) -> Place {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    Place { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
}

#[cfg(test)]
mod tests;

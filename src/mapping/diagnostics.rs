//! What is wrong with a file, for people and for programs.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::Serialize;

use super::syntax::{Problem, Severity};

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

/// All problems of a file for people: each with its place, the line, a caret and what to write instead.
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

fn place(text: &str, at: usize) -> Place {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    Place { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Set;

    fn report(text: &str) -> Report {
        let mut read = Set::read(vec![("mappings/crm.yaml".to_owned(), text.to_owned())]);
        assert!(read.set.is_none());
        read.reports.remove(0)
    }

    const WRONG: &str = "\
source: Crm
country: in
timezone: Asia/Kolkatta
event: { id: $.id, dedupe_window: soon }
let:
  item: $.x
tables: { plans: { a: [1] } }
rules:
  - name: new-lead
    wen: { $.a: 1 }
    for_each: $.leads
    contact:
      mobile: $.phone
      id: $.id
      on_missing: creat
    update:
      name: $.na me | trimm
      attributs: { city: $.city }
  - name: new-lead
    contact: { attribute: { name: email } }
    update:
      tags: [VIP]
      optin: $.consent
tests:
  - name: é, then a place
    body: {}
    expect: [{ rule: new-leed, held: phone }]
";

    #[test]
    fn every_problem_of_a_file_is_shown_where_it_is() {
        insta::assert_snapshot!(render(&report(WRONG), Colour::Never), @r#"
        error[E004]: `verify` is missing here
         --> mappings/crm.yaml:1:1
          |
        1 | source: Crm
          | ^^^^^^^^^^^
          |
          = help: `verify: none` says that events are taken from anybody

        error[E007]: `Crm`: a source's name has 1 to 63 of `a-z`, `0-9` and `-`
         --> mappings/crm.yaml:1:9
          |
        1 | source: Crm
          |         ^^^

        error[E016]: `in` is no country: two letters of ISO 3166 are expected, such as `IN`
         --> mappings/crm.yaml:2:10
          |
        2 | country: in
          |          ^^
          |
          = help: did you mean `IN`?

        error[E016]: `Asia/Kolkatta` is no time zone: a name such as `Asia/Kolkata` is expected
         --> mappings/crm.yaml:3:11
          |
        3 | timezone: Asia/Kolkatta
          |           ^^^^^^^^^^^^^
          |
          = help: did you mean `Asia/Kolkata`?

        error[E008]: a duration is a number with a unit, such as `500ms`, `30s`, `15m`, `12h` or `7d`
         --> mappings/crm.yaml:4:35
          |
        4 | event: { id: $.id, dedupe_window: soon }
          |                                   ^^^^

        error[E007]: `item` is no name for a `let`: it already means something
         --> mappings/crm.yaml:6:3
          |
        6 |   item: $.x
          |   ^^^^

        error[E005]: a word of a table becomes a single value, a list was found
         --> mappings/crm.yaml:7:23
          |
        7 | tables: { plans: { a: [1] } }
          |                       ^^^

        error[E002]: `wen` is not known here
          --> mappings/crm.yaml:10:5
           |
        10 |     wen: { $.a: 1 }
           |     ^^^
           |
           = help: did you mean `when`?

        error[E010]: `for_each` goes through what a path selects, and this one selects one value at most
          --> mappings/crm.yaml:11:15
           |
        11 |     for_each: $.leads
           |               ^^^^^^^
           |
           = help: `$.leads[*]` selects the items of a list

        error[E013]: one of `id`, `mobile`, `attribute` and `first_of` says who the contact is
          --> mappings/crm.yaml:13:7
           |
        13 |       mobile: $.phone
           |       ^^^^^^
           |
           = help: `first_of` takes a list of them, to be tried in turn

        error[E006]: one of `dead`, `skip`, `create` is expected
          --> mappings/crm.yaml:15:19
           |
        15 |       on_missing: creat
           |                   ^^^^^
           |
           = help: did you mean `create`?

        error[E010]: a path has no blank outside of brackets
          --> mappings/crm.yaml:17:17
           |
        17 |       name: $.na me | trimm
           |                 ^^^
           |
           = help: a name with a blank is written `['…']`, a text that looks like a path `{ value: "…" }`

        error[E011]: the step `trimm` is not known
          --> mappings/crm.yaml:17:23
           |
        17 |       name: $.na me | trimm
           |                       ^^^^^
           |
           = help: did you mean `trim`?

        error[E002]: `attributs` is not known here
          --> mappings/crm.yaml:18:7
           |
        18 |       attributs: { city: $.city }
           |       ^^^^^^^^^
           |
           = help: did you mean `attributes`?

        error[E007]: a rule before this one is named `new-lead` too
          --> mappings/crm.yaml:19:11
           |
        19 |   - name: new-lead
           |           ^^^^^^^^

        error[E004]: `value` is missing here
          --> mappings/crm.yaml:20:27
           |
        20 |     contact: { attribute: { name: email } }
           |                           ^^^^^^^^^^^^^^^

        warning[W006]: `tags` replaces all tags of the contact, also those that others have set
          --> mappings/crm.yaml:22:7
           |
        22 |       tags: [VIP]
           |       ^^^^
           |
           = help: `tags_to_add` and `tags_to_remove` change only these

        warning[W005]: `optin` from a bare path: a box that is not ticked would withdraw consent given elsewhere
          --> mappings/crm.yaml:23:14
           |
        23 |       optin: $.consent
           |              ^^^^^^^^^
           |
           = help: `| bool(yes=[true])` says which values are consent; anything else is left as it is

        error[E007]: no rule is named `new-leed`
          --> mappings/crm.yaml:27:22
           |
        27 |     expect: [{ rule: new-leed, held: phone }]
           |                      ^^^^^^^^
           |
           = help: did you mean `new-lead`?
        "#);
    }

    #[test]
    fn a_program_gets_the_same_with_places_in_characters() {
        let text =
            "verify: none\nevent: { id: none }\nrules: []\ntests: [{ name: é日, bdy: {} }]\n";
        let report = report(text);

        let found = report.diagnostics();
        let places: Vec<_> =
            found.iter().map(|d| (d.code, d.severity, d.line, d.column, d.end.column)).collect();

        assert_eq!(
            places,
            [
                ("W001", "warning", 1, 9, 13),
                ("E004", "error", 4, 9, 30),
                ("E004", "error", 4, 9, 30),
                ("E002", "error", 4, 21, 24),
            ]
        );
        assert_eq!(
            serde_json::to_value(&found[3]).unwrap(),
            serde_json::json!({
                "file": "mappings/crm.yaml",
                "line": 4,
                "column": 21,
                "end": { "line": 4, "column": 24 },
                "code": "E002",
                "severity": "error",
                "message": "`bdy` is not known here",
                "help": "did you mean `body`?",
            })
        );
    }

    #[test]
    fn a_file_that_is_no_yaml_is_one_problem_and_colour_is_for_a_terminal() {
        let report = report("rules:\n  - a: [1\n");

        assert_eq!(report.problems.len(), 1);
        assert!(render(&report, Colour::Always).contains("\u{1b}["));
        assert!(!render(&report, Colour::Never).contains('\u{1b}'));
    }
}

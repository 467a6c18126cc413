//! From a block of the file to a condition.

use regex::Regex;

use super::test::{Order, Test, Turned};
use super::{Clause, When};
use crate::document::Value;
use crate::mapping::expr::{
    Expr, Reading, Spot, is_number, is_stumble, literal, looks_like_path, nearest,
};
use crate::mapping::steps::bad_pattern;
use crate::mapping::syntax::{Code, Kind, Node, Problem, Problems, scalar};

/// The names of the tests.
pub(in crate::mapping) const TESTS: [&str; 18] = [
    "equals",
    "not_equals",
    "in",
    "not_in",
    "contains",
    "starts_with",
    "ends_with",
    "matches",
    "exists",
    "empty",
    "gt",
    "gte",
    "lt",
    "lte",
    "any_is",
    "all_are",
    "none_is",
    "count",
];

impl When {
    /// Reads a block of conditions, all of which must hold.
    pub fn read(node: &Node, reading: &Reading<'_>, problems: &mut Problems) -> Option<Self> {
        let Kind::Map(entries) = &node.kind else {
            let problem = Problem::error(
                Code::Condition,
                node.span.clone(),
                format!("a block of conditions is expected, {} was found", node.what()),
            );
            problems.add(
                problem.help("a condition is `$.path: value`; several in a block must all hold"),
            );
            return None;
        };
        if is_stumble(node, problems) {
            return None;
        }
        if entries.is_empty() {
            let message = "a block without conditions always holds: leave `when` out instead";
            problems.error(Code::Condition, &node.span, message);
            return None;
        }
        let mut seen: Vec<&str> = Vec::new();
        let mut clauses = Some(Vec::new());
        for (key, value) in entries {
            let clause = match key.as_text() {
                Some(name) if seen.contains(&name) => {
                    let problem = Problem::error(
                        Code::RepeatedKey,
                        key.span.clone(),
                        format!("`{name}` stands twice"),
                    );
                    problems.add(problem.help(
                        "several tests of one value go under one key, or into `all: [{ … }, { … }]`",
                    ));
                    None
                }
                Some(name) => {
                    seen.push(name);
                    clause(name, key, value, reading, problems)
                }
                None => {
                    problems.error(Code::Condition, &key.span, "a path is expected here");
                    None
                }
            };
            match (clause, &mut clauses) {
                (Some(clause), Some(clauses)) => clauses.push(clause),
                (None, _) => clauses = None,
                (Some(_), None) => {}
            }
        }
        clauses.map(|clauses| Self { clauses })
    }
}

fn clause(
    name: &str,
    key: &Node,
    value: &Node,
    reading: &Reading<'_>,
    problems: &mut Problems,
) -> Option<Clause> {
    match name {
        "all" => blocks(name, value, reading, problems).map(Clause::All),
        "any" => blocks(name, value, reading, problems).map(Clause::Any),
        "not" => When::read(value, reading, problems).map(Clause::Not),
        _ if looks_like_path(name) => {
            let subject = Expr::piped(name, &Spot::of(key), reading, problems);
            let tests = tests(value, reading, problems);
            Some(Clause::Tests { subject: subject?, text: name.into(), tests: tests? })
        }
        _ => {
            let problem = Problem::error(
                Code::Condition,
                key.span.clone(),
                format!("`{name}` is no path, and none of `all`, `any`, `not`"),
            );
            let near = match name {
                "or" => Some("any".to_owned()),
                "and" => Some("all".to_owned()),
                _ => nearest(name, ["all", "any", "not"].into_iter()),
            };
            problems.add(match near {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help(format!("a path begins with `$`: `$.{name}`")),
            });
            None
        }
    }
}

fn blocks(
    name: &str,
    node: &Node,
    reading: &Reading<'_>,
    problems: &mut Problems,
) -> Option<Vec<When>> {
    let items = match node.as_list() {
        Some(items) if !items.is_empty() => items,
        _ => {
            let message =
                format!("`{name}` is a list of blocks: `{name}: [{{ $.a: x }}, {{ $.b: y }}]`");
            problems.error(Code::Condition, &node.span, message);
            return None;
        }
    };
    let read: Vec<_> = items.iter().map(|item| When::read(item, reading, problems)).collect();
    read.into_iter().collect()
}

/// What stands at a path: a value to equal, a list to be in, or a block of tests.
fn tests(node: &Node, reading: &Reading<'_>, problems: &mut Problems) -> Option<Vec<Test>> {
    match &node.kind {
        Kind::Scalar { .. } => {
            operand(node, reading, problems).map(|value| vec![Test::Equals(value, Turned::No)])
        }
        Kind::List(_) => {
            members(node, reading, problems).map(|values| vec![Test::In(values, Turned::No)])
        }
        Kind::Map(_) if is_stumble(node, problems) => None,
        Kind::Map(entries) => {
            if entries.is_empty() {
                problems.error(Code::Condition, &node.span, "a block without tests tests nothing");
                return None;
            }
            let mut seen = Vec::new();
            let mut tests = Some(Vec::new());
            for (key, value) in entries {
                let name = key.as_text().unwrap_or_default();
                let repeated = seen.contains(&name);
                seen.push(name);
                let test = if repeated {
                    problems.error(Code::RepeatedKey, &key.span, format!("`{name}` stands twice"));
                    None
                } else {
                    test(name, key, value, reading, problems)
                };
                match (test, &mut tests) {
                    (Some(test), Some(tests)) => tests.push(test),
                    (None, _) => tests = None,
                    (Some(_), None) => {}
                }
            }
            tests
        }
    }
}

fn test(
    name: &str,
    key: &Node,
    node: &Node,
    reading: &Reading<'_>,
    problems: &mut Problems,
) -> Option<Test> {
    match name {
        "equals" => operand(node, reading, problems).map(|value| Test::Equals(value, Turned::No)),
        "not_equals" => {
            operand(node, reading, problems).map(|value| Test::Equals(value, Turned::Yes))
        }
        "in" => members(node, reading, problems).map(|values| Test::In(values, Turned::No)),
        "not_in" => members(node, reading, problems).map(|values| Test::In(values, Turned::Yes)),
        "contains" => operand(node, reading, problems).map(Test::Contains),
        "starts_with" => operand(node, reading, problems).map(Test::StartsWith),
        "ends_with" => operand(node, reading, problems).map(Test::EndsWith),
        "matches" => pattern(node, problems).map(Test::Matches),
        "exists" => claim(name, node, problems).map(Test::Exists),
        "empty" => claim(name, node, problems).map(Test::Empty),
        "gt" => number(node, reading, problems).map(|value| Test::Compare(Order::Gt, value)),
        "gte" => number(node, reading, problems).map(|value| Test::Compare(Order::Gte, value)),
        "lt" => number(node, reading, problems).map(|value| Test::Compare(Order::Lt, value)),
        "lte" => number(node, reading, problems).map(|value| Test::Compare(Order::Lte, value)),
        "any_is" => tests(node, reading, problems).map(Test::AnyIs),
        "all_are" => tests(node, reading, problems).map(Test::AllAre),
        "none_is" => tests(node, reading, problems).map(Test::NoneIs),
        "count" => tests(node, reading, problems).map(Test::Count),
        _ => {
            let message = format!("the test `{name}` is not known");
            let problem = Problem::error(Code::Condition, key.span.clone(), message);
            problems.add(match nearest(name, TESTS.into_iter()) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help(format!("the tests are {}", TESTS.join(", "))),
            });
            None
        }
    }
}

/// A value to compare with: null can stand here.
fn operand(node: &Node, reading: &Reading<'_>, problems: &mut Problems) -> Option<Expr> {
    match &node.kind {
        Kind::Scalar { .. } if node.is_null() => Some(Expr::Literal(Value::Null)),
        Kind::List(_) => {
            let problem = Problem::error(
                Code::Condition,
                node.span.clone(),
                "one value is expected here, a list was found",
            );
            problems.add(problem.help("`in: […]` is equal to one of several"));
            None
        }
        _ => Expr::read(node, reading, problems),
    }
}

/// The values of `in`: a list, or a path that gives one.
fn members(node: &Node, reading: &Reading<'_>, problems: &mut Problems) -> Option<Vec<Expr>> {
    let Some(items) = node.as_list() else {
        let is_path = node.as_text().is_some_and(looks_like_path);
        if !is_path {
            problems.error(
                Code::Condition,
                &node.span,
                "a list of values, or a path to one, is expected",
            );
            return None;
        }
        return Expr::read(node, reading, problems).map(|value| vec![value]);
    };
    if items.is_empty() {
        problems.error(Code::Condition, &node.span, "nothing is in an empty list");
        return None;
    }
    let values: Vec<_> = items.iter().map(|item| operand(item, reading, problems)).collect();
    values.into_iter().collect()
}

/// `true` or `false`.
fn claim(name: &str, node: &Node, problems: &mut Problems) -> Option<bool> {
    let claim = node.as_bool();
    if claim.is_none() {
        let message = format!("`{name}` is `true` or `false`");
        let problem = Problem::error(Code::Condition, node.span.clone(), message);
        problems.add(match scalar::meant(node) {
            Some(word) => problem.help(format!("write `{word}`, without quotes")),
            None => problem,
        });
    }
    claim
}

/// A number, or a path to one.
fn number(node: &Node, reading: &Reading<'_>, problems: &mut Problems) -> Option<Expr> {
    match node.as_text() {
        Some(text) if is_number(text) && is_quoted(node) => {
            let message = "a number is expected here, a text in quotes was found";
            let problem = Problem::error(Code::Condition, node.span.clone(), message);
            problems.add(problem.help(format!("without quotes: `{text}`")));
            None
        }
        Some(text) if is_number(text) => Some(Expr::Literal(literal(text, false))),
        Some(text) if looks_like_path(text) => Expr::read(node, reading, problems),
        _ => {
            problems.error(
                Code::Condition,
                &node.span,
                "a number, or a path to one, is expected here",
            );
            None
        }
    }
}

fn is_quoted(node: &Node) -> bool {
    matches!(node.kind, Kind::Scalar { quoted: true, .. })
}

fn pattern(node: &Node, problems: &mut Problems) -> Option<Regex> {
    let Some(text) = node.as_text() else {
        let message = "a regular expression is expected here, in single quotes";
        problems.error(Code::Condition, &node.span, message);
        return None;
    };
    Regex::new(text).map_err(|error| problems.add(bad_pattern(node.span.clone(), &error))).ok()
}

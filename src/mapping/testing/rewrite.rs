//! New expectations for tests, written into the text of their file; everything else stays as it is.

use std::ops::Range;

use serde_json::Value;

use super::Test;
use crate::mapping::syntax::{Kind, Node, block, flow, tree};

/// Why a file was left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`expect` could not be rewritten without touching anything else: rewrite it by hand")]
pub struct NotRewritten;

/// The text with other expectations for these tests of it. Comments, order and formatting of everything else stay:
/// the new text is read again and held against the old one before it is given.
pub fn rewritten(text: &str, changes: &[(&Test, &Value)]) -> Result<String, NotRewritten> {
    let mut root = Node::read(text).map_err(|_| NotRewritten)?;
    let (_, tests) = entry(&mut root, "tests").ok_or(NotRewritten)?;
    let tests_in_brackets = in_brackets(text, tests);
    let mut splices = Vec::new();
    for (test, expected) in changes {
        let Kind::List(items) = &mut tests.kind else { return Err(NotRewritten) };
        let item = items.iter_mut().find(|item| item.span == test.span).ok_or(NotRewritten)?;
        let brackets = tests_in_brackets || in_brackets(text, item);
        let (key, value) = entry(item, "expect").ok_or(NotRewritten)?;
        let expected = tree(expected);
        splices.push(if brackets {
            (value.span.start..end(text, value), flow(&expected))
        } else {
            splice(text, key, value, &expected)
        });
        value.kind = expected.kind;
    }
    splices.sort_by_key(|(range, _)| range.start);
    let mut new = String::with_capacity(text.len());
    let mut at = 0;
    for (range, piece) in splices {
        new.push_str(text.get(at..range.start).ok_or(NotRewritten)?);
        new.push_str(&if text.contains("\r\n") { piece.replace('\n', "\r\n") } else { piece });
        at = range.end;
    }
    new.push_str(text.get(at..).ok_or(NotRewritten)?);
    let back = Node::read(&new).map_err(|_| NotRewritten)?;
    if alike(&root, &back) { Ok(new) } else { Err(NotRewritten) }
}

/// What to replace in a block, and with what.
fn splice(text: &str, key: &Node, value: &Node, expected: &Node) -> (Range<usize>, String) {
    let (start, end) = (start(text, value), end(text, value));
    let before = text.get(..start).unwrap_or_default();
    let was_block = before.get(key.span.end..).is_some_and(|gap| gap.contains('\n'));
    // Up to the key's own line where there is no comment between.
    let gap = before.get(key.span.end..).unwrap_or_default();
    let after_key = if gap.trim() == ":" { before.trim_end().len() } else { start };
    if matches!(expected.kind, Kind::Scalar { .. }) {
        let from = if was_block { after_key } else { start };
        let blank = if from == start { "" } else { " " };
        return (from..end, format!("{blank}{}", flow(expected)));
    }
    let column = |at: usize| {
        let line = text.get(..at).and_then(|before| before.rsplit('\n').next());
        line.unwrap_or_default().chars().count()
    };
    if was_block {
        let lines = block(expected, column(start));
        (start..end, lines.trim().to_owned())
    } else {
        let lines = block(expected, column(key.span.start) + 2);
        (after_key..end, format!("\n{}", lines.trim_end()))
    }
}

/// A key and its value.
fn entry<'n>(node: &'n mut Node, name: &str) -> Option<(&'n Node, &'n mut Node)> {
    let Kind::Map(entries) = &mut node.kind else { return None };
    let found = entries.iter_mut().find(|(key, _)| key.as_text() == Some(name));
    found.map(|(key, value)| (&*key, value))
}

fn in_brackets(text: &str, node: &Node) -> bool {
    text.get(node.span.start..).is_some_and(|rest| rest.starts_with(['[', '{']))
}

/// The beginning: of a list that stands under its key without an indent, the parser gives what is after the mark.
fn start(text: &str, node: &Node) -> usize {
    let start = node.span.start;
    let before = text.get(..start).unwrap_or_default().trim_end_matches(' ');
    let begins_a_line = |line: &str| line.trim_end_matches(' ').ends_with('\n');
    let is_after_mark =
        matches!(node.kind, Kind::List(_)) && before.strip_suffix('-').is_some_and(begins_a_line);
    if is_after_mark { before.len() - 1 } else { start }
}

/// The end of the last thing that stands in it: blanks and comments after it are not its own.
fn end(text: &str, node: &Node) -> usize {
    let last = match &node.kind {
        Kind::List(items) => items.last(),
        Kind::Map(entries) => entries.last().map(|(_, value)| value),
        Kind::Scalar { .. } => None,
    };
    if let Some(last) = last.filter(|_| !in_brackets(text, node)) {
        return end(text, last);
    }
    let own = text.get(..node.span.end).unwrap_or_default();
    own.trim_end().len().max(node.span.start)
}

/// Whether two trees have the same keys and texts.
fn alike(one: &Node, other: &Node) -> bool {
    match (&one.kind, &other.kind) {
        (Kind::Scalar { text: one, .. }, Kind::Scalar { text: other, .. }) => one == other,
        (Kind::List(one), Kind::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| alike(a, b))
        }
        (Kind::Map(one), Kind::Map(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(a, b)| alike(&a.0, &b.0) && alike(&a.1, &b.1))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mapping::Set;

    const HEAD: &str = "verify: { preset: github, secret: env:S }
event: { id: none }
rules:
  - name: a # the only one
    contact: { mobile: $.p | phone(e164) }
    update: { name: $.n }
";

    fn with_expectation(tests: &str, expected: &Value) -> String {
        let text = format!("{HEAD}{tests}");
        let read = Set::read(vec![("crm.yaml".to_owned(), text.clone())]);
        let set = read.set.unwrap_or_else(|| panic!("{:?}", read.reports));
        let source = set.get("crm").unwrap();
        let changes: Vec<_> = source.tests().iter().map(|test| (test, expected)).collect();
        let new = rewritten(&text, &changes).unwrap_or_else(|_| panic!("{tests}"));
        new.strip_prefix(HEAD).expect("what stands before is as it was").to_owned()
    }

    #[test]
    fn only_the_expectation_is_written_anew() {
        let rules = json!([{ "rule": "a", "held": "phone" }]);
        let control = json!("ignored");
        for (tests, expected, new) in [
            (
                "tests:\n  - name: x\n    expect: ignored # why\n    body: {}\n",
                &rules,
                "tests:\n  - name: x\n    expect:\n      - rule: a\n        held: phone # why\n    body: {}\n",
            ),
            (
                "tests:\n  - name: x\n    expect:\n    # they are two\n    - rule: a # one\n      contact: { mobile: \"1\" }\n\n    # after\n    body: {}",
                &rules,
                "tests:\n  - name: x\n    expect:\n    # they are two\n    - rule: a\n      held: phone\n\n    # after\n    body: {}",
            ),
            (
                "tests:\n  - name: x\n    body: {}\n    expect:\n      - rule: a\n        held: x\n# the end\n",
                &control,
                "tests:\n  - name: x\n    body: {}\n    expect: ignored\n# the end\n",
            ),
            (
                "tests:\n  - { name: x, body: {}, expect: [{ rule: a, held: x }] } # in one line\n",
                &rules,
                "tests:\n  - { name: x, body: {}, expect: [{ rule: a, held: phone }] } # in one line\n",
            ),
            (
                "tests: [{ name: x, body: {}, expect: ignored }, { name: é, body: {}, expect: 'ignored' }]",
                &rules,
                "tests: [{ name: x, body: {}, expect: [{ rule: a, held: phone }] }, { name: é, body: {}, expect: [{ rule: a, held: phone }] }]",
            ),
            (
                "tests:\n  - name: x\n    body: {}\n    expect: [{ rule: a, held: x }]\n",
                &json!({ "events": ["ignored", [{ "rule": "a", "held": "phone" }]] }),
                "tests:\n  - name: x\n    body: {}\n    expect:\n      events:\n        - ignored\n        -\n          - rule: a\n            held: phone\n",
            ),
        ] {
            assert_eq!(with_expectation(tests, expected), new, "{tests}");
        }
    }
}

//! The line that YAML stumbles over, as it should be written.

use std::ops::Range;

use super::node::Node;
use super::problem::Problem;

/// A problem of YAML's with what to write instead, where quotes mend it: tried out, not guessed.
pub(super) fn explained(text: &str, problem: Problem) -> Problem {
    if problem.help.is_some() {
        return problem;
    }
    if let Some(line) = mended(text, problem.span.start) {
        return problem.help(format!("put it in single quotes: `{line}`"));
    }
    let message = problem.message.as_str();
    let help = if message.contains("tab") {
        "indent with spaces"
    } else if message.contains("single-quoted") {
        "inside single quotes a quote is written twice: `'it''s'`"
    } else if message.contains("anchor") {
        "a text that begins with `*` or `&` goes in quotes"
    } else {
        return problem;
    };
    problem.help(help)
}

/// The line at `at` with one value in quotes, where the file can then be read further.
fn mended(text: &str, at: usize) -> Option<String> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text.get(start..)?.lines().next()?;
    let (before, rest) = text.split_at_checked(start)?;
    let after = rest.get(line.len()..)?;
    for place in candidates(line) {
        let value = line.get(place.clone())?;
        let mended = format!(
            "{}'{}'{}",
            line.get(..place.start)?,
            value.replace('\'', "''"),
            line.get(place.end..)?
        );
        let reads_on = match Node::read(&format!("{before}{mended}{after}")) {
            Ok(_) => true,
            Err(next) => next.span.start > start + mended.len(),
        };
        if reads_on {
            return Some(mended.trim().to_owned());
        }
    }
    None
}

/// Parts of a line that may have to be quoted: what looks like a path, a template or a reserved character, from
/// the outside inwards and the shortest first, and then the whole value.
fn candidates(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in line.char_indices() {
        let (before, rest) = line.split_at_checked(at).unwrap_or_default();
        let begins = before.trim_start().is_empty() || before.ends_with([' ', '[', '{', ',']);
        if begins && (rest.starts_with(['$', '@', '`', '%', '*', '&']) || rest.starts_with("{{")) {
            found.extend(ends(rest).into_iter().map(|end| at..at + end));
        }
    }
    let value = line.find(": ").map(|at| at + 2).or_else(|| line.find("- ").map(|at| at + 2));
    if let Some(value) = value {
        let rest = line.get(value..).unwrap_or_default();
        let indent = rest.len() - rest.trim_start().len();
        if !rest.trim_start().starts_with(['{', '[', '"', '\'']) {
            found.push(value + indent..value + rest.trim_end().len());
        }
    }
    found
}

/// Where a value may end: before `: ` where it is a key, before what closes it, at the end of the line.
fn ends(value: &str) -> Vec<usize> {
    let (mut depth, mut quote, mut previous) = (0_i32, None, ' ');
    let (mut key, mut flow) = (None, None);
    for (at, c) in value.char_indices() {
        match quote {
            Some(mark) if c == mark => quote = None,
            Some(_) => {}
            None => match c {
                '"' | '\'' if depth > 0 => quote = Some(c),
                '(' | '[' | '{' => depth += 1,
                ',' | '}' | ']' if depth == 0 => flow = flow.or(Some(at)),
                ')' | ']' | '}' => depth -= 1,
                ' ' if depth == 0 && previous == ':' => key = key.or(Some(at - 1)),
                _ => {}
            },
        }
        previous = c;
    }
    let trimmed = |end: usize| value.get(..end).map_or(0, |value| value.trim_end().len());
    let key = key.filter(|key| flow.is_none_or(|flow| *key < flow));
    let mut ends: Vec<usize> =
        [key, flow, Some(value.len())].into_iter().flatten().map(trimmed).collect();
    ends.dedup();
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_yaml_stumbles_over_is_shown_as_it_should_be_written() {
        for (text, help) in [
            ("a: { id: $.a[*] }\nb: 1\n", Some("put it in single quotes: `a: { id: '$.a[*]' }`")),
            ("b: 1\na: [ $.a[0] ]\n", Some("put it in single quotes: `a: [ '$.a[0]' ]`")),
            (
                "a: { x: $.t | split(\",\") }\n",
                Some("put it in single quotes: `a: { x: '$.t | split(\",\")' }`"),
            ),
            (
                "a: [$.t | split(\",\"), b]\n",
                Some("put it in single quotes: `a: ['$.t | split(\",\")', b]`"),
            ),
            (
                "a: { when: { $.x['k']: 1 } }\n",
                Some("put it in single quotes: `a: { when: { '$.x[''k'']': 1 } }`"),
            ),
            (
                "a:\n  $.a | replace(\": \", \"\"): 1\n",
                Some("put it in single quotes: `'$.a | replace(\": \", \"\")': 1`"),
            ),
            (
                "a: $.a[?(@.b == 'x: y')]\n",
                Some("put it in single quotes: `a: '$.a[?(@.b == ''x: y'')]'`"),
            ),
            ("- a: @.x\n", Some("put it in single quotes: `- a: '@.x'`")),
            ("a: {{ x }} y\nb: 1\n", Some("put it in single quotes: `a: '{{ x }} y'`")),
            ("a: note: later\n", Some("put it in single quotes: `a: 'note: later'`")),
            ("a:\n\tb: 1\n", Some("indent with spaces")),
            ("a: 'it's'\n", Some("inside single quotes a quote is written twice: `'it''s'`")),
            ("a: \"x\nb: 1\n", None),
            ("a:\n  - b\n c: 1\n", None),
        ] {
            let problem = explained(text, Node::read(text).unwrap_err());
            assert_eq!(problem.help.as_deref(), help, "{text}");
        }
    }
}

//! The line that YAML stumbles over, as it should be written.

use std::ops::Range;

use super::node::Node;
use super::problem::Problem;
use super::said;

/// A problem of YAML's in our words, with what to write instead where quotes or a bracket mend it: tried out, not
/// guessed.
pub(super) fn explained(text: &str, mut problem: Problem) -> Problem {
    if problem.help.is_some() {
        return problem;
    }
    let (message, help) = said::in_our_words(&problem.message);
    problem.message = message;
    let at = problem.span.start;
    if let Some(line) = mended(text, at) {
        return problem.help(format!("put it in single quotes: `{line}`"));
    }
    if let Some((open, line)) = closed(text, at) {
        let mark = text.get(open.clone()).unwrap_or_default();
        problem.message = format!("this `{mark}` is not closed");
        problem.span = open;
        return problem.help(format!("close it: `{line}`"));
    }
    match help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

/// A problem of something that is opened and not closed in a plain value: where YAML has ended the value early, with
/// the line as it should be written.
pub(super) fn cut(text: &str, mut problem: Problem) -> Problem {
    const MARK: &str = "; if it is closed in the file";
    let Some((close, _)) = problem.help.as_ref().and_then(|help| help.split_once(MARK)) else {
        return problem;
    };
    let whole = line_at(text, problem.span.start).and_then(|(start, line)| {
        let at = problem.span.start - start;
        let around = candidates(line).into_iter().filter(|place| place.contains(&at));
        let mut whole = around.filter(|place| line.get(place.clone()).is_some_and(is_balanced));
        let place = whole.next()?;
        Some(quoted(line, &place)?.trim().to_owned())
    });
    problem.help = Some(match whole {
        Some(line) => format!(
            "YAML has ended the value early (at ` #`, or inside `{{ }}` and `[ ]` at a `,` or bracket): put it in \
             single quotes: `{line}`"
        ),
        None => close.to_owned(),
    });
    problem
}

/// The line with a place in it, and where it begins.
fn line_at(text: &str, at: usize) -> Option<(usize, &str)> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
    Some((start, text.get(start..)?.lines().next()?))
}

/// A line with a part of it in single quotes.
fn quoted(line: &str, place: &Range<usize>) -> Option<String> {
    let value = line.get(place.clone())?;
    // A text in double quotes keeps what stands between them.
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    let inner = inner.replace('\'', "''");
    Some(format!("{}'{inner}'{}", line.get(..place.start)?, line.get(place.end..)?))
}

/// The line at `at` with one value in quotes, where the file can then be read further.
fn mended(text: &str, at: usize) -> Option<String> {
    let (start, line) = line_at(text, at)?;
    let (before, rest) = text.split_at_checked(start)?;
    let after = rest.get(line.len()..)?;
    for place in candidates(line) {
        // One that begins with a quote lacks the other one.
        if line
            .get(place.clone())
            .is_some_and(|value| value.starts_with('"') && !value.ends_with('"'))
        {
            continue;
        }
        let mended = quoted(line, &place)?;
        let reads_on = match Node::read(&format!("{before}{mended}{after}")) {
            Ok(_) => true,
            Err(next) => next.span.start > start + mended.len() && is_balanced(&mended),
        };
        if reads_on {
            return Some(mended.trim().to_owned());
        }
    }
    None
}

/// The bracket before `at` that is not closed, and its line with what closes it, where the file can then be read
/// further.
fn closed(text: &str, at: usize) -> Option<(Range<usize>, String)> {
    let mut end = at;
    for _ in 0..4 {
        let (start, line) = line_at(text, end)?;
        let (opened, closing) = open_brackets(line);
        if let Some(opened) = opened {
            let mended = format!("{}{closing}", line.trim_end());
            let (before, rest) = text.split_at_checked(start)?;
            let after = rest.get(line.len()..)?;
            let reads_on = match Node::read(&format!("{before}{mended}{after}")) {
                Ok(_) => true,
                Err(next) => next.span.start > at + mended.len() - line.len(),
            };
            if reads_on {
                let open = start + opened;
                return Some((open..open + 1, mended.trim().to_owned()));
            }
        }
        end = start.checked_sub(1)?;
    }
    None
}

/// The last bracket of a line that is opened and not closed in it, and what closes all of them.
fn open_brackets(line: &str) -> (Option<usize>, String) {
    let (mut open, mut quote) = (Vec::new(), None);
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (Some(mark), _) if mark == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '{' | '[') => open.push((at, if c == '{' { " }" } else { "]" })),
            (None, '}' | ']') => drop(open.pop()),
            (Some(_) | None, _) => {}
        }
    }
    let closing = open.iter().rev().map(|(_, close)| *close).collect();
    (open.last().map(|(at, _)| *at), closing)
}

/// Whether all that is opened in a value is closed in it.
fn is_balanced(value: &str) -> bool {
    let (mut depth, mut quote) = (0_i32, None);
    for c in value.chars() {
        match (quote, c) {
            (Some(mark), _) if mark == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (Some(_) | None, _) => {}
        }
    }
    depth == 0 && quote.is_none()
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
        // A text in double quotes may be one that should stand in single quotes.
        if !rest.trim_start().starts_with(['{', '[', '\'']) || rest.trim_start().starts_with("{{") {
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
            ("a: \"\\w+\"\n", Some("put it in single quotes: `a: '\\w+'`")),
            ("a: [$.a, $.b[0].c]\n", Some("put it in single quotes: `a: [$.a, '$.b[0].c']`")),
            ("a: [b, c\nd: 1\n", Some("close it: `a: [b, c]`")),
            ("a: { b: { c: $.d }\ne:\n  - f\n", Some("close it: `a: { b: { c: $.d } }`")),
            ("a:\n\tb: 1\n", Some("indent with spaces")),
            ("a: 'it's'\n", Some("inside single quotes a quote is written twice: `'it''s'`")),
            ("a: \"x\nb: 1\n", Some("close it with the same mark")),
            (
                "a:\n  - b\n c: 1\n",
                Some("keys of one block begin at the same column, and so do the `-` of one list"),
            ),
        ] {
            let problem = explained(text, Node::read(text).unwrap_err());
            assert_eq!(problem.help.as_deref(), help, "{text}");
        }
    }
}

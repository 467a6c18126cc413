//! The text of a path: the library takes it apart, and what is wrong with it is said in a person's words.

use jsonpath_rust::parser::errors::JsonPathError;
use jsonpath_rust::parser::{model, parse_json_path};
use pest::error::InputLocation;

use super::PathError;
use crate::mapping::expr::nearest;

/// Takes a path apart, after its root.
pub(super) fn parse(rest: &str) -> Result<model::JpQuery, PathError> {
    refuse_blanks_and_open_brackets(rest)?;
    parse_json_path(&format!("${rest}")).map_err(|error| explain(&error, rest))
}

/// What the library lets through (a blank in a name) or reports badly (a bracket left open).
fn refuse_blanks_and_open_brackets(rest: &str) -> Result<(), PathError> {
    let mut open = Vec::new();
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some((mark, _)), _) if mark == c => quote = None,
            (None, '\'' | '"') if !open.is_empty() => quote = Some((c, at)),
            (None, '[') => open.push(at),
            (None, ']') => drop(open.pop()),
            (None, _) if c.is_whitespace() && open.is_empty() => {
                return Err(PathError::new(at, "a path has no blank outside of brackets").help(
                    "a name with a blank is written `['…']`, a text that looks like a path `{ value: \"…\" }`",
                ));
            }
            (Some(_) | None, _) => {}
        }
    }
    match (quote, open.last()) {
        (Some((mark, at)), _) => {
            Err(PathError::new(at, "this quote is not closed")
                .help(format!("close it with `{mark}`")))
        }
        (None, Some(&at)) => {
            Err(PathError::new(at, "this `[` is not closed").help("close it with `]`"))
        }
        (None, None) => Ok(()),
    }
}

/// The library's error in the words of a person who writes paths.
fn explain(error: &JsonPathError, rest: &str) -> PathError {
    let JsonPathError::PestError(syntax) = error else {
        return PathError::new(0, "this is no path: an index or a name in it cannot be read");
    };
    let at = match syntax.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at.saturating_sub(1),
    };
    let (before, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
    if after.starts_with("=~") {
        return PathError::new(at, "`=~` is not part of paths")
            .help("write `match(@.name, 'pattern')`, or `search(…)` for a part of the text");
    }
    if after.starts_with('=') {
        return PathError::new(at, "a single `=` compares nothing").help("write `==`");
    }
    if after.starts_with('(') {
        return PathError::new(at, "a path calls no functions here")
            .help("`length(@.name)` can stand inside a filter; steps follow the path after `|`");
    }
    if after.starts_with('-') {
        return PathError::new(at, "a name with `-` goes into brackets")
            .help("write `['your-name']` for `.your-name`");
    }
    if after.starts_with(|c: char| c.is_ascii_digit()) && before.ends_with('.') {
        return PathError::new(at, "a name that begins with a digit goes into brackets")
            .help("write `['1st']` for `.1st`, `[0]` for the first element");
    }
    if before.ends_with('$') && before.contains('?') {
        return PathError::new(
            at,
            "a filter reads the item (`@`) and the event (`$`), nothing else",
        )
        .help("what a `let` holds can be compared in `when`");
    }
    if let Some(name) = called(after.strip_prefix('?').unwrap_or(after)) {
        let at = at + usize::from(after.starts_with('?'));
        let known = ["length", "count", "value", "match", "search"];
        let help = match nearest(name, known.into_iter()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are `{}`", known.join("`, `")),
        };
        return PathError::new(at, format!("no function of paths is called `{name}`")).help(help);
    }
    if before.ends_with('[') && after.bytes().take_while(u8::is_ascii_digit).count() > 15 {
        return PathError::new(at, "this index is larger than any list");
    }
    if after.is_empty() {
        return PathError::new(at, "the path ends too early")
            .help("a name, `*` or `[…]` is missing");
    }
    PathError::new(at, "this is no path from here on").help(
        "a path is `$.name`, `$['any name']`, `$.list[0]`, `$.list[*]` or `$.list[?@.key == 'x']`",
    )
}

/// The name of a function that is called at the beginning of a text and is none of the RFC's.
fn called(text: &str) -> Option<&str> {
    let (name, _) = text.split_once('(')?;
    let of_a_name = |b: u8| b.is_ascii_lowercase() || b == b'_';
    let known = matches!(name, "length" | "count" | "value" | "match" | "search");
    (!name.is_empty() && !known && name.bytes().all(of_a_name)).then_some(name)
}

//! Single values of the file that are no expressions: words, numbers, durations, paths.
//!
//! Each gives nothing and adds a problem where the value is not what is expected.

use std::fmt::Display;
use std::str::FromStr;

use super::node::Node;
use super::problem::{Code, Problem, Problems};
use crate::mapping::expr::{Names, Path, nearest};

/// A text that is there; `what` as in "a name".
pub fn text<'n>(node: &'n Node, what: &str, problems: &mut Problems) -> Option<&'n str> {
    let found = match node.as_text() {
        Some(_) if node.is_null() => "nothing",
        Some(text) if text.trim().is_empty() => "an empty text",
        Some(text) => return Some(text),
        None => node.what(),
    };
    problems.error(Code::Shape, &node.span, format!("{what} is expected, {found} was found"));
    None
}

/// A plain `true` or `false`.
pub fn boolean(node: &Node, problems: &mut Problems) -> Option<bool> {
    let found = node.as_bool();
    if found.is_none() {
        let message = "`true` or `false` is expected";
        let problem = Problem::error(Code::Word, node.span.clone(), message);
        problems.add(match meant(node) {
            Some(word) => problem.help(format!("write `{word}`, without quotes")),
            None => problem,
        });
    }
    found
}

/// The boolean that other YAML tools would read, or that stands in quotes.
pub fn meant(node: &Node) -> Option<bool> {
    match node.as_text()?.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// One of a few words, and what it stands for.
pub fn word<T: Copy>(
    node: &Node,
    words: &[(&'static str, T)],
    problems: &mut Problems,
) -> Option<T> {
    let text = text(node, "a word", problems)?;
    if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
        return Some(*meaning);
    }
    let known = || words.iter().map(|(word, _)| *word);
    let list = known().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let problem =
        Problem::error(Code::Word, node.span.clone(), format!("one of {list} is expected"));
    problems.add(match nearest(text, known()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem,
    });
    None
}

/// A whole number between two others.
pub fn number(node: &Node, least: u32, most: u32, problems: &mut Problems) -> Option<u32> {
    let text = text(node, "a number", problems)?;
    let found = text.parse().ok().filter(|number| (least..=most).contains(number));
    if found.is_none() {
        let message = format!("a whole number from {least} to {most} is expected");
        problems.error(Code::Quantity, &node.span, message);
    }
    found
}

/// A duration or a size, as [`units`](crate::units) reads them.
pub fn quantity<T: FromStr<Err: Display>>(node: &Node, problems: &mut Problems) -> Option<T> {
    let text = text(node, "a quantity", problems)?;
    text.parse()
        .map_err(|error: T::Err| problems.error(Code::Quantity, &node.span, error.to_string()))
        .ok()
}

/// A list of words; one alone is a list of one, nothing an empty one.
pub fn words(node: &Node, what: &str, problems: &mut Problems) -> Vec<String> {
    if node.is_null() {
        return Vec::new();
    }
    let items = node.as_list().unwrap_or(std::slice::from_ref(node));
    items.iter().filter_map(|item| text(item, what, problems)).map(str::to_owned).collect()
}

/// A path without steps.
pub fn path(node: &Node, names: &Names, problems: &mut Problems) -> Option<Path> {
    let text = text(node, "a path", problems)?;
    Path::parse(text, names)
        .map_err(|error| {
            // In a quoted scalar the text begins after the quote; escapes in it may shift the place.
            let quote = node.span.len().saturating_sub(text.len()) / 2;
            let at = (node.span.start + quote + error.offset).min(node.span.end);
            let problem = Problem::error(Code::Path, at..node.span.end.max(at), error.message);
            problems.add(match error.help {
                Some(help) => problem.help(help),
                None => problem,
            });
        })
        .ok()
}

/// The name of something of the user's own: letters, digits and `_`, no digit first.
pub fn is_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem_of(text: &str, read: impl Fn(&Node, &mut Problems)) -> Vec<(String, String)> {
        let node = Node::read(text).unwrap();
        let mut problems = Problems::default();
        read(&node, &mut problems);
        let seen = |p: Problem| (p.code.as_str().to_owned(), p.message);
        problems.into_sorted().into_iter().map(seen).collect()
    }

    #[test]
    fn what_is_not_expected_is_said() {
        let said = |code: &str, message: &str| vec![(code.to_owned(), message.to_owned())];
        for (text, found) in
            [("5", vec![]), ("0", said("E008", "a whole number from 1 to 9 is expected"))]
        {
            let read = |node: &Node, problems: &mut Problems| {
                number(node, 1, 9, problems);
            };
            assert_eq!(problem_of(text, read), found, "{text}");
        }
        for (text, found) in [
            ("skip", vec![]),
            ("skp", said("E006", "one of `skip`, `hold` is expected")),
            ("[skip]", said("E005", "a word is expected, a list was found")),
            ("~", said("E005", "a word is expected, nothing was found")),
        ] {
            let read = |node: &Node, problems: &mut Problems| {
                word(node, &[("skip", 1), ("hold", 2)], problems);
            };
            assert_eq!(problem_of(text, read), found, "{text}");
        }
        for (text, found) in
            [("true", vec![]), ("'true'", said("E006", "`true` or `false` is expected"))]
        {
            let read = |node: &Node, problems: &mut Problems| {
                boolean(node, problems);
            };
            assert_eq!(problem_of(text, read), found, "{text}");
        }
    }
}

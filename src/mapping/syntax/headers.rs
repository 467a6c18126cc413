//! How a file reads headers: only those that paths and templates name are kept with an event, so each must be
//! named, and be one that rules may see.

use super::node::{Kind, Node};
use super::problem::{Code, Problem, Problems};

/// Headers that carry credentials and are never given to rules.
const CREDENTIALS: &[&str] = &["authorization", "proxy-authorization", "cookie", "set-cookie"];

/// Looks at every path and template below `node`.
pub(super) fn check(node: &Node, problems: &mut Problems) {
    match &node.kind {
        Kind::Scalar { text, .. } => {
            for read in reads(text) {
                check_one(read, node, problems);
            }
        }
        Kind::List(items) => items.iter().for_each(|item| check(item, problems)),
        Kind::Map(entries) => {
            for (key, value) in entries {
                check(key, problems);
                check(value, problems);
            }
        }
    }
}

fn check_one(read: Option<&str>, node: &Node, problems: &mut Problems) {
    let (message, help) = match read {
        None => (
            "a path must name its header: only named headers are kept".to_owned(),
            "`$headers['x-event-id']`".to_owned(),
        ),
        Some(name) if name.chars().any(char::is_uppercase) => (
            "names of headers are in lower case here".to_owned(),
            format!("`$headers['{}']`", name.to_lowercase()),
        ),
        Some(name) if CREDENTIALS.contains(&name) => (
            format!("`{name}` carries credentials: rules never see it"),
            "`verify` can check it".to_owned(),
        ),
        Some(_) => return,
    };
    problems.add(Problem::error(Code::Path, node.span.clone(), message).help(help));
}

/// Every place at which a text reads headers: the name of the header, nothing where it names none.
fn reads(text: &str) -> Vec<Option<&str>> {
    let of_a_name = |c: char| c.is_alphanumeric() || c == '_';
    let is_template = text.contains("{{");
    let mut found = Vec::new();
    for (at, word) in text.match_indices("headers") {
        let before = text.get(..at).unwrap_or_default().chars().next_back();
        let after = text.get(at + word.len()..).unwrap_or_default();
        let is_root = match before {
            Some('$') => true,
            Some(c) => is_template && !of_a_name(c) && !matches!(c, '.' | '\'' | '"' | '-'),
            None => false,
        };
        if is_root && !after.starts_with(of_a_name) {
            found.push(named(after));
        }
    }
    found
}

/// The name in `.name…`, `['name']…` or `["name"]…`.
fn named(after: &str) -> Option<&str> {
    if let Some(rest) = after.strip_prefix('.') {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        return rest.get(..end).filter(|name| !name.is_empty());
    }
    let inner = after.strip_prefix('[')?.trim_start();
    let quote = inner.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (name, rest) = inner.strip_prefix(quote)?.split_once(quote)?;
    rest.trim_start().starts_with(']').then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headers_that_a_value_reads_are_found() {
        for (text, found) in [
            ("$headers['x-event-id']", vec![Some("x-event-id")]),
            ("$headers[\"x-a\"] | lower", vec![Some("x-a")]),
            ("$headers.host", vec![Some("host")]),
            ("$.phone | phone($headers['x-country'], IN)", vec![Some("x-country")]),
            ("{{ headers['x-a'] }} and {{ headers.b }}", vec![Some("x-a"), Some("b")]),
            ("$headers", vec![None]),
            ("$headers[*]", vec![None]),
            ("$.headers.a", vec![]),
            ("$headersize.a", vec![]),
            ("headers['a']", vec![]),
            ("{{ body.headers.a }}", vec![]),
        ] {
            assert_eq!(reads(text), found, "{text}");
        }
    }

    #[test]
    fn a_header_that_rules_cannot_have_is_refused() {
        for (text, message) in [
            ("$headers | json", "a path must name its header: only named headers are kept"),
            ("$headers['X-A']", "names of headers are in lower case here"),
            ("$headers.authorization", "`authorization` carries credentials: rules never see it"),
        ] {
            let mut problems = Problems::default();
            check(&Node::read(text).unwrap(), &mut problems);
            assert_eq!(problems.into_sorted().first().map(|p| p.message.as_str()), Some(message));
        }
    }
}

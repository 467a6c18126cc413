//! Warnings that ask nothing but the tree: what works, and may not be what was meant.

use super::node::{Kind, Node};
use super::problem::{Code, Problem, Problems, Severity};

/// Keys of `verify` whose value is a secret.
const SECRETS: &[&str] = &["secret", "password", "challenge_token"];

/// Warns of an open door and of secrets in the file; gives the places of the secrets, which are not to be shown.
pub(super) fn verify(node: &Node, problems: &mut Problems) -> Vec<std::ops::Range<usize>> {
    if node.as_text() == Some("none") {
        problems.add(Problem::warning(
            Code::OpenDoor,
            &node.span,
            "`verify: none`: whoever knows the address can send events",
            "a preset, or a token in the path where the sender can set only a URL",
        ));
    }
    let mut written = Vec::new();
    secrets(node, &mut written);
    for span in &written {
        problems.add(Problem::warning(
            Code::WrittenSecret,
            span,
            "a secret stands in the file, and so in its backups and its history",
            "`env:NAME` or `file:/path`",
        ));
    }
    written
}

/// A `verify` without what is secret in it.
pub(in crate::mapping) fn masked(mut node: Node) -> Node {
    fn mask(node: &mut Node, places: &[std::ops::Range<usize>]) {
        if places.contains(&node.span) {
            node.kind = Kind::Scalar { text: "(not shown)".to_owned(), quoted: false };
        }
        match &mut node.kind {
            Kind::Scalar { .. } => {}
            Kind::List(items) => items.iter_mut().for_each(|item| mask(item, places)),
            Kind::Map(entries) => entries.iter_mut().for_each(|(_, value)| mask(value, places)),
        }
    }
    let mut written = Vec::new();
    secrets(&node, &mut written);
    mask(&mut node, &written);
    node
}

fn secrets(node: &Node, found: &mut Vec<std::ops::Range<usize>>) {
    match &node.kind {
        Kind::Scalar { .. } => {}
        Kind::List(items) => items.iter().for_each(|item| secrets(item, found)),
        Kind::Map(entries) => {
            for (key, value) in entries {
                if key.as_text().is_some_and(|key| SECRETS.contains(&key)) {
                    let values = value.as_list().unwrap_or(std::slice::from_ref(value));
                    let written =
                        values.iter().filter(|value| value.as_text().is_some_and(is_written));
                    found.extend(written.map(|value| value.span.clone()));
                }
                secrets(value, found);
            }
        }
    }
}

/// The places of secrets in the text of a file that cannot be read, by the names before them.
pub(super) fn secrets_in_text(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let key_before = |at: usize, key: &str| {
        let before = text.get(..at).and_then(|before| before.strip_suffix(key));
        before.is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    for (at, _) in text.match_indices(':') {
        if SECRETS.iter().any(|key| key_before(at, key)) {
            let rest = text.get(at + 1..).unwrap_or_default().lines().next().unwrap_or_default();
            let value = rest.trim_start();
            let start = at + 1 + rest.len() - value.len();
            if !value.is_empty() && is_written(value) {
                found.push(start..start + value.trim_end().len());
            }
        }
    }
    found
}

fn is_written(secret: &str) -> bool {
    !(secret.starts_with("env:") || secret.starts_with("file:") || secret == "adopt")
}

/// Warns of plain words that other YAML tools read as booleans.
pub(super) fn plain_booleans(node: &Node, problems: &mut Problems) {
    match &node.kind {
        Kind::Scalar { text, quoted: false } => {
            let word = text.to_ascii_lowercase();
            if matches!(word.as_str(), "yes" | "no" | "on" | "off") {
                problems.add(Problem::warning(
                    Code::PlainBoolean,
                    &node.span,
                    format!("a plain `{text}` is text here, and a boolean for other YAML tools"),
                    format!("quote it: \"{text}\""),
                ));
            }
        }
        Kind::Scalar { .. } => {}
        Kind::List(items) => items.iter().for_each(|item| plain_booleans(item, problems)),
        Kind::Map(entries) => {
            for (_, value) in entries {
                plain_booleans(value, problems);
            }
        }
    }
}

/// Takes away the advice to quote a plain `yes` where an error asks for `true`.
pub(super) fn without_contradictions(problems: &mut Vec<Problem>) {
    let wrong: Vec<_> = problems
        .iter()
        .filter(|problem| problem.severity() == Severity::Error)
        .map(|problem| problem.span.clone())
        .collect();
    problems.retain(|problem| problem.code != Code::PlainBoolean || !wrong.contains(&problem.span));
}

/// Warns of `[*]` and `[n]` after a name of the document that is an array only where it is sent more than once.
pub(super) fn positions(node: &Node, always_arrays: &[String], problems: &mut Problems) {
    match &node.kind {
        Kind::Scalar { text, .. } => {
            let name = first_position(text);
            if let Some(name) = name.filter(|name| !always_arrays.iter().any(|own| own == name)) {
                problems.add(Problem::warning(
                    Code::MayComeOnce,
                    &node.span,
                    format!("`{name}` is an array only when it is sent more than once"),
                    format!("`body: {{ always_arrays: [{name}] }}`"),
                ));
            }
        }
        Kind::List(items) => {
            for item in items {
                positions(item, always_arrays, problems);
            }
        }
        Kind::Map(entries) => {
            for (key, value) in entries {
                positions(key, always_arrays, problems);
                positions(value, always_arrays, problems);
            }
        }
    }
}

/// The name before the first `[*]` or `[n]` of a path from `$`.
fn first_position(text: &str) -> Option<&str> {
    let path = text.strip_prefix("$.")?.split('|').next()?;
    let (before, _) = path.match_indices('[').find_map(|(at, _)| {
        let (before, after) = path.split_at_checked(at)?;
        let inner = after.strip_prefix('[')?.split(']').next()?;
        let is_number = inner.strip_prefix('-').unwrap_or(inner).parse::<u64>().is_ok();
        (inner == "*" || is_number).then_some((before, inner))
    })?;
    before.rsplit('.').next().filter(|name| !name.is_empty())
}

/// Whether `is` holds for the text of a key or value below `node`.
pub(super) fn any_text(node: &Node, is: &dyn Fn(&str) -> bool) -> bool {
    match &node.kind {
        Kind::Scalar { text, .. } => is(text),
        Kind::List(items) => items.iter().any(|item| any_text(item, is)),
        Kind::Map(entries) => {
            entries.iter().any(|(key, value)| any_text(key, is) || any_text(value, is))
        }
    }
}

//! Words, texts and names of `verify:`, read strictly.

use super::pointer::Pointer;
use super::scheme::{Place, Tolerance};
use crate::mapping::expr::nearest;
use crate::mapping::syntax::{Code, Fields, Node, Problem, Problems};
use crate::units::Span;

/// A text that is not empty.
pub(super) fn text<'n>(node: &'n Node, expected: &str, problems: &mut Problems) -> Option<&'n str> {
    let text = node.as_text().filter(|text| !text.is_empty());
    if text.is_none() {
        let found = node.as_text().map_or(node.what(), |_| "nothing");
        problems.error(
            Code::Verify,
            &node.span,
            format!("{expected} is expected, {found} was found"),
        );
    }
    text
}

/// One of these words.
pub(super) fn word<T: Copy>(
    node: &Node,
    words: &[(&str, T)],
    problems: &mut Problems,
) -> Option<T> {
    let written = text(node, "a word", problems)?;
    let found = words.iter().find(|(word, _)| *word == written).map(|(_, meaning)| *meaning);
    if found.is_none() {
        let known = words.iter().map(|(word, _)| *word);
        problems.add(unknown_word(node, written, known));
    }
    found
}

/// A word that is none of the known ones, with the nearest of them.
pub(super) fn unknown_word<'w>(
    node: &Node,
    written: &str,
    known: impl Iterator<Item = &'w str> + Clone,
) -> Problem {
    let help = match nearest(written, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("here can stand: {}", known.collect::<Vec<_>>().join(", ")),
    };
    Problem::error(Code::Verify, node.span.clone(), format!("`{written}` is not known here"))
        .help(help)
}

/// `true` or `false`.
pub(super) fn truth(node: &Node, problems: &mut Problems) -> Option<bool> {
    let truth = node.as_bool();
    if truth.is_none() {
        problems.error(Code::Verify, &node.span, "`true` or `false` is expected");
    }
    truth
}

/// A header's name, in lower case.
pub(super) fn header_name(node: &Node, problems: &mut Problems) -> Option<String> {
    let name = text(node, "the name of a header", problems)?;
    let of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !name.bytes().all(of_a_name) {
        problems.error(Code::Verify, &node.span, "this cannot be the name of a header");
        return None;
    }
    Some(name.to_ascii_lowercase())
}

/// What a key says, or its default where it is not there.
pub(super) fn optional<T>(
    node: Option<&Node>,
    default: T,
    read: impl FnOnce(&Node) -> Option<T>,
) -> Option<T> {
    match node {
        None => Some(default),
        Some(node) => read(node),
    }
}

/// A pointer into the body; one that selects several where `several` says so.
pub(super) fn pointer(node: &Node, several: bool, problems: &mut Problems) -> Option<Pointer> {
    let written = text(node, "a path into the body, such as `$.token`,", problems)?;
    let pointer = Pointer::parse(written).filter(|pointer| several || !pointer.is_plural());
    if pointer.is_none() {
        let message = "a path of names and positions is expected, such as `$.meta.token` or `$.items[0].token`";
        problems.error(Code::Verify, &node.span, message);
    }
    pointer
}

/// What was to be read cannot be, and the problems say why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reported;

/// One place in a request: `{ header: NAME }`, `{ query: NAME }` or `{ json: $.path }`; other keys are the caller's.
pub(super) fn place(
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Result<Option<Place>, Reported> {
    let mut found = Vec::new();
    if let Some(header) = fields.take("header") {
        found.push(header_name(header, problems).map(Place::Header));
    }
    if let Some(query) = fields.take("query") {
        let name = text(query, "the name of a parameter", problems);
        found.push(name.map(|name| Place::Query(name.to_owned())));
    }
    if let Some(json) = fields.take("json") {
        found.push(pointer(json, false, problems).map(Place::Json));
    }
    if found.len() > 1 {
        let message = "one place is expected: `header`, `query` or `json`";
        problems.error(Code::Verify, fields.span(), message);
        return Err(Reported);
    }
    match found.pop() {
        None => Ok(None),
        Some(place) => place.map(Some).ok_or(Reported),
    }
}

/// A duration, or `none` where any time will do.
pub(super) fn tolerance(node: &Node, problems: &mut Problems) -> Option<Tolerance> {
    let written = text(node, "a duration", problems)?;
    if written == "none" {
        return Some(Tolerance::AnyTime);
    }
    match written.parse::<Span>() {
        Ok(span) => Some(Tolerance::Within(span.0)),
        Err(error) => {
            problems.error(Code::Quantity, &node.span, error.to_string());
            None
        }
    }
}

//! What rules use, held against what exists in Chatflow's settings.

use super::Source;
use super::expr::nearest;
use super::syntax::{Code, Kind, Node, Problem};

/// A warning for every tag that the rules of a source use and that is not among those that exist, at each place of
/// the file where it stands.
pub fn tags_not_among(known: &[String], source: &Source, text: &str) -> Vec<Problem> {
    let Ok(root) = Node::read(text) else { return Vec::new() };
    let mut problems = Vec::new();
    for tag in source.uses().tags.iter().filter(|tag| !known.contains(tag)) {
        let mut places = Vec::new();
        if let Kind::Map(entries) = &root.kind {
            let has_rules =
                |(key, _): &&(Node, Node)| matches!(key.as_text(), Some("rules" | "defaults"));
            for (_, node) in entries.iter().filter(has_rules) {
                in_tag_lists(node, tag, &mut places);
            }
        }
        // A tag that is made of several parts of the file stands nowhere in it.
        let places = if places.is_empty() { vec![0..0] } else { places };
        for place in places {
            problems.push(Problem::warning(
                Code::UnknownTag,
                &place,
                format!("Chatflow has no tag `{tag}`, and refuses every update with it"),
                match nearest(tag, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "make the tag in Chatflow's settings first".to_owned(),
                },
            ));
        }
    }
    problems
}

/// The places of a text in the lists of tags below a node.
fn in_tag_lists(node: &Node, tag: &str, places: &mut Vec<std::ops::Range<usize>>) {
    match &node.kind {
        Kind::Scalar { .. } => {}
        Kind::List(items) => items.iter().for_each(|item| in_tag_lists(item, tag, places)),
        Kind::Map(entries) => {
            for (key, value) in entries {
                match key.as_text() {
                    Some("tags" | "tags_to_add" | "tags_to_remove" | "among") => {
                        scalars(value, tag, places);
                    }
                    _ => in_tag_lists(value, tag, places),
                }
            }
        }
    }
}

fn scalars(node: &Node, tag: &str, places: &mut Vec<std::ops::Range<usize>>) {
    match &node.kind {
        Kind::Scalar { text, .. } if text == tag => places.push(node.span.clone()),
        Kind::Scalar { .. } => {}
        Kind::List(items) => items.iter().for_each(|item| scalars(item, tag, places)),
        Kind::Map(entries) => entries.iter().for_each(|(_, value)| scalars(value, tag, places)),
    }
}

//! What rules use, held against what exists in Chatflow's settings.

use super::Source;
use super::expr::nearest;
use super::syntax::{Code, Kind, Node, Problem};

/// A warning for every tag that a source needs and that is not among those that exist, at each place of the file's
/// text where a rule names it; where none does, where `requires` lists it, and where that is in the shipped mapping that it extends, at the name of that.
pub fn tags_not_among(known: &[String], source: &Source, text: &str) -> Vec<Problem> {
    let Ok(root) = Node::read(text) else { return Vec::new() };
    let elsewhere = root.get("extends").map_or(0..0, |extended| extended.span.clone());
    let mut problems = Vec::new();
    for tag in source.needs().tags.iter().filter(|tag| !known.contains(tag)) {
        let mut places = Vec::new();
        for part in ["rules", "defaults"].into_iter().filter_map(|part| root.get(part)) {
            in_tag_lists(part, tag, &mut places);
        }
        if let (true, Some(listed)) = (places.is_empty(), root.get("requires")) {
            in_tag_lists(listed, tag, &mut places);
        }
        // A tag that is made of several parts of the file stands nowhere in it.
        if places.is_empty() {
            places.push(elsewhere.clone());
        }
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
        // What a condition compares with is no tag.
        Kind::Map(entries) => entries
            .iter()
            .filter(|(key, _)| key.as_text() != Some("when"))
            .for_each(|(_, value)| scalars(value, tag, places)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Set;

    #[test]
    fn a_tag_that_does_not_exist_is_shown_where_it_stands_with_the_nearest_that_does() {
        let text = "verify: { preset: github, secret: swordfish-1 }
event: { id: none }
defaults: { update: { tags_to_add: { value: leed, when: { $.leed: leed } } } }
rules:
  - name: a
    contact: { mobile: $.p }
    update: { tags_to_remove: [VIP, old], tags_sync: { from: $.tags, among: [new] } }
tests: [{ name: leed, body: {}, expect: ignored }]
";
        let read = Set::read(vec![("crm.yaml".to_owned(), text.to_owned())]);
        let set = read.set.unwrap_or_else(|| panic!("{:?}", read.reports));
        let known = ["lead", "VIP", "new"].map(str::to_owned);

        let problems = tags_not_among(&known, set.get("crm").unwrap(), text);

        let found: Vec<_> = problems
            .iter()
            .map(|p| {
                (p.code.as_str(), text.get(p.span.clone()).unwrap(), p.help.as_deref().unwrap())
            })
            .collect();
        assert_eq!(
            found,
            [
                ("W020", "leed", "did you mean `lead`?"),
                ("W020", "old", "make the tag in Chatflow's settings first"),
            ]
        );
    }
}

//! `requires:`, held against what the rules use.

use std::ops::Range;

use super::extend::Base;
use super::fields::Fields;
use super::node::Node;
use super::problem::{Code, Problem, Problems};
use super::scalar;
use crate::mapping::rule::Rule;
use crate::mapping::source::Requires;

/// Reads the names; warns of those that rules use and that are not listed, and of those that are listed and not used.
/// What a shipped mapping lists for a rule that the file has off is not needed, and no slip. `file` is the place of the
/// file as a whole.
pub(super) fn read(
    node: &Node,
    rules: &[Rule],
    base: Option<&Base>,
    file: &Range<usize>,
    problems: &mut Problems,
) -> Option<Requires> {
    let mut fields = Fields::of(node, problems)?;
    let used = Requires::of(rules);
    let is_theirs = |place: &Range<usize>| base.is_some_and(|base| base.has(place.start));
    let block = if is_theirs(fields.span()) { file.clone() } else { fields.span().clone() };
    let mut list = |key, kind: &str, what, used: &[String], others: bool| {
        let Some(value) = fields.take(key).filter(|value| !value.is_null()) else {
            return Vec::new();
        };
        let items = value.as_list().unwrap_or(std::slice::from_ref(value));
        let mut listed: Vec<String> = Vec::new();
        for item in items {
            let Some(name) = scalar::text(item, what, problems) else { continue };
            // Where names come from the event, any may be one of them.
            let is_used = others || used.iter().any(|used| used == name);
            if !is_used && !is_theirs(&item.span) {
                problems.add(Problem::warning(
                    Code::NotUsed,
                    &item.span,
                    format!("`requires` lists the {kind} `{name}`, which no rule uses"),
                    "take it away, or look whether a rule spells it otherwise",
                ));
            }
            if (is_used || !is_theirs(&item.span)) && !listed.iter().any(|own| own == name) {
                listed.push(name.to_owned());
            }
        }
        listed
    };
    let found = Requires {
        tags: list("tags", "tag", "a tag", &used.tags, rules.iter().any(Rule::takes_tags)),
        attributes: list(
            "attributes",
            "attribute",
            "an attribute",
            &used.attributes,
            rules.iter().any(Rule::takes_attributes),
        ),
    };
    for (kind, used, listed) in
        [("tag", used.tags, &found.tags), ("attribute", used.attributes, &found.attributes)]
    {
        for name in used.iter().filter(|name| !listed.contains(name)) {
            problems.add(Problem::warning(
                Code::NotRequired,
                &block,
                format!("a rule uses the {kind} `{name}`, which `requires` does not list"),
                "it must exist in Chatflow's settings: list it here",
            ));
        }
    }
    fields.finish(problems);
    Some(found)
}

//! Knowing the shipped mapping that is for the sender of an event.

use std::sync::Arc;

use crate::decode::{self, Options};
use crate::library::{self, Shipped};
use crate::mapping::syntax::{Kind, Node};
use crate::mapping::{Set, Source, suggest};
use crate::webhook::check_door;

/// How much of the shape of a shipped event another must have to be from the same sender.
const LIKE_ENOUGH: f64 = 0.75;

/// The shipped mapping of the sender of an event, and what it was known by.
pub(super) fn recognise(
    document: &crate::document::Value,
    headers: &[(String, String)],
    presets: &[String],
) -> Option<(&'static Shipped, String)> {
    let by_header = library::all().iter().find_map(|shipped| {
        let source = source(shipped)?;
        let known_by = header_of(&source, headers, presets)?;
        Some((shipped, known_by))
    });
    by_header.or_else(|| {
        let is_like = |shipped: &&Shipped| {
            events(shipped).any(|known| suggest::likeness(document, &known) >= LIKE_ENOUGH)
        };
        library::all()
            .iter()
            .find(|own| is_like(own))
            .map(|shipped| (shipped, "its shape".to_owned()))
    })
}

/// The header by which a source's sender is known: that of its signature, or of its token.
fn header_of(source: &Source, headers: &[(String, String)], presets: &[String]) -> Option<String> {
    let verify = source.verify.as_ref()?;
    if let Some(preset) = member(verify, "preset").and_then(Node::as_text) {
        let is_first = presets.first().is_some_and(|first| first == preset);
        return is_first.then(|| "the header of its signature".to_owned());
    }
    let name = member(member(verify, "token")?, "name")?.as_text()?;
    let is_there = headers.iter().any(|(own, _)| own == name);
    is_there.then(|| format!("its header `{name}`"))
}

fn member<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Kind::Map(entries) = &node.kind else { return None };
    entries.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
}

/// The source that a shipped mapping describes.
pub(super) fn source(shipped: &Shipped) -> Option<Arc<Source>> {
    let file = (format!("{}.yaml", shipped.name), shipped.text.to_owned());
    Set::read_with(vec![file], &check_door).set?.get(shipped.name).cloned()
}

fn events(shipped: &Shipped) -> impl Iterator<Item = crate::document::Value> {
    let fixtures = shipped.fixtures();
    fixtures.filter_map(|known| decode::document(None, known.body, &Options::default()).ok())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_shipped_mapping_is_a_source_with_the_files_its_tests_read() {
        for shipped in library::all() {
            let source = source(shipped).unwrap();
            let read: BTreeSet<_> =
                source.tests().iter().filter_map(|test| test.body_file()).collect();
            let there: BTreeSet<_> = shipped.fixtures().map(|known| known.name).collect();
            assert_eq!(there, read, "{}", shipped.name);
        }
    }
}

//! Knowing the shipped mapping that is for the sender of an event.

use std::sync::Arc;

use crate::decode::{self, Options};
use crate::document::Value;
use crate::library::{self, Shipped};
use crate::mapping::syntax::Node;
use crate::mapping::{Set, Source, suggest};
use crate::webhook::check_door;

/// How much of the shape of a shipped event another must have to be from the same sender.
const LIKE_ENOUGH: f64 = 0.75;

/// The shipped mapping of the sender of an event, and what it was known by: a header that only its sender has, else the
/// shape of its events. Where several have the header, the shape decides between them.
pub(super) fn recognise(
    document: &Value,
    headers: &[(String, String)],
    presets: &[String],
) -> Option<(&'static Shipped, String)> {
    let with_header: Vec<_> = library::all()
        .iter()
        .filter_map(|shipped| Some((shipped, header_of(shipped, headers, presets)?)))
        .collect();
    if let [(_, _)] = with_header.as_slice() {
        return with_header.into_iter().next();
    }
    most_alike(document, with_header.into_iter()).or_else(|| {
        most_alike(document, library::all().iter().map(|own| (own, "its shape".to_owned())))
    })
}

/// The one of these whose events the document is most alike, where that is enough.
fn most_alike(
    document: &Value,
    candidates: impl Iterator<Item = (&'static Shipped, String)>,
) -> Option<(&'static Shipped, String)> {
    let likeness = |shipped| {
        let known = events(shipped).map(|known| suggest::likeness(document, &known));
        known.fold(0.0, f64::max)
    };
    let rated = candidates.map(|candidate| (likeness(candidate.0), candidate));
    let best = rated.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.filter(|(likeness, _)| *likeness >= LIKE_ENOUGH).map(|(_, candidate)| candidate)
}

/// The header by which the sender of a mapping is known: that of its signature, or of its token where no other sender
/// has it there.
fn header_of(
    shipped: &Shipped,
    headers: &[(String, String)],
    presets: &[String],
) -> Option<String> {
    let root = Node::read(shipped.text).ok()?;
    let verify = root.get("verify")?;
    if let Some(preset) = verify.get("preset").and_then(Node::as_text) {
        let is_first = presets.first().is_some_and(|first| first == preset);
        return is_first.then(|| "the header of its signature".to_owned());
    }
    let name = token_header(verify)?;
    let is_there = headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    (is_there && !is_shared(name)).then(|| format!("its header `{name}`"))
}

/// The header that a `verify` has its token in.
fn token_header(verify: &Node) -> Option<&str> {
    let token = verify.get("token")?;
    let text = |name| token.get(name).and_then(Node::as_text);
    text("in").filter(|place| *place == "header").and_then(|_| text("name"))
}

/// Whether the mappings of several senders have their token in this header: then it is one that people make up, and
/// says nothing about who sends it.
fn is_shared(header: &str) -> bool {
    let has_it = |shipped: &&Shipped| {
        let root = Node::read(shipped.text).ok();
        let name = root.as_ref().and_then(|root| token_header(root.get("verify")?));
        name.is_some_and(|name| name.eq_ignore_ascii_case(header))
    };
    library::all().iter().filter(has_it).nth(1).is_some()
}

/// The source that a shipped mapping describes.
pub(super) fn source(shipped: &Shipped) -> Option<Arc<Source>> {
    let file = (format!("{}.yaml", shipped.name), shipped.text.to_owned());
    Set::read_with(vec![file], &check_door).set?.get(shipped.name).cloned()
}

fn events(shipped: &Shipped) -> impl Iterator<Item = Value> {
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

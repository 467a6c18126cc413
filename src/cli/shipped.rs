//! The mappings that are shipped, inside the program.

use std::sync::Arc;

use crate::decode::{self, Options};
use crate::mapping::syntax::{Kind, Node};
use crate::mapping::{Set, Source, suggest};
use crate::webhook::check_door;

/// A shipped mapping.
#[derive(Debug)]
pub(super) struct Shipped {
    /// The name of its source, and of its file.
    pub(super) name: &'static str,
    /// The file.
    pub(super) text: &'static str,
    /// The files its tests read: their names beside the mapping, and what is in them.
    pub(super) fixtures: &'static [(&'static str, &'static str)],
}

/// All of them.
pub(super) const SHIPPED: &[Shipped] = &[
    Shipped {
        name: "make",
        text: include_str!("../../mappings/make.yaml"),
        fixtures: &[(
            "fixtures/make-http-json-array.json",
            include_str!("../../mappings/fixtures/make-http-json-array.json"),
        )],
    },
    Shipped {
        name: "typeform",
        text: include_str!("../../mappings/typeform.yaml"),
        fixtures: &[(
            "fixtures/typeform-form-response.json",
            include_str!("../../mappings/fixtures/typeform-form-response.json"),
        )],
    },
    Shipped {
        name: "woocommerce",
        text: include_str!("../../mappings/woocommerce.yaml"),
        fixtures: &[(
            "fixtures/woocommerce-order-created.json",
            include_str!("../../mappings/fixtures/woocommerce-order-created.json"),
        )],
    },
];

/// How much of the shape of a shipped event another must have to be from the same sender.
const LIKE_ENOUGH: f64 = 0.75;

/// The shipped mapping of the sender of an event, and what it was known by.
pub(super) fn recognise(
    document: &crate::document::Value,
    headers: &[(String, String)],
    presets: &[String],
) -> Option<(&'static Shipped, String)> {
    let by_header = SHIPPED.iter().find_map(|shipped| {
        let source = shipped.source()?;
        let known_by = header_of(&source, headers, presets)?;
        Some((shipped, known_by))
    });
    by_header.or_else(|| {
        let is_like = |shipped: &&Shipped| {
            shipped.events().any(|known| suggest::likeness(document, &known) >= LIKE_ENOUGH)
        };
        SHIPPED.iter().find(is_like).map(|shipped| (shipped, "its shape".to_owned()))
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

impl Shipped {
    fn source(&self) -> Option<Arc<Source>> {
        let file = (format!("{}.yaml", self.name), self.text.to_owned());
        Set::read_with(vec![file], &check_door).set?.get(self.name).cloned()
    }

    fn events(&self) -> impl Iterator<Item = crate::document::Value> {
        self.fixtures.iter().filter_map(|(_, text)| {
            decode::document(None, text.as_bytes(), &Options::default()).ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_mapping_of_the_folder_is_shipped_with_the_files_its_tests_read() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let written: BTreeSet<_> = files
            .filter(|file| file.extension().is_some_and(|extension| extension == "yaml"))
            .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        let shipped: BTreeSet<_> = SHIPPED.iter().map(|own| own.name.to_owned()).collect();
        assert_eq!(shipped, written);

        for own in SHIPPED {
            let source = own.source().unwrap();
            let read: BTreeSet<_> =
                source.tests().iter().filter_map(|test| test.body_file()).collect();
            let there: BTreeSet<_> = own.fixtures.iter().map(|(name, _)| *name).collect();
            assert_eq!(there, read, "{}", own.name);
        }
    }
}

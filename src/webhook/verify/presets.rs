//! The schemes of known senders, read from `presets.yaml` by the same reader as `hmac:` in a mapping file.

use std::sync::LazyLock;

use super::read;
use super::scheme::Scheme;
use crate::mapping::syntax::{Kind, Node, Problems};

const TEXT: &str = include_str!("presets.yaml");

static PRESETS: LazyLock<Vec<(String, Vec<Scheme>)>> =
    LazyLock::new(|| presets(&mut Problems::default()));

fn presets(problems: &mut Problems) -> Vec<(String, Vec<Scheme>)> {
    let entries = match Node::read(TEXT).map(|node| node.kind) {
        Ok(Kind::Map(entries)) => entries,
        Ok(_) => Vec::new(),
        Err(problem) => {
            problems.add(problem);
            Vec::new()
        }
    };
    let mut preset = |(name, schemes): &(Node, Node)| {
        let schemes = schemes.as_list()?.iter();
        let schemes =
            schemes.map(|scheme| read::scheme(scheme, problems)).collect::<Option<_>>()?;
        Some((name.as_text()?.to_owned(), schemes))
    };
    entries.iter().filter_map(&mut preset).collect()
}

/// The names of all presets.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| name.as_str())
}

/// The schemes of a preset, the strongest first.
pub(super) fn find(name: &str) -> Option<&'static [Scheme]> {
    PRESETS.iter().find(|(own, _)| own == name).map(|(_, schemes)| schemes.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_read_without_a_problem() {
        let mut problems = Problems::default();

        let read = presets(&mut problems);

        assert_eq!(problems.into_sorted(), []);
        let written = TEXT.lines().filter(|line| line.ends_with(':') && !line.starts_with(' '));
        assert_eq!(read.len(), written.count());
        assert!(read.iter().all(|(_, schemes)| !schemes.is_empty()));
    }
}

//! The schemes of known senders, read from `presets.yaml` by the same reader as `hmac:` in a mapping file.

use std::sync::LazyLock;

use super::parameters;
use super::read;
use super::scheme::{Method, Part, Scheme};
use crate::mapping::syntax::{Code, Fields, Kind, Node, Problems};
use crate::webhook::handshake::Handshake;

const TEXT: &str = include_str!("presets.yaml");

static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| presets(&mut Problems::default()));

/// What is known of a sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Preset {
    name: String,
    /// The strongest first.
    pub(super) schemes: Vec<Scheme>,
    pub(super) handshake: Option<Handshake>,
    has_vectors: bool,
}

/// A preset as a table of senders shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its name.
    pub name: &'static str,
    /// Each of its schemes in a line, the strongest first.
    pub schemes: Vec<String>,
    /// What its sender asks before it sends events, as under `handshake:`.
    pub handshake: Option<&'static str>,
    /// The names of what has to be said beside `preset:` and the secret.
    pub settings: Vec<&'static str>,
    /// Whether it is held against a request that its sender, or a library for it, has signed.
    pub has_vectors: bool,
}

fn presets(problems: &mut Problems) -> Vec<Preset> {
    let entries = match Node::read(TEXT).map(|node| node.kind) {
        Ok(Kind::Map(entries)) => entries,
        Ok(_) => Vec::new(),
        Err(problem) => {
            problems.add(problem);
            Vec::new()
        }
    };
    entries.iter().filter_map(|(name, node)| preset(name.as_text()?, node, problems)).collect()
}

fn preset(name: &str, node: &Node, problems: &mut Problems) -> Option<Preset> {
    let mut preset =
        Preset { name: name.to_owned(), schemes: Vec::new(), handshake: None, has_vectors: true };
    let mut schemes = node;
    if node.as_list().is_none() {
        let mut fields = Fields::of(node, problems)?;
        schemes = fields.need("schemes", problems)?;
        if let Some(node) = fields.take("handshake") {
            preset.handshake = Some(read::word(node, &Handshake::words(), problems)?);
        }
        if let Some(node) = fields.take("vectors") {
            preset.has_vectors = read::truth(node, problems)?;
        }
        fields.finish(problems);
    }
    let Some(items) = schemes.as_list().filter(|items| !items.is_empty()) else {
        problems.error(Code::Shape, &schemes.span, "a list of schemes is expected");
        return None;
    };
    let read = items.iter().map(|scheme| parameters::scheme(scheme, problems));
    preset.schemes = read.collect::<Option<_>>()?;
    Some(preset)
}

/// The names of all presets.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|preset| preset.name.as_str())
}

/// All presets, with what a table of senders says of them.
pub fn summaries() -> impl Iterator<Item = Summary> {
    PRESETS.iter().map(|preset| Summary {
        name: &preset.name,
        schemes: preset.schemes.iter().map(ToString::to_string).collect(),
        handshake: preset.handshake.map(Handshake::name),
        settings: preset.settings(),
        has_vectors: preset.has_vectors,
    })
}

/// The preset of this name.
pub(super) fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

impl Preset {
    /// What the mapping file has to give beside the secret.
    pub(super) fn settings(&self) -> Vec<&str> {
        let parts = self.schemes.iter().flat_map(|scheme| &scheme.signed);
        let mut names: Vec<&str> = Vec::new();
        for part in parts {
            if let Part::Setting(name) = part
                && !names.contains(&name.as_str())
            {
                names.push(name);
            }
        }
        names
    }

    /// Whether one of its schemes has a public key.
    pub(super) fn has_public_key(&self) -> bool {
        self.schemes.iter().any(|scheme| matches!(scheme.method, Method::PublicKey(_)))
    }

    /// The names of its versions.
    pub(super) fn versions(&self) -> Vec<&str> {
        self.schemes.iter().filter_map(|scheme| scheme.version.as_deref()).collect()
    }
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
        assert!(read.iter().all(|preset| !preset.schemes.is_empty()));
        assert!(read.is_sorted_by(|one, next| one.name < next.name));
    }

    #[test]
    fn a_summary_says_how_a_sender_signs() {
        let told: Vec<_> = summaries()
            .filter(|summary| matches!(summary.name, "slack" | "paypal" | "hubspot"))
            .collect();
        assert_eq!(told[0].name, "hubspot");
        assert_eq!(
            told[0].schemes,
            [
                "v3: hmac-sha256, base64, header `x-hubspot-signature-v3`, over `{method}{url}{body}{timestamp}`",
                "v2: sha256, hex, header `x-hubspot-signature`, over `{secret}{method}{url}{body}`",
                "v1: sha256, hex, header `x-hubspot-signature`, over `{secret}{body}`",
            ]
        );
        assert_eq!(told[1].settings, ["webhook_id"]);
        assert!(!told[1].has_vectors);
        assert_eq!((told[2].handshake, told[2].has_vectors), (Some("slack"), true));
    }
}

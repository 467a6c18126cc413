//! What a person does so that the events of a shipped mapping's sender come in: told by `init`, written on its page.

use std::sync::Arc;

use anyhow::Context;

use super::shipped;
use crate::library::head::Head;
use crate::library::{self, Shipped};
use crate::mapping::syntax::{Kind, Node};
use crate::mapping::{Requires, Source};

/// A shipped mapping, read.
pub(super) struct Sender {
    pub(super) shipped: &'static Shipped,
    pub(super) head: Head,
    pub(super) source: Arc<Source>,
}

impl Sender {
    pub(super) fn of(shipped: &'static Shipped) -> anyhow::Result<Self> {
        let wrong = || format!("the shipped mapping `{}` is wrong", shipped.name);
        let head = Head::read(shipped.text).map_err(anyhow::Error::msg).with_context(wrong)?;
        let source = shipped::source(shipped).with_context(wrong)?;
        Ok(Self { shipped, head, source })
    }

    /// All of them, in the order of their names.
    pub(super) fn all() -> anyhow::Result<Vec<Self>> {
        library::all().iter().map(Self::of).collect()
    }

    /// The variables that its secrets are taken from, in the order of the file.
    pub(super) fn variables(&self) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(verify) = &self.source.verify {
            each_text(verify, &mut |text| {
                let name = text.strip_prefix("env:").map(str::to_owned);
                found.extend(name.filter(|name| !found.contains(name)));
            });
        }
        found
    }

    /// The URL that the sender is given, with the token in it where `verify` wants one there.
    pub(super) fn url(&self) -> String {
        let address = format!("https://YOUR-HOST/hooks/{}", self.shipped.name);
        let Some(token) = self.source.verify.as_ref().and_then(token_in_url) else {
            return address;
        };
        let text = |name| token.get(name).and_then(Node::as_text).unwrap_or_default();
        let secret = text("secret").trim_start_matches("env:");
        match text("in") {
            "path" => format!("{address}/{secret}"),
            _ => format!("{address}?{}={secret}", text("name")),
        }
    }

    /// Whether its signature covers the URL, so that the bridge must know how it is reached.
    pub(super) fn signs_url(&self) -> bool {
        struct Any;
        impl crate::webhook::verify::SecretSource for Any {
            fn variable(&self, _: &str) -> Option<String> {
                Some("only-to-ask".to_owned())
            }
            fn file(&self, _: &std::path::Path) -> std::io::Result<String> {
                Err(std::io::ErrorKind::Unsupported.into())
            }
        }
        let spec = crate::webhook::verify_of(&self.source).0;
        spec.and_then(|spec| spec.resolve(&Any).ok()).is_some_and(|verifier| verifier.signs_url())
    }

    /// What must exist in Chatflow's settings.
    pub(super) fn requires(&self) -> &Requires {
        &self.source.requires
    }

    /// What is to be done, each with a word for it.
    pub(super) fn steps(&self) -> Vec<(&'static str, String)> {
        let quoted = |names: &[String]| {
            names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        };
        let mut steps = vec![
            ("where", self.head.place.clone()),
            ("url", format!("`{}`", self.url())),
            ("secret", self.secret()),
        ];
        if self.signs_url() {
            let message = "the signature covers the URL: say in the setting `server.public_url` how senders reach the bridge, such as `https://YOUR-HOST`";
            steps.push(("setting", message.to_owned()));
        }
        let Requires { tags, attributes } = self.requires();
        for (word, names) in [("tags", tags), ("attributes", attributes)] {
            if !names.is_empty() {
                steps.push((word, format!("{} must exist in Chatflow's settings", quoted(names))));
            }
        }
        steps.push(("adapt", self.head.adapt.clone()));
        steps.extend(self.head.missing.clone().map(|missing| ("missing", missing)));
        steps.extend(self.head.notes.iter().map(|note| ("note", note.clone())));
        steps
    }

    fn secret(&self) -> String {
        let variables: Vec<_> =
            self.variables().into_iter().map(|name| format!("`{name}`")).collect();
        let taken = match variables.as_slice() {
            [] => String::new(),
            [one] => format!(" The bridge takes it from the variable {one}."),
            several => format!(" The bridge takes them from the variables {}.", several.join(", ")),
        };
        format!("{}{taken}", self.head.secret)
    }
}

/// Hands over the text of every scalar.
fn each_text(node: &Node, then: &mut dyn FnMut(&str)) {
    match &node.kind {
        Kind::Scalar { text, .. } => then(text),
        Kind::List(items) => items.iter().for_each(|item| each_text(item, then)),
        Kind::Map(entries) => entries.iter().for_each(|(_, value)| each_text(value, then)),
    }
}

/// The first token that stands in the path or in the query.
fn token_in_url(node: &Node) -> Option<&Node> {
    match &node.kind {
        Kind::Scalar { .. } => None,
        Kind::List(items) => items.iter().find_map(token_in_url),
        Kind::Map(entries) => {
            let own = node.get("token").filter(|token| {
                matches!(token.get("in").and_then(Node::as_text), Some("path" | "query"))
            });
            own.or_else(|| entries.iter().find_map(|(_, value)| token_in_url(value)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sender_has_a_url_a_secret_and_what_it_needs() {
        for sender in Sender::all().unwrap() {
            let name = sender.shipped.name;
            let variables = sender.variables();
            let prefix = format!("{}_", name.to_uppercase().replace('-', "_"));
            assert!(!variables.is_empty(), "{name} takes no secret from the environment");
            for variable in &variables {
                assert!(variable.starts_with(&prefix), "{name}: {variable}");
            }
            assert!(sender.url().starts_with(&format!("https://YOUR-HOST/hooks/{name}")), "{name}");
            let uses = sender.source.uses();
            for (listed, used) in [
                (&sender.requires().tags, &uses.tags),
                (&sender.requires().attributes, &uses.attributes),
            ] {
                assert!(used.iter().all(|name| listed.contains(name)), "{name}: {used:?}");
            }
        }
    }

    #[test]
    fn a_token_in_the_url_is_shown_in_it() {
        for (verify, url) in [
            ("{ preset: github, secret: env:S }", None),
            ("{ token: { in: header, name: x-t, secret: env:S } }", None),
            ("{ token: { in: path, secret: env:S } }", Some("path")),
            (
                "{ all: [{ ip: 10.0.0.0/8 }, { token: { in: query, name: k, secret: env:S } }] }",
                Some("query"),
            ),
        ] {
            let node = Node::read(verify).unwrap();
            let found =
                token_in_url(&node).and_then(|token| token.get("in")).and_then(Node::as_text);
            assert_eq!(found, url, "{verify}");
        }
    }
}

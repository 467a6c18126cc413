//! Taking a block of keys apart, strictly.

use std::ops::Range;

use super::node::{Kind, Node};
use super::problem::{Code, Problem, Problems};
use crate::mapping::expr::nearest;

/// The keys of one block: each is taken by name, and what is left at the end is reported.
#[derive(Debug)]
pub struct Fields<'n> {
    span: Range<usize>,
    entries: Vec<(&'n Node, &'n Node)>,
    known: Vec<&'static str>,
    /// Keys of which one must be there and is not, and what was reported about it.
    missing: Vec<(Vec<&'static str>, Problem)>,
    /// Keys that were read as others, whose names they nearly have.
    mended: Vec<(&'n Node, &'static str)>,
}

impl<'n> Fields<'n> {
    /// The keys of `node`; a problem and nothing where it is no block of keys. Repeated keys are reported.
    pub fn of(node: &'n Node, problems: &mut Problems) -> Option<Self> {
        let Kind::Map(map) = &node.kind else {
            let message = format!("a block of keys is expected, {} was found", node.what());
            let problem = Problem::error(Code::Shape, node.span.clone(), message);
            problems.add(match glued(node) {
                Some((key, value)) => {
                    problem.help(format!("a blank is missing after the `:`: `{key}: {value}`"))
                }
                None => problem,
            });
            return None;
        };
        let mut entries: Vec<(&Node, &Node)> = Vec::new();
        for (key, value) in map {
            let Some(name) = key.as_text() else {
                let problem =
                    Problem::error(Code::Yaml, key.span.clone(), "a key is a single word");
                problems.add(match key.kind {
                    Kind::Map(_) => problem.help("a template goes in quotes: `\"{{ … }}\"`"),
                    _ => problem,
                });
                continue;
            };
            if let Some((_, before)) = entries.last()
                && is_rest_of(before, key, value)
            {
                let start = before.as_text().unwrap_or_default();
                let problem = Problem::error(
                    Code::Yaml,
                    before.span.start..key.span.end,
                    "inside `{ }` and `[ ]` a `,` ends a value: YAML has cut this one in two",
                );
                problems.add(problem.help(format!("put it in single quotes: `'{start}, {name}'`")));
                entries.pop();
                continue;
            }
            if entries.iter().any(|(first, _)| first.as_text() == Some(name)) {
                problems.error(Code::RepeatedKey, &key.span, format!("`{name}` stands twice"));
                continue;
            }
            entries.push((key, value));
        }
        let (known, missing, mended) = (Vec::new(), Vec::new(), Vec::new());
        Some(Self { span: node.span.clone(), entries, known, missing, mended })
    }

    /// Reports every key that nearly has the name of one of `keys` which is not there, and has it read as that one:
    /// what it holds is looked into, and what needs it is not wrong as well.
    pub(super) fn mend(&mut self, keys: &[&'static str], problems: &mut Problems) {
        let stands = |name: &str| self.entries.iter().any(|(key, _)| key.as_text() == Some(name));
        let absent: Vec<_> = keys.iter().copied().filter(|name| !stands(name)).collect();
        for (key, _) in &self.entries {
            let name = key.as_text().unwrap_or_default();
            if keys.contains(&name) {
                continue;
            }
            let Some(near) = nearest(name, keys.iter().copied()) else { continue };
            let Some(meant) = absent.iter().find(|absent| **absent == near) else { continue };
            if !self.mended.iter().any(|(_, mended)| mended == meant) {
                self.mended.push((key, meant));
                problems.add(unknown(key, format!("did you mean `{near}`?")));
            }
        }
    }

    /// Where the block stands.
    pub fn span(&self) -> &Range<usize> {
        &self.span
    }

    /// The value of a key, where it is there.
    pub fn take(&mut self, name: &'static str) -> Option<&'n Node> {
        self.take_with_key(name).map(|(_, value)| value)
    }

    /// The key and its value, where it is there.
    pub fn take_with_key(&mut self, name: &'static str) -> Option<(&'n Node, &'n Node)> {
        self.known.push(name);
        let is_meant = |key: &'n Node| {
            let mended = self.mended.iter().find(|(mended, _)| std::ptr::eq(*mended, key));
            mended.map_or(key.as_text(), |(_, name)| Some(*name)) == Some(name)
        };
        let at = self.entries.iter().position(|(key, _)| is_meant(key))?;
        Some(self.entries.remove(at))
    }

    /// The value of a key that must be there.
    pub fn need(&mut self, name: &'static str, problems: &mut Problems) -> Option<&'n Node> {
        let found = self.take(name);
        if found.is_none() {
            let message = format!("`{name}` is missing here");
            let missing = Problem::error(Code::MissingKey, self.span.clone(), message);
            self.miss(&[name], missing, problems);
        }
        found
    }

    /// Reports that none of `names` is there; [`Self::finish`] takes it back where one of them is misspelt, so that
    /// one slip is one problem.
    pub fn miss(&mut self, names: &[&'static str], problem: Problem, problems: &mut Problems) {
        problems.add(problem.clone());
        self.missing.push((names.to_vec(), problem));
    }

    /// Whether a key that was not taken is written like one of these.
    pub fn has_stray_near(&self, names: &[&str]) -> bool {
        let strays = self.entries.iter().filter_map(|(key, _)| key.as_text());
        strays.into_iter().any(|stray| nearest(stray, names.iter().copied()).is_some())
    }

    /// All keys that are left, whatever their names: for blocks whose keys are the user's own.
    pub fn rest(&mut self) -> Vec<(&'n Node, &'n Node)> {
        std::mem::take(&mut self.entries)
    }

    /// Whether every key was taken.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Reports what is left, with the nearest known name.
    pub fn finish(self, problems: &mut Problems) {
        for (key, _) in &self.entries {
            let name = key.as_text().unwrap_or_default();
            let near = nearest(name, self.known.iter().copied());
            if let Some(near) = &near {
                let misspelt = |names: &[&str]| names.contains(&near.as_str());
                for (_, missing) in self.missing.iter().filter(|(names, _)| misspelt(names)) {
                    problems.withdraw(missing);
                }
            }
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("here can stand: {}", self.known.join(", ")),
            };
            problems.add(unknown(key, help));
        }
    }
}

fn unknown(key: &Node, help: String) -> Problem {
    let name = key.as_text().unwrap_or_default();
    let message = format!("`{name}` is not known here");
    Problem::error(Code::UnknownKey, key.span.clone(), message).help(help)
}

/// A key and a value without a blank between.
fn glued(node: &Node) -> Option<(&str, &str)> {
    let Kind::Scalar { text, quoted: false } = &node.kind else { return None };
    let (key, value) = text.split_once(':')?;
    let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    (is_key && !value.is_empty() && !value.starts_with("//")).then_some((key, value))
}

/// Whether a key without a value is the rest of the value before it, cut at a `,`.
fn is_rest_of(before: &Node, key: &Node, value: &Node) -> bool {
    let opened = |node: &Node, more: char, less: char| match &node.kind {
        Kind::Scalar { text, quoted: false } => {
            text.matches(more).count() > text.matches(less).count()
        }
        _ => false,
    };
    value.is_null() && value.span.is_empty() && opened(before, '(', ')') && opened(key, ')', '(')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stray_key_is_reported_with_its_place_and_the_nearest_name() {
        let text = "nam: a\nname: b\nname: c\n";
        let node = Node::read(text).unwrap();
        let mut problems = Problems::default();
        let mut fields = Fields::of(&node, &mut problems).unwrap();

        assert_eq!(fields.take("name").and_then(Node::as_text), Some("b"));
        fields.need("when", &mut problems);
        fields.finish(&mut problems);

        let found: Vec<_> =
            problems.into_sorted().into_iter().map(|p| (p.code.as_str(), p.span, p.help)).collect();
        assert_eq!(
            found,
            [
                ("E002", 0..3, Some("did you mean `name`?".to_owned())),
                ("E004", 0..23, None),
                ("E003", 15..19, None),
            ]
        );
    }

    #[test]
    fn a_key_that_is_misspelt_is_not_missing_as_well() {
        for (text, codes) in
            [("nam: a", vec!["E002"]), ("title: a", vec!["E002", "E004"]), ("{}", vec!["E004"])]
        {
            let node = Node::read(text).unwrap();
            let mut problems = Problems::default();
            let mut fields = Fields::of(&node, &mut problems).unwrap();

            fields.need("name", &mut problems);
            fields.finish(&mut problems);

            let mut found: Vec<_> =
                problems.into_sorted().iter().map(|problem| problem.code.as_str()).collect();
            found.sort_unstable();
            assert_eq!(found, codes, "{text}");
        }
    }

    #[test]
    fn a_mended_key_is_read_as_the_one_that_was_meant() {
        for (text, read, codes) in [
            ("ruls: a", Some("a"), vec!["E002"]),
            ("ruls: a\nrules: b", Some("b"), vec!["E002"]),
            ("other: a", None, vec!["E002"]),
        ] {
            let node = Node::read(text).unwrap();
            let mut problems = Problems::default();
            let mut fields = Fields::of(&node, &mut problems).unwrap();
            fields.mend(&["rules", "tests"], &mut problems);

            assert_eq!(fields.take("rules").and_then(Node::as_text), read, "{text}");
            fields.finish(&mut problems);

            let found: Vec<_> =
                problems.into_sorted().iter().map(|problem| problem.code.as_str()).collect();
            assert_eq!(found, codes, "{text}");
        }
    }
}

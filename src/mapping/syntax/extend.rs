//! `extends:` one tree made of two files, each part with its own place.
//!
//! What stands in the shipped mapping has its places behind the end of the file that extends it, as if the two were one
//! text: [`Base::joined`] is that text, and [`Base::split`] tells the problems apart again.

use super::node::{Kind, Node};
use super::problem::{Code, Problem, Problems};
use super::scalar;
use crate::library;
use crate::mapping::contact::WAYS;
use crate::mapping::expr::nearest;

/// What the names of shipped mappings begin with among the files of a set.
pub const LIBRARY: &str = "library:";

/// The key.
pub(super) const EXTENDS: &str = "extends";

/// Keys whose members are those of both, the file's own in the place of the other's.
const BLOCKS: &[&str] = &["event", "body", "let", "tables"];

/// Keys that leave it as it is what becomes of an event.
const AS_SHIPPED: &[&str] = &[EXTENDS, "source", "description", "verify", "respond", "per_minute"];

/// The shipped mapping that the text of a file extends, where it says one.
pub fn extends(text: &str) -> Option<String> {
    let root = Node::read(text).ok()?;
    root.get(EXTENDS).and_then(Node::as_text).map(str::to_owned)
}

/// The shipped mapping that a file extends.
#[derive(Debug)]
pub(in crate::mapping) struct Base {
    /// As it is shown: `library:NAME`.
    pub(in crate::mapping) name: String,
    /// Its text.
    pub(in crate::mapping) text: String,
    /// Where its places begin.
    starts: usize,
}

impl Base {
    /// The shipped mapping that `root`, read from `text`, extends: one of `bases`, by name and text, or the program's own.
    /// Adds what is wrong with the name.
    pub(in crate::mapping) fn of(
        root: &Node,
        text: &str,
        bases: &[(String, String)],
        problems: &mut Problems,
    ) -> Option<Self> {
        let node = root.get(EXTENDS)?;
        let wanted = scalar::text(node, "the name of a shipped mapping", problems)?;
        let name = format!("{LIBRARY}{wanted}");
        let carried = bases.iter().find(|(own, _)| *own == name).map(|(_, text)| text.as_str());
        let Some(found) = carried.or_else(|| library::get(wanted).map(|shipped| shipped.text))
        else {
            let names = library::all().iter().map(|shipped| shipped.name);
            let message = format!("no mapping named `{wanted}` is shipped");
            let problem = Problem::error(Code::Name, node.span.clone(), message);
            problems.add(match nearest(wanted, names) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help("`chatflow-bridge init --list` shows those that are"),
            });
            return None;
        };
        Some(Self { name, text: found.to_owned(), starts: text.len() + 1 })
    }

    /// The two texts as one.
    pub(in crate::mapping) fn joined(&self, text: &str) -> String {
        format!("{text}\n{}", self.text)
    }

    /// Whether a place is one of the shipped mapping.
    pub(in crate::mapping) const fn has(&self, at: usize) -> bool {
        at >= self.starts
    }

    /// The problems of the file, and those that stand in the shipped mapping, at their places there.
    pub(super) fn split(&self, problems: Vec<Problem>) -> (Vec<Problem>, Vec<Problem>) {
        let (theirs, own): (Vec<_>, Vec<_>) =
            problems.into_iter().partition(|problem| self.has(problem.span.start));
        let back = |mut problem: Problem| {
            problem.span.start -= self.starts;
            problem.span.end = problem.span.end.saturating_sub(self.starts);
            problem
        };
        (own, theirs.into_iter().map(back).collect())
    }

    /// The tree of the file on top of that of the shipped mapping. The name and the tests of the shipped mapping are its
    /// own; of everything else the file's keys win, and a plain `off` takes away what is there.
    pub(in crate::mapping) fn under(
        &self,
        root: &Node,
        problems: &mut Problems,
    ) -> Result<Node, Problem> {
        let mut base = Node::read(&self.text)?;
        base.shift(self.starts);
        let Kind::Map(entries) = base.kind else { return Ok(root.clone()) };
        let theirs: Vec<_> = entries
            .into_iter()
            .filter(|(key, _)| !matches!(key.as_text(), Some("source" | "tests" | EXTENDS)))
            .collect();
        let own: Vec<_> = match &root.kind {
            Kind::Map(entries) => {
                entries.iter().filter(|(key, _)| key.as_text() != Some(EXTENDS)).cloned().collect()
            }
            _ => Vec::new(),
        };
        let merged = members(theirs, own, |name, under, over| match name {
            "rules" => rules(under, over, problems),
            "defaults" => rule(under, over),
            "requires" => both_lists(under, over),
            _ if BLOCKS.contains(&name) => block(under, over, &[]),
            _ => over,
        });
        Ok(Node { span: root.span.clone(), kind: Kind::Map(merged) })
    }
}

/// Whether a file that extends a shipped mapping leaves what becomes of events as it is: the tests there say it then.
pub(super) fn is_as_shipped(root: &Node) -> bool {
    let Kind::Map(entries) = &root.kind else { return false };
    entries.iter().all(|(key, _)| key.as_text().is_some_and(|key| AS_SHIPPED.contains(&key)))
}

/// The entries of both: those of `over` in the place of those of `under` with the same key, made one by `combine`.
fn members(
    under: Vec<(Node, Node)>,
    over: Vec<(Node, Node)>,
    mut combine: impl FnMut(&str, Node, Node) -> Node,
) -> Vec<(Node, Node)> {
    let mut over: Vec<Option<(Node, Node)>> = over.into_iter().map(Some).collect();
    let mut merged = Vec::new();
    for (key, value) in under {
        let same = |own: &Option<(Node, Node)>| {
            own.as_ref().is_some_and(|(own, _)| own.as_text() == key.as_text())
        };
        match over.iter_mut().find(|own| same(own)).and_then(Option::take) {
            None => merged.push((key, value)),
            Some((_, own)) if is_off_word(&own) => {}
            Some((own_key, own)) => {
                let name = key.as_text().unwrap_or_default();
                merged.push((own_key, combine(name, value, own)));
            }
        }
    }
    merged.extend(over.into_iter().flatten());
    merged
}

fn is_off_word(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar { text, quoted: false } if text == "off")
}

/// Two blocks as one; below keys that are `deep` their members are merged too.
fn block(under: Node, over: Node, deep: &[&str]) -> Node {
    let (Kind::Map(below), Kind::Map(above)) = (under.kind, over.kind.clone()) else { return over };
    let merged =
        members(
            below,
            above,
            |name, under, over| {
                if deep.contains(&name) { block(under, over, &[]) } else { over }
            },
        );
    Node { span: over.span, kind: Kind::Map(merged) }
}

/// `requires`: the names of both.
fn both_lists(under: Node, over: Node) -> Node {
    let (Kind::Map(below), Kind::Map(above)) = (under.kind, over.kind.clone()) else { return over };
    let items = |node: Node| match node.kind {
        Kind::List(items) => items,
        Kind::Scalar { .. } | Kind::Map(_) => vec![node],
    };
    let merged = members(below, above, |_, under, over| {
        let span = over.span.clone();
        let mut all = items(over);
        all.extend(items(under));
        Node { span, kind: Kind::List(all) }
    });
    Node { span: over.span, kind: Kind::Map(merged) }
}

/// Rules by name: the shipped ones in their order, changed or left out, then those that only the file has.
fn rules(under: Node, over: Node, problems: &mut Problems) -> Node {
    let (Kind::List(below), Kind::List(above)) = (under.kind, over.kind.clone()) else {
        return over;
    };
    let mut own: Vec<Option<Node>> = above.into_iter().map(Some).collect();
    let names: Vec<String> = below.iter().filter_map(name_of).map(str::to_owned).collect();
    let mut merged = Vec::new();
    for shipped in below {
        let same = |own: &Option<Node>| {
            own.as_ref()
                .is_some_and(|own| name_of(own).is_some() && name_of(own) == name_of(&shipped))
        };
        match own.iter_mut().find(|own| same(own)).and_then(Option::take) {
            None => merged.push(shipped),
            Some(changed) if is_off(&changed, problems) => {}
            Some(changed) => merged.push(rule(shipped, without_off(changed))),
        }
    }
    for new in own.into_iter().flatten() {
        if new.get("off").is_some() {
            let name = name_of(&new).unwrap_or_default();
            let place = new.get("name").map_or(&new.span, |name| &name.span);
            let message =
                format!("no rule of the shipped mapping is named `{name}`, so none is off");
            let problem = Problem::error(Code::Name, place.clone(), message);
            problems.add(match nearest(name, names.iter().map(String::as_str)) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help(format!("there are: {}", names.join(", "))),
            });
        } else {
            merged.push(new);
        }
    }
    Node { span: over.span, kind: Kind::List(merged) }
}

/// A shipped rule (or `defaults`) with the file's own keys on top: of `contact` the way to find it is one or the other,
/// attributes and `let`s merge by name, everything else is the file's where it says it.
fn rule(under: Node, over: Node) -> Node {
    let (Kind::Map(below), Kind::Map(above)) = (under.kind, over.kind.clone()) else { return over };
    let merged = members(below, above, |name, under, over| match name {
        "contact" => block(without_other_way(under, &over), over, &[]),
        "update" => block(under, over, &["attributes"]),
        "let" => block(under, over, &[]),
        _ => over,
    });
    Node { span: over.span, kind: Kind::Map(merged) }
}

fn without_other_way(mut under: Node, over: &Node) -> Node {
    let says_who = WAYS.iter().any(|way| over.get(way).is_some());
    if let (true, Kind::Map(entries)) = (says_who, &mut under.kind) {
        entries.retain(|(key, _)| !key.as_text().is_some_and(|key| WAYS.contains(&key)));
    }
    under
}

fn name_of(rule: &Node) -> Option<&str> {
    rule.get("name").and_then(Node::as_text)
}

fn is_off(rule: &Node, problems: &mut Problems) -> bool {
    let Some(off) = rule.get("off") else { return false };
    let is_off = scalar::boolean(off, problems).unwrap_or_default();
    if let (true, Kind::Map(entries)) = (is_off, &rule.kind) {
        for (key, _) in entries {
            if !matches!(key.as_text(), Some("name" | "off")) {
                problems.error(
                    Code::Shape,
                    &key.span,
                    "a rule that is off has nothing but its name",
                );
            }
        }
    }
    is_off
}

fn without_off(mut rule: Node) -> Node {
    if let Kind::Map(entries) = &mut rule.kind {
        entries.retain(|(key, _)| key.as_text() != Some("off"));
    }
    rule
}

#[cfg(test)]
mod tests;

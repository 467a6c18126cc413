//! A file as it is in force: every rule with all that it starts from, and nothing that is not its own.

use super::contact::WAYS;
use super::syntax::{Base, Kind, Node, Problem, Problems, block, made, masked, merged};

/// The keys of a rule in the order in which they are read.
const RULE: &[&str] = &["name", "for_each", "limit", "let", "when", "contact", "update"];

/// The text of a file (without errors) as it is in force: `defaults` are part of the rules, each rule has the `let`s
/// that it reads, tables that are not used and tests are left out, and so is what is secret. It reads back to the same plans.
/// What it extends is one of `bases` or is in the program, as for [`super::Set::read_with`].
pub fn effective(text: &str, bases: &[(String, String)]) -> Result<String, Problem> {
    let root = whole(text, bases)?;
    let Kind::Map(entries) = root.kind else { return Ok(String::new()) };
    let mut file = Keys(entries);
    drop((file.take("tests"), file.take("requires")));
    if let Some(verify) = file.get("verify").cloned() {
        file.set("verify", masked(verify));
    }
    let defaults = file.take("defaults").map(Keys::of).unwrap_or_default();
    let lets = file.take("let").map(Keys::of).unwrap_or_default();
    let rules = match file.get("rules").map(|rules| &rules.kind) {
        Some(Kind::List(rules)) => rules.iter().cloned().map(Keys::of).collect(),
        _ => Vec::new(),
    };
    let rules: Vec<Keys> = rules.into_iter().map(|rule| with_defaults(rule, &defaults)).collect();

    // A rule that has a `let` of the same name as the file's reads both: the file's stay where they are.
    let hides = |rule: &Keys| {
        rule.get("let").is_some_and(|own| {
            let Kind::Map(own) = &own.kind else { return false };
            own.iter().any(|(name, _)| lets.get(name.as_text().unwrap_or_default()).is_some())
        })
    };
    let mut own = Vec::new();
    let mut rest: Vec<Node> = file
        .0
        .iter()
        .filter(|(key, _)| key.as_text() != Some("rules"))
        .map(|(_, value)| value.clone())
        .collect();
    for rule in rules {
        if hides(&rule) {
            rest.push(made(Kind::Map(rule.0.clone())));
            own.push(rule);
        } else {
            own.push(with_lets(rule, &lets));
        }
    }
    let kept = lets.read_by(&rest);
    if !kept.is_empty() {
        file.put_before("rules", "let", made(Kind::Map(kept)));
    }
    let list = own.into_iter().map(|rule| made(Kind::Map(rule.in_order(RULE)))).collect();
    file.set("rules", made(Kind::List(list)));
    file.drop_unused_tables();
    Ok(block(&made(Kind::Map(file.0)), 0))
}

/// The tree of a file (without errors) on top of what it extends.
pub(super) fn whole(text: &str, bases: &[(String, String)]) -> Result<Node, Problem> {
    let root = Node::read(text)?;
    let mut problems = Problems::default();
    match Base::of(&root, text, bases, &mut problems) {
        Some(base) => base.under(&root, &mut problems),
        None => Ok(root),
    }
}

/// A block of keys that is being changed.
#[derive(Debug, Clone, Default)]
struct Keys(Vec<(Node, Node)>);

impl Keys {
    fn of(node: Node) -> Self {
        if let Kind::Map(entries) = node.kind { Self(entries) } else { Self::default() }
    }

    fn get(&self, name: &str) -> Option<&Node> {
        self.0.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
    }

    fn take(&mut self, name: &str) -> Option<Node> {
        let at = self.0.iter().position(|(key, _)| key.as_text() == Some(name))?;
        Some(self.0.remove(at).1)
    }

    fn set(&mut self, name: &str, node: Node) {
        match self.0.iter_mut().find(|(key, _)| key.as_text() == Some(name)) {
            Some((_, value)) => *value = node,
            None => self.0.push((word(name), node)),
        }
    }

    fn in_order(mut self, order: &[&str]) -> Vec<(Node, Node)> {
        let place = |name: &Node| order.iter().position(|known| Some(*known) == name.as_text());
        self.0.sort_by_key(|(name, _)| place(name).unwrap_or(order.len()));
        self.0
    }

    fn put_before(&mut self, next: &str, name: &str, node: Node) {
        let at = self.0.iter().position(|(key, _)| key.as_text() == Some(next));
        self.0.insert(at.unwrap_or(self.0.len()), (word(name), node));
    }

    /// Those of these values that are read in `nodes`, or by one of them that is.
    fn read_by(&self, nodes: &[Node]) -> Vec<(Node, Node)> {
        let mut read: Vec<(Node, Node)> = Vec::new();
        for (name, value) in self.0.iter().rev() {
            let text = name.as_text().unwrap_or_default();
            let by_one = |node: &Node| reads(node, text);
            if nodes.iter().any(by_one) || read.iter().any(|(_, value)| by_one(value)) {
                read.push((name.clone(), value.clone()));
            }
        }
        read.reverse();
        read
    }

    fn drop_unused_tables(&mut self) {
        let Some(tables) = self.get("tables").cloned().map(Self::of) else { return };
        let others: Vec<_> =
            self.0.iter().filter(|(key, _)| key.as_text() != Some("tables")).cloned().collect();
        let others = made(Kind::Map(others));
        let used: Vec<_> = tables
            .0
            .into_iter()
            .filter(|(name, _)| mentions(&others, name.as_text().unwrap_or_default()))
            .collect();
        if used.is_empty() {
            drop(self.take("tables"));
        } else {
            self.set("tables", made(Kind::Map(used)));
        }
    }
}

fn word(text: &str) -> Node {
    made(Kind::Scalar { text: text.to_owned(), quoted: false })
}

/// A rule on top of `defaults`, as it is compiled.
fn with_defaults(mut rule: Keys, defaults: &Keys) -> Keys {
    let inherit = rule.take("inherit").and_then(|node| node.as_bool());
    if inherit == Some(false) {
        return rule;
    }
    if let Some(under) = defaults.get("when") {
        match rule.get("when").cloned() {
            Some(own) => rule.set("when", both(under, own)),
            None => rule.set("when", under.clone()),
        }
    }
    for (name, exclusive) in [("contact", WAYS), ("update", &[][..])] {
        if let Some(under) = defaults.get(name) {
            let merged = match rule.get(name) {
                Some(own) => merged(under, own, exclusive),
                None => under.clone(),
            };
            rule.set(name, merged);
        }
    }
    rule
}

/// Two blocks of conditions, both of which must hold.
fn both(one: &Node, other: Node) -> Node {
    if let (Kind::Map(first), Kind::Map(second)) = (&one.kind, &other.kind) {
        let repeats = |(key, _): &(Node, Node)| {
            first.iter().any(|(other, _)| other.as_text() == key.as_text())
        };
        if !second.iter().any(repeats) {
            return made(Kind::Map(first.iter().chain(second).cloned().collect()));
        }
    }
    let all = made(Kind::List(vec![one.clone(), other]));
    made(Kind::Map(vec![(word("all"), all)]))
}

/// A rule with the `let`s of the file that it reads, before its own.
fn with_lets(mut rule: Keys, lets: &Keys) -> Keys {
    let mut read = lets.read_by(&[made(Kind::Map(rule.0.clone()))]);
    if read.is_empty() {
        return rule;
    }
    read.extend(rule.take("let").map(Keys::of).unwrap_or_default().0);
    rule.set("let", made(Kind::Map(read)));
    rule
}

/// Whether a path or a template below a node may read the `let` of this name.
fn reads(node: &Node, name: &str) -> bool {
    any_text(node, &|text| (text.contains('$') || text.contains("{{")) && has_word(text, name))
}

/// Whether a text below a node has this word.
fn mentions(node: &Node, name: &str) -> bool {
    any_text(node, &|text| text == name || text.contains(name))
}

fn any_text(node: &Node, is: &dyn Fn(&str) -> bool) -> bool {
    match &node.kind {
        Kind::Scalar { text, .. } => is(text),
        Kind::List(items) => items.iter().any(|item| any_text(item, is)),
        Kind::Map(entries) => {
            entries.iter().any(|(key, value)| any_text(key, is) || any_text(value, is))
        }
    }
}

fn has_word(text: &str, word: &str) -> bool {
    let of_a_word = |c: char| c.is_alphanumeric() || c == '_';
    text.split(|c: char| !of_a_word(c)).any(|part| part == word)
}

#[cfg(test)]
mod tests;

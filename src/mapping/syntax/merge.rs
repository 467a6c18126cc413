//! `defaults:` under a rule: one node made of two, each part with its own place in the file.

use super::node::{Kind, Node};

/// A rule's `contact` or `update` on top of that of `defaults`: its own keys win, lists and `attributes` merge,
/// and of `exclusive` keys its one takes the place of the other's.
pub(in crate::mapping) fn merged(defaults: &Node, own: &Node, exclusive: &[&str]) -> Node {
    let (Kind::Map(base), Kind::Map(over)) = (&defaults.kind, &own.kind) else {
        return own.clone();
    };
    let has = |name: &str| over.iter().any(|(key, _)| key.as_text() == Some(name));
    let replaced = exclusive.iter().any(|name| has(name));
    let mut entries = Vec::new();
    for (key, value) in base {
        let name = key.as_text().unwrap_or_default();
        if !(has(name) || replaced && exclusive.contains(&name)) {
            entries.push((key.clone(), value.clone()));
        }
    }
    for (key, value) in over {
        let under = base.iter().find(|(other, _)| other.as_text() == key.as_text());
        let value = match (key.as_text(), under) {
            (
                Some("tags" | "tags_to_add" | "tags_to_remove" | "attributes_from"),
                Some((_, under)),
            ) => joined(under, value),
            (Some("attributes"), Some((_, under))) => merged(under, value, &[]),
            _ => value.clone(),
        };
        entries.push((key.clone(), value));
    }
    Node { span: own.span.clone(), kind: Kind::Map(entries) }
}

/// Two lists one after the other; a single value counts as a list of one, nothing as none.
fn joined(first: &Node, second: &Node) -> Node {
    let items = |node: &Node| match &node.kind {
        Kind::List(items) => items.clone(),
        _ if node.is_null() => Vec::new(),
        _ => vec![node.clone()],
    };
    let all = items(first).into_iter().chain(items(second)).collect();
    Node { span: second.span.clone(), kind: Kind::List(all) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(node: &Node) -> String {
        match &node.kind {
            Kind::Scalar { text, .. } => text.clone(),
            Kind::List(items) => {
                format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" "))
            }
            Kind::Map(entries) => {
                let entry =
                    |(key, value): &(Node, Node)| format!("{}:{}", shown(key), shown(value));
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(" "))
            }
        }
    }

    #[test]
    fn a_rules_own_keys_win_and_lists_and_attributes_merge() {
        let exclusive = ["id", "mobile", "first_of"];
        for (defaults, own, expected) in [
            ("{name: a, optin: true}", "{name: b}", "{optin:true name:b}"),
            ("{tags_to_add: [a]}", "{tags_to_add: b}", "{tags_to_add:[a b]}"),
            ("{attributes: {x: 1, y: 2}}", "{attributes: {y: 3}}", "{attributes:{x:1 y:3}}"),
            ("{mobile: $.a, on_missing: create}", "{id: $.b}", "{on_missing:create id:$.b}"),
            ("{mobile: $.a}", "{on_missing: skip}", "{mobile:$.a on_missing:skip}"),
        ] {
            let (defaults, own) = (Node::read(defaults).unwrap(), Node::read(own).unwrap());
            assert_eq!(shown(&merged(&defaults, &own, &exclusive)), expected);
        }
    }
}

//! A tree back to text: YAML in blocks, one key a line, that reads back to the same tree.

use serde_json::Value;

use super::node::{Kind, Node};
use crate::mapping::expr::is_number;

/// The text of a tree, every line indented by so many blanks and ended.
pub(in crate::mapping) fn block(node: &Node, indent: usize) -> String {
    let mut text = String::new();
    match &node.kind {
        Kind::List(items) if !items.is_empty() => lines_of_list(items, indent, &mut text),
        Kind::Map(entries) if !entries.is_empty() => {
            pad(indent, &mut text);
            lines_of_map(entries, indent, &mut text);
        }
        _ => {
            pad(indent, &mut text);
            text.push_str(&flow(node));
            text.push('\n');
        }
    }
    text
}

/// The text of a tree in one line, as it can stand inside brackets.
pub(in crate::mapping) fn flow(node: &Node) -> String {
    match &node.kind {
        Kind::Scalar { text, quoted } => scalar(text, *quoted, reads_in_brackets),
        Kind::List(items) => {
            format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Kind::Map(entries) if entries.is_empty() => "{}".to_owned(),
        Kind::Map(entries) => {
            let entry = |(name, value): &(Node, Node)| format!("{}: {}", flow(name), flow(value));
            format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A JSON value as a tree. A text that another YAML tool could take for something else is quoted.
pub(in crate::mapping) fn tree(value: &Value) -> Node {
    let kind = match value {
        Value::Null => plain("null"),
        Value::Bool(value) => plain(&value.to_string()),
        Value::Number(number) => plain(&number.to_string()),
        Value::String(text) => Kind::Scalar { text: text.clone(), quoted: is_ambiguous(text) },
        Value::Array(items) => Kind::List(items.iter().map(tree).collect()),
        Value::Object(members) => {
            let entry = |(name, value): (&String, &Value)| {
                (tree(&Value::String(name.clone())), tree(value))
            };
            Kind::Map(members.iter().map(entry).collect())
        }
    };
    made(kind)
}

/// A node that stands in no file yet.
pub(in crate::mapping) const fn made(kind: Kind) -> Node {
    Node { span: 0..0, kind }
}

fn plain(text: &str) -> Kind {
    Kind::Scalar { text: text.to_owned(), quoted: false }
}

/// Whether a plain scalar of this text is something else than text here or for other YAML tools.
fn is_ambiguous(text: &str) -> bool {
    let words = ["", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let like_a_number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && !text.contains(|c: char| c.is_alphabetic() && !"eExXoTZ_".contains(c));
    like_a_number || is_number(text) || words.contains(&text.to_ascii_lowercase().as_str())
}

fn pad(indent: usize, text: &mut String) {
    text.extend(std::iter::repeat_n(' ', indent));
}

/// The entries, each on lines of its own; the first one begins where the text ends.
fn lines_of_map(entries: &[(Node, Node)], indent: usize, text: &mut String) {
    for (place, (name, value)) in entries.iter().enumerate() {
        if place > 0 {
            pad(indent, text);
        }
        text.push_str(&match &name.kind {
            Kind::Scalar { text, quoted } => scalar(text, *quoted, reads_as_a_key),
            Kind::List(_) | Kind::Map(_) => flow(name),
        });
        text.push(':');
        after_mark(value, indent, text);
    }
}

fn lines_of_list(items: &[Node], indent: usize, text: &mut String) {
    for item in items {
        pad(indent, text);
        text.push('-');
        match &item.kind {
            Kind::Map(entries) if !entries.is_empty() => {
                text.push(' ');
                lines_of_map(entries, indent + 2, text);
            }
            _ => after_mark(item, indent, text),
        }
    }
}

/// What stands after a `:` or a `-`, to the end of its last line.
fn after_mark(value: &Node, indent: usize, text: &mut String) {
    match &value.kind {
        Kind::List(items) if !items.is_empty() => {
            text.push('\n');
            lines_of_list(items, indent + 2, text);
            return;
        }
        Kind::Map(entries) if !entries.is_empty() => {
            text.push('\n');
            pad(indent + 2, text);
            lines_of_map(entries, indent + 2, text);
            return;
        }
        _ => {}
    }
    let written = match &value.kind {
        Kind::Scalar { text, quoted } => scalar(text, *quoted, reads_in_a_block),
        Kind::List(_) | Kind::Map(_) => flow(value),
    };
    text.push(' ');
    text.push_str(&written);
    text.push('\n');
}

/// A scalar; a plain one only where it reads back as it is.
fn scalar(text: &str, quoted: bool, reads_back: fn(&str) -> bool) -> String {
    if !quoted && text.is_empty() {
        // Nothing at all cannot stand everywhere.
        "null".to_owned()
    } else if !quoted && reads_back(text) {
        text.to_owned()
    } else if text.contains(is_escaped) || !text.contains(['\\', '"']) {
        format!("\"{}\"", text.chars().map(in_double_quotes).collect::<String>())
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// Whether a character stands in double quotes as an escape only.
fn is_escaped(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn in_double_quotes(c: char) -> String {
    match c {
        '"' | '\\' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        c if is_escaped(c) => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    }
}

fn is_plain(node: &Node, written: &str) -> bool {
    matches!(&node.kind, Kind::Scalar { text, quoted: false } if text == written)
}

fn reads_in_a_block(written: &str) -> bool {
    !written.contains(['\n', '\r'])
        && Node::read(&format!("a: {written}\n")).is_ok_and(|node| {
            matches!(&node.kind, Kind::Map(entries)
                if matches!(entries.as_slice(), [(_, value)] if is_plain(value, written)))
        })
}

fn reads_as_a_key(written: &str) -> bool {
    !written.contains(['\n', '\r'])
        && Node::read(&format!("{written}: a\n")).is_ok_and(|node| {
            matches!(&node.kind, Kind::Map(entries)
                if matches!(entries.as_slice(), [(name, value)]
                    if is_plain(name, written) && is_plain(value, "a")))
        })
}

fn reads_in_brackets(written: &str) -> bool {
    !written.contains(['\n', '\r'])
        && Node::read(&format!("[{{ {written}: {written} }}, {written}, a]\n")).is_ok_and(|node| {
            let Kind::List(items) = &node.kind else { return false };
            let [map, item, last] = items.as_slice() else { return false };
            is_plain(item, written)
                && is_plain(last, "a")
                && matches!(&map.kind, Kind::Map(entries)
                    if matches!(entries.as_slice(), [(name, value)]
                        if is_plain(name, written) && is_plain(value, written)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether two trees say the same; a plain text of several lines may come back quoted.
    fn same(one: &Node, other: &Node) -> bool {
        match (&one.kind, &other.kind) {
            _ if one.is_null() => other.is_null(),
            (Kind::Scalar { text, quoted }, Kind::Scalar { text: back, quoted: back_quoted }) => {
                text == back && (quoted == back_quoted || !reads_in_brackets(text))
            }
            (Kind::List(one), Kind::List(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same(a, b))
            }
            (Kind::Map(one), Kind::Map(other)) => {
                one.len() == other.len()
                    && one.iter().zip(other).all(|(a, b)| same(&a.0, &b.0) && same(&a.1, &b.1))
            }
            _ => false,
        }
    }

    fn any_tree() -> impl Strategy<Value = Node> {
        let known = prop::sample::select(vec![
            "a",
            "",
            "null",
            "true",
            "12",
            "$.a | trim",
            "a, b",
            "a: b",
            "- a",
            "#",
            "a #b",
            "'",
            "\"",
            "\\",
            "é 日",
            "{",
            "]",
            "&a",
            "*",
            "!x",
            "%",
            "@",
            "`",
            "? a",
            " a ",
            "a\nb",
            ":",
            "-",
            "{{ x }}",
            "$[?@.a == 'b']",
        ]);
        let text = prop_oneof![known.prop_map(str::to_owned), any::<String>()];
        let scalar =
            (text, any::<bool>()).prop_map(|(text, quoted)| made(Kind::Scalar { text, quoted }));
        scalar.prop_recursive(4, 24, 4, |inner| {
            let key = prop_oneof!["[a-z$.#: ]{1,8}", ".{0,8}"]
                .prop_map(|text| made(Kind::Scalar { text, quoted: true }));
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|items| made(Kind::List(items))),
                prop::collection::vec((key, inner), 0..4).prop_map(|all| made(Kind::Map(all))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_to_the_same_tree(node in any_tree()) {
            for (text, what) in [(block(&node, 0), "block"), (block(&node, 3), "indented"), (flow(&node), "flow")] {
                // A file is never empty, and a scalar alone is none.
                let text = if matches!(node.kind, Kind::Scalar { .. }) { format!("[{}]", flow(&node)) } else { text };
                let back = Node::read(&text);
                prop_assert!(back.is_ok(), "{what}: {text:?} {back:?}");
                let back = back.unwrap();
                let back = match (&node.kind, &back.kind) {
                    (Kind::Scalar { .. }, Kind::List(items)) => items[0].clone(),
                    _ => back,
                };
                prop_assert!(same(&node, &back), "{what}: {text:?} {back:?}");
            }
        }
    }

    #[test]
    fn a_tree_is_written_one_key_a_line() {
        let json = serde_json::json!([
            { "rule": "lead", "contact": { "mobile": "12025550143" }, "update": { "optin": true, "tags": [] } },
            { "rule": "b", "held": "no" },
        ]);
        assert_eq!(
            block(&tree(&json), 2),
            "  - rule: lead
    contact:
      mobile: \"12025550143\"
    update:
      optin: true
      tags: []
  - rule: b
    held: \"no\"
"
        );
        assert_eq!(
            flow(&tree(&json)),
            "[{ rule: lead, contact: { mobile: \"12025550143\" }, update: { optin: true, tags: [] } }, { rule: b, held: \"no\" }]"
        );
    }
}

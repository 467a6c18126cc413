//! How much an event looks like another.

use std::collections::BTreeSet;

use crate::document::Value;

/// Levels that are compared: below them an event shows what was answered, not what it is.
const LEVELS: usize = 2;

/// How much of the shape of `known` (its keys, whatever their values) `event` has: 0 for nothing, 1 for all.
/// Nothing where `known` has hardly a shape.
pub fn likeness(event: &Value, known: &Value) -> f64 {
    let (event, known) = (shape(event), shape(known));
    if known.len() < 4 {
        return 0.0;
    }
    let shared = u32::try_from(known.intersection(&event).count()).unwrap_or(u32::MAX);
    f64::from(shared) / f64::from(u32::try_from(known.len()).unwrap_or(u32::MAX))
}

fn shape(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    add(value, "", LEVELS, &mut found);
    found
}

fn add(value: &Value, path: &str, levels: usize, found: &mut BTreeSet<String>) {
    if levels == 0 {
        return;
    }
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = format!("{path}/{name}");
                add(value, &path, levels - 1, found);
                found.insert(path);
            }
        }
        Value::List(items) => {
            let path = format!("{path}/*");
            items.iter().take(20).for_each(|item| add(item, &path, levels, found));
            found.insert(path);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::syntax::{Node, Problems};

    #[test]
    fn an_event_is_like_another_as_far_as_its_keys_are_there() {
        let document = |text: &str| {
            crate::mapping::testing::document(&Node::read(text).unwrap(), &mut Problems::default())
                .unwrap()
        };
        let order = document("{id: 1, total: 2, billing: {phone: 3}}");
        for (event, like) in [
            ("{id: 9, total: 9, billing: {phone: 9}, more: 9}", 1.0),
            ("{id: 9, total: 9, billing: 9}", 0.75),
            ("{}", 0.0),
            ("[]", 0.0),
        ] {
            assert!((likeness(&document(event), &order) - like).abs() < 0.01, "{event}");
        }
        assert!(likeness(&order, &document("{id: 1}")) < 0.01, "one key is no shape");
    }
}

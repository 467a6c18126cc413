//! Smaller documents: an event cut down to what a test is about.

use super::survey::{Place, Way};
use crate::document::Value;

/// The document with only what stands at these places, each whole.
pub(super) fn to(document: &Value, places: &[&[Way]]) -> Value {
    if places.iter().any(|place| place.is_empty()) {
        return document.clone();
    }
    let below = |way: &Way| -> Vec<&[Way]> {
        let starts = places.iter().filter_map(|place| place.split_first());
        starts.filter(|(first, _)| *first == way).map(|(_, rest)| rest).collect()
    };
    match document {
        Value::Object(members) => {
            let kept = members.iter().filter_map(|(name, value)| {
                let below = below(&Way::Member(name.to_string()));
                (!below.is_empty()).then(|| (name.clone(), to(value, &below)))
            });
            Value::Object(kept.collect())
        }
        Value::List(items) => {
            let kept = items.iter().enumerate().filter_map(|(at, item)| {
                let below = below(&Way::Item(at));
                (!below.is_empty()).then(|| to(item, &below))
            });
            Value::List(kept.collect())
        }
        single => single.clone(),
    }
}

/// The document with another value at a place.
pub(super) fn with(document: &Value, place: &Place, value: Value) -> Value {
    let mut changed = document.clone();
    let mut here = &mut changed;
    for way in place {
        let next = match (here, way) {
            (Value::Object(members), Way::Member(name)) => members.get_mut(name.as_str()),
            (Value::List(items), Way::Item(at)) => items.get_mut(*at),
            _ => None,
        };
        let Some(next) = next else { return document.clone() };
        here = next;
    }
    *here = value;
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::syntax::{Node, Problems};

    fn document(text: &str) -> Value {
        crate::mapping::testing::document(&Node::read(text).unwrap(), &mut Problems::default())
            .unwrap()
    }

    #[test]
    fn a_document_is_cut_down_to_places_and_changed_at_one() {
        let whole = document("{a: {b: 1, c: 2}, d: [{e: 3}, {e: 4, f: 5}], g: 6}");
        let place = |text: &str| -> Place {
            let way =
                |word: &str| word.parse().map_or_else(|_| Way::Member(word.to_owned()), Way::Item);
            text.split('.').map(way).collect()
        };
        let (b, e) = (place("a.b"), place("d.1"));

        assert_eq!(to(&whole, &[&b, &e]), document("{a: {b: 1}, d: [{e: 4, f: 5}]}"));
        assert_eq!(to(&whole, &[]), document("{}"));
        assert_eq!(
            with(&whole, &place("d.1.e"), Value::Null),
            document("{a: {b: 1, c: 2}, d: [{e: 3}, {e: null, f: 5}], g: 6}")
        );
    }
}

//! What an older event may no longer set, since a newer one of the same source has set it.
//!
//! Older and newer is when the events happened, not when they came. What takes consent back is never too old.

use jiff::Timestamp;

use super::{ContactUpdate, Field, Since};

/// A field of a contact that was set, by the newest event that did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The field.
    pub field: Field,
    /// Of a tag: whether it was added; else nothing of interest.
    pub is_there: bool,
    /// When the event happened.
    pub at: Timestamp,
}

impl Mark {
    /// The marks that an update of an event of this moment leaves.
    pub fn of(update: &ContactUpdate, at: Timestamp) -> Vec<Self> {
        let said = [
            (update.name.is_some(), Field::Name),
            (update.mobile.is_some(), Field::Mobile),
            (update.optin.is_some(), Field::Optin),
            (update.incoming_blocked.is_some(), Field::IncomingBlocked),
            (update.tags.replace.is_some(), Field::Tags),
        ];
        let fields = said.into_iter().filter(|(said, _)| *said).map(|(_, field)| (field, true));
        let attributes =
            update.attributes.keys().map(|name| (Field::Attribute(name.clone()), true));
        let tag = |there| move |tag: &String| (Field::Tag(tag.clone()), there);
        let added = update.tags.add.iter().map(tag(true));
        let removed = update.tags.remove.iter().map(tag(false));
        let all = fields.chain(attributes).chain(added).chain(removed);
        all.map(|(field, is_there)| Self { field, is_there, at }).collect()
    }
}

/// What is left of an update of an event of this moment where `marks` are set.
pub fn fresh(update: &ContactUpdate, at: Timestamp, marks: &[Mark]) -> ContactUpdate {
    let mut newer: Vec<_> = marks.iter().filter(|mark| mark.at > at).collect();
    newer.sort_by_key(|mark| mark.at);
    let mut since = Since::default();
    for mark in newer {
        since.set(&mark.field, mark.is_there);
    }
    let (mut left, _) = since.left_of(update);
    if update.optin == Some(false) {
        left.optin = Some(false);
    }
    if update.incoming_blocked == Some(true) {
        left.incoming_blocked = Some(true);
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::AttributeChange;
    use serde_json::{Value, json};

    fn update(said: Value) -> ContactUpdate {
        serde_json::from_value(said).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_a_newer_event_has_set_an_older_one_does_not() {
        for (newer, older, left) in [
            (json!({"name": "Ann"}), json!({"name": "Bob"}), json!({})),
            (json!({"optin": true}), json!({"name": "Bob"}), json!({"name": "Bob"})),
            (
                json!({"attributes": {"city": {"set": "Pune"}}}),
                json!({"attributes": {"city": "remove", "plan": {"set": "gold"}}}),
                json!({"attributes": {"plan": {"set": "gold"}}}),
            ),
            (
                json!({"tags": {"add": ["a"], "remove": ["b"]}}),
                json!({"tags": {"add": ["b", "c"], "remove": ["a"]}}),
                json!({"tags": {"add": ["c"]}}),
            ),
            (
                json!({"tags": {"add": ["a"], "remove": ["b"]}}),
                json!({"tags": {"replace": ["b", "c"]}}),
                json!({"tags": {"replace": ["c", "a"]}}),
            ),
            (json!({"tags": {"replace": ["a"]}}), json!({"tags": {"add": ["b"]}}), json!({})),
            (json!({"mobile": "12025550143"}), json!({"mobile": "12025550144"}), json!({})),
            (json!({"optin": false}), json!({"optin": true}), json!({})),
            (json!({"incoming_blocked": true}), json!({"incoming_blocked": false}), json!({})),
        ] {
            let marks = Mark::of(&update(newer.clone()), at(20));
            let shown = format!("{older} after {newer}");
            let fresh = |second| {
                serde_json::to_value(fresh(&update(older.clone()), at(second), &marks)).unwrap()
            };
            assert_eq!(fresh(19), left, "{shown}");
            assert_eq!(fresh(20), older, "{shown}, of the same moment");
            assert_eq!(fresh(21), older, "{shown}, and newer");
        }
    }

    #[test]
    fn what_takes_consent_back_is_never_too_old() {
        let marks = Mark::of(
            &update(json!({"optin": true, "incoming_blocked": false, "name": "Ann"})),
            at(20),
        );
        let older = json!({"optin": false, "incoming_blocked": true, "name": "Bob"});

        let left = fresh(&update(older), at(1), &marks);

        assert_eq!(left, update(json!({"optin": false, "incoming_blocked": true})));
    }

    #[test]
    fn each_field_of_an_update_leaves_a_mark_that_reads_back() {
        let mut everything = update(json!({
            "name": "Ann", "mobile": "12025550143", "optin": true, "incoming_blocked": false,
            "tags": {"add": ["a.b"], "remove": ["tags"]}, "attributes": {"city.x": "remove"}
        }));
        everything.attributes.insert("plan".to_owned(), AttributeChange::Remove);

        let marks = Mark::of(&everything, at(1));

        let fields: Vec<_> = marks.iter().map(|mark| mark.field.to_string()).collect();
        assert_eq!(
            fields,
            [
                "name",
                "mobile",
                "optin",
                "incoming_blocked",
                "attributes.city.x",
                "attributes.plan",
                "tags.a.b",
                "tags.tags"
            ]
        );
        for mark in &marks {
            assert_eq!(Field::parse(&mark.field.to_string()).as_ref(), Some(&mark.field));
        }
        assert_eq!(Field::parse("colour"), None);
        assert!(fresh(&everything, at(0), &marks).is_empty());
    }
}

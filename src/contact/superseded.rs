//! What is left of an update that is sent after later ones: fields that those have set since are left out.
//!
//! The law: an earlier update of which only what is left is sent late leaves the contact as the updates in order
//! would have left it. Consent is guarded beyond that: what would give it back over a later update that took it
//! away is left out even where that one was never delivered.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{ContactUpdate, TagChange};

/// A part of an update that can be left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The name.
    Name,
    /// The mobile number.
    Mobile,
    /// Whether the contact has agreed to be written to.
    Optin,
    /// Whether messages from the contact are blocked.
    IncomingBlocked,
    /// All that is said about tags.
    Tags,
    /// What is said about one tag.
    Tag(String),
    /// What is said about one attribute.
    Attribute(String),
}

impl Field {
    /// The field that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "name" => Self::Name,
            "mobile" => Self::Mobile,
            "optin" => Self::Optin,
            "incoming_blocked" => Self::IncomingBlocked,
            "tags" => Self::Tags,
            _ => match text.split_once('.')? {
                ("tags", name) => Self::Tag(name.to_owned()),
                ("attributes", name) => Self::Attribute(name.to_owned()),
                _ => return None,
            },
        })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("name"),
            Self::Mobile => f.write_str("mobile"),
            Self::Optin => f.write_str("optin"),
            Self::IncomingBlocked => f.write_str("incoming_blocked"),
            Self::Tags => f.write_str("tags"),
            Self::Tag(name) => write!(f, "tags.{name}"),
            Self::Attribute(name) => write!(f, "attributes.{name}"),
        }
    }
}

/// What has been said about a contact since some update of it, gathered in the order it was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Since {
    set: BTreeSet<Field>,
    /// Whether a tag that was changed is there since.
    tags: BTreeMap<String, bool>,
    taken_away: BTreeSet<Field>,
}

impl Since {
    /// A later update was delivered, or is going to be.
    pub fn sent(&mut self, later: &ContactUpdate) {
        let said = [
            (later.name.is_some(), Field::Name),
            (later.mobile.is_some(), Field::Mobile),
            (later.optin.is_some(), Field::Optin),
            (later.incoming_blocked.is_some(), Field::IncomingBlocked),
            (later.tags.replace.is_some(), Field::Tags),
        ];
        self.set.extend(said.into_iter().filter(|(said, _)| *said).map(|(_, field)| field));
        self.set.extend(later.attributes.keys().cloned().map(Field::Attribute));
        self.tags.extend(later.tags.add.iter().map(|tag| (tag.clone(), true)));
        self.tags.extend(later.tags.remove.iter().map(|tag| (tag.clone(), false)));
        self.planned(later);
    }

    /// A later update was planned, whatever became of it: the consent it takes away is not to be given back.
    pub fn planned(&mut self, later: &ContactUpdate) {
        if later.optin == Some(false) {
            self.taken_away.insert(Field::Optin);
        }
        if later.incoming_blocked == Some(true) {
            self.taken_away.insert(Field::IncomingBlocked);
        }
    }

    /// Something later has set this field; of one tag, whether it is there since.
    pub(super) fn set(&mut self, field: &Field, is_there: bool) {
        match field {
            Field::Tag(name) => {
                self.tags.insert(name.clone(), is_there);
            }
            _ => {
                self.set.insert(field.clone());
            }
        }
    }

    /// What is left of an update that came before, and what is left out of it.
    pub fn left_of(&self, earlier: &ContactUpdate) -> (ContactUpdate, Vec<Field>) {
        let mut left = earlier.clone();
        let mut out = Vec::new();
        if left.name.is_some() && self.set.contains(&Field::Name) {
            left.name = None;
            out.push(Field::Name);
        }
        if left.mobile.is_some() && self.set.contains(&Field::Mobile) {
            left.mobile = None;
            out.push(Field::Mobile);
        }
        if let Some(optin) = left.optin
            && self.has_settled(&Field::Optin, optin)
        {
            left.optin = None;
            out.push(Field::Optin);
        }
        if let Some(blocked) = left.incoming_blocked
            && self.has_settled(&Field::IncomingBlocked, !blocked)
        {
            left.incoming_blocked = None;
            out.push(Field::IncomingBlocked);
        }
        self.leave_tags(&mut left.tags, &mut out);
        left.attributes.retain(|name, _| {
            let field = Field::Attribute(name.clone());
            let stays = !self.set.contains(&field);
            if !stays {
                out.push(field);
            }
            stays
        });
        (left, out)
    }

    /// Whether consent is not to be touched: it was set since, or this would give it back after it was taken away.
    fn has_settled(&self, field: &Field, gives: bool) -> bool {
        self.set.contains(field) || (gives && self.taken_away.contains(field))
    }

    fn leave_tags(&self, tags: &mut TagChange, out: &mut Vec<Field>) {
        if self.set.contains(&Field::Tags) {
            if !tags.is_empty() {
                *tags = TagChange::default();
                out.push(Field::Tags);
            }
            return;
        }
        let mut changed = BTreeSet::new();
        for list in [&mut tags.add, &mut tags.remove] {
            list.retain(|tag| {
                let stays = !self.tags.contains_key(tag);
                if !stays {
                    changed.insert(tag.clone());
                }
                stays
            });
        }
        // A list that replaces all says what it would say had the later changes come after it.
        if let Some(list) = &mut tags.replace {
            for (tag, is_there) in &self.tags {
                match (list.iter().position(|own| own == tag), is_there) {
                    (None, true) => list.push(tag.clone()),
                    (Some(_), false) => list.retain(|own| own != tag),
                    (None, false) | (Some(_), true) => continue,
                }
                changed.insert(tag.clone());
            }
        }
        out.extend(changed.into_iter().map(Field::Tag));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::AttributeChange;
    use crate::contact::model::Model;
    use proptest::prelude::*;
    use serde_json::json;

    fn update(said: serde_json::Value) -> ContactUpdate {
        serde_json::from_value(said).unwrap()
    }

    fn left(earlier: serde_json::Value, later: serde_json::Value) -> (serde_json::Value, String) {
        let mut since = Since::default();
        since.sent(&update(later));
        let (left, out) = since.left_of(&update(earlier));
        let out: Vec<_> = out.iter().map(ToString::to_string).collect();
        (serde_json::to_value(left).unwrap(), out.join(" "))
    }

    #[test]
    fn what_a_later_update_has_set_is_left_out() {
        for (earlier, later, stays, out) in [
            (json!({"name": "Ann"}), json!({"optin": true}), json!({"name": "Ann"}), ""),
            (json!({"name": "Ann"}), json!({"name": "Bea"}), json!({}), "name"),
            (
                json!({"attributes": {"a": {"set": "1"}, "b": "remove"}}),
                json!({"attributes": {"a": "remove"}}),
                json!({"attributes": {"b": "remove"}}),
                "attributes.a",
            ),
            (
                json!({"tags": {"add": ["x", "y"], "remove": ["z"]}}),
                json!({"tags": {"add": ["z"], "remove": ["x"]}}),
                json!({"tags": {"add": ["y"]}}),
                "tags.x tags.z",
            ),
            (
                json!({"tags": {"add": ["x"]}, "mobile": "12025550143"}),
                json!({"tags": {"replace": []}}),
                json!({"mobile": "12025550143"}),
                "tags",
            ),
            (
                json!({"tags": {"replace": ["x", "y"]}}),
                json!({"tags": {"add": ["z", "y"], "remove": ["x"]}}),
                json!({"tags": {"replace": ["y", "z"]}}),
                "tags.x tags.z",
            ),
        ] {
            let shown = format!("{earlier} before {later}");
            assert_eq!(left(earlier, later), (stays, out.to_owned()), "{shown}");
        }
    }

    #[test]
    fn consent_is_not_given_back_over_a_later_update_that_took_it_away_and_was_never_delivered() {
        for (earlier, later, out) in [
            (json!({"optin": true}), json!({"optin": false}), vec![Field::Optin]),
            (json!({"optin": false}), json!({"optin": false}), vec![]),
            (json!({"optin": false}), json!({"optin": true}), vec![]),
            (
                json!({"incoming_blocked": false}),
                json!({"incoming_blocked": true}),
                vec![Field::IncomingBlocked],
            ),
            (json!({"incoming_blocked": true}), json!({"incoming_blocked": true}), vec![]),
            (json!({"name": "Ann"}), json!({"name": "Bea"}), vec![]),
        ] {
            let mut since = Since::default();
            since.planned(&update(later.clone()));

            assert_eq!(since.left_of(&update(earlier.clone())).1, out, "{earlier} before {later}");
        }
    }

    fn any_update() -> impl Strategy<Value = ContactUpdate> {
        let tags = || proptest::collection::vec("[a-d]", 0..3);
        let attribute =
            prop_oneof![Just(AttributeChange::Remove), "[xy]".prop_map(AttributeChange::Set),];
        (
            proptest::option::of("[AB]"),
            proptest::option::of("1202555014[34]"),
            // Consent that is given after it was taken away is another test's: here it is only taken away.
            proptest::option::of(Just(false)),
            proptest::option::of(Just(true)),
            (proptest::option::of(tags()), tags(), tags()),
            proptest::collection::btree_map("[k-n]", attribute, 0..3),
        )
            .prop_map(
                |(name, mobile, optin, incoming_blocked, (replace, add, remove), map)| {
                    ContactUpdate {
                        name,
                        mobile: mobile.map(|mobile| mobile.try_into().unwrap()),
                        optin,
                        incoming_blocked,
                        tags: TagChange::of(replace, add, remove),
                        attributes: map.into_iter().collect(),
                    }
                },
            )
    }

    proptest! {
        #[test]
        fn sent_late_it_leaves_what_it_would_have_left_in_order(
            before in any_update(), earlier in any_update(),
            later in proptest::collection::vec(any_update(), 0..4),
        ) {
            let contact = Model::default().after(&before);
            let in_order = later.iter().fold(contact.clone().after(&earlier), Model::after);
            let mut since = Since::default();
            for update in &later {
                since.sent(update);
            }

            let (left, out) = since.left_of(&earlier);
            let late = later.iter().fold(contact, Model::after).after(&left);

            prop_assert_eq!(&late, &in_order);
            prop_assert_eq!(left == earlier, out.is_empty());
        }
    }
}

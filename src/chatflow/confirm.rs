//! Whether the contact in an answer is as the update wanted it.
//!
//! The reference leaves some wire forms open, and an API that does not understand one may answer 200 all the same:
//! what the answer shows is the only sign. What the answer lacks, or shows in a form that is not known, says nothing.

use super::contact::Contact;
use super::spelling;
use crate::contact::{AttributeChange, ContactUpdate, Mobile, TagChange};

/// A field of a contact that an update may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The name.
    Name,
    /// The mobile number.
    Mobile,
    /// Consent.
    Optin,
    /// Whether messages from the contact are blocked.
    IncomingBlocked,
    /// Tags.
    Tags,
    /// Attributes.
    Attributes,
}

impl Field {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Name,
        Self::Mobile,
        Self::Optin,
        Self::IncomingBlocked,
        Self::Tags,
        Self::Attributes,
    ];

    /// The word used in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Mobile => "mobile",
            Self::Optin => "optin",
            Self::IncomingBlocked => "incoming_blocked",
            Self::Tags => "tags",
            Self::Attributes => "attributes",
        }
    }
}

/// The fields of the update that the contact shows otherwise.
pub fn unconfirmed(sent: &ContactUpdate, shown: &Contact) -> Vec<Field> {
    let differs = |field: Field| match field {
        Field::Name => both(sent.name.as_ref(), shown.name.as_ref())
            .is_some_and(|(sent, shown)| sent.trim() != shown.trim()),
        Field::Mobile => sent.mobile.as_ref().is_some_and(|sent| mobile_differs(sent, shown)),
        Field::Optin => both(sent.optin, shown.optin).is_some_and(|(sent, shown)| sent != shown),
        Field::IncomingBlocked => both(sent.incoming_blocked, shown.incoming_blocked)
            .is_some_and(|(sent, shown)| sent != shown),
        Field::Tags => shown.tags.as_ref().is_some_and(|shown| tags_differ(&sent.tags, shown)),
        Field::Attributes => {
            shown.attributes.is_some()
                && sent.attributes.iter().any(|(name, change)| {
                    attribute_differs(change, shown.attribute(name).unwrap_or_default())
                })
        }
    };
    Field::ALL.iter().copied().filter(|field| differs(*field)).collect()
}

fn both<A, B>(one: Option<A>, other: Option<B>) -> Option<(A, B)> {
    one.zip(other)
}

/// By digits, in every spelling; a number shown without any dialing code is compared by its end.
fn mobile_differs(sent: &Mobile, shown: &Contact) -> bool {
    let Some(mobile) = shown.mobile.as_deref() else { return false };
    let is_same = |digits: &str| {
        shown.has_mobile(digits) || (shown.country_code.is_none() && digits.ends_with(mobile))
    };
    !is_same(sent.as_str()) && !spelling::other(sent).is_some_and(|other| is_same(&other))
}

fn tags_differ(sent: &TagChange, shown: &[String]) -> bool {
    let replaced = sent.replace.as_ref().is_some_and(|tags| {
        shown.len() != tags.len() || tags.iter().any(|tag| !shown.contains(tag))
    });
    replaced
        || sent.add.iter().any(|tag| !shown.contains(tag))
        || sent.remove.iter().any(|tag| shown.contains(tag))
}

/// An attribute that is not shown is one without a value.
fn attribute_differs(sent: &AttributeChange, shown: &str) -> bool {
    match sent {
        AttributeChange::Set(value) => value.trim() != shown.trim(),
        AttributeChange::Remove => !shown.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ID: &str = "65f0c0ffee0123456789abcd";

    fn unconfirmed_in(sent: &Value, mut shown: Value) -> Vec<&'static str> {
        shown["_id"] = json!(ID);
        let sent: ContactUpdate = serde_json::from_value(sent.clone()).unwrap();
        let shown = Contact::read(&shown).unwrap();
        unconfirmed(&sent, &shown).into_iter().map(Field::as_str).collect()
    }

    #[test]
    fn what_the_answer_shows_otherwise_is_named() {
        for (sent, shown, fields) in [
            (json!({"name": "Ann"}), json!({"name": "Ann"}), vec![]),
            (json!({"name": "Ann "}), json!({"name": "Ann"}), vec![]),
            (json!({"name": "Ann"}), json!({"name": "Bob"}), vec!["name"]),
            (json!({"optin": false}), json!({"optin": true}), vec!["optin"]),
            (json!({"optin": false}), json!({"optin": false}), vec![]),
            (
                json!({"incoming_blocked": true}),
                json!({"incomingBlocked": false}),
                vec!["incoming_blocked"],
            ),
            (json!({"tags": {"add": ["a"]}}), json!({"tags": ["b", "a"]}), vec![]),
            (json!({"tags": {"add": ["a"]}}), json!({"tags": ["b"]}), vec!["tags"]),
            (json!({"tags": {"add": ["a", "b"]}}), json!({"tags": ["a,b"]}), vec!["tags"]),
            (json!({"tags": {"remove": ["a"]}}), json!({"tags": ["a"]}), vec!["tags"]),
            (json!({"tags": {"remove": ["a"]}}), json!({"tags": ["b"]}), vec![]),
            (json!({"tags": {"replace": ["a", "b"]}}), json!({"tags": ["b", "a"]}), vec![]),
            (json!({"tags": {"replace": ["a"]}}), json!({"tags": ["a", "b"]}), vec!["tags"]),
            (json!({"tags": {"replace": []}}), json!({"tags": ["a"]}), vec!["tags"]),
            (
                json!({"attributes": {"city": {"set": "Pune"}, "plan": "remove"}}),
                json!({"attributes": [{"name": "city", "value": "Pune"}, {"name": "x", "value": "y"}]}),
                vec![],
            ),
            (
                json!({"attributes": {"plan": "remove"}}),
                json!({"attributes": [{"name": "plan", "value": ""}]}),
                vec![],
            ),
            (
                json!({"attributes": {"age": {"set": "41"}}}),
                json!({"attributes": [{"name": "age", "value": 41}]}),
                vec![],
            ),
            (
                json!({"attributes": {"city": {"set": "Pune"}}}),
                json!({"attributes": []}),
                vec!["attributes"],
            ),
            (
                json!({"attributes": {"plan": "remove"}}),
                json!({"attributes": [{"name": "plan", "value": "gold"}]}),
                vec!["attributes"],
            ),
            (
                json!({"name": "Ann", "optin": true, "tags": {"add": ["a"]}}),
                json!({"name": "Bob", "optin": false, "tags": []}),
                vec!["name", "optin", "tags"],
            ),
        ] {
            assert_eq!(unconfirmed_in(&sent, shown.clone()), fields, "{sent} {shown}");
        }
    }

    #[test]
    fn what_the_answer_does_not_show_says_nothing() {
        let everything = json!({
            "name": "Ann", "mobile": "12025550143", "optin": false, "incoming_blocked": true,
            "tags": {"add": ["a"]}, "attributes": {"city": {"set": "Pune"}},
        });
        for shown in [
            json!({}),
            json!({"tags": "a,b", "attributes": "city", "optin": "no", "name": {}, "mobile": null}),
        ] {
            assert_eq!(unconfirmed_in(&everything, shown.clone()), [""; 0], "{shown}");
        }
        let other = json!({"name": "Bob", "optin": true, "tags": ["b"], "mobile": "919812345678"});
        assert_eq!(unconfirmed_in(&json!({}), other), [""; 0]);
    }

    #[test]
    fn numbers_are_compared_by_digits_in_every_spelling() {
        for (sent, country_code, shown, confirmed) in [
            ("12025550143", json!("1"), json!("2025550143"), true),
            ("12025550143", json!("+1"), json!("+1 202 555 0143"), true),
            ("12025550143", json!(null), json!("2025550143"), true),
            ("12025550143", json!(null), json!(12_025_550_143_u64), true),
            ("525512345678", json!("52"), json!("15512345678"), true),
            ("12025550143", json!("1"), json!("2025550144"), false),
            ("12025550143", json!("44"), json!("2025550143"), false),
        ] {
            let shown = json!({"countryCode": country_code, "mobile": shown});
            let unconfirmed = unconfirmed_in(&json!({"mobile": sent}), shown.clone());
            assert_eq!(unconfirmed.is_empty(), confirmed, "{sent} {shown}");
        }
    }
}

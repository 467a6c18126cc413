//! A contact as the API shows it.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::contact::ContactId;

/// A contact as the API shows it. Only the id is sure; every other field is nothing where the answer lacks it or
/// shows it in a form the reference does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// `_id`.
    pub id: ContactId,
    /// `name`.
    pub name: Option<String>,
    /// `countryCode`, digits alone.
    pub country_code: Option<String>,
    /// `mobile`, digits alone; with the dialing code or without, as the API has it.
    pub mobile: Option<String>,
    /// `optin`.
    pub optin: Option<bool>,
    /// `incomingBlocked`.
    pub incoming_blocked: Option<bool>,
    /// `tags`.
    pub tags: Option<Vec<String>>,
    /// `attributes` by name.
    pub attributes: Option<IndexMap<String, String>>,
}

impl Contact {
    /// Reads a contact; nothing if what is shown has no id of the right form.
    pub(super) fn read(shown: &Value) -> Option<Self> {
        let fields = shown.as_object()?;
        let id = fields.get("_id")?.as_str()?.to_owned();
        Some(Self {
            id: ContactId::try_from(id).ok()?,
            name: fields.get("name").and_then(text),
            country_code: digits(fields, "countryCode"),
            mobile: digits(fields, "mobile"),
            optin: fields.get("optin").and_then(Value::as_bool),
            incoming_blocked: fields.get("incomingBlocked").and_then(Value::as_bool),
            tags: fields.get("tags").and_then(names),
            attributes: fields.get("attributes").and_then(attributes),
        })
    }

    /// A contact of which only the id is known.
    pub fn of_id(id: ContactId) -> Self {
        Self {
            id,
            name: None,
            country_code: None,
            mobile: None,
            optin: None,
            incoming_blocked: None,
            tags: None,
            attributes: None,
        }
    }

    /// Whether these digits are its whole number: `mobile` itself, or `countryCode` and `mobile` together.
    pub fn has_mobile(&self, digits: &str) -> bool {
        let Some(mobile) = self.mobile.as_deref() else { return false };
        let dialing = self.country_code.as_deref().unwrap_or_default();
        mobile == digits
            || (!dialing.is_empty()
                && digits.strip_prefix(dialing).is_some_and(|rest| rest == mobile))
    }

    /// The value of an attribute, where the answer shows one.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.as_ref()?.get(name).map(String::as_str)
    }
}

/// An array of texts, or of objects that have a `name`; nothing for anything else.
pub(super) fn names(shown: &Value) -> Option<Vec<String>> {
    let name = |item: &Value| match item {
        Value::Object(fields) => fields.get("name").and_then(text),
        _ => item.as_str().map(str::to_owned),
    };
    shown.as_array()?.iter().map(name).collect()
}

fn attributes(shown: &Value) -> Option<IndexMap<String, String>> {
    let pair = |item: &Value| {
        let fields = item.as_object()?;
        Some((fields.get("name").and_then(text)?, fields.get("value").and_then(text)?))
    };
    Some(shown.as_array()?.iter().filter_map(pair).collect())
}

/// The text of a text, number or boolean.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn digits(fields: &Map<String, Value>, name: &str) -> Option<String> {
    let digits: String = text(fields.get(name)?)?.chars().filter(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "65f0c0ffee0123456789abcd";

    #[test]
    fn a_contact_is_read_leniently_but_for_its_id() {
        let whole = Contact::read(&json!({
            "_id": ID, "name": "Ann", "countryCode": "+1", "mobile": 2_025_550_143_u64, "optin": false,
            "incomingBlocked": true, "tags": ["a", {"name": "b", "color": "red"}], "__v": 3,
            "attributes": [{"name": "city", "value": "Pune", "_id": "x"}, {"name": "age", "value": 41}, 7],
        }))
        .unwrap();

        assert_eq!(whole.country_code.as_deref(), Some("1"));
        assert_eq!(whole.mobile.as_deref(), Some("2025550143"));
        assert_eq!((whole.optin, whole.incoming_blocked), (Some(false), Some(true)));
        assert_eq!(whole.tags, Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!((whole.attribute("city"), whole.attribute("age")), (Some("Pune"), Some("41")));
        let bare = Contact::read(&json!({"_id": ID, "tags": "a,b", "optin": "yes"})).unwrap();
        assert_eq!((bare.name, bare.tags, bare.optin, bare.attributes), (None, None, None, None));
        for wrong in [json!({"_id": "7"}), json!({"name": "Ann"}), json!([ID]), json!({"_id": 7})] {
            assert_eq!(Contact::read(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_number_is_the_mobile_with_or_without_the_country_code() {
        for (country_code, mobile, asked, same) in [
            ("91", "919812345678", "919812345678", true),
            ("91", "9812345678", "919812345678", true),
            ("91", "9198765432", "919198765432", true),
            ("1", "9812345678", "919812345678", false),
            ("91", "812345678", "919812345678", false),
            ("91", "9198123456789", "919812345678", false),
            ("", "919812345678", "919812345678", true),
            ("", "9812345678", "919812345678", false),
        ] {
            let shown = json!({"_id": ID, "countryCode": country_code, "mobile": mobile});
            let contact = Contact::read(&shown).unwrap();
            assert_eq!(contact.has_mobile(asked), same, "{country_code} {mobile} {asked}");
        }
    }
}

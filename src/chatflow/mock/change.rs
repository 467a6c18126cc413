//! What the body of a request says, in every form that the reference allows.

use serde_json::{Map, Value};

/// Fields of a contact that a request names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) mobile: Option<String>,
    pub(super) name: Option<String>,
    pub(super) optin: Option<bool>,
    pub(super) incoming_blocked: Option<bool>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) add: Vec<String>,
    pub(super) remove: Vec<String>,
    /// Name and value; an empty value takes the attribute away.
    pub(super) attributes: Vec<(String, String)>,
}

impl Change {
    /// Reads an object; on an error says what is malformed. Fields that are not known are passed over.
    pub(super) fn read(body: &Map<String, Value>) -> Result<Self, String> {
        let change = Self {
            mobile: field(body, "mobile", "a string", text)?
                .map(|mobile| digits(&mobile))
                .transpose()?,
            name: field(body, "name", "a string", text)?,
            optin: field(body, "optin", "a boolean", Value::as_bool)?,
            incoming_blocked: field(body, "incomingBlocked", "a boolean", Value::as_bool)?,
            tags: field(body, "tags", "an array of strings", texts)?,
            add: field(body, "tagsToAdd", "a string", tag_list)?.unwrap_or_default(),
            remove: field(body, "tagsToRemove", "a string", tag_list)?.unwrap_or_default(),
            attributes: field(body, "attributes", "objects with name and value", attributes)?
                .unwrap_or_default(),
        };
        if change.tags.is_some() && !(change.add.is_empty() && change.remove.is_empty()) {
            return Err("tags cannot be sent together with tagsToAdd or tagsToRemove".to_owned());
        }
        if change.add.iter().any(|tag| change.remove.contains(tag)) {
            return Err("a tag is in tagsToAdd and in tagsToRemove".to_owned());
        }
        Ok(change)
    }

    /// Every tag it names.
    pub(super) fn all_tags(&self) -> impl Iterator<Item = &String> {
        self.tags.iter().flatten().chain(&self.add).chain(&self.remove)
    }
}

fn field<T>(
    body: &Map<String, Value>,
    name: &str,
    expected: &str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Option<T>, String> {
    let Some(value) = body.get(name) else { return Ok(None) };
    read(value).map(Some).ok_or_else(|| format!("{name} must be {expected}"))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(text).collect()
}

/// An array of texts, or one text with commas.
fn tag_list(value: &Value) -> Option<Vec<String>> {
    let Some(text) = value.as_str() else { return texts(value) };
    let tags = text.split(',').map(str::trim).filter(|tag| !tag.is_empty());
    Some(tags.map(str::to_owned).collect())
}

/// An array of `{name, value}`, or that array as JSON in a text.
fn attributes(value: &Value) -> Option<Vec<(String, String)>> {
    if let Some(json) = value.as_str() {
        let value: Value = serde_json::from_str(json).ok()?;
        return if value.is_array() { attributes(&value) } else { None };
    }
    let pair = |item: &Value| Some((text(item.get("name")?)?, text(item.get("value")?)?));
    value.as_array()?.iter().map(pair).collect()
}

/// A number with its dialing code; a `+` before it is dropped.
fn digits(mobile: &str) -> Result<String, String> {
    let digits = mobile.strip_prefix('+').unwrap_or(mobile);
    let well_formed =
        (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if well_formed { Ok(digits.to_owned()) } else { Err("mobile is not a valid number".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_wire_forms_mean_the_same() {
        let read = |body: Value| Change::read(body.as_object().unwrap());
        let pairs = json!([{"name": "city", "value": "Pune"}]);

        assert_eq!(
            read(
                json!({"tagsToAdd": "a, b,", "tagsToRemove": "c", "attributes": pairs.to_string()})
            ),
            read(json!({"tagsToAdd": ["a", "b"], "tagsToRemove": ["c"], "attributes": pairs}))
        );
    }

    #[test]
    fn what_is_malformed_is_named() {
        for (body, named) in [
            (json!({"optin": "true"}), "optin"),
            (json!({"incomingBlocked": 1}), "incomingBlocked"),
            (json!({"name": 7}), "name"),
            (json!({"mobile": "12"}), "mobile"),
            (json!({"mobile": 12_025_550_143_u64}), "mobile"),
            (json!({"tags": "a,b"}), "tags"),
            (json!({"tags": [1]}), "tags"),
            (json!({"tagsToAdd": {"a": 1}}), "tagsToAdd"),
            (json!({"attributes": {"city": "Pune"}}), "attributes"),
            (json!({"attributes": "{}"}), "attributes"),
            (json!({"attributes": "\"[]\""}), "attributes"),
            (json!({"attributes": [{"name": "city"}]}), "attributes"),
            (json!({"tags": [], "tagsToAdd": "a"}), "together"),
            (json!({"tagsToAdd": "a", "tagsToRemove": "b,a"}), "tagsToRemove"),
        ] {
            let words = Change::read(body.as_object().unwrap()).unwrap_err();
            assert!(words.contains(named), "{body}: {words}");
        }
    }
}

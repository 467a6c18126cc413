//! What is sent: updates and new contacts in the wire forms that are set.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::settings::{AttributesForm, OnDuplicatePlace, TagChangesForm, WireSettings};
use crate::contact::{AttributeChange, ContactUpdate, Mobile, TagChange};

/// A contact to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewContact {
    /// The number; Chatflow needs one.
    pub mobile: Mobile,
    /// The full name.
    pub name: Option<String>,
    /// Whether the contact has agreed to be written to. Always said, so that no default of the API's decides.
    pub optin: bool,
    /// The attribute, name and value, by which the contact will be looked up.
    pub attribute: Option<(String, String)>,
}

/// The body of `PUT /contacts/{id}`; what the update leaves out is left out.
pub(super) fn update(update: &ContactUpdate, wire: WireSettings) -> Result<Vec<u8>, Failure> {
    let mut body = Map::new();
    if let Some(mobile) = &update.mobile {
        body.insert("mobile".to_owned(), mobile.as_str().into());
    }
    if let Some(name) = &update.name {
        body.insert("name".to_owned(), name.as_str().into());
    }
    if let Some(optin) = update.optin {
        body.insert("optin".to_owned(), optin.into());
    }
    if let Some(blocked) = update.incoming_blocked {
        body.insert("incomingBlocked".to_owned(), blocked.into());
    }
    tags(&update.tags, wire.tag_changes, &mut body)?;
    if !update.attributes.is_empty() {
        let list = update.attributes.iter().map(|(name, change)| attribute(name, change));
        let list = Value::Array(list.collect::<Result<_, _>>()?);
        let said = match wire.attributes {
            AttributesForm::Array => list,
            AttributesForm::JsonString => list.to_string().into(),
        };
        body.insert("attributes".to_owned(), said);
    }
    json(&body)
}

/// An empty value takes the attribute away.
fn attribute(name: &str, change: &AttributeChange) -> Result<Value, Failure> {
    match change {
        AttributeChange::Remove => Ok(json!({"name": name, "value": ""})),
        AttributeChange::Set(value) if value.is_empty() => Err(unsayable(
            "an attribute cannot be set to an empty text, which the API takes as removing it",
        )),
        AttributeChange::Set(value) => Ok(json!({"name": name, "value": value})),
    }
}

/// The reference does not say in which order `tags`, `tagsToAdd` and `tagsToRemove` of one request apply: no request
/// carries `tags` beside changes, or one tag in both lists.
fn tags(
    change: &TagChange,
    form: TagChangesForm,
    body: &mut Map<String, Value>,
) -> Result<(), Failure> {
    let changes = !change.add.is_empty() || !change.remove.is_empty();
    if let Some(tags) = &change.replace {
        if changes {
            return Err(unsayable("tags cannot be replaced and changed in one request"));
        }
        body.insert("tags".to_owned(), tags.as_slice().into());
    }
    if change.add.iter().any(|tag| change.remove.contains(tag)) {
        return Err(unsayable("a tag cannot be added and removed in one request"));
    }
    for (field, tags) in [("tagsToAdd", &change.add), ("tagsToRemove", &change.remove)] {
        if !tags.is_empty() {
            body.insert(field.to_owned(), tag_list(tags, form)?);
        }
    }
    Ok(())
}

fn tag_list(tags: &[String], form: TagChangesForm) -> Result<Value, Failure> {
    match form {
        TagChangesForm::Array => Ok(tags.into()),
        TagChangesForm::String if tags.iter().any(|tag| tag.contains(',')) => Err(unsayable(
            "a tag to add or remove has a comma, which separates tags while `chatflow.wire.tag_changes` is `string`; set it to `array`, or rename the tag",
        )),
        TagChangesForm::String if tags.iter().any(String::is_empty) => {
            Err(unsayable("a tag to add or remove is empty"))
        }
        TagChangesForm::String => Ok(tags.join(",").into()),
    }
}

/// The body of `POST /contacts`: an array, here of one contact.
pub(super) fn create(new: &NewContact, wire: WireSettings) -> Result<Vec<u8>, Failure> {
    let mut body = Map::new();
    body.insert("mobile".to_owned(), new.mobile.as_str().into());
    if let Some(name) = &new.name {
        body.insert("name".to_owned(), name.as_str().into());
    }
    body.insert("optin".to_owned(), new.optin.into());
    if let Some((name, value)) = &new.attribute {
        body.insert("attributes".to_owned(), json!([{"name": name, "value": value}]));
    }
    if wire.on_duplicate == OnDuplicatePlace::Body {
        body.insert("onDuplicate".to_owned(), "skip".into());
    }
    json(&[body])
}

fn json(body: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(body).map_err(|_| unsayable("it cannot be written as JSON"))
}

fn unsayable(why: &str) -> Failure {
    Failure::Unsayable(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(update: &Value) -> ContactUpdate {
        serde_json::from_value(update.clone()).unwrap()
    }

    fn wire(form: &Value) -> WireSettings {
        serde_json::from_value(form.clone()).unwrap()
    }

    #[test]
    fn an_update_is_said_in_the_form_that_is_set() {
        let everything = json!({
            "name": "Ann", "mobile": "12025550143", "optin": false, "incoming_blocked": true,
            "tags": {"add": ["a", "b"], "remove": ["c"]},
            "attributes": {"city": {"set": "Pune"}, "plan": "remove"}
        });
        for (update, form, body) in [
            (json!({}), json!({}), json!({})),
            (
                everything.clone(),
                json!({}),
                json!({"mobile": "12025550143", "name": "Ann", "optin": false, "incomingBlocked": true,
                       "tagsToAdd": "a,b", "tagsToRemove": "c",
                       "attributes": [{"name": "city", "value": "Pune"}, {"name": "plan", "value": ""}]}),
            ),
            (
                everything,
                json!({"tag_changes": "array", "attributes": "json_string"}),
                json!({"mobile": "12025550143", "name": "Ann", "optin": false, "incomingBlocked": true,
                       "tagsToAdd": ["a", "b"], "tagsToRemove": ["c"],
                       "attributes": r#"[{"name":"city","value":"Pune"},{"name":"plan","value":""}]"#}),
            ),
            (json!({"tags": {"replace": []}}), json!({}), json!({"tags": []})),
            (json!({"tags": {"replace": ["a,b"]}}), json!({}), json!({"tags": ["a,b"]})),
            (
                json!({"tags": {"add": ["a,b"]}}),
                json!({"tag_changes": "array"}),
                json!({"tagsToAdd": ["a,b"]}),
            ),
        ] {
            let said = super::update(&read(&update), wire(&form)).unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&said).unwrap(), body, "{update} {form}");
        }
    }

    #[test]
    fn what_cannot_be_said_is_refused_before_anything_is_sent() {
        for (update, why) in [
            (json!({"tags": {"add": ["a,b"]}}), "`chatflow.wire.tag_changes`"),
            (json!({"tags": {"remove": ["a,b"]}}), "`chatflow.wire.tag_changes`"),
            (json!({"tags": {"remove": ["a", ""]}}), "is empty"),
            (json!({"tags": {"replace": ["a"], "add": ["b"]}}), "replaced and changed"),
            (json!({"tags": {"add": ["a"], "remove": ["a"]}}), "added and removed"),
            (json!({"attributes": {"city": {"set": ""}}}), "empty text"),
        ] {
            match super::update(&read(&update), WireSettings::default()) {
                Err(Failure::Unsayable(said)) => assert!(said.contains(why), "{said}"),
                other => panic!("{update}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_new_contact_always_says_optin() {
        let new = NewContact {
            mobile: Mobile::try_from("12025550143".to_owned()).unwrap(),
            name: None,
            optin: false,
            attribute: Some(("email".to_owned(), "a@b.c".to_owned())),
        };

        let said = |form: Value| -> Value {
            serde_json::from_slice(&create(&new, wire(&form)).unwrap()).unwrap()
        };

        let attributes = json!([{"name": "email", "value": "a@b.c"}]);
        assert_eq!(
            said(json!({})),
            json!([{"mobile": "12025550143", "optin": false, "attributes": attributes}])
        );
        assert_eq!(said(json!({"on_duplicate": "body"}))[0]["onDuplicate"], "skip");
    }
}

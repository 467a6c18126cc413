//! What a mapping's test expects, as it is seen at the API.

use std::collections::BTreeMap;

use chatflow_bridge::chatflow::mock::{MockChatflow, MockContact, Seed, SeenRequest};
use chatflow_bridge::contact::ContactId;
use serde_json::{Map, Value, json};

/// What must come of an event.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// The word of the answer.
    pub(super) status: &'static str,
    /// Each update: the contact as `contact:` names it, and the body of its request.
    updates: Vec<(Value, Value)>,
    pub(super) held: u64,
    pub(super) skipped: u64,
}

/// The contacts that the API knows, by how rules find them.
#[derive(Default)]
pub(super) struct Contacts(BTreeMap<String, ContactId>);

impl Expected {
    /// From an expectation: a word, a list, or lists under `events`.
    pub(super) fn of(expect: &Value) -> Self {
        let mut expected = Self::default();
        let batch = expect.get("events").and_then(Value::as_array).cloned();
        let events = batch.unwrap_or_else(|| vec![expect.clone()]);
        let mut is_control = true;
        for event in &events {
            is_control &= event == "control";
            for entry in event.as_array().into_iter().flatten() {
                expected.add(entry);
            }
        }
        expected.status = match &expected {
            Self { updates, .. } if !updates.is_empty() => "accepted",
            Self { held: 1.., .. } => "held",
            Self { skipped: 1.., .. } => "skipped",
            _ if is_control => "control",
            _ => "ignored",
        };
        expected
    }

    fn add(&mut self, entry: &Value) {
        if let Some(update) = entry.get("update") {
            self.updates.push((entry["contact"].clone(), body(update)));
        } else if entry.get("held").is_some() {
            self.held += 1;
        } else if entry.get("skipped").is_some() {
            self.skipped += 1;
        } else {
            assert_eq!(entry["no_effect"], true, "what is that: {entry}");
        }
    }
}

/// The body of the request that makes an update, by the API's reference.
fn body(update: &Value) -> Value {
    let mut body = Map::new();
    for (name, value) in update.as_object().unwrap() {
        let removed = value.get("remove").is_some();
        let (name, value) = match name.as_str() {
            "incoming_blocked" => ("incomingBlocked", value.clone()),
            "tags_to_add" => ("tagsToAdd", joined(value)),
            "tags_to_remove" => ("tagsToRemove", joined(value)),
            "tags" if removed => ("tags", json!([])),
            "attributes" => ("attributes", attributes(value)),
            name @ ("name" | "mobile" | "optin" | "tags") => (name, value.clone()),
            other => panic!("the API has no `{other}`"),
        };
        body.insert(name.to_owned(), value);
    }
    Value::Object(body)
}

fn joined(tags: &Value) -> Value {
    let tags: Vec<_> = tags.as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()).collect();
    json!(tags.join(","))
}

fn attributes(members: &Value) -> Value {
    let one = |(name, value): (&String, &Value)| {
        let value = if value.get("remove").is_some() { json!("") } else { value.clone() };
        json!({ "name": name, "value": value })
    };
    members.as_object().unwrap().iter().map(one).collect()
}

impl Contacts {
    /// Has the API know everyone whom the updates are for.
    pub(super) fn know(&mut self, expected: &Expected, chatflow: &MockChatflow) {
        for (contact, _) in &expected.updates {
            self.0.entry(contact.to_string()).or_insert_with(|| {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                // Whom an earlier update gave the number or the attribute is the one that is meant.
                chatflow.add_contact(if let Some(id) = contact.get("id") {
                    Seed::default().with_id(ContactId::try_from(text(id)).unwrap())
                } else if let Some(mobile) = contact.get("mobile") {
                    if let Some(known) = chatflow.contact_by_mobile(&text(mobile)) {
                        return known.id;
                    }
                    Seed::with_mobile(&text(mobile))
                } else {
                    let attribute = &contact["attribute"];
                    let (name, value) = (text(&attribute["name"]), text(&attribute["value"]));
                    let own = |known: &&MockContact| known.attributes.get(&name) == Some(&value);
                    if let Some(known) = chatflow.contacts().iter().find(own) {
                        return known.id.clone();
                    }
                    Seed::default().with(&name, &value)
                })
            });
        }
    }

    /// Whether the API saw these updates and no others; those of different contacts come in any order.
    pub(super) fn compare(&self, name: &str, expected: &Expected, seen: &[SeenRequest]) {
        let mut seen: Vec<_> = seen
            .iter()
            .map(|request| {
                assert_eq!(request.status, Some(200), "{name}: {request:?}");
                (request.path.clone(), request.body.clone())
            })
            .collect();
        let mut wanted: Vec<_> = expected
            .updates
            .iter()
            .map(|(contact, body)| {
                let id = &self.0[&contact.to_string()];
                (format!("/contacts/{}", id.as_str()), body.clone())
            })
            .collect();
        // Those of one contact stay in their order.
        seen.sort_by(|one, other| one.0.cmp(&other.0));
        wanted.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(seen, wanted, "{name}");
    }
}

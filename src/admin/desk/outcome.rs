//! What is told of a change: what became of each update, or would become of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::chatflow::ChatflowSettings;
use crate::chatflow::planned;
use crate::contact::PlannedUpdate;
use crate::event::Named;
use crate::store::UpdateRow;

/// What became of some updates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Whether nothing was done: it was only to be said.
    pub dry_run: bool,
    /// How many were changed, or would be.
    pub changed: usize,
    /// Each of them.
    pub updates: Vec<Outcome>,
    /// What to give as `before` in the next call; nothing after the last one.
    pub next: Option<String>,
}

/// What became of one update.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its name, or the event's.
    pub update: String,
    /// The state it was in; nothing where it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// The state it is in now, or would be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub becomes: Option<String>,
    /// Why it is skipped or held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether it was changed, or would be.
    pub changed: bool,
    /// Why it was not changed, or what was found when it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The fields that are left out since later events have set them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// In a dry run: how what would be sent differs from what was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<Difference>,
    /// In a dry run: the requests that would be sent, the key left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Request>,
}

/// One field that is sent otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The field.
    pub field: String,
    /// As it was sent.
    pub was: Value,
    /// As it would be.
    pub is: Value,
}

/// A request that would be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// `GET`, `POST` or `PUT`.
    pub method: String,
    /// Where to.
    pub url: String,
    /// The body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

impl Outcome {
    /// Nothing has this name.
    pub(super) fn nothing(name: &Named) -> Self {
        let note = "it is not here: it was never, or retention has taken it";
        Self { update: name.to_string(), note: Some(note.to_owned()), ..Self::default() }
    }

    /// It stays as it is.
    pub(super) fn stays(row: &UpdateRow, note: &str) -> Self {
        Self {
            update: row.update.clone(),
            was: Some(row.state.to_owned()),
            becomes: Some(row.state.to_owned()),
            reason: row.reason.clone(),
            note: Some(note.to_owned()),
            ..Self::default()
        }
    }

    /// It becomes something else.
    pub(super) fn becomes(row: &UpdateRow, state: &str) -> Self {
        Self {
            update: row.update.clone(),
            was: Some(row.state.to_owned()),
            becomes: Some(state.to_owned()),
            changed: true,
            ..Self::default()
        }
    }

    /// It was to be changed, and stands otherwise by now.
    pub(super) fn moved_on(self, note: &str) -> Self {
        Self {
            becomes: self.was.clone(),
            changed: false,
            note: Some(note.to_owned()),
            left_out: Vec::new(),
            ..self
        }
    }
}

impl Done {
    pub(super) fn of(dry_run: bool, updates: Vec<Outcome>, next: Option<String>) -> Self {
        let changed = updates.iter().filter(|outcome| outcome.changed).count();
        Self { dry_run, changed, updates, next }
    }
}

/// The requests that an update leads to. None where it cannot be said in the wire forms that are set, which
/// delivery then says.
pub(super) fn requests(sent: &PlannedUpdate, settings: &ChatflowSettings) -> Vec<Request> {
    let requests = planned::requests(sent, settings).unwrap_or_default();
    let shown = |request: planned::PlannedRequest| Request {
        method: request.method.to_owned(),
        url: request.url,
        body: request.body.and_then(|body| serde_json::from_str(&body).ok()),
    };
    requests.into_iter().map(shown).collect()
}

/// How what is sent differs from what was, field by field.
pub(super) fn differences(was: Option<&PlannedUpdate>, is: &PlannedUpdate) -> Vec<Difference> {
    let Some(was) = was else { return Vec::new() };
    let (was, is) = (fields(was), fields(is));
    let name = |(name, _): &(String, Value)| name.clone();
    let mut names: Vec<_> = was.iter().map(name).collect();
    names.extend(is.iter().map(name).filter(|name| !was.iter().any(|(own, _)| own == name)));
    let of = |fields: &[(String, Value)], name: &str| {
        let found = fields.iter().find(|(own, _)| own == name);
        found.map_or(Value::Null, |(_, value)| value.clone())
    };
    let differ = |field: String| {
        let (was, is) = (of(&was, &field), of(&is, &field));
        (was != is).then_some(Difference { field, was, is })
    };
    names.into_iter().filter_map(differ).collect()
}

/// What an update says, field by field: `contact`, `name`, `tags.add`, `attributes.city`, …
fn fields(planned: &PlannedUpdate) -> Vec<(String, Value)> {
    let mut fields = Vec::new();
    let target = serde_json::to_value(&planned.target).unwrap_or_default();
    fields.push(("contact".to_owned(), target));
    let update = serde_json::to_value(&planned.update).unwrap_or_default();
    for (name, value) in update.as_object().into_iter().flatten() {
        match value {
            Value::Object(parts) => {
                let part =
                    |(part, value): (&String, &Value)| (format!("{name}.{part}"), value.clone());
                fields.extend(parts.iter().map(part));
            }
            value => fields.push((name.clone(), value.clone())),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_sent_otherwise_is_told_field_by_field() {
        let planned = |update: Value| -> PlannedUpdate {
            let target = json!({"who": {"mobile": "12025550143"}});
            serde_json::from_value(json!({"target": target, "update": update})).unwrap()
        };
        let was = planned(json!({"name": "Ann", "tags": {"add": ["a"]}, "optin": true}));
        let is = planned(json!({"name": "Ann", "tags": {"add": ["b"]},
            "attributes": {"city": {"set": "Pune"}}}));

        let told = differences(Some(&was), &is);

        let told: Vec<_> =
            told.iter().map(|d| format!("{}: {} -> {}", d.field, d.was, d.is)).collect();
        assert_eq!(
            told,
            [
                "optin: true -> null",
                r#"tags.add: ["a"] -> ["b"]"#,
                r#"attributes.city: null -> {"set":"Pune"}"#
            ]
        );
        assert!(differences(None, &is).is_empty());
    }
}

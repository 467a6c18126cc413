//! What is to change about a contact.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{AttributeChange, Mobile, TagChange, Target, Who};

/// Fields to change; what is left out stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ContactUpdate {
    /// The full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new mobile number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile: Option<Mobile>,
    /// Whether the contact has agreed to be written to; `false` withdraws, absent says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optin: Option<bool>,
    /// Whether messages from the contact are blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incoming_blocked: Option<bool>,
    /// Tags to replace, add or remove.
    #[serde(skip_serializing_if = "TagChange::is_empty")]
    pub tags: TagChange,
    /// Attributes by name, in the order the rule gives them.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub attributes: IndexMap<String, AttributeChange>,
}

impl ContactUpdate {
    /// Whether nothing would change, so that nothing is sent.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it takes back consent: such an update goes before all else.
    pub fn is_withdrawal(&self) -> bool {
        self.optin == Some(false) || self.incoming_blocked == Some(true)
    }
}

/// One rule applied to one item of one event: who is to change, and how. This is what the store keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedUpdate {
    /// The contact.
    pub target: Target,
    /// The change.
    pub update: ContactUpdate,
    /// The attributes in it by which rules find contacts: other values make the contact known by other keys. That by
    /// which this update finds its own contact is not among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
}

impl PlannedUpdate {
    /// A change of this contact, in which no attribute is a key but its own.
    pub fn new(target: Target, update: ContactUpdate) -> Self {
        Self { target, update, keys: Vec::new() }
    }

    /// Another change of the same contact, with the keys that are left in it.
    #[must_use]
    pub fn with(&self, update: ContactUpdate) -> Self {
        let is_left = |name: &&String| update.attributes.contains_key(*name);
        let keys = self.keys.iter().filter(is_left).cloned().collect();
        Self { target: self.target.clone(), update, keys }
    }

    /// Notes which of the attributes in it are `looked_up` by rules.
    pub fn note_keys(&mut self, looked_up: &BTreeSet<String>) {
        let own = match &self.target.who {
            Who::Attribute { name, .. } => Some(name),
            Who::Id(_) | Who::Mobile(_) => None,
        };
        let names = self.update.attributes.keys();
        let keys = names.filter(|&name| looked_up.contains(name) && Some(name) != own);
        self.keys = keys.cloned().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_survives_the_store() {
        let json = serde_json::json!({
            "target": {"who": {"mobile": "12025550143"}, "on_missing": "create"},
            "update": {"optin": false, "tags": {"add": ["lead"]},
                       "attributes": {"city": {"set": "Pune"}, "plan": "remove"}}
        });

        let update: PlannedUpdate = serde_json::from_value(json.clone()).unwrap();

        assert!(update.update.is_withdrawal());
        assert_eq!(serde_json::to_value(&update).unwrap(), json);
    }

    #[test]
    fn the_attributes_that_rules_find_contacts_by_are_noted_and_kept_where_they_are_left() {
        let looked_up = ["city", "email", "ref"].map(str::to_owned).into();
        let mut planned: PlannedUpdate = serde_json::from_value(serde_json::json!({
            "target": {"who": {"attribute": {"name": "ref", "value": "7"}}},
            "update": {"attributes": {"email": {"set": "ann@example.com"}, "ref": {"set": "8"},
                                      "plan": {"set": "gold"}, "city": "remove"}}
        }))
        .unwrap();

        planned.note_keys(&looked_up);

        assert_eq!(planned.keys, ["email", "city"]);
        let mut less = planned.update.clone();
        less.attributes.shift_remove("city");
        assert_eq!(planned.with(less).keys, ["email"]);
    }
}

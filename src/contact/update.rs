//! What is to change about a contact.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{AttributeChange, Mobile, TagChange, Target};

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
}

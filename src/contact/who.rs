//! How a contact is found.

use serde::{Deserialize, Serialize};

use super::{ContactId, Mobile};

/// How a rule names the contact it is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// By Chatflow's own id: nothing has to be looked up.
    Id(ContactId),
    /// By mobile number.
    Mobile(Mobile),
    /// By the value of an attribute, such as `email`.
    Attribute {
        /// The attribute's name in Chatflow's settings.
        name: String,
        /// The value to look for; equal exactly.
        value: String,
    },
}

impl Who {
    /// A text that is the same for the same contact key and different for any other; the store hashes it
    /// into the lane in which the contact's updates wait.
    pub fn key(&self) -> String {
        match self {
            Self::Id(id) => format!("id:{}", id.as_str().to_ascii_lowercase()),
            Self::Mobile(mobile) => format!("mobile:{}", mobile.as_str()),
            Self::Attribute { name, value } => format!("attribute:{}:{name}={value}", name.len()),
        }
    }
}

/// What to do when the API knows no such contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnMissing {
    /// The update becomes a dead letter, reason `contact_missing`.
    #[default]
    Dead,
    /// The update is skipped, reason `contact_missing`.
    Skip,
    /// The contact is created, then updated.
    Create,
}

/// The contact an update is for, and what to do if there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// How it is found.
    pub who: Who,
    /// What to do when it is not.
    #[serde(default)]
    pub on_missing: OnMissing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_contacts_never_share_a_key() {
        let attribute = |name: &str, value: &str| Who::Attribute {
            name: name.to_owned(),
            value: value.to_owned(),
        };

        assert_ne!(attribute("a", "b=c").key(), attribute("a=b", "c").key());
    }
}

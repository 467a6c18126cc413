//! How a contact is found.

use std::str::FromStr;

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

/// Why a text names no contact.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a contact is named as `id:24 HEXADECIMAL DIGITS`, `mobile:DIGITS WITH THE DIALING CODE` or `attribute:NAME=VALUE`"
)]
pub struct InvalidWho;

impl FromStr for Who {
    type Err = InvalidWho;

    /// Reads what a person writes: `id:…`, `mobile:…` (a `+`, spaces and dashes do no harm) or `attribute:NAME=VALUE`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, rest) = text.split_once(':').ok_or(InvalidWho)?;
        match kind {
            "id" => ContactId::try_from(rest.to_owned()).map(Self::Id).map_err(|_| InvalidWho),
            "mobile" => {
                let is_digit = |c: &char| !matches!(c, '+' | ' ' | '-' | '(' | ')');
                let digits: String = rest.chars().filter(is_digit).collect();
                Mobile::try_from(digits).map(Self::Mobile).map_err(|_| InvalidWho)
            }
            "attribute" => {
                let (name, value) = rest.split_once('=').ok_or(InvalidWho)?;
                if name.is_empty() || value.is_empty() {
                    return Err(InvalidWho);
                }
                Ok(Self::Attribute { name: name.to_owned(), value: value.to_owned() })
            }
            _ => Err(InvalidWho),
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
    fn a_contact_is_named_as_people_write_it() {
        for (text, key) in [
            ("id:65F0c0ffee0123456789abcd", Some("id:65f0c0ffee0123456789abcd")),
            ("mobile:+1 (202) 555-0143", Some("mobile:12025550143")),
            ("attribute:email=a=b@example.com", Some("attribute:5:email=a=b@example.com")),
            ("mobile:12", None),
            ("email:a@example.com", None),
            ("attribute:email=", None),
            ("12025550143", None),
        ] {
            assert_eq!(text.parse::<Who>().ok().map(|who| who.key()).as_deref(), key, "{text}");
        }
    }

    #[test]
    fn different_contacts_never_share_a_key() {
        let attribute = |name: &str, value: &str| Who::Attribute {
            name: name.to_owned(),
            value: value.to_owned(),
        };

        assert_ne!(attribute("a", "b=c").key(), attribute("a=b", "c").key());
    }
}

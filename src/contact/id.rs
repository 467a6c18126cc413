//! Chatflow's own name for a contact.

use serde::{Deserialize, Serialize};

/// Chatflow's own name for a contact: 24 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContactId(String);

/// Why a text is no contact id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a contact id is 24 hexadecimal digits, this one has {0} characters")]
pub struct InvalidContactId(usize);

impl ContactId {
    /// The 24 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ContactId {
    type Error = InvalidContactId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let well_formed = text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if well_formed { Ok(Self(text)) } else { Err(InvalidContactId(text.chars().count())) }
    }
}

impl From<ContactId> for String {
    fn from(id: ContactId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_id_is_24_hexadecimal_digits() {
        for (text, valid) in [
            ("65f0c0ffee0123456789abcd", true),
            ("65F0C0FFEE0123456789ABCD", true),
            ("65f0c0ffee0123456789abc", false),
            ("65f0c0ffee0123456789abcg", false),
            ("", false),
        ] {
            assert_eq!(ContactId::try_from(text.to_owned()).is_ok(), valid, "{text:?}");
        }
    }
}

//! A contact of the mock.

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};

use crate::contact::ContactId;

/// A contact as the mock keeps it; serialised as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MockContact {
    /// `_id`.
    #[serde(rename = "_id")]
    pub id: ContactId,
    /// The full name.
    pub name: String,
    /// The dialing code, where the number is kept apart from it.
    pub country_code: String,
    /// The number, with the dialing code unless `country_code` has it.
    pub mobile: String,
    /// `active`.
    pub status: &'static str,
    /// Where the contact came from, such as `api`.
    pub source: String,
    /// Whether the contact has agreed to be written to.
    pub optin: bool,
    /// Attributes by name.
    #[serde(serialize_with = "pairs")]
    pub attributes: IndexMap<String, String>,
    /// Whether messages from the contact are blocked.
    pub incoming_blocked: bool,
    /// The lists it is in.
    pub list: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl MockContact {
    /// The ways its number can be said: as it is kept, and with the dialing code before it.
    pub(super) fn numbers(&self) -> impl Iterator<Item = String> {
        let whole = format!("{}{}", self.country_code, self.mobile);
        let apart = !self.country_code.is_empty();
        [Some(self.mobile.clone()), apart.then_some(whole)].into_iter().flatten()
    }
}

/// `[{name, value}]`, as the API shows attributes.
fn pairs<S: Serializer>(map: &IndexMap<String, String>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Pair<'a> {
        name: &'a str,
        value: &'a str,
    }
    let mut list = serializer.serialize_seq(Some(map.len()))?;
    for (name, value) in map {
        list.serialize_element(&Pair { name, value })?;
    }
    list.end()
}

/// A contact to begin with.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    /// Its id; made up where there is none.
    pub id: Option<ContactId>,
    /// The full name.
    pub name: String,
    /// The dialing code, where the number is to be kept apart from it.
    pub country_code: String,
    /// The number, with the dialing code unless `country_code` has it.
    pub mobile: String,
    /// Whether the contact has agreed to be written to.
    pub optin: bool,
    /// Whether messages from the contact are blocked.
    pub incoming_blocked: bool,
    /// Tags.
    pub tags: Vec<String>,
    /// Attributes by name.
    pub attributes: IndexMap<String, String>,
}

impl Seed {
    /// A contact with this number and nothing else.
    pub fn with_mobile(mobile: &str) -> Self {
        Self { mobile: mobile.to_owned(), ..Self::default() }
    }

    /// The same, with a name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The same, with this id.
    #[must_use]
    pub fn with_id(mut self, id: ContactId) -> Self {
        self.id = Some(id);
        self
    }

    /// The same, with one more attribute.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.attributes.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same, with these tags too.
    #[must_use]
    pub fn tagged(mut self, tags: &[&str]) -> Self {
        self.tags.extend(tags.iter().map(|&tag| tag.to_owned()));
        self
    }
}

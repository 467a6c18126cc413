//! The contacts of the mock, and what a change does to them by the rules of the reference.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;

use super::MockOptions;
use super::change::Change;
use super::contact::{MockContact, Seed};
use super::search::{Query, Search};
use super::wire::Understands;
use crate::clock::{Clock, SystemClock};
use crate::contact::ContactId;

/// What makes an id of a number that counts up.
const FIRST_ID: u128 = 0x65f0_c0ff_ee00_0000_0000_0000;

/// What to do with a contact whose number is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnDuplicate {
    Skip,
    Overwrite,
}

/// Why a change was refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// No such contact.
    Unknown,
    /// With these words.
    Malformed(String),
}

/// Contacts by id (in lower case), in the order they were made.
pub(super) struct Book {
    contacts: IndexMap<String, MockContact>,
    by_number: HashMap<String, String>,
    made: u128,
    known_tags: Option<Vec<String>>,
    known_attributes: Option<HashSet<String>>,
    create_unknown: bool,
    search: Search,
    understands: Option<Understands>,
}

impl Book {
    pub(super) fn new(options: &MockOptions) -> Self {
        Self {
            contacts: IndexMap::new(),
            by_number: HashMap::new(),
            made: 0,
            known_tags: options.known_tags.clone(),
            known_attributes: options
                .known_attributes
                .clone()
                .map(|names| names.into_iter().collect()),
            create_unknown: options.create_unknown,
            search: options.search,
            understands: options.understands,
        }
    }

    pub(super) fn contacts(&self) -> impl Iterator<Item = &MockContact> {
        self.contacts.values()
    }

    pub(super) fn contact(&self, id: &str) -> Option<&MockContact> {
        self.contacts.get(id).or_else(|| self.contacts.get(&id.to_ascii_lowercase()))
    }

    pub(super) fn understands(&self) -> Option<Understands> {
        self.understands
    }

    pub(super) fn known_tags(&self) -> Option<&[String]> {
        self.known_tags.as_deref()
    }

    /// Adds a contact as it is; one with the same id is replaced.
    pub(super) fn seed(&mut self, seed: Seed) -> &MockContact {
        let id = seed.id.unwrap_or_else(|| self.next_id());
        let contact = MockContact {
            name: seed.name,
            country_code: seed.country_code,
            mobile: seed.mobile,
            source: "manual".to_owned(),
            optin: seed.optin,
            attributes: seed.attributes,
            incoming_blocked: seed.incoming_blocked,
            tags: seed.tags,
            ..blank(id)
        };
        self.insert(contact)
    }

    fn insert(&mut self, contact: MockContact) -> &MockContact {
        let key = contact.id.as_str().to_ascii_lowercase();
        for number in contact.numbers() {
            self.by_number.insert(number, key.clone());
        }
        let entry = self.contacts.entry(key).insert_entry(contact);
        entry.into_mut()
    }

    #[expect(clippy::expect_used, reason = "24 hexadecimal digits by the format")]
    fn next_id(&mut self) -> ContactId {
        self.made += 1;
        ContactId::try_from(format!("{:024x}", FIRST_ID + self.made)).expect("24 digits")
    }

    /// The contacts a query finds, the page it asks for, and how many there are.
    pub(super) fn find(&self, query: &Query) -> (Vec<&MockContact>, usize) {
        let by_number = match (&query.mobile, self.search) {
            (Some(mobile), Search::Exact) => Some(self.by_number.get(mobile)),
            _ => None,
        };
        let finds = |contact: &&MockContact| query.finds(contact, self.search);
        let mut found: Vec<_> = match by_number {
            Some(id) => id.and_then(|id| self.contacts.get(id)).into_iter().filter(finds).collect(),
            None => self.contacts.values().filter(finds).collect(),
        };
        if query.newest_first {
            found.reverse();
        }
        (query.page_of(&found), found.len())
    }

    /// Changes a contact: all of it or nothing.
    pub(super) fn update(
        &mut self,
        id: &ContactId,
        change: Change,
    ) -> Result<&MockContact, Refused> {
        self.check(&change)?;
        let mut key = id.as_str().to_owned();
        key.make_ascii_lowercase();
        if !self.contacts.contains_key(&key) {
            if !self.create_unknown {
                return Err(Refused::Unknown);
            }
            self.contacts.insert(key.clone(), blank(id.clone()));
        }
        if let Some(mobile) = &change.mobile {
            self.renumber(&key, mobile)?;
        }
        let contact = self.contacts.get_mut(&key).ok_or(Refused::Unknown)?;
        apply(contact, change);
        Ok(contact)
    }

    /// What is in Settings, where that is told.
    fn check(&self, change: &Change) -> Result<(), Refused> {
        let unknown_tag =
            |tag: &&String| self.known_tags.as_ref().is_some_and(|known| !known.contains(tag));
        if let Some(tag) = change.all_tags().find(unknown_tag) {
            return Err(Refused::Malformed(format!("tag '{tag}' does not exist in settings")));
        }
        let unknown =
            |name: &str| self.known_attributes.as_ref().is_some_and(|known| !known.contains(name));
        match change.attributes.iter().find(|(name, _)| unknown(name)) {
            Some((name, _)) => {
                Err(Refused::Malformed(format!("attribute '{name}' does not exist in settings")))
            }
            None => Ok(()),
        }
    }

    fn renumber(&mut self, key: &str, mobile: &str) -> Result<(), Refused> {
        let holder = self.by_number.get(mobile);
        if holder.is_some_and(|holder| holder != key) {
            return Err(Refused::Malformed("another contact has this mobile".to_owned()));
        }
        if let Some(contact) = self.contacts.get_mut(key) {
            for number in contact.numbers() {
                self.by_number.remove(&number);
            }
            contact.country_code.clear();
        }
        self.by_number.insert(mobile.to_owned(), key.to_owned());
        Ok(())
    }

    /// Makes contacts: all of them or none. Those that were there already are skipped or overwritten; given back
    /// are those that are new.
    pub(super) fn create(
        &mut self,
        changes: Vec<Change>,
        on_duplicate: OnDuplicate,
    ) -> Result<Vec<MockContact>, Refused> {
        for change in &changes {
            self.check(change)?;
            if change.mobile.is_none() {
                return Err(Refused::Malformed("mobile is required".to_owned()));
            }
        }
        let mut made = Vec::new();
        for mut change in changes {
            change.attributes.retain(|(_, value)| !value.is_empty());
            let holder = change.mobile.as_ref().and_then(|mobile| self.by_number.get(mobile));
            match (holder.and_then(|id| self.contacts.get_mut(id)), on_duplicate) {
                (Some(_), OnDuplicate::Skip) => {}
                (Some(contact), OnDuplicate::Overwrite) => {
                    change.mobile = None;
                    apply(contact, change);
                }
                (None, _) => {
                    let mut contact = blank(self.next_id());
                    apply(&mut contact, change);
                    made.push(self.insert(contact).clone());
                }
            }
        }
        Ok(made)
    }
}

fn blank(id: ContactId) -> MockContact {
    let now = SystemClock.now();
    MockContact {
        id,
        name: String::new(),
        country_code: String::new(),
        mobile: String::new(),
        status: "active",
        source: "api".to_owned(),
        optin: false,
        attributes: IndexMap::new(),
        incoming_blocked: false,
        list: Vec::new(),
        tags: Vec::new(),
        created_at: now,
        updated_at: now,
    }
}

/// `tags` replaces; attributes merge by name, and an empty value takes one away; what is left out stays.
fn apply(contact: &mut MockContact, change: Change) {
    if let Some(mobile) = change.mobile {
        contact.mobile = mobile;
    }
    if let Some(name) = change.name {
        contact.name = name;
    }
    contact.optin = change.optin.unwrap_or(contact.optin);
    contact.incoming_blocked = change.incoming_blocked.unwrap_or(contact.incoming_blocked);
    if let Some(tags) = change.tags {
        contact.tags.clear();
        add_tags(&mut contact.tags, tags);
    }
    contact.tags.retain(|tag| !change.remove.contains(tag));
    add_tags(&mut contact.tags, change.add);
    for (name, value) in change.attributes {
        if value.is_empty() {
            contact.attributes.shift_remove(&name);
        } else {
            contact.attributes.insert(name, value);
        }
    }
    contact.updated_at = SystemClock.now();
}

fn add_tags(tags: &mut Vec<String>, new: Vec<String>) {
    for tag in new {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
}

//! Which contact answers to which key, as far as is remembered.
//!
//! Keys are hashes with a salt of this process, so that memory holds no phone numbers and no addresses. Other processes
//! name them by the store's own keyed hashes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::expiring::Expiring;
use crate::contact::{AttributeChange, ContactId, ContactUpdate, Who};
use crate::store::{Lane, Store};

/// A key by which a contact is looked up, hashed; and by the name that all processes on a store have for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 16], pub(super) Lane);

/// Makes keys.
pub(super) struct Keys {
    salt: [u8; 32],
    store: Arc<dyn Store>,
}

impl Keys {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        let mut salt = [0; 32];
        // Without a source of chance the keys are the same in every process: still no plain text.
        let _salted = getrandom::fill(&mut salt).is_ok();
        Self { salt, store }
    }

    pub(super) fn of(&self, who: &Who) -> Key {
        let hash = Sha256::new().chain_update(self.salt).chain_update(who.key()).finalize();
        let mut key = [0; 16];
        for (to, from) in key.iter_mut().zip(hash) {
            *to = from;
        }
        Key(key, self.store.lane_of(who))
    }

    /// The name that all processes on a store have for a contact.
    pub(super) fn lane_of(&self, id: &ContactId) -> Lane {
        self.store.lane_of(&Who::Id(id.clone()))
    }
}

/// What a key is about, so that a change to just that makes it forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
enum About {
    Mobile,
    Attribute(Box<str>),
}

impl About {
    fn of(who: &Who) -> Option<Self> {
        match who {
            Who::Id(_) => None,
            Who::Mobile(_) => Some(Self::Mobile),
            Who::Attribute { name, .. } => Some(Self::Attribute(name.as_str().into())),
        }
    }

    fn is_changed_by(&self, update: &ContactUpdate) -> bool {
        match self {
            Self::Mobile => update.mobile.is_some(),
            Self::Attribute(name) => update.attributes.contains_key(&**name),
        }
    }
}

/// The contacts that were found.
pub(super) struct Contacts {
    found: Expiring<Key, (ContactId, About)>,
    keys: HashMap<ContactId, Vec<Key>>,
}

impl Contacts {
    pub(super) fn new(lasts: Duration, most: usize) -> Self {
        Self { found: Expiring::new(lasts, most), keys: HashMap::new() }
    }

    pub(super) fn get(&self, key: Key, now: Duration) -> Option<ContactId> {
        self.found.get(&key, now).map(|(id, _)| id.clone())
    }

    pub(super) fn put(&mut self, who: &Who, key: Key, id: &ContactId, now: Duration) {
        let Some(about) = About::of(who) else { return };
        for (gone, (of, _)) in self.found.put(key, (id.clone(), about), now) {
            self.unlink(&of, gone);
        }
        if self.found.get(&key, now).is_some() {
            self.keys.entry(id.clone()).or_default().push(key);
        }
    }

    pub(super) fn forget(&mut self, key: Key) {
        if let Some((id, _)) = self.found.remove(&key) {
            self.unlink(&id, key);
        }
    }

    /// A contact was changed and given these keys: others that may have led to it and no longer do are forgotten.
    pub(super) fn changed(
        &mut self,
        id: &ContactId,
        update: &ContactUpdate,
        given: &[Key],
        now: Duration,
    ) {
        for key in self.keys.get(id).cloned().unwrap_or_default() {
            let about = self.found.get(&key, now).map(|(_, about)| about);
            let holds = about.is_some_and(|about| !about.is_changed_by(update));
            if !holds && !given.contains(&key) {
                self.forget(key);
            }
        }
    }

    /// What was remembered of these keys, and what led to these contacts, no longer holds.
    pub(super) fn forget_lanes(&mut self, lanes: &HashSet<Lane>, keys: &Keys) {
        let mut gone: Vec<Key> = Vec::new();
        for (id, known) in &self.keys {
            let all = lanes.contains(&keys.lane_of(id));
            gone.extend(known.iter().filter(|key| all || lanes.contains(&key.1)));
        }
        for key in gone {
            self.forget(key);
        }
    }

    fn unlink(&mut self, id: &ContactId, key: Key) {
        if let Some(keys) = self.keys.get_mut(id) {
            keys.retain(|other| *other != key);
            if keys.is_empty() {
                self.keys.remove(id);
            }
        }
    }
}

/// The keys that an update gives to the contact: whatever was known of them no longer holds.
pub(super) fn keys_given(update: &ContactUpdate) -> impl Iterator<Item = Who> + '_ {
    let mobile = update.mobile.iter().map(|mobile| Who::Mobile(mobile.clone()));
    let attributes = update.attributes.iter().filter_map(|(name, change)| match change {
        AttributeChange::Set(value) => {
            Some(Who::Attribute { name: name.clone(), value: value.clone() })
        }
        AttributeChange::Remove => None,
    });
    mobile.chain(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::Mobile;
    use crate::delivery::tests::keys;

    const NOW: Duration = Duration::from_secs(50);

    fn id(last: char) -> ContactId {
        ContactId::try_from(format!("65f0c0ffee0123456789abc{last}")).unwrap()
    }

    fn mobile(digits: &str) -> Who {
        Who::Mobile(Mobile::try_from(digits.to_owned()).unwrap())
    }

    fn email() -> Who {
        Who::Attribute { name: "email".to_owned(), value: "ann@example.com".to_owned() }
    }

    #[test]
    fn a_change_makes_only_the_keys_it_touches_forgotten() {
        let keys = keys();
        let number = mobile("12025550143");
        let changes_mobile = ContactUpdate {
            mobile: Some(Mobile::try_from("12025550199".to_owned()).unwrap()),
            ..ContactUpdate::default()
        };
        let mut changes_email = ContactUpdate::default();
        changes_email
            .attributes
            .insert("email".to_owned(), AttributeChange::Set("new@example.com".to_owned()));
        let mut same_email = ContactUpdate::default();
        same_email
            .attributes
            .insert("email".to_owned(), AttributeChange::Set("ann@example.com".to_owned()));
        let named = ContactUpdate { name: Some("Ann".to_owned()), ..ContactUpdate::default() };
        for (update, mobile_stays, email_stays) in [
            (changes_mobile, false, true),
            (changes_email, true, false),
            (same_email, true, true),
            (named, true, true),
        ] {
            let mut contacts = Contacts::new(Duration::from_secs(10), 10);
            contacts.put(&number, keys.of(&number), &id('1'), NOW);
            contacts.put(&email(), keys.of(&email()), &id('1'), NOW);
            contacts.put(&mobile("12025550144"), keys.of(&mobile("12025550144")), &id('2'), NOW);

            let given: Vec<_> = keys_given(&update).map(|who| keys.of(&who)).collect();
            contacts.changed(&id('1'), &update, &given, NOW);

            assert_eq!(contacts.get(keys.of(&number), NOW).is_some(), mobile_stays, "{update:?}");
            assert_eq!(contacts.get(keys.of(&email()), NOW).is_some(), email_stays, "{update:?}");
            assert_eq!(contacts.get(keys.of(&mobile("12025550144")), NOW), Some(id('2')));
        }
    }

    #[test]
    fn nothing_is_kept_of_a_contact_whose_keys_are_gone() {
        let keys = keys();
        let mut contacts = Contacts::new(Duration::from_secs(10), 1);
        contacts.put(&email(), keys.of(&email()), &id('1'), NOW);
        contacts.put(&email(), keys.of(&email()), &id('2'), NOW);
        contacts.put(&mobile("12025550144"), keys.of(&mobile("12025550144")), &id('3'), NOW);
        contacts.forget(keys.of(&mobile("12025550144")));

        assert!(contacts.keys.is_empty());
    }

    #[test]
    fn a_new_number_and_new_values_are_keys_given() {
        let mut update = ContactUpdate {
            mobile: Some(Mobile::try_from("12025550199".to_owned()).unwrap()),
            ..ContactUpdate::default()
        };
        update
            .attributes
            .insert("email".to_owned(), AttributeChange::Set("ann@example.com".to_owned()));
        update.attributes.insert("plan".to_owned(), AttributeChange::Remove);

        assert_eq!(keys_given(&update).collect::<Vec<_>>(), [mobile("12025550199"), email()]);
    }
}

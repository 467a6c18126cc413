//! A contact as the API's reference describes it, and what an update makes of it: written apart from the code that
//! folds, leaves out and sends updates, so that tests can hold it to that.

use std::collections::{BTreeMap, BTreeSet};

use super::{AttributeChange, ContactUpdate};

/// A contact, and nothing about how it is kept or sent; what is not known of it is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) name: Option<String>,
    pub(crate) mobile: Option<String>,
    pub(crate) optin: Option<bool>,
    pub(crate) incoming_blocked: Option<bool>,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Model {
    /// The contact once an update has been applied.
    pub(crate) fn after(mut self, update: &ContactUpdate) -> Self {
        self.name = update.name.clone().or(self.name);
        self.mobile = update.mobile.as_ref().map(|new| new.as_str().to_owned()).or(self.mobile);
        self.optin = update.optin.or(self.optin);
        self.incoming_blocked = update.incoming_blocked.or(self.incoming_blocked);
        let tags = &update.tags;
        if let Some(replaced) = &tags.replace {
            assert!(tags.add.is_empty() && tags.remove.is_empty(), "one or the other");
            self.tags = replaced.iter().cloned().collect();
        }
        assert!(tags.add.iter().all(|tag| !tags.remove.contains(tag)), "in one list or the other");
        self.tags.extend(tags.add.iter().cloned());
        self.tags.retain(|tag| !tags.remove.contains(tag));
        for (name, change) in &update.attributes {
            match change {
                AttributeChange::Set(value) => {
                    self.attributes.insert(name.clone(), value.clone());
                }
                AttributeChange::Remove => {
                    self.attributes.remove(name);
                }
            }
        }
        self
    }
}

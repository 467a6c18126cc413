//! What the contacts must be in the end: the accepted events applied in their order, by the reference of the API alone.

use std::collections::{BTreeMap, BTreeSet};

use chatflow_bridge::chatflow::mock::MockContact;

use super::event::Event;
use super::load::Load;

/// A contact as far as the load changes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Model {
    name: String,
    optin: bool,
    blocked: bool,
    tags: BTreeSet<String>,
    attributes: BTreeMap<String, String>,
}

impl Model {
    /// What a contact must be when all its lines have been applied, each in its order.
    pub(super) fn of(load: &Load, contact: usize) -> Self {
        let to = &load.contacts[contact];
        let mut model = Self::default();
        let lines = load.lines.iter().filter(|line| line.contact == contact);
        let events: Vec<_> = lines.flat_map(|line| &line.events).collect();
        if to.has_reference() || events.iter().any(|event| event.mobile.is_some()) {
            model.attributes.insert("ref".to_owned(), to.reference.clone());
        }
        for event in events {
            model.apply(event);
        }
        model
    }

    /// The API's contact, seen in the same way.
    pub(super) fn seen(contact: &MockContact) -> Self {
        Self {
            name: contact.name.clone(),
            optin: contact.optin,
            blocked: contact.incoming_blocked,
            tags: contact.tags.iter().cloned().collect(),
            attributes: contact.attributes.clone().into_iter().collect(),
        }
    }

    /// Without what the last event of all has left, by whatever name.
    pub(super) fn forget_last(&mut self) {
        self.attributes.remove("last");
    }

    fn apply(&mut self, event: &Event) {
        if event.dies() {
            // Of a body that is refused only the withdrawal counts: it goes alone.
            self.optin &= event.optin != Some(false);
            self.blocked |= event.blocked == Some(true);
            return;
        }
        if let Some(name) = &event.name {
            self.name.clone_from(name);
        }
        self.optin = event.optin.unwrap_or(self.optin);
        self.blocked = event.blocked.unwrap_or(self.blocked);
        if let Some(tags) = &event.replace {
            self.tags = tags.iter().cloned().collect();
        }
        self.tags.extend(event.add.iter().cloned());
        for tag in &event.remove {
            self.tags.remove(tag);
        }
        self.set("ref", event.reference.as_deref());
        self.set("city", event.city.as_deref());
        self.set("plan", event.plan.as_deref());
        if event.step > 0 {
            let step = event.step.to_string();
            self.set(event.way.counter(), Some(&step));
            self.set("last", Some(&step));
        }
    }

    fn set(&mut self, name: &str, value: Option<&str>) {
        match value {
            None => {}
            Some("") => drop(self.attributes.remove(name)),
            Some(value) => drop(self.attributes.insert(name.to_owned(), value.to_owned())),
        }
    }
}

//! An API that does as it is told, and remembers what it was asked.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use tokio::sync::watch;

use super::super::Api;
use crate::chatflow::{Contact, Failure, NewContact};
use crate::contact::{AttributeChange, ContactId, ContactUpdate, Mobile};

/// An update fails where it holds.
type Where = fn(&ContactId, &ContactUpdate) -> bool;

/// What was asked, in the order in which it was asked: `PUT abc1 Ann`, `FIND 12025550143`, `POST …`, `PROBE`.
pub(super) struct FakeApi {
    state: Mutex<State>,
    held: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    contacts: Vec<Contact>,
    asked: Vec<String>,
    faults: HashMap<&'static str, VecDeque<Failure>>,
    lasting: HashMap<&'static str, Failure>,
    faulty: Vec<(Where, Failure)>,
    open: HashMap<String, usize>,
    most_for_one: usize,
    most_open: usize,
    panics_on: Option<String>,
    refused_tag: Option<String>,
}

pub(super) fn contact(id: &ContactId, mobile: &str) -> Contact {
    Contact {
        id: id.clone(),
        name: None,
        country_code: None,
        mobile: Some(mobile.to_owned()),
        optin: None,
        incoming_blocked: None,
        tags: None,
        attributes: None,
    }
}

impl FakeApi {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), held: watch::Sender::new(false) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn has(&self, contact: Contact) {
        self.state().contacts.push(contact);
    }

    pub(super) fn has_no_more(&self, id: &ContactId) {
        self.state().contacts.retain(|contact| contact.id != *id);
    }

    /// The next calls of this kind (`PUT`, `FIND`, `POST`, `PROBE`) fail so, one after the other.
    pub(super) fn fails(&self, kind: &'static str, failures: impl IntoIterator<Item = Failure>) {
        self.state().faults.entry(kind).or_default().extend(failures);
    }

    /// All calls of this kind fail so until told otherwise.
    pub(super) fn always_fails(&self, kind: &'static str, failure: Option<Failure>) {
        let mut state = self.state();
        match failure {
            Some(failure) => state.lasting.insert(kind, failure),
            None => state.lasting.remove(kind),
        };
    }

    /// Updates for which this holds fail so until told otherwise.
    pub(super) fn fails_where(&self, holds: Where, failure: Option<Failure>) {
        let mut state = self.state();
        match failure {
            Some(failure) => state.faulty.push((holds, failure)),
            None => {
                state.faulty.pop();
            }
        }
    }

    pub(super) fn contact(&self, id: &ContactId) -> Contact {
        let state = self.state();
        state.contacts.iter().find(|contact| contact.id == *id).unwrap().clone()
    }

    pub(super) fn panics_on(&self, name: &str) {
        self.state().panics_on = Some(name.to_owned());
    }

    /// An update that adds this tag is refused.
    pub(super) fn refuses_the_tag(&self, tag: &str) {
        self.state().refused_tag = Some(tag.to_owned());
    }

    pub(super) fn tags_of(&self, id: &ContactId) -> Vec<String> {
        self.contact(id).tags.unwrap_or_default()
    }

    /// Whether answers are held back.
    pub(super) fn holds_answers(&self, held: bool) {
        self.held.send_replace(held);
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.state().asked.clone()
    }

    pub(super) fn asked_times(&self) -> usize {
        self.state().asked.len()
    }

    pub(super) fn asked_of(&self, kind: &str) -> Vec<String> {
        let prefix = format!("{kind} ");
        let state = self.state();
        let of_kind = state.asked.iter().filter_map(|asked| asked.strip_prefix(&prefix));
        of_kind.map(str::to_owned).collect()
    }

    /// The most requests that were open at once, for one contact and for all.
    pub(super) fn most_open(&self) -> (usize, usize) {
        let state = self.state();
        (state.most_for_one, state.most_open)
    }

    async fn answer<T>(
        &self,
        kind: &'static str,
        about: &str,
        of: &str,
        with: impl FnOnce(&mut State) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        {
            let mut state = self.state();
            state.asked.push(format!("{kind} {about}"));
            let open = state.open.entry(of.to_owned()).or_default();
            *open += 1;
            let open = *open;
            if kind == "PUT" {
                state.most_for_one = state.most_for_one.max(open);
            }
            state.most_open = state.most_open.max(state.open.values().sum());
        }
        tokio::task::yield_now().await;
        assert!(self.held.subscribe().wait_for(|held| !held).await.is_ok());
        let mut state = self.state();
        if let Some(open) = state.open.get_mut(of) {
            *open -= 1;
        }
        if let Some(failure) = state.faults.get_mut(kind).and_then(VecDeque::pop_front) {
            return Err(failure);
        }
        if let Some(failure) = state.lasting.get(kind) {
            return Err(failure.clone());
        }
        with(&mut state)
    }
}

#[async_trait]
impl Api for FakeApi {
    async fn update(&self, id: &ContactId, update: &ContactUpdate) -> Result<Contact, Failure> {
        let name = update.name.clone().unwrap_or_default();
        let panics_on = self.state().panics_on.clone();
        assert_ne!(panics_on.as_ref(), Some(&name), "told to panic");
        let about = format!("{} {name}", id.as_str().split_at(20).1);
        self.answer("PUT", &about, id.as_str(), |state| {
            if let Some((_, failure)) = state.faulty.iter().find(|(holds, _)| holds(id, update)) {
                return Err(failure.clone());
            }
            if state.refused_tag.as_ref().is_some_and(|tag| update.tags.add.contains(tag)) {
                let words = "no such tag".to_owned();
                return Err(Failure::Answered { status: 400, words, retry_after: None });
            }
            let contact = state.contacts.iter_mut().find(|contact| contact.id == *id);
            let Some(contact) = contact else {
                let words = "Contact not found".to_owned();
                return Err(Failure::Answered { status: 404, words, retry_after: None });
            };
            contact.name = update.name.clone().or(contact.name.take());
            contact.optin = update.optin.or(contact.optin);
            contact.incoming_blocked = update.incoming_blocked.or(contact.incoming_blocked);
            if let Some(mobile) = &update.mobile {
                contact.mobile = Some(mobile.as_str().to_owned());
            }
            for (name, change) in &update.attributes {
                let attributes = contact.attributes.get_or_insert_default();
                if let AttributeChange::Set(value) = change {
                    attributes.insert(name.clone(), value.clone());
                }
            }
            contact.tags.get_or_insert_default().extend(update.tags.add.iter().cloned());
            Ok(contact.clone())
        })
        .await
    }

    async fn find_by_mobile(&self, mobile: &Mobile) -> Result<Vec<Contact>, Failure> {
        self.answer("FIND", mobile.as_str(), "", |state| {
            let has_it = |contact: &&Contact| contact.has_mobile(mobile.as_str());
            Ok(state.contacts.iter().filter(has_it).cloned().collect())
        })
        .await
    }

    async fn find_by_attribute(&self, name: &str, value: &str) -> Result<Vec<Contact>, Failure> {
        self.answer("FIND", &format!("{name}={value}"), "", |state| {
            let has_it = |contact: &&Contact| contact.attribute(name) == Some(value);
            Ok(state.contacts.iter().filter(has_it).cloned().collect())
        })
        .await
    }

    async fn create(&self, new: &NewContact) -> Result<Vec<Contact>, Failure> {
        let about = format!("{} optin={}", new.mobile.as_str(), new.optin);
        self.answer("POST", &about, "", |state| {
            if state.contacts.iter().any(|contact| contact.has_mobile(new.mobile.as_str())) {
                return Ok(Vec::new());
            }
            let number = state.contacts.len();
            let id = ContactId::try_from(format!("{number:024}")).unwrap();
            let made = Contact {
                name: new.name.clone(),
                optin: Some(new.optin),
                attributes: Some(new.attribute.clone().into_iter().collect()),
                ..contact(&id, new.mobile.as_str())
            };
            state.contacts.push(made.clone());
            Ok(vec![made])
        })
        .await
    }

    async fn probe(&self) -> Result<(), Failure> {
        self.answer("PROBE", "", "", |_| Ok(())).await
    }
}

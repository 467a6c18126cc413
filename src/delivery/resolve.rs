//! From a contact's key to its id: named by the event, remembered, looked up, or created if the rule asks for it.
//!
//! One look-up at a time for a key and one creation at a time for a mobile number; whoever waits finds what the
//! one before has found. Only exact matches count, and two of them are no answer.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::cache::{Contacts, Key, Keys, keys_given};
use super::expiring::Expiring;
use super::locks::Locks;
use super::outbound::{Outbound, Unanswered};
use super::outcome::{Found, Operation};
use super::settings::Policy;
use super::tally::{Resolution, Tally};
use crate::chatflow::{Failure, NewContact};
use crate::clock::SharedClock;
use crate::contact::{ContactId, ContactUpdate, Mobile, OnMissing, PlannedUpdate, Who};
use crate::store::{Lane, Store};
use crate::telemetry::trace;

/// For how long a contact that was not there is taken to be missing still.
pub(super) const ABSENT_FOR: Duration = Duration::from_secs(2);

/// Why there is no id.
#[derive(Debug)]
pub(super) enum Unresolved {
    /// There is no such contact, and creating it was not asked for or did not help.
    Missing,
    /// Two contacts at least answer to the key.
    Ambiguous,
    /// It would be created, and no mobile number is known.
    NoMobileToCreate,
    /// Nothing was sent.
    NotSent,
    /// A request failed.
    Failed(Operation, Failure),
}

/// Finds contacts.
pub(super) struct Resolver {
    outbound: Arc<Outbound>,
    clock: SharedClock,
    tally: Arc<Tally>,
    keys: Keys,
    memory: Mutex<Memory>,
    looking: Locks<Key>,
    creating: Locks<Mobile>,
}

struct Memory {
    contacts: Contacts,
    /// Keys that led nowhere a moment ago.
    absent: Expiring<Key, ()>,
    /// Since when a key has led nowhere.
    missing_since: Expiring<Key, Duration>,
}

impl Resolver {
    pub(super) fn new(
        store: Arc<dyn Store>,
        policy: &Policy,
        outbound: Arc<Outbound>,
        clock: SharedClock,
        tally: Arc<Tally>,
    ) -> Self {
        let memory = Memory {
            contacts: Contacts::new(policy.cache_ttl, policy.cache_entries),
            absent: Expiring::new(ABSENT_FOR, policy.cache_entries),
            missing_since: Expiring::new(policy.wait * 2 + ABSENT_FOR, MOST_MISSING),
        };
        Self {
            outbound,
            clock,
            tally,
            keys: Keys::new(store),
            memory: Mutex::new(memory),
            looking: Locks::new(),
            creating: Locks::new(),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The contact an update is for. One that `may_have_landed` may have made it known by other keys already.
    pub(super) async fn resolve(
        &self,
        planned: &PlannedUpdate,
        may_have_landed: bool,
    ) -> Result<(ContactId, Found), Unresolved> {
        let step = trace::step("resolve");
        let resolved = self.find(planned, may_have_landed).await;
        if let Ok((_, found)) = &resolved {
            step.say("found", Resolution::Found(*found).label());
        }
        match &resolved {
            Ok((_, found)) => self.tally.resolved(Resolution::Found(*found)),
            Err(Unresolved::Missing) => self.tally.resolved(Resolution::Missing),
            Err(Unresolved::Ambiguous) => self.tally.resolved(Resolution::Ambiguous),
            Err(Unresolved::NoMobileToCreate | Unresolved::NotSent | Unresolved::Failed(..)) => {}
        }
        resolved
    }

    async fn find(
        &self,
        planned: &PlannedUpdate,
        may_have_landed: bool,
    ) -> Result<(ContactId, Found), Unresolved> {
        let who = &planned.target.who;
        if let Who::Id(id) = who {
            return Ok((id.clone(), Found::ById));
        }
        let key = self.keys.of(who);
        if let Some(id) = self.remembered(key) {
            return Ok((id, Found::Cached));
        }
        let _looking = self.looking.lock(key).await;
        if let Some(id) = self.remembered(key) {
            return Ok((id, Found::Cached));
        }
        let creates = planned.target.on_missing == OnMissing::Create;
        // Before creating, only a look-up of now will do.
        if creates || !self.was_absent_just_now(key) {
            if let Some(id) = self.look_up(who).await? {
                self.remember(who, &id);
                return Ok((id, Found::LookedUp));
            }
            if may_have_landed && let Some(id) = self.under_new_keys(planned).await? {
                return Ok((id, Found::LookedUp));
            }
        }
        if creates {
            let (id, found) = self.create(who, &planned.update).await?;
            self.remember(who, &id);
            return Ok((id, found));
        }
        self.note_absence(key);
        Err(Unresolved::Missing)
    }

    /// The contact that has the keys which an update gives to its contact. Nothing of it is remembered: the old key
    /// leads nowhere.
    async fn under_new_keys(
        &self,
        planned: &PlannedUpdate,
    ) -> Result<Option<ContactId>, Unresolved> {
        for who in planned.new_keys() {
            if let Some(id) = self.look_up(&who).await? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Creates the contact, or finds the one that has its mobile number already.
    async fn create(
        &self,
        who: &Who,
        update: &ContactUpdate,
    ) -> Result<(ContactId, Found), Unresolved> {
        let (mobile, attribute) = match who {
            Who::Mobile(mobile) => (Some(mobile), None),
            Who::Attribute { name, value } => {
                (update.mobile.as_ref(), Some((name.clone(), value.clone())))
            }
            Who::Id(_) => (None, None),
        };
        let mobile = mobile.ok_or(Unresolved::NoMobileToCreate)?;
        let by_mobile = Who::Mobile(mobile.clone());
        let _creating = self.creating.lock(mobile.clone()).await;
        // Another update may have created it while this one waited.
        if let Some(id) = self.remembered(self.keys.of(&by_mobile)) {
            return Ok((id, Found::Cached));
        }
        let new = NewContact {
            mobile: mobile.clone(),
            name: update.name.clone(),
            optin: update.optin.unwrap_or(false),
            attribute,
        };
        let created = self.outbound.send(|| self.outbound.api.create(&new)).await;
        let created = created.map_err(|unanswered| failed(Operation::Create, unanswered))?;
        if let Some(id) = only(created.into_iter().map(|contact| contact.id))? {
            self.remember(&by_mobile, &id);
            return Ok((id, Found::Created));
        }
        // It exists: made meanwhile by somebody else, or by us before a crash.
        let mut found = self.look_up(who).await?;
        if found.is_none() && *who != by_mobile {
            found = self.look_up(&by_mobile).await?;
        }
        let id = found.ok_or(Unresolved::Missing)?;
        self.remember(&by_mobile, &id);
        Ok((id, Found::LookedUp))
    }

    async fn look_up(&self, who: &Who) -> Result<Option<ContactId>, Unresolved> {
        let api = &self.outbound.api;
        let found = match who {
            Who::Id(id) => return Ok(Some(id.clone())),
            Who::Mobile(mobile) => self.outbound.send(|| api.find_by_mobile(mobile)).await,
            Who::Attribute { name, value } => {
                self.outbound.send(|| api.find_by_attribute(name, value)).await
            }
        };
        let found = found.map_err(|unanswered| failed(Operation::Find, unanswered))?;
        only(found.into_iter().map(|contact| contact.id))
    }

    fn remembered(&self, key: Key) -> Option<ContactId> {
        self.memory().contacts.get(key, self.clock.monotonic())
    }

    fn was_absent_just_now(&self, key: Key) -> bool {
        self.memory().absent.get(&key, self.clock.monotonic()).is_some()
    }

    fn remember(&self, who: &Who, id: &ContactId) {
        let key = self.keys.of(who);
        let mut memory = self.memory();
        memory.contacts.put(who, key, id, self.clock.monotonic());
        memory.absent.remove(&key);
        memory.missing_since.remove(&key);
    }

    fn note_absence(&self, key: Key) {
        let now = self.clock.monotonic();
        self.memory().absent.put(key, (), now);
    }

    /// For how long this key has been known to lead nowhere; counts from the first call.
    pub(super) fn missing_for(&self, who: &Who) -> Duration {
        if matches!(who, Who::Id(_)) {
            return Duration::ZERO;
        }
        let key = self.keys.of(who);
        let now = self.clock.monotonic();
        let mut memory = self.memory();
        if let Some(since) = memory.missing_since.get(&key, now) {
            return now.saturating_sub(*since);
        }
        memory.missing_since.put(key, now, now);
        Duration::ZERO
    }

    /// A key led to a contact that is not there: it has to be looked up again.
    pub(super) fn forget(&self, who: &Who) {
        let key = self.keys.of(who);
        self.memory().contacts.forget(key);
    }

    /// What other processes have said is changed is looked up again.
    pub(super) fn forget_lanes(&self, lanes: &HashSet<Lane>) {
        let mut memory = self.memory();
        memory.contacts.forget_lanes(lanes, &self.keys);
        memory.absent.forget_where(|key| lanes.contains(&key.1));
        memory.missing_since.forget_where(|key| lanes.contains(&key.1));
    }

    /// Has other processes look up again what the API took an update of, where that changes keys of the contact.
    pub(super) fn tell(&self, id: &ContactId, planned: &PlannedUpdate) {
        let Some(peers) = &self.outbound.peers else { return };
        if planned.is_rekeying() {
            let given = planned.new_keys().map(|who| self.keys.of(&who).1);
            peers.changed(given.chain([self.keys.lane_of(id)]));
        }
    }

    /// The API took an update: what is remembered of the keys that it changed no longer holds.
    pub(super) fn changed(&self, id: &ContactId, update: &ContactUpdate) {
        if update.mobile.is_none() && update.attributes.is_empty() {
            return;
        }
        let given: Vec<_> = keys_given(update).map(|who| self.keys.of(&who)).collect();
        let now = self.clock.monotonic();
        let mut memory = self.memory();
        memory.contacts.changed(id, update, &given, now);
        for key in given {
            memory.absent.remove(&key);
            memory.missing_since.remove(&key);
            if memory.contacts.get(key, now).is_some_and(|known| known != *id) {
                memory.contacts.forget(key);
            }
        }
    }
}

/// How many keys that lead nowhere are remembered.
const MOST_MISSING: usize = 100_000;

fn failed(operation: Operation, unanswered: Unanswered) -> Unresolved {
    match unanswered {
        Unanswered::NotSent => Unresolved::NotSent,
        Unanswered::Failed(failure) => Unresolved::Failed(operation, failure),
    }
}

/// The one contact that was found; none, or two different ones, are no answer.
fn only(ids: impl Iterator<Item = ContactId>) -> Result<Option<ContactId>, Unresolved> {
    let mut only: Option<ContactId> = None;
    for id in ids {
        if only.as_ref().is_some_and(|first| !first.as_str().eq_ignore_ascii_case(id.as_str())) {
            return Err(Unresolved::Ambiguous);
        }
        only = Some(id);
    }
    Ok(only)
}

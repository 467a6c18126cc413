//! The other processes that deliver from the same store: what one of them has found out holds for all.
//!
//! Once a second, and at once when there is something new, each says what it has to say and hears what the others have
//! said ([`Replicas::exchange`]): pauses, the API's wish that nobody sends, contacts whose keys are to be looked up
//! again, that a person has had delivery go on. What is lent to whom is the store's to say ([`sure_for`](crate::store::Store::sure_for)).

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::gate::Gate;
use super::pause::{PauseReason, Pauses};
use super::resolve::Resolver;
use crate::clock::{self, SharedClock};
use crate::store::{Heard, Lane, Replica, Replicas, Said};
use crate::telemetry::metrics::Metrics;

/// How long to wait until the next exchange where there is nothing new.
const EVERY: Duration = Duration::from_secs(1);

/// The hash of the mappings in force.
pub(super) type Hash = Box<dyn Fn() -> String + Send + Sync>;

/// The other processes, as far as they were heard.
pub struct Peers {
    pub(super) store: Arc<dyn Replicas>,
    clock: SharedClock,
    pauses: Arc<Pauses>,
    metrics: Arc<Metrics>,
    mappings: Hash,
    state: Mutex<State>,
    resumes: AtomicBool,
    something_to_say: Notify,
}

#[derive(Default)]
struct State {
    changed: Vec<Lane>,
    others: Vec<Replica>,
    resumed: Option<i64>,
    is_silent: bool,
}

impl Peers {
    pub(super) fn new(
        store: Arc<dyn Replicas>,
        pauses: &Arc<Pauses>,
        clock: &SharedClock,
        metrics: &Arc<Metrics>,
        mappings: Hash,
    ) -> Self {
        Self {
            store,
            clock: Arc::clone(clock),
            pauses: Arc::clone(pauses),
            metrics: Arc::clone(metrics),
            mappings,
            state: Mutex::default(),
            resumes: AtomicBool::new(false),
            something_to_say: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The other processes that are there.
    pub fn others(&self) -> Vec<Replica> {
        self.state().others.clone()
    }

    /// A person has delivery go on: here, and wherever else it is delivered.
    pub fn resume_by_hand(&self) {
        self.resumes.store(true, Ordering::Release);
        self.something_to_say.notify_one();
    }

    /// These keys may lead to another contact, and other keys to these contacts.
    pub(super) fn changed(&self, lanes: impl IntoIterator<Item = Lane>) {
        self.state().changed.extend(lanes);
        self.something_to_say.notify_one();
    }

    /// For as long as it runs: speaks and hears.
    pub(super) async fn converse(&self, gate: &Gate, resolver: &Resolver) {
        loop {
            let found = self.pauses.found();
            self.exchange(&found, gate, resolver).await;
            tokio::select! {
                () = clock::sleep(&*self.clock, EVERY) => {}
                () = self.store.news() => {}
                () = self.something_to_say.notified() => {}
                () = gate.closing() => {}
                () = self.pauses.finds_other_than(&found) => {}
            }
        }
    }

    async fn exchange(&self, found: &BTreeSet<PauseReason>, gate: &Gate, resolver: &Resolver) {
        let said = Said {
            paused: found.iter().map(|reason| reason.as_str()).collect(),
            closed_for: gate.untold(),
            mappings: (self.mappings)(),
            changed: std::mem::take(&mut self.state().changed),
            resumes: self.resumes.swap(false, Ordering::AcqRel),
        };
        match self.store.exchange(&said).await {
            Ok(heard) => self.hear(heard, &said.mappings, gate, resolver),
            Err(error) => {
                if let Some(time) = said.closed_for {
                    gate.not_told(time);
                }
                let mut state = self.state();
                state.changed.extend(said.changed);
                if said.resumes {
                    self.resumes.store(true, Ordering::Release);
                }
                if !std::mem::replace(&mut state.is_silent, true) {
                    tracing::error!(%error, "the other replicas cannot be heard");
                }
            }
        }
    }

    fn hear(&self, heard: Heard, own: &str, gate: &Gate, resolver: &Resolver) {
        let paused = heard.paused.iter().filter_map(|word| PauseReason::of(word)).collect();
        self.pauses.hear(&paused);
        if heard.halted {
            self.pauses.pause(PauseReason::Operator);
        } else {
            self.pauses.resume(PauseReason::Operator);
        }
        if let Some(wait) = heard.closed_for {
            gate.hear(wait);
        }
        if !heard.changed.is_empty() {
            resolver.forget_lanes(&heard.changed.iter().copied().collect());
        }
        let differ = heard.others.iter().filter(|other| other.mappings != own).count();
        self.show(heard.others.len() + 1, differ);
        let resumed = {
            let mut state = self.state();
            if std::mem::take(&mut state.is_silent) {
                tracing::info!("the other replicas are heard again");
            }
            tell_of_others(&state.others, &heard.others, own);
            state.others = heard.others;
            state.resumed.replace(heard.resumed).is_some_and(|before| before != heard.resumed)
        };
        if resumed {
            self.pauses.resume_by_hand();
        }
    }

    fn show(&self, replicas: usize, differ: usize) {
        let gauge = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        let none: &[&str] = &[];
        self.metrics.replicas.with_label_values(none).set(gauge(replicas));
        self.metrics.replicas_with_other_mappings.with_label_values(none).set(gauge(differ));
    }
}

fn tell_of_others(before: &[Replica], now: &[Replica], own: &str) {
    for other in now {
        let known = before.iter().find(|known| known.replica == other.replica);
        if known.is_none() {
            tracing::info!(replica = other.replica, "another replica is there");
        }
        let differs = other.mappings != own;
        if differs && known.is_none_or(|known| known.mappings != other.mappings) {
            let (replica, mappings) = (&other.replica, &other.mappings);
            tracing::warn!(replica, mappings, "a replica has other mappings");
        }
    }
    for gone in before {
        if now.iter().all(|other| other.replica != gone.replica) {
            tracing::info!(replica = gone.replica, "a replica is gone");
        }
    }
}

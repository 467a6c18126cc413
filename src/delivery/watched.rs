//! The API with an eye on it: whether it works at all, and whether it did what it was asked.
//!
//! Every call passes here, so that the circuit and the confirmation see each answer whatever it was asked for.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::Api;
use super::breaker::{Breaker, Change, Sign, State};
use super::confirm::Confirmation;
use super::gate::Gate;
use super::pause::{PauseReason, Pauses};
use crate::chatflow::{Contact, Failure, NewContact};
use crate::clock::{self, SharedClock};
use crate::contact::{ContactId, ContactUpdate, Mobile};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::trace;

/// The circuit, and the metrics that show it.
pub(super) struct Circuit {
    breaker: Mutex<Breaker>,
    metrics: Arc<Metrics>,
}

impl Circuit {
    /// A closed one; so many requests are open at once.
    pub(super) fn new(concurrency: usize, metrics: Arc<Metrics>) -> Self {
        for state in State::ALL {
            metrics.circuit_transitions_total.with_label_values(&[state.as_str()]);
        }
        let circuit = Self { breaker: Mutex::new(Breaker::new(concurrency)), metrics };
        circuit.show(State::Closed);
        circuit
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, now: State) {
        for state in State::ALL {
            let gauge = self.metrics.circuit_state.with_label_values(&[state.as_str()]);
            gauge.set(i64::from(*state == now));
        }
    }

    /// The breaker may have changed, which was like this before.
    fn note(&self, breaker: &Breaker, before: State) {
        let now = breaker.state();
        if now != before {
            self.show(now);
            self.metrics.circuit_transitions_total.with_label_values(&[now.as_str()]).inc();
        }
    }
}

/// The API, watched.
pub(super) struct Watched {
    api: Arc<dyn Api>,
    pauses: Arc<Pauses>,
    clock: SharedClock,
    confirmation: Confirmation,
    circuit: Circuit,
    hasher: RandomState,
}

impl Watched {
    pub(super) fn new(
        api: Arc<dyn Api>,
        pauses: &Arc<Pauses>,
        clock: &SharedClock,
        confirmation: Confirmation,
        circuit: Circuit,
    ) -> Self {
        let (pauses, clock) = (Arc::clone(pauses), Arc::clone(clock));
        Self { api, pauses, clock, confirmation, circuit, hasher: RandomState::new() }
    }

    fn note<T>(&self, contact: &str, answer: &Result<T, Failure>) {
        let Some(sign) = Sign::of(answer) else { return };
        let contact = self.hasher.hash_one(contact);
        self.change(|breaker, now| breaker.answered(contact, sign, now));
    }

    fn wait(&self) -> Option<Duration> {
        self.circuit.breaker().wait()
    }

    /// Under one lock, so that circuit and pause never tell different things.
    fn change(&self, change: impl FnOnce(&mut Breaker, Duration) -> Option<Change>) {
        let mut breaker = self.circuit.breaker();
        let before = breaker.state();
        let changes = change(&mut breaker, self.clock.monotonic());
        self.circuit.note(&breaker, before);
        match changes {
            Some(Change::Opens) => self.pauses.pause(PauseReason::CircuitOpen),
            Some(Change::Closes) => self.pauses.resume(PauseReason::CircuitOpen),
            None => {}
        }
    }

    /// For as long as it runs: while the circuit is open, tries something harmless now and then, never before the
    /// API's own `gate` opens.
    pub(super) async fn watch_the_circuit(&self, gate: &Gate) {
        let open = PauseReason::CircuitOpen;
        loop {
            self.pauses.begun_for(open).await;
            while let Some(wait) = self.wait() {
                let rest = async {
                    clock::sleep(&*self.clock, wait).await;
                    gate.opened().await;
                };
                tokio::select! {
                    () = rest => {}
                    // Closed by an answer that was still on its way, or by a person.
                    () = self.pauses.over_for(open) => break,
                }
                self.change(|breaker, _| {
                    breaker.tries();
                    None
                });
                let answer = self.api.probe().await;
                if let Err(failure) = &answer {
                    tracing::debug!(outcome = failure.label(), "the API was tried");
                }
                let sign = Sign::of(&answer).unwrap_or(Sign::Fails);
                self.change(|breaker, now| breaker.tried(sign, now));
            }
            self.change(
                |breaker, now| {
                    if self.pauses.is_paused_for(open) { None } else { breaker.close(now) }
                },
            );
        }
    }
}

#[async_trait]
impl Api for Watched {
    async fn update(&self, id: &ContactId, update: &ContactUpdate) -> Result<Contact, Failure> {
        let answer = traced("PUT /contacts/{id}", self.api.update(id, update)).await;
        self.note(id.as_str(), &answer);
        if let Ok(contact) = &answer {
            self.confirmation.compare(update, contact);
        }
        answer
    }

    async fn find_by_mobile(&self, mobile: &Mobile) -> Result<Vec<Contact>, Failure> {
        let answer = traced(FIND, self.api.find_by_mobile(mobile)).await;
        self.note(mobile.as_str(), &answer);
        answer
    }

    async fn find_by_attribute(&self, name: &str, value: &str) -> Result<Vec<Contact>, Failure> {
        let answer = traced(FIND, self.api.find_by_attribute(name, value)).await;
        self.note(value, &answer);
        answer
    }

    async fn create(&self, contact: &NewContact) -> Result<Vec<Contact>, Failure> {
        let answer = traced("POST /contacts", self.api.create(contact)).await;
        self.note(contact.mobile.as_str(), &answer);
        answer
    }

    async fn probe(&self) -> Result<(), Failure> {
        traced(FIND, self.api.probe()).await
    }
}

const FIND: &str = "GET /contacts";

/// A call with a span of its own in the trace that it belongs to.
async fn traced<T>(
    name: &'static str,
    call: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let step = trace::call(name);
    let answer = call.await;
    if let Err(failure) = &answer {
        step.fail();
        step.say("outcome", failure.label());
        if let Some(status) = failure.status() {
            step.say("http.response.status_code", status);
        }
    }
    answer
}

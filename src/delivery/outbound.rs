//! The only way out: every request waits here for its turn, and finds out here that none may be sent.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use super::Api;
use super::gate::Gate;
use super::limiter::Limiter;
use super::outcome;
use super::pause::Pauses;
use super::peers::Peers;
use super::settings::Policy;
use super::tally::Tally;
use crate::chatflow::Failure;
use crate::clock::SharedClock;
use crate::telemetry::trace;

/// A request to the API on its way.
pub(super) type Call<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// Why there is no answer to use.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// Nothing was sent: delivery stops, is paused, or the API asked everybody to wait.
    NotSent,
    /// It was sent and failed.
    Failed(Failure),
}

/// What all requests share: how many go out at once, how fast, and whether any may.
pub(super) struct Outbound {
    pub(super) api: Arc<dyn Api>,
    pub(super) pauses: Arc<Pauses>,
    pub(super) gate: Gate,
    pub(super) peers: Option<Arc<Peers>>,
    limiter: Option<Limiter>,
    permits: Semaphore,
    tally: Arc<Tally>,
    stop: CancellationToken,
    clock: SharedClock,
}

impl Outbound {
    pub(super) fn new(
        api: Arc<dyn Api>,
        pauses: Arc<Pauses>,
        peers: Option<Arc<Peers>>,
        policy: &Policy,
        clock: SharedClock,
        tally: Arc<Tally>,
        stop: CancellationToken,
    ) -> Self {
        let gate = Gate::new(Arc::clone(&clock));
        let all = peers.as_ref().map(|peers| Arc::clone(&peers.store));
        let limiter = policy.gap.map(|gap| Limiter::new(gap, all, Arc::clone(&clock)));
        let permits = Semaphore::new(policy.concurrency);
        Self { api, pauses, gate, peers, limiter, permits, tally, stop, clock }
    }

    /// Whether a request may go out now, as far as can be said without waiting.
    pub(super) fn is_open(&self) -> bool {
        !self.stop.is_cancelled() && self.pauses.lets_pass() && self.gate.closed_for().is_none()
    }

    /// Waits until requests may go out.
    pub(super) async fn opened(&self) {
        while self.pauses.is_paused() || self.gate.closed_for().is_some() {
            self.pauses.over().await;
            self.gate.opened().await;
        }
    }

    /// Sends a request when its turn has come; once more at once where an old connection was the reason it failed.
    pub(super) async fn send<'a, T>(
        &self,
        call: impl Fn() -> Call<'a, T>,
    ) -> Result<T, Unanswered> {
        self.send_by(Duration::MAX, call).await
    }

    /// The same, unless its turn comes later than `latest` on the clock's monotonic time.
    pub(super) async fn send_by<'a, T>(
        &self,
        latest: Duration,
        call: impl Fn() -> Call<'a, T>,
    ) -> Result<T, Unanswered> {
        let waiting = trace::step("wait for a turn");
        let turn = self.stop.run_until_cancelled(self.turn()).await.flatten();
        drop(waiting);
        let in_time = self.clock.monotonic() <= latest;
        let Some(_turn) = turn.filter(|_| in_time && self.is_open()) else {
            return Err(Unanswered::NotSent);
        };
        match call().await {
            Err(failure) if outcome::is_worth_another_go(&failure) => call().await,
            answered => answered,
        }
        .map_err(Unanswered::Failed)
    }

    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        let permit = self.permits.acquire().await.ok()?;
        if let Some(limiter) = self.limiter.as_ref().filter(|_| self.is_open()) {
            let waited = limiter.turn().await;
            self.tally.waited_for_the_pace(waited);
        }
        Some(permit)
    }
}

//! What one process does for all while it runs: delete what has come of age, and history where room is scarce.
//!
//! Whoever comes first does it, in small transactions; the others find it being done. Each reads its own key file.

use std::sync::Arc;
use std::time::Duration;

use super::core::Core;
use super::pool::scattered;
use super::retention::Round;
use super::transaction::transacted;
use crate::store::Error;
use crate::store::form::ages::Lists;
use crate::store::form::state::outcome_word;

/// How often to look whether something has come of age, by the store's clock.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// How often the log says that history is deleted before its time.
const SAY_EVERY: Duration = Duration::from_hours(1);

/// How long to rest between two transactions, so that others come first.
const REST: Duration = Duration::from_millis(2);

/// How long to wait after an error.
const AGAIN: Duration = Duration::from_secs(5);

impl Core {
    /// Keeps the house until the store is closed.
    pub(super) async fn keep_house(self: Arc<Self>) {
        let mut lists = Lists::new(self.settings.retention.clone());
        let mut said: Option<Duration> = None;
        // A start has better to do.
        let mut looked = self.clock.monotonic();
        loop {
            let waited = self.clock.monotonic().saturating_sub(looked);
            let timed = async {
                let left = LOOK_EVERY.saturating_sub(waited);
                if !left.is_zero() {
                    crate::clock::sleep(&*self.clock, left).await;
                }
            };
            tokio::select! {
                () = self.closing.cancelled() => return,
                () = timed => {}
                () = self.scarce.notified() => {}
            }
            looked = self.clock.monotonic();
            let done = tokio::select! {
                () = self.closing.cancelled() => return,
                done = self.clean(&mut lists, &mut said) => done,
            };
            if let Err(error) = done {
                tracing::warn!(%error, "what has come of age could not be deleted");
                tokio::time::sleep(scattered(AGAIN)).await;
            }
        }
    }

    /// Deletes all that has come of age.
    async fn clean(&self, lists: &mut Lists, said: &mut Option<Duration>) -> Result<(), Error> {
        let clock = self.clock.monotonic();
        let sources = transacted!(self.pool, |transaction| transaction.sources().await);
        lists.look(sources?, clock);
        loop {
            let scarce = transacted!(self.pool, |transaction| {
                Ok(self.is_scarce(self.filled(transaction).await?.used))
            })?;
            let round = self.round(lists, scarce).await?;
            if let Some((at, place)) = round.reached {
                lists.reached(at, place);
            }
            let is_time = said.is_none_or(|said| clock.saturating_sub(said) >= SAY_EVERY);
            if scarce && !round.removed.is_empty() && is_time {
                *said = Some(clock);
                tracing::warn!(
                    "`store.max_size` is near: history is deleted before its time, dead letters are kept"
                );
            }
            self.tell_removed(&round, scarce);
            if round.is_done {
                return Ok(());
            }
            tokio::time::sleep(REST).await;
        }
    }

    /// Whether history has to make room: from four fifths of the size on.
    pub(super) const fn is_scarce(&self, used: u64) -> bool {
        used >= self.settings.max_size.0 / 5 * 4
    }

    fn tell_removed(&self, round: &Round, scarce: bool) {
        if round.removed.is_empty() {
            return;
        }
        let cause = if scarce { "room" } else { "age" };
        for removed in &round.removed {
            let outcome = outcome_word(removed.outcome).unwrap_or("taken");
            self.metrics.retention_deleted_total.with_label_values(&[outcome, cause]).inc();
            let expired = self.metrics.updates_finished_total.with_label_values(&["expired"]);
            expired.inc_by(removed.expired);
        }
        let count = u32::try_from(round.removed.len()).unwrap_or(u32::MAX);
        let batch = self.metrics.store_batch_operations.with_label_values(&["retain"]);
        batch.observe(f64::from(count));
    }
}

//! When the API asks for a pause, nobody sends until it is over.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::{self, SharedClock};

/// Closed for as long as the API asked to wait; shared by all who send.
pub(super) struct Gate {
    clock: SharedClock,
    opens: Mutex<Duration>,
    closing: Notify,
}

impl Gate {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self { clock, opens: Mutex::new(Duration::ZERO), closing: Notify::new() }
    }

    /// Keeps it closed for this long from now; never opens earlier than was said before.
    pub(super) fn close_for(&self, time: Duration) {
        let until = self.clock.monotonic().saturating_add(time);
        let mut opens = self.opens.lock().unwrap_or_else(PoisonError::into_inner);
        if until > *opens {
            *opens = until;
            self.closing.notify_one();
        }
    }

    /// Keeps it closed for this long from now, as another process has heard: no news to tell.
    pub(super) fn hear(&self, time: Duration) {
        let until = self.clock.monotonic().saturating_add(time);
        let mut opens = self.opens.lock().unwrap_or_else(PoisonError::into_inner);
        *opens = until.max(*opens);
    }

    /// Returns when it has been closed, or for longer than before; for one who waits.
    pub(super) async fn closing(&self) {
        self.closing.notified().await;
    }

    /// How long it stays closed; nothing if it is open.
    pub(super) fn closed_for(&self) -> Option<Duration> {
        let opens = *self.opens.lock().unwrap_or_else(PoisonError::into_inner);
        opens.checked_sub(self.clock.monotonic()).filter(|left| !left.is_zero())
    }

    /// Waits until it is open.
    pub(super) async fn opened(&self) {
        while let Some(left) = self.closed_for() {
            clock::sleep(&*self.clock, left).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use jiff::Timestamp;
    use std::sync::Arc;

    fn shared(clock: &Arc<ManualClock>) -> SharedClock {
        Arc::<ManualClock>::clone(clock)
    }

    #[tokio::test]
    async fn the_longest_wait_that_was_asked_for_counts() {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let gate = Gate::new(shared(&clock));
        gate.opened().await;

        gate.close_for(Duration::from_secs(30));
        gate.close_for(Duration::from_secs(5));
        clock.advance(Duration::from_secs(29));
        assert_eq!(gate.closed_for(), Some(Duration::from_secs(1)));
        clock.advance(Duration::from_secs(1));

        gate.opened().await;
    }
}

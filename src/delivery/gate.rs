//! When the API asks for a pause, nobody sends until it is over.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::{self, SharedClock};

/// Closed for as long as the API asked to wait; shared by all who send.
pub(super) struct Gate {
    clock: SharedClock,
    state: Mutex<State>,
    closing: Notify,
}

#[derive(Default)]
struct State {
    opens: Duration,
    /// Until when it was closed here, which other processes have not been told.
    untold: Option<Duration>,
}

impl Gate {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self { clock, state: Mutex::default(), closing: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps it closed for this long from now; never opens earlier than was said before.
    pub(super) fn close_for(&self, time: Duration) {
        let until = self.clock.monotonic().saturating_add(time);
        let mut state = self.state();
        if until > state.opens {
            (state.opens, state.untold) = (until, Some(until));
            self.closing.notify_one();
        }
    }

    /// For how long it was closed here since this was asked last: to be told to other processes, once. What was heard of
    /// them is not told again, or all would tell each other for ever.
    pub(super) fn untold(&self) -> Option<Duration> {
        let until = self.state().untold.take()?;
        until.checked_sub(self.clock.monotonic()).filter(|left| !left.is_zero())
    }

    /// It could not be told.
    pub(super) fn not_told(&self, time: Duration) {
        self.state().untold = Some(self.clock.monotonic().saturating_add(time));
    }

    /// Keeps it closed for this long from now, as another process has heard: no news to tell.
    pub(super) fn hear(&self, time: Duration) {
        let until = self.clock.monotonic().saturating_add(time);
        let mut state = self.state();
        state.opens = until.max(state.opens);
    }

    /// Returns when it has been closed, or for longer than before; for one who waits.
    pub(super) async fn closing(&self) {
        self.closing.notified().await;
    }

    /// How long it stays closed; nothing if it is open.
    pub(super) fn closed_for(&self) -> Option<Duration> {
        let opens = self.state().opens;
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

    #[test]
    fn what_was_heard_is_not_told_again_and_what_was_found_is_told_once() {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let gate = Gate::new(shared(&clock));
        let seconds = Duration::from_secs;

        gate.hear(seconds(30));
        assert_eq!((gate.untold(), gate.closed_for()), (None, Some(seconds(30))));
        gate.close_for(seconds(20));
        assert_eq!(gate.untold(), None, "nobody need hear of what is over before");
        gate.close_for(seconds(60));
        clock.advance(seconds(10));
        assert_eq!(gate.untold(), Some(seconds(50)));
        assert_eq!(gate.untold(), None);
        gate.not_told(seconds(50));
        assert_eq!(gate.untold(), Some(seconds(50)));
    }
}

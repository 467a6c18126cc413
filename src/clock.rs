//! What time it is, so that nothing else has to ask the machine.
//!
//! [`SystemClock`] is the machine's; [`ManualClock`] stands still until a test moves it. [`sleep`] waits by
//! either, so that a test moves through hours without waiting.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

/// Tells the time, and tells those who wait for a moment when the clock was moved by hand.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock's time.
    fn now(&self) -> Timestamp;

    /// Time gone by since some moment in the past: it never goes back, whatever happens to the wall clock.
    fn monotonic(&self) -> Duration {
        Duration::try_from(self.now().duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default()
    }

    /// Has `moved` called whenever the time jumps; the machine's clock never calls it.
    fn on_jump(&self, moved: Box<dyn Fn() + Send + Sync>);

    /// Wakes whoever waits on it when the time jumps; nothing for a clock that never jumps.
    fn jumps(&self) -> Option<Arc<Notify>>;
}

/// A clock that several parts share.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }

    fn on_jump(&self, _moved: Box<dyn Fn() + Send + Sync>) {}

    fn jumps(&self) -> Option<Arc<Notify>> {
        None
    }
}

/// A clock that a test moves.
pub struct ManualClock {
    now: Mutex<Timestamp>,
    /// By how much the wall clock has been set.
    set: Mutex<SignedDuration>,
    listeners: Mutex<Vec<Box<dyn Fn() + Send + Sync>>>,
    jumped: Arc<Notify>,
}

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn at(start: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            now: Mutex::new(start),
            set: Mutex::new(SignedDuration::ZERO),
            listeners: Mutex::new(Vec::new()),
            jumped: Arc::new(Notify::new()),
        })
    }

    /// Moves the clock forward and wakes whoever waits for a moment.
    pub fn advance(&self, by: Duration) {
        {
            let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
            *now = now.saturating_add(by).unwrap_or(Timestamp::MAX);
        }
        for moved in self.listeners.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            moved();
        }
        self.jumped.notify_waiters();
    }

    /// Sets the wall clock forward or back, as somebody does with a machine's: no time goes by.
    pub fn set(&self, by: SignedDuration) {
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        *set = set.saturating_add(by);
    }

    fn gone(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        let set = *self.set.lock().unwrap_or_else(PoisonError::into_inner);
        self.gone().saturating_add(set).unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        Duration::try_from(self.gone().duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default()
    }

    fn on_jump(&self, moved: Box<dyn Fn() + Send + Sync>) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(moved);
    }

    fn jumps(&self) -> Option<Arc<Notify>> {
        Some(Arc::clone(&self.jumped))
    }
}

/// Waits until `clock` has gone on by `time`. The machine's clock being set back or forward does not matter.
pub async fn sleep(clock: &dyn Clock, time: Duration) {
    let Some(jumps) = clock.jumps() else { return tokio::time::sleep(time).await };
    let until = clock.monotonic().saturating_add(time);
    loop {
        let jumped = jumps.notified();
        tokio::pin!(jumped);
        jumped.as_mut().enable();
        if clock.monotonic() >= until {
            return;
        }
        jumped.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_manual_clock_moves_only_when_told_and_says_so() {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let jumps = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&jumps);
        clock.on_jump(Box::new(move || {
            seen.fetch_add(1, Ordering::SeqCst);
        }));

        clock.advance(Duration::from_secs(90));

        assert_eq!(clock.now().as_second(), 90);
        assert_eq!(jumps.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn who_sleeps_by_a_manual_clock_wakes_when_it_has_been_moved_far_enough() {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let sleeper = sleep(&*clock, Duration::from_mins(1));
        tokio::pin!(sleeper);

        assert!(futures_util::poll!(sleeper.as_mut()).is_pending());
        clock.advance(Duration::from_secs(59));
        assert!(futures_util::poll!(sleeper.as_mut()).is_pending());
        clock.advance(Duration::from_secs(1));

        sleeper.await;
    }
}

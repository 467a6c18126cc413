//! The outbound pace: so many requests a second, evenly.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{self, SharedClock};

/// How far a late timer may be caught up, so that the pace is held although timers are coarse.
const SLACK: Duration = Duration::from_millis(20);

/// Hands out moments to send at, a fixed time apart.
pub(super) struct Limiter {
    clock: SharedClock,
    gap: Duration,
    next: Mutex<Duration>,
}

impl Limiter {
    pub(super) fn new(gap: Duration, clock: SharedClock) -> Self {
        Self { clock, gap, next: Mutex::new(Duration::ZERO) }
    }

    /// Waits for the next moment to send at; how long that was. Who stops waiting leaves its moment unused.
    pub(super) async fn turn(&self) -> Duration {
        let now = self.clock.monotonic();
        let moment = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let moment = (*next).max(now.saturating_sub(SLACK));
            *next = moment.saturating_add(self.gap);
            moment
        };
        let wait = moment.saturating_sub(now);
        if !wait.is_zero() {
            clock::sleep(&*self.clock, wait).await;
        }
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use futures_util::poll;
    use jiff::Timestamp;
    use std::sync::Arc;

    fn shared(clock: &Arc<ManualClock>) -> SharedClock {
        Arc::<ManualClock>::clone(clock)
    }

    #[tokio::test]
    async fn requests_go_out_a_gap_apart() {
        let clock = ManualClock::at(Timestamp::from_second(1_000).unwrap());
        let limiter = Limiter::new(Duration::from_secs(10), shared(&clock));

        assert_eq!(limiter.turn().await, Duration::ZERO);
        let (second, third) = (limiter.turn(), limiter.turn());
        tokio::pin!(second, third);
        assert!(poll!(second.as_mut()).is_pending());
        assert!(poll!(third.as_mut()).is_pending());
        clock.advance(Duration::from_secs(10));
        assert!(poll!(second.as_mut()).is_ready());
        assert!(poll!(third.as_mut()).is_pending());
        clock.advance(Duration::from_secs(10));

        assert!(third.await >= Duration::from_secs(20).saturating_sub(SLACK));
    }
}

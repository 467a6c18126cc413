//! The outbound pace: so many requests a second, evenly.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::clock::{self, SharedClock};
use crate::store::Replicas;

/// How far a late timer may be caught up, so that the pace is held although timers are coarse.
const SLACK: Duration = Duration::from_millis(20);

/// How much of the pace a process reserves at a time where several share it.
const AHEAD: Duration = Duration::from_millis(100);

/// How long to wait before moments are reserved again where that failed.
const AFTER_A_FAILURE: Duration = Duration::from_secs(1);

/// Hands out moments to send at, a fixed time apart; where several processes send, those of all of them are.
pub(super) struct Limiter {
    clock: SharedClock,
    gap: Duration,
    all: Option<Arc<dyn Replicas>>,
    /// The next moment, and how many are this process's own from there on.
    next: Mutex<(Duration, u32)>,
}

impl Limiter {
    pub(super) fn new(gap: Duration, all: Option<Arc<dyn Replicas>>, clock: SharedClock) -> Self {
        Self { clock, gap, all, next: Mutex::new((Duration::ZERO, 0)) }
    }

    /// Waits for the next moment to send at; how long that was. Who stops waiting leaves its moment unused.
    pub(super) async fn turn(&self) -> Duration {
        let began = self.clock.monotonic();
        let moment = match &self.all {
            None => self.own().await,
            Some(all) => self.shared(&**all).await,
        };
        let wait = moment.saturating_sub(began);
        let rest = moment.saturating_sub(self.clock.monotonic());
        if !rest.is_zero() {
            clock::sleep(&*self.clock, rest).await;
        }
        wait
    }

    async fn own(&self) -> Duration {
        let mut next = self.next.lock().await;
        let moment = next.0.max(self.clock.monotonic().saturating_sub(SLACK));
        next.0 = moment.saturating_add(self.gap);
        moment
    }

    async fn shared(&self, all: &dyn Replicas) -> Duration {
        let mut next = self.next.lock().await;
        // Moments that went by unused are not made up for.
        let is_late = next.0.saturating_add(SLACK + AHEAD) < self.clock.monotonic();
        if next.1 == 0 || is_late {
            *next = self.reserved(all).await;
        }
        let moment = next.0;
        *next = (moment.saturating_add(self.gap), next.1.saturating_sub(1));
        moment
    }

    async fn reserved(&self, all: &dyn Replicas) -> (Duration, u32) {
        let moments = AHEAD.as_nanos() / self.gap.as_nanos().max(1);
        let moments = u32::try_from(moments).unwrap_or(u32::MAX).max(1);
        loop {
            match all.reserve(moments, self.gap).await {
                Ok(wait) => return (self.clock.monotonic().saturating_add(wait), moments),
                Err(error) => {
                    tracing::debug!(%error, "no moments to send at could be reserved");
                    clock::sleep(&*self.clock, AFTER_A_FAILURE).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use futures_util::poll;
    use jiff::Timestamp;

    fn shared(clock: &Arc<ManualClock>) -> SharedClock {
        Arc::<ManualClock>::clone(clock)
    }

    #[tokio::test]
    async fn requests_go_out_a_gap_apart() {
        let clock = ManualClock::at(Timestamp::from_second(1_000).unwrap());
        let limiter = Limiter::new(Duration::from_secs(10), None, shared(&clock));

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

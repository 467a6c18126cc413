//! When a sender should come again that found the store full: told by how fast it empties.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::telemetry::metrics::Metrics;

/// One in so many places has to be free: who comes for a single one finds it taken.
const SHARE: f64 = 100.0;
/// The least and the most that is told, in seconds; the most also where nothing empties it.
const LEAST: u64 = 2;
const MOST: u64 = 300;
/// How much a new measurement counts beside the ones before.
const WEIGHT: f64 = 0.2;

/// How many updates come to an end in a second.
#[derive(Debug, Default)]
pub(super) struct Drain {
    /// Updates that had come to an end when it was last measured.
    finished: AtomicU64,
    /// Thousandths of an update in a second.
    rate: AtomicU64,
}

impl Drain {
    /// Measures again, so long after the last time.
    pub(super) fn measure(&self, metrics: &Metrics, since: Duration) {
        let ended =
            |outcome: &str| metrics.updates_finished_total.with_label_values(&[outcome]).get();
        let finished = ["delivered", "skipped", "dead"].map(ended).iter().sum();
        let more = finished - self.finished.swap(finished, Ordering::Relaxed).min(finished);
        let before = self.rate.load(Ordering::Relaxed);
        self.rate.store(averaged(before, more, since), Ordering::Relaxed);
    }

    /// After how many seconds a sender should come again, of a store for so many updates.
    pub(super) fn come_again(&self, capacity: i64) -> u64 {
        come_again(self.rate.load(Ordering::Relaxed), capacity)
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates of updates, far below 2^53 and never negative"
)]
fn averaged(before: u64, more: u64, since: Duration) -> u64 {
    let now = more as f64 * 1000.0 / since.as_secs_f64().max(0.001);
    (before as f64 * (1.0 - WEIGHT) + now * WEIGHT) as u64
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a capacity and a rate, far below 2^53 and never negative; what is too large is capped"
)]
fn come_again(rate: u64, capacity: i64) -> u64 {
    if rate == 0 {
        return MOST;
    }
    let seconds = capacity.max(0) as f64 / SHARE / (rate as f64 / 1000.0);
    (seconds.ceil() as u64).clamp(LEAST, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faster_it_empties_the_sooner_a_sender_may_come_again() {
        for (per_second, capacity, seconds) in [
            (0, 2_000_000, 300),
            (10, 2_000_000, 300),
            (100, 2_000_000, 200),
            (2000, 2_000_000, 10),
            (50_000, 2_000_000, 2),
            (5, 1, 2),
        ] {
            assert_eq!(come_again(per_second * 1000, capacity), seconds, "{per_second}");
        }
    }

    #[test]
    fn the_rate_follows_what_comes_to_an_end() {
        let (metrics, drain) = (Metrics::new().unwrap(), Drain::default());
        for _ in 0..60 {
            metrics.updates_finished_total.with_label_values(&["delivered"]).inc_by(90);
            metrics.updates_finished_total.with_label_values(&["dead"]).inc_by(10);
            drain.measure(&metrics, Duration::from_secs(1));
        }
        assert_eq!(drain.come_again(100_000), 11);
        for _ in 0..60 {
            drain.measure(&metrics, Duration::from_secs(1));
        }
        assert_eq!(drain.come_again(100_000), MOST);
    }
}

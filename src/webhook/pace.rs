//! A budget of so many a minute: a bucket that holds a minute's worth and fills evenly.
//!
//! Kept as one number, the time until which what was taken is paid for (the generic cell rate algorithm), so that
//! taking needs no lock. It reads no clock: whoever asks says what time it is.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const MINUTE: u64 = 60_000_000_000;

/// How much may be taken, and how fast it comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    per_minute: NonZeroU32,
}

impl Rate {
    pub(super) const fn per_minute(per_minute: NonZeroU32) -> Self {
        Self { per_minute }
    }

    /// How long one takes to come back, in nanoseconds; rounded up, so that it is never more than was said.
    fn interval(self) -> u64 {
        MINUTE.div_ceil(u64::from(self.per_minute.get()))
    }
}

/// What is left of a budget. Full at the start.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    /// Nanoseconds; what was taken is paid for by then.
    paid_by: AtomicU64,
}

impl Bucket {
    /// Takes one, if there is one; else how long until there is.
    pub(super) fn take(&self, rate: Rate, now: Duration) -> Result<(), Duration> {
        let mut wait = Duration::ZERO;
        let pay = |paid_by: u64| match left(rate, paid_by, now) {
            Ok(from) => Some(from.saturating_add(rate.interval())),
            Err(left) => {
                wait = left;
                None
            }
        };
        let paid = self.paid_by.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay);
        paid.map(|_| ()).map_err(|_| wait)
    }

    /// Whether there is one to take; else how long until there is.
    pub(super) fn has_one(&self, rate: Rate, now: Duration) -> Result<(), Duration> {
        left(rate, self.paid_by.load(Ordering::Relaxed), now).map(|_| ())
    }

    /// Whether nothing of it is used.
    pub(super) fn is_full(&self, now: Duration) -> bool {
        u128::from(self.paid_by.load(Ordering::Relaxed)) <= now.as_nanos()
    }
}

/// From when the next one has to be paid for, if there is one; else how long until there is.
fn left(rate: Rate, paid_by: u64, now: Duration) -> Result<u64, Duration> {
    let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
    let from = paid_by.max(now);
    let most = rate.interval().saturating_mul(u64::from(rate.per_minute.get()) - 1);
    match (from - now).checked_sub(most) {
        None | Some(0) => Ok(from),
        Some(wait) => Err(Duration::from_nanos(wait)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(per_minute: u32) -> Rate {
        Rate::per_minute(NonZeroU32::new(per_minute).unwrap())
    }

    #[test]
    fn a_minutes_worth_may_be_taken_at_once_and_comes_back_evenly() {
        let (bucket, rate) = (Bucket::default(), rate(60));
        let at = Duration::from_secs;
        for _ in 0..60 {
            assert_eq!(bucket.take(rate, at(100)), Ok(()));
        }

        assert_eq!(bucket.take(rate, at(100)), Err(at(1)));
        assert_eq!(bucket.has_one(rate, at(100)), Err(at(1)));
        assert_eq!(bucket.take(rate, at(101)), Ok(()));
        assert_eq!(bucket.take(rate, at(101)), Err(at(1)));
        assert!(!bucket.is_full(at(160)));
        assert!(bucket.is_full(at(161)));
    }

    proptest! {
        #[test]
        fn never_more_than_the_budget_is_taken_in_any_time(
            per_minute in 1_u32..3000,
            waits in prop::collection::vec(0_u64..2000, 1..400),
        ) {
            let (bucket, rate) = (Bucket::default(), rate(per_minute));
            let mut now = Duration::from_secs(1);
            let mut taken = Vec::new();
            for wait in waits {
                now += Duration::from_millis(wait);
                if bucket.take(rate, now).is_ok() {
                    taken.push(now);
                }
            }
            for (at, from) in taken.iter().enumerate() {
                for (count, until) in taken[at..].iter().enumerate() {
                    let refilled = until.abs_diff(*from).as_secs_f64() / 60.0 * f64::from(per_minute);
                    let most = f64::from(per_minute) + refilled + 0.001;
                    prop_assert!(f64::from(u32::try_from(count).unwrap() + 1) <= most + 1.0);
                }
            }
        }

        #[test]
        fn who_keeps_to_the_pace_is_never_refused(
            per_minute in 1_u32..6000,
            late in prop::collection::vec(0_u64..5_000_000, 1..300),
        ) {
            let (bucket, rate) = (Bucket::default(), rate(per_minute));
            let mut now = Duration::from_secs(1);
            for late in late {
                now += Duration::from_nanos(rate.interval() + late);
                prop_assert_eq!(bucket.take(rate, now), Ok(()));
            }
        }

        #[test]
        fn the_wait_that_is_told_is_long_enough_and_no_longer(
            per_minute in 1_u32..600,
            taken in 0_u32..600,
        ) {
            let (bucket, rate) = (Bucket::default(), rate(per_minute));
            let now = Duration::from_secs(5);
            for _ in 0..taken {
                if bucket.take(rate, now).is_err() {
                    break;
                }
            }
            if let Err(wait) = bucket.has_one(rate, now) {
                prop_assert!(bucket.has_one(rate, now + wait.saturating_sub(Duration::from_nanos(1))).is_err());
                prop_assert_eq!(bucket.take(rate, now + wait), Ok(()));
            }
        }
    }
}

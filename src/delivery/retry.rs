//! When a failed update is tried again, and when it is given up.
//!
//! Delays grow exponentially with full jitter: a random part of the whole, so that many updates that failed
//! together do not come back together. What counts for giving up is the time an update has been failing,
//! never how long it waited in line.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::units::Span;

/// `delivery.retry.*` of the settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetrySettings {
    /// The longest wait before the second attempt; every later wait may be twice as long.
    pub first_delay: Span,
    /// The longest wait between two attempts.
    pub longest_delay: Span,
    /// The longest wait that the API may ask for with `Retry-After`.
    pub longest_retry_after: Span,
    /// For how long an update may fail before it is given up.
    pub give_up_after: Span,
    /// How many answers that cannot be understood an update may get before it is dead.
    pub unclear_attempts: u32,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            first_delay: Span(Duration::from_secs(1)),
            longest_delay: Span(Duration::from_mins(15)),
            longest_retry_after: Span(Duration::from_mins(15)),
            give_up_after: Span(Duration::from_hours(72)),
            unclear_attempts: 6,
        }
    }
}

/// Retry settings that cannot be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRetry {
    /// No delay: failing updates would be sent without a pause.
    #[error("`delivery.retry.first_delay` is longer than nothing")]
    NoDelay,
    /// The longest delay is the shorter one.
    #[error("`delivery.retry.longest_delay` is not shorter than `delivery.retry.first_delay`")]
    DelaysReversed,
    /// Given up before it could be tried again.
    #[error("`delivery.retry.give_up_after` is not shorter than `delivery.retry.first_delay`")]
    NoPatience,
    /// Not one unclear answer is allowed.
    #[error("`delivery.retry.unclear_attempts` is at least 1")]
    NoUnclearAttempts,
}

/// Chance, handed in so that tests decide it: each call gives a number from 0 up to, not including, 1.
pub type Chance = Arc<dyn Fn() -> f64 + Send + Sync>;

/// The machine's chance.
pub fn machine_chance() -> Chance {
    Arc::new(|| {
        let bits = getrandom::u32().unwrap_or(u32::MAX / 2);
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    })
}

/// Checked retry settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    longest_retry_after: Duration,
    give_up_after: Duration,
    unclear_attempts: u32,
}

impl TryFrom<&RetrySettings> for Backoff {
    type Error = InvalidRetry;

    fn try_from(settings: &RetrySettings) -> Result<Self, Self::Error> {
        if settings.first_delay.0.is_zero() {
            return Err(InvalidRetry::NoDelay);
        }
        if settings.longest_delay < settings.first_delay {
            return Err(InvalidRetry::DelaysReversed);
        }
        if settings.give_up_after < settings.first_delay {
            return Err(InvalidRetry::NoPatience);
        }
        if settings.unclear_attempts == 0 {
            return Err(InvalidRetry::NoUnclearAttempts);
        }
        Ok(Self {
            first: settings.first_delay.0,
            longest: settings.longest_delay.0,
            longest_retry_after: settings.longest_retry_after.0,
            give_up_after: settings.give_up_after.0,
            unclear_attempts: settings.unclear_attempts,
        })
    }
}

impl Backoff {
    /// How long to wait after failed attempt number `attempt` (the first is 1): any part of a span that
    /// doubles with each attempt up to the longest.
    pub fn delay(&self, attempt: u32, chance: &Chance) -> Duration {
        let doubled = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        let doubled = if doubled == 0 { u32::MAX } else { doubled };
        self.first.saturating_mul(doubled).min(self.longest).mul_f64(chance())
    }

    /// For how long nobody sends after the API asked to wait for `retry_after`: that, no longer than the
    /// setting allows, and up to a tenth more (a second at least), so that replicas come back apart.
    pub fn asked_to_wait(&self, retry_after: Duration, chance: &Chance) -> Duration {
        let floor = retry_after.min(self.longest_retry_after);
        floor + (floor / 10).max(Duration::from_secs(1)).mul_f64(chance())
    }

    /// Whether an update that has been failing for so long is given up.
    pub fn is_given_up(&self, failing_for: Duration) -> bool {
        failing_for >= self.give_up_after
    }

    /// How many answers that cannot be understood an update may get.
    pub fn unclear_attempts(&self) -> u32 {
        self.unclear_attempts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn backoff() -> Backoff {
        Backoff::try_from(&RetrySettings::default()).unwrap()
    }

    fn always(part: f64) -> Chance {
        Arc::new(move || part)
    }

    #[test]
    fn delays_double_up_to_the_longest() {
        for (attempt, seconds) in
            [(0, 1), (1, 1), (2, 2), (3, 4), (10, 512), (11, 900), (33, 900), (u32::MAX, 900)]
        {
            let whole = backoff().delay(attempt, &always(1.0));
            assert_eq!(whole, Duration::from_secs(seconds), "after attempt {attempt}");
        }
    }

    #[test]
    fn jitter_is_full_from_nothing_to_the_whole_delay() {
        assert_eq!(backoff().delay(4, &always(0.0)), Duration::ZERO);
        assert_eq!(backoff().delay(4, &always(0.5)), Duration::from_secs(4));
    }

    #[test]
    fn what_the_api_asks_for_is_a_floor_with_a_cap() {
        for (asked, chance, waited) in
            [(30, 0.0, 30.0), (30, 1.0, 33.0), (2, 1.0, 3.0), (86_400, 0.0, 900.0)]
        {
            let wait = backoff().asked_to_wait(Duration::from_secs(asked), &always(chance));
            assert_eq!(wait, Duration::from_secs_f64(waited), "asked for {asked} s");
        }
    }

    #[test]
    fn an_update_is_given_up_by_the_time_it_has_been_failing() {
        assert!(!backoff().is_given_up(Duration::ZERO));
        assert!(!backoff().is_given_up(Duration::from_hours(71)));
        assert!(backoff().is_given_up(Duration::from_hours(72)));
    }

    #[test]
    fn settings_that_cannot_be_meant_are_refused() {
        let settings = RetrySettings::default;
        let seconds = |s| Span(Duration::from_secs(s));
        for (settings, flaw) in [
            (RetrySettings { first_delay: seconds(0), ..settings() }, InvalidRetry::NoDelay),
            (
                RetrySettings { first_delay: seconds(9), longest_delay: seconds(8), ..settings() },
                InvalidRetry::DelaysReversed,
            ),
            (RetrySettings { give_up_after: seconds(0), ..settings() }, InvalidRetry::NoPatience),
            (RetrySettings { unclear_attempts: 0, ..settings() }, InvalidRetry::NoUnclearAttempts),
        ] {
            assert_eq!(Backoff::try_from(&settings), Err(flaw));
        }
    }

    proptest! {
        #[test]
        fn no_delay_is_longer_than_the_longest(attempt: u32, part in 0.0..1.0) {
            prop_assert!(backoff().delay(attempt, &always(part)) <= Duration::from_mins(15));
        }
    }

    #[test]
    fn the_machines_chance_is_from_0_to_1() {
        let chance = machine_chance();

        assert!((0..1000).map(|_| chance()).all(|part| (0.0..1.0).contains(&part)));
    }
}

//! What can be set about delivery and about finding contacts, and the checked values made of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::retry::{Backoff, InvalidRetry, RetrySettings};
use crate::event::SourceName;
use crate::store::AfterDead;
use crate::units::Span;

/// `delivery.*` of the settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliverySettings {
    /// Requests to the API at once.
    pub concurrency: usize,
    /// Requests to the API a second, all together; without it as many as come.
    pub rate_per_second: Option<f64>,
    /// Whether updates of one contact that wait for each other go in one request.
    pub coalesce: bool,
    /// What a dead update means for those behind it.
    pub after_dead: AfterDead,
    /// When a failed update is tried again.
    pub retry: RetrySettings,
}

impl Default for DeliverySettings {
    fn default() -> Self {
        Self {
            concurrency: 16,
            rate_per_second: None,
            coalesce: true,
            after_dead: AfterDead::Continue,
            retry: RetrySettings::default(),
        }
    }
}

/// `contact.*` of the settings: how contacts are found by mobile number or attribute.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContactSettings {
    /// For how long a contact that was found is taken to be the same.
    pub cache_ttl: Span,
    /// How many contacts are remembered at most; 0 remembers none.
    pub cache_entries: usize,
    /// For how long a contact that is not there is looked for.
    pub wait: Span,
}

impl Default for ContactSettings {
    fn default() -> Self {
        Self {
            cache_ttl: Span(Duration::from_mins(10)),
            cache_entries: 100_000,
            wait: Span(Duration::from_mins(15)),
        }
    }
}

/// Settings that cannot be meant.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidDelivery {
    /// No request at a time, or more than the machine has connections for.
    #[error("`delivery.concurrency` is from 1 to {MOST_AT_ONCE}, found {0}")]
    Concurrency(usize),
    /// A rate that is nothing, negative or no number.
    #[error("`delivery.rate_per_second` is a number above 0, found {0}: leave it out for no limit")]
    Rate(f64),
    /// `delivery.retry`.
    #[error(transparent)]
    Retry(#[from] InvalidRetry),
}

/// The most requests at once that can be set.
const MOST_AT_ONCE: usize = 1024;

/// For how long updates may be claimed ahead where a pace is set.
const A_WHILE: Duration = Duration::from_mins(1);

/// Which sources guard against older events.
#[derive(Clone)]
pub(super) struct Guards(Arc<dyn Fn(&SourceName) -> bool + Send + Sync>);

impl Guards {
    fn new(guards: impl Fn(&SourceName) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(guards))
    }

    pub(super) fn has(&self, source: &SourceName) -> bool {
        (self.0)(source)
    }
}

impl Default for Guards {
    fn default() -> Self {
        Self::new(|_| false)
    }
}

impl fmt::Debug for Guards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guards")
    }
}

/// Checked settings: what delivery may rely on.
#[derive(Debug, Clone)]
pub struct Policy {
    pub(super) concurrency: usize,
    pub(super) gap: Option<Duration>,
    pub(super) coalesce: bool,
    pub(super) after_dead: AfterDead,
    pub(super) backoff: Backoff,
    pub(super) cache_ttl: Duration,
    pub(super) cache_entries: usize,
    pub(super) wait: Duration,
    pub(super) rest: Duration,
    pub(super) guards: Guards,
}

impl Policy {
    /// Checks what the settings say. `chatflow_timeout` is how long the client waits for an answer: for as
    /// long a contact rests after an attempt that timed out, since that one may still be on its way.
    pub fn new(
        delivery: &DeliverySettings,
        contact: &ContactSettings,
        chatflow_timeout: Duration,
    ) -> Result<Self, InvalidDelivery> {
        if !(1..=MOST_AT_ONCE).contains(&delivery.concurrency) {
            return Err(InvalidDelivery::Concurrency(delivery.concurrency));
        }
        let gap = match delivery.rate_per_second {
            None => None,
            Some(rate) => match Duration::try_from_secs_f64(1.0 / rate) {
                Ok(gap) if rate.is_finite() && rate > 0.0 => Some(gap),
                _ => return Err(InvalidDelivery::Rate(rate)),
            },
        };
        Ok(Self {
            concurrency: delivery.concurrency,
            gap,
            coalesce: delivery.coalesce,
            after_dead: delivery.after_dead,
            backoff: Backoff::try_from(&delivery.retry)?,
            cache_ttl: contact.cache_ttl.0,
            cache_entries: contact.cache_entries,
            wait: contact.wait.0,
            rest: chatflow_timeout,
            guards: Guards::default(),
        })
    }

    /// With sources that guard against older events: what those set is left out where a newer one has set it.
    #[must_use]
    pub fn guarding(self, guards: impl Fn(&SourceName) -> bool + Send + Sync + 'static) -> Self {
        Self { guards: Guards::new(guards), ..self }
    }

    /// How many updates are held at once: claimed, and what became of them not yet on disk. More than are in
    /// flight, so that no request waits for a commit; no more than go out in a while where the pace is slow.
    pub(super) fn window(&self) -> usize {
        let window = (4 * self.concurrency).max(256);
        let paced = self.gap.map_or(u128::MAX, |gap| A_WHILE.as_nanos() / gap.as_nanos().max(1));
        usize::try_from(paced).unwrap_or(usize::MAX).clamp(self.concurrency, window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(delivery: &DeliverySettings) -> Result<Policy, InvalidDelivery> {
        Policy::new(delivery, &ContactSettings::default(), Duration::from_secs(10))
    }

    #[test]
    fn without_settings_the_defaults_of_the_reference_are_in_force() {
        let delivery: DeliverySettings = serde_json::from_str("{}").unwrap();
        let contact: ContactSettings = serde_json::from_str("{}").unwrap();

        assert_eq!(delivery.concurrency, 16);
        assert_eq!(delivery.rate_per_second, None);
        assert_eq!(delivery.retry.give_up_after, Span(Duration::from_hours(72)));
        assert_eq!(delivery.retry.unclear_attempts, 6);
        assert_eq!(contact.wait, Span(Duration::from_mins(15)));
        assert_eq!(policy(&delivery).unwrap().window(), 256);
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(serde_json::from_str::<DeliverySettings>(r#"{"concurency": 4}"#).is_err());
        assert!(serde_json::from_str::<ContactSettings>(r#"{"ttl": "1m"}"#).is_err());
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for concurrency in [0, 1025] {
            let settings = DeliverySettings { concurrency, ..DeliverySettings::default() };
            assert_eq!(policy(&settings).unwrap_err(), InvalidDelivery::Concurrency(concurrency));
        }
        for rate in [0.0, -1.0, f64::INFINITY, 1e-300] {
            let settings =
                DeliverySettings { rate_per_second: Some(rate), ..DeliverySettings::default() };
            assert_eq!(policy(&settings).unwrap_err(), InvalidDelivery::Rate(rate));
        }
    }

    #[test]
    fn the_window_grows_with_the_requests_at_once_and_shrinks_with_the_pace() {
        for (concurrency, rate_per_second, window) in
            [(100, None, 400), (100, Some(1_000.0), 400), (16, Some(2.0), 120), (16, Some(0.1), 16)]
        {
            let settings =
                DeliverySettings { concurrency, rate_per_second, ..DeliverySettings::default() };
            assert_eq!(policy(&settings).unwrap().window(), window, "{settings:?}");
        }
    }
}

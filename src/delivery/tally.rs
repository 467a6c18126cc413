//! What delivery leaves in the metrics.

use std::sync::Arc;
use std::time::Duration;

use super::outcome::{Found, Operation};
use crate::contact::DeadReason;
use crate::event::SourceName;
use crate::store::End;
use crate::telemetry::metrics::Metrics;

/// How a contact was found, or was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolution {
    Found(Found),
    Missing,
    Ambiguous,
}

impl Resolution {
    const ALL: &[Self] = &[
        Self::Found(Found::ById),
        Self::Found(Found::Cached),
        Self::Found(Found::LookedUp),
        Self::Found(Found::Created),
        Self::Missing,
        Self::Ambiguous,
    ];

    /// The `outcome` label of `contact_resolutions_total`.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Found(Found::ById) => "by_id",
            Self::Found(Found::Cached) => "cache",
            Self::Found(Found::LookedUp) => "lookup",
            Self::Found(Found::Created) => "created",
            Self::Missing => "missing",
            Self::Ambiguous => "ambiguous",
        }
    }
}

/// The `reason` labels of attempts put off: what `chatflow::Failure` calls failures that may pass (`rejected` where
/// nothing tells yet whether a 403 is meant for good).
const RETRY_REASONS: &[&str] = &[
    "not_found",
    "rejected",
    "rate_limited",
    "server_error",
    "timeout",
    "connect",
    "invalid_response",
];

/// The words for what became of an update.
const fn word(end: &End) -> Option<&'static str> {
    match end {
        End::Delivered | End::Marking(_) => Some("delivered"),
        End::Skipped(_) => Some("skipped"),
        End::Dead(..) => Some("dead"),
        End::Again { .. } | End::GivenBack { .. } => None,
    }
}

/// Counts.
pub(super) struct Tally(Arc<Metrics>);

impl Tally {
    /// A tally whose series exist from the start.
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        metrics.delivery_latency_seconds.with_label_values::<&str>(&[]);
        metrics.rate_limiter_wait_seconds.with_label_values::<&str>(&[]);
        metrics.panics_total.with_label_values::<&str>(&[]);
        for outcome in ["delivered", "skipped", "dead"] {
            metrics.updates_finished_total.with_label_values(&[outcome]);
        }
        for reason in DeadReason::ALL {
            metrics.dead_letters_total.with_label_values(&[reason.as_str()]);
        }
        for resolution in Resolution::ALL {
            metrics.contact_resolutions_total.with_label_values(&[resolution.label()]);
        }
        for operation in Operation::ALL {
            for reason in RETRY_REASONS {
                metrics.delivery_retries_total.with_label_values(&[operation.as_str(), reason]);
            }
        }
        Self(metrics)
    }

    pub(super) fn resolved(&self, resolution: Resolution) {
        self.0.contact_resolutions_total.with_label_values(&[resolution.label()]).inc();
    }

    pub(super) fn put_off(&self, operation: Operation, reason: &str) {
        self.0.delivery_retries_total.with_label_values(&[operation.as_str(), reason]).inc();
    }

    /// The API took an update this long after its event was received.
    pub(super) fn delivered(&self, latency: Duration) {
        let histogram = self.0.delivery_latency_seconds.with_label_values::<&str>(&[]);
        histogram.observe(latency.as_secs_f64());
    }

    /// An update went in the request of another.
    pub(super) fn merged(&self, source: &SourceName) {
        self.0.updates_coalesced_total.with_label_values(&[source.as_str()]).inc();
    }

    /// What became of an update is recorded.
    pub(super) fn recorded(&self, end: &End) {
        if let Some(word) = word(end) {
            self.0.updates_finished_total.with_label_values(&[word]).inc();
        }
        if let End::Dead(reason, _) = end {
            self.0.dead_letters_total.with_label_values(&[reason.as_str()]).inc();
        }
    }

    /// A request that was ready has waited this long for the outbound pace.
    pub(super) fn waited_for_the_pace(&self, waited: Duration) {
        let histogram = self.0.rate_limiter_wait_seconds.with_label_values::<&str>(&[]);
        histogram.observe(waited.as_secs_f64());
    }

    pub(super) fn panicked(&self) {
        self.0.panics_total.with_label_values::<&str>(&[]).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_series_is_there_from_the_start() {
        let metrics = Arc::new(Metrics::new().unwrap());
        let _tally = Tally::new(Arc::clone(&metrics));

        let page = metrics.page().unwrap();

        for line in [
            "delivery_latency_seconds_count 0",
            "panics_total 0",
            "rate_limiter_wait_seconds_count 0",
            "updates_finished_total{outcome=\"delivered\"} 0",
            "dead_letters_total{reason=\"gave_up\"} 0",
            "contact_resolutions_total{outcome=\"by_id\"} 0",
            "contact_resolutions_total{outcome=\"ambiguous\"} 0",
            "delivery_retries_total{operation=\"create\",reason=\"timeout\"} 0",
        ] {
            assert!(page.contains(&format!("chatflow_bridge_{line}\n")), "{line}");
        }
    }
}

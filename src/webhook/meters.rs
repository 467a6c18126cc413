//! What is counted for one source; every series is there from the start.

use std::time::Duration;

use prometheus::{Histogram, IntCounter};

use super::answer::Status;
use super::planned::Tally;
use super::refusal::Refusal;
use crate::contact::HeldReason;
use crate::mapping::Source;
use crate::telemetry::metrics::{Metrics, UNKNOWN_SOURCE};

/// Outcomes of requests that were not taken in.
const TURNED_AWAY: &[&str] = &["rejected", "shed", "error"];

/// The meters of one source.
pub(super) struct Meters {
    source: Box<str>,
    accepted: IntCounter,
    duration: Histogram,
    mapping: Histogram,
    body: Histogram,
}

impl Meters {
    /// The meters of a source, and a series for everything that may be counted for it.
    pub(super) fn of(source: &Source, metrics: &Metrics) -> Self {
        let name = source.name.as_str();
        for outcome in Status::ALL.iter().map(|status| status.as_str()).chain(TURNED_AWAY.to_vec())
        {
            metrics.intake_requests_total.with_label_values(&[name, outcome]);
        }
        for reason in Refusal::REASONS {
            metrics.intake_rejections_total.with_label_values(&[name, reason]);
        }
        for rule in &source.rules {
            metrics.rule_matches_total.with_label_values(&[name, rule]);
            metrics.updates_enqueued_total.with_label_values(&[name, rule]);
            for reason in HeldReason::ALL {
                metrics.mapping_errors_total.with_label_values(&[name, rule, reason.as_str()]);
            }
        }
        for reason in HeldReason::ALL {
            metrics.dead_letters_total.with_label_values(&[reason.as_str()]);
        }
        metrics.rule_misses_total.with_label_values(&[name]);
        metrics.duplicates_differ_total.with_label_values(&[name]);
        metrics.event_id_missing_total.with_label_values(&[name]);
        Self::named(name, metrics)
    }

    /// The meters of requests that name no source.
    pub(super) fn unknown(metrics: &Metrics) -> Self {
        metrics.intake_requests_total.with_label_values(&[UNKNOWN_SOURCE, "rejected"]);
        metrics.intake_rejections_total.with_label_values(&[UNKNOWN_SOURCE, "unknown_source"]);
        Self::named(UNKNOWN_SOURCE, metrics)
    }

    fn named(name: &str, metrics: &Metrics) -> Self {
        let accepted = Status::Accepted.as_str();
        Self {
            source: name.into(),
            accepted: metrics.intake_requests_total.with_label_values(&[name, accepted]),
            duration: metrics.intake_duration_seconds.with_label_values(&[name]),
            mapping: metrics.mapping_duration_seconds.with_label_values(&[name]),
            body: metrics.intake_body_bytes.with_label_values(&[name]),
        }
    }

    /// A request was answered with this status.
    pub(super) fn taken(&self, status: Status, after: Duration, metrics: &Metrics) {
        if status == Status::Accepted {
            self.accepted.inc();
        } else {
            let labels = [&*self.source, status.as_str()];
            metrics.intake_requests_total.with_label_values(&labels).inc();
        }
        self.duration.observe(after.as_secs_f64());
    }

    /// A request was turned away.
    pub(super) fn refused(&self, refusal: &Refusal, after: Duration, metrics: &Metrics) {
        let labels = [&*self.source, refusal.outcome()];
        metrics.intake_requests_total.with_label_values(&labels).inc();
        if let Some(reason) = refusal.rejection() {
            metrics.intake_rejections_total.with_label_values(&[&*self.source, reason]).inc();
        }
        self.duration.observe(after.as_secs_f64());
    }

    /// A document was mapped in this time.
    pub(super) fn mapped(&self, time: Duration) {
        self.mapping.observe(time.as_secs_f64());
    }

    /// A body of this many bytes was taken in.
    #[expect(clippy::cast_precision_loss, reason = "bodies are far below 2^53 bytes")]
    pub(super) fn body(&self, bytes: usize) {
        self.body.observe(bytes as f64);
    }

    /// An event was stored.
    pub(super) fn stored(&self, tally: &Tally, metrics: &Metrics) {
        let source = &*self.source;
        if tally.is_miss() {
            metrics.rule_misses_total.with_label_values(&[source]).inc();
        }
        for rule in &tally.rules {
            let labels = [source, &*rule.rule];
            metrics.rule_matches_total.with_label_values(&labels).inc();
            if rule.waiting > 0 {
                let waiting = u64::from(rule.waiting);
                metrics.updates_enqueued_total.with_label_values(&labels).inc_by(waiting);
            }
            for reason in rule.held.iter().map(|reason| reason.as_str()) {
                metrics.mapping_errors_total.with_label_values(&[source, &rule.rule, reason]).inc();
                metrics.dead_letters_total.with_label_values(&[reason]).inc();
            }
        }
    }

    /// An event came without the id by which a repeat would be known.
    pub(super) fn without_id(&self, metrics: &Metrics) {
        metrics.event_id_missing_total.with_label_values(&[&*self.source]).inc();
    }

    /// A repeat differs from the first of its id.
    pub(super) fn differs(&self, metrics: &Metrics) {
        metrics.duplicates_differ_total.with_label_values(&[&*self.source]).inc();
    }
}

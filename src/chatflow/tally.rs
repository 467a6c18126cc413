//! What the calls to the API leave in the metrics.

use std::sync::Arc;
use std::time::Instant;

use super::failure::Failure;
use crate::telemetry::metrics::Metrics;

/// The `operation` label: what a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// Reading: a look-up, a contact by id, the settings, a probe.
    Find,
    /// A new contact.
    Create,
    /// A change to a contact.
    Update,
}

impl Operation {
    const ALL: [Self; 3] = [Self::Find, Self::Create, Self::Update];

    const fn label(self) -> &'static str {
        match self {
            Self::Find => "find",
            Self::Create => "create",
            Self::Update => "update",
        }
    }
}

/// Counts calls.
#[derive(Clone)]
pub(super) struct Tally(Arc<Metrics>);

impl Tally {
    /// A tally whose series exist from the start.
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        metrics.delivery_in_flight_requests.with_label_values::<&str>(&[]);
        for operation in Operation::ALL {
            let label = operation.label();
            metrics.delivery_attempts_total.with_label_values(&[label, "ok"]);
            metrics.delivery_attempt_duration_seconds.with_label_values(&[label]);
        }
        Self(metrics)
    }

    /// A call begins; it is open until what is given back is dropped.
    pub(super) fn begin(&self, operation: Operation) -> Call<'_> {
        self.0.delivery_in_flight_requests.with_label_values::<&str>(&[]).inc();
        Call { metrics: &self.0, operation: operation.label(), since: Instant::now() }
    }
}

/// One call that is open.
pub(super) struct Call<'a> {
    metrics: &'a Metrics,
    operation: &'static str,
    since: Instant,
}

impl Call<'_> {
    /// The head of an answer came.
    pub(super) fn answered(&self, status: u16) {
        let code =
            if (100..600).contains(&status) { status.to_string() } else { "other".to_owned() };
        self.metrics.delivery_responses_total.with_label_values(&[self.operation, &code]).inc();
    }

    /// The call came to an end of its own.
    pub(super) fn ended(&self, failure: Option<&Failure>) {
        let outcome = failure.map_or("ok", Failure::label);
        self.metrics.delivery_attempts_total.with_label_values(&[self.operation, outcome]).inc();
        self.metrics
            .delivery_attempt_duration_seconds
            .with_label_values(&[self.operation])
            .observe(self.since.elapsed().as_secs_f64());
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.metrics.delivery_in_flight_requests.with_label_values::<&str>(&[]).dec();
    }
}

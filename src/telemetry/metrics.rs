//! Every metric, its meaning and its labels, in one table.
//!
//! Names carry the prefix `chatflow_bridge_` on the page. Label values come from the configuration (a source, a
//! rule) or from an enum in the code, never from a request; a path that names no source counts under
//! `source="unknown"`.

use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};

/// The content type of the metrics page.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// The `source` label of requests that name no source.
pub const UNKNOWN_SOURCE: &str = "unknown";

const INTAKE_SECONDS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];
const COMMIT_SECONDS: &[f64] =
    &[0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];
const MAPPING_SECONDS: &[f64] = &[0.000_01, 0.000_05, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05];
const ATTEMPT_SECONDS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
const LATENCY_SECONDS: &[f64] =
    &[0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0];
const PACE_SECONDS: &[f64] = &[0.001, 0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0];
const BATCH_OPERATIONS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
const BODY_BYTES: &[f64] = &[256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262_144.0, 1_048_576.0];

macro_rules! metrics {
    ($($field:ident: $kind:ident $(($buckets:expr))? = $help:literal, [$($label:literal),*];)+) => {
        /// Every metric of one bridge; two bridges in one process do not share any.
        pub struct Metrics {
            registry: Registry,
            process: Registry,
            $(#[doc = $help] pub $field: metrics!(@type $kind),)+
        }

        impl Metrics {
            /// Makes and registers all of them.
            pub fn new() -> Result<Self, prometheus::Error> {
                let registry = Registry::new_custom(Some("chatflow_bridge".to_owned()), None)?;
                // A registry of its own: the prefix does not belong before `process_`.
                let process = Registry::new();
                process.register(Box::new(ProcessCollector::for_self()))?;
                $(
                    let $field = metrics!(@make $kind, stringify!($field), $help, [$($label),*] $(, $buckets)?)?;
                    registry.register(Box::new($field.clone()))?;
                )+
                Ok(Self { registry, process, $($field,)+ })
            }

            /// The names, without prefix, for tests that hold documents and dashboards against them.
            pub const NAMES: &[&str] = &[$(stringify!($field),)+];
        }
    };
    (@type counter) => { IntCounterVec };
    (@type gauge) => { IntGaugeVec };
    (@type histogram) => { HistogramVec };
    (@make counter, $name:expr, $help:expr, [$($label:literal),*]) => {
        IntCounterVec::new(Opts::new($name, $help), &[$($label),*])
    };
    (@make gauge, $name:expr, $help:expr, [$($label:literal),*]) => {
        IntGaugeVec::new(Opts::new($name, $help), &[$($label),*])
    };
    (@make histogram, $name:expr, $help:expr, [$($label:literal),*], $buckets:expr) => {
        HistogramVec::new(HistogramOpts::new($name, $help).buckets($buckets.to_vec()), &[$($label),*])
    };
}

metrics! {
    intake_requests_total: counter = "Webhook requests answered.", ["source", "outcome"];
    intake_rejections_total: counter = "Why requests were turned away.", ["source", "reason"];
    intake_duration_seconds: histogram(INTAKE_SECONDS) = "Time from request head to answer, commit included.", ["source"];
    intake_in_flight_requests: gauge = "Requests being handled now.", [];
    intake_connections: gauge = "Connections of senders that are open.", [];
    intake_connections_ended_total: counter = "Connections of senders that the bridge has ended.", ["reason"];
    intake_body_bytes: histogram(BODY_BYTES) = "Size of accepted bodies.", ["source"];
    rule_matches_total: counter = "Events a mapping rule matched.", ["source", "rule"];
    rule_misses_total: counter = "Events no rule of the source matched.", ["source"];
    mapping_errors_total: counter = "Matched events that could not be mapped.", ["source", "rule", "reason"];
    mapping_duration_seconds: histogram(MAPPING_SECONDS) = "Time to match and extract, without I/O.", ["source"];
    mappings_rules: gauge = "Rules loaded.", ["source"];
    duplicates_differ_total: counter = "Repeats whose content differs from the first event of their id.", ["source"];
    event_id_missing_total: counter = "Events without the id that `event.id` looks for: a repeat of them is not known.", ["source"];
    tls_certificate_expiry_timestamp_seconds: gauge = "When the certificate for senders runs out; nothing without TLS.", [];
    tls_reload_successful: gauge = "1 while the TLS files that were seen last are in force, else 0; nothing without TLS.", [];
    source_up: gauge = "0 while the source's secret is missing, else 1.", ["source"];
    updates_enqueued_total: counter = "Contact updates written to the queue.", ["source", "rule"];
    updates_finished_total: counter = "Updates that came to an end.", ["outcome"];
    updates_coalesced_total: counter = "Updates that went in the request of another: requests saved.", ["source"];
    withdrawal_oldest_age_seconds: gauge = "Age of the oldest withdrawal of consent that is not delivered, 0 when there is none.", [];
    queue_updates: gauge = "Updates in the queue.", ["state"];
    queue_capacity_updates: gauge = "Configured limit of the queue.", [];
    queue_oldest_age_seconds: gauge = "Age of the oldest waiting update, 0 when there is none.", ["state"];
    store_commit_duration_seconds: histogram(COMMIT_SECONDS) = "Time of one commit.", [];
    store_batch_operations: histogram(BATCH_OPERATIONS) = "How many of each a commit held.", ["operation"];
    store_errors_total: counter = "Storage failures.", ["operation", "reason"];
    store_size_bytes: gauge = "Size of the store on disk.", [];
    store_size_limit_bytes: gauge = "Configured limit of the store's size.", [];
    store_free_bytes: gauge = "Free bytes on the disk of the store.", [];
    retention_deleted_total: counter = "Events deleted with all that was kept of them; cause `room` is before their time.", ["outcome", "cause"];
    delivery_attempts_total: counter = "Calls to the Chatflow API.", ["operation", "outcome"];
    delivery_responses_total: counter = "API answers by HTTP status code.", ["operation", "code"];
    delivery_attempt_duration_seconds: histogram(ATTEMPT_SECONDS) = "Time of one API call.", ["operation"];
    delivery_latency_seconds: histogram(LATENCY_SECONDS) = "From webhook received to the API's 2xx, for each update.", [];
    delivery_retries_total: counter = "Attempts put off for later.", ["operation", "reason"];
    delivery_unconfirmed_total: counter = "Fields that an answer shows otherwise than they were sent.", ["field"];
    delivery_in_flight_requests: gauge = "API calls open now.", [];
    circuit_state: gauge = "1 for the state that the circuit to the API is in, else 0.", ["state"];
    circuit_transitions_total: counter = "Times that the circuit has come into this state.", ["to"];
    rate_limiter_wait_seconds: histogram(PACE_SECONDS) = "Time a request that was ready waited for `delivery.rate_per_second`.", [];
    replays_total: counter = "Updates that operators had sent or mapped again.", ["outcome"];
    contact_resolutions_total: counter = "How a contact was found.", ["outcome"];
    dead_letters_total: counter = "Updates that became held or dead.", ["reason"];
    ledger_imbalance: gauge = "Events and updates that are unaccounted for; anything but 0 is a fault.", [];
    mappings_info: gauge = "Always 1; the hash of the mappings in force.", ["hash"];
    mappings_reloads_total: counter = "Times that mapping files were loaded.", ["outcome"];
    mappings_last_reload_successful: gauge = "1 while the mapping files that were seen last are in force, else 0.", [];
    mappings_last_reload_success_timestamp_seconds: gauge = "When the mappings in force were loaded.", [];
    replicas: gauge = "Processes that deliver from the same store, this one included.", [];
    replicas_with_other_mappings: gauge = "Of those, how many have other mappings than this one.", [];
    paused: gauge = "1 while delivery is paused for this reason, else 0.", ["reason"];
    trace_spans_total: counter = "Spans that have ended, by what became of them; nothing without tracing.", ["outcome"];
    log_events_dropped_total: counter = "Log lines lost to a slow reader of the log, for the whole process.", [];
    panics_total: counter = "Caught panics.", [];
    build_info: gauge = "Always 1.", ["version", "revision"];
}

impl Metrics {
    /// The page, in Prometheus' text format.
    pub fn page(&self) -> Result<String, prometheus::Error> {
        let dropped = self.log_events_dropped_total.with_label_values::<&str>(&[]);
        dropped.inc_by(super::log::dropped().saturating_sub(dropped.get()));
        let mut families = self.registry.gather();
        families.extend(self.process.gather());
        let mut page = Vec::new();
        TextEncoder::new().encode(&families, &mut page)?;
        Ok(String::from_utf8_lossy(&page).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_the_prefix_on_our_metrics_and_not_on_the_process() {
        let metrics = Metrics::new().unwrap();
        metrics.intake_requests_total.with_label_values(&["typeform", "accepted"]).inc();
        metrics.delivery_latency_seconds.with_label_values::<&str>(&[]).observe(61.0);

        let page = metrics.page().unwrap();

        assert!(page.contains(
            "chatflow_bridge_intake_requests_total{outcome=\"accepted\",source=\"typeform\"} 1"
        ));
        assert!(page.contains("chatflow_bridge_delivery_latency_seconds_bucket{le=\"60\"} 0"));
        assert!(page.contains("\nprocess_cpu_seconds_total"));
        assert!(!page.contains("chatflow_bridge_process_"));
    }
}

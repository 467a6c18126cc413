//! Handing ended spans over to a collector, many at once, in a task of its own.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use super::otlp::{self, Resource};
use super::span::Span;
use super::{TelemetrySettings, Tracer};
use crate::clock::SharedClock;
use crate::telemetry::metrics::Metrics;

/// Spans that are handed over at once, about.
const AT_ONCE: usize = 512;
/// How long spans are gathered before they are handed over.
const GATHER: Duration = Duration::from_secs(1);
/// How often spans are offered to a collector that does not take them.
const TRIES: u32 = 5;
/// The wait before the second try; every later one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait that a collector can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// `telemetry.otlp_endpoint` is no address of a collector.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`telemetry.otlp_endpoint` is not where a collector takes OTLP over HTTP: expected something like `http://collector:4318`"
)]
pub struct InvalidEndpoint;

/// What has ended, on its way to the collector.
pub struct Export {
    spans: Receiver<Vec<Span>>,
    client: reqwest::Client,
    url: reqwest::Url,
    resource: Resource,
    metrics: Arc<Metrics>,
}

/// What came of handing spans over.
enum Handed {
    /// They were taken, but for so many.
    Taken { rejected: u64 },
    /// They were refused for good.
    Refused { status: u16 },
    /// Nobody took them this time.
    NotNow { status: Option<u16>, wait: Duration },
}

impl TelemetrySettings {
    /// Where spans are posted to; nothing where nothing is traced.
    ///
    /// # Errors
    ///
    /// [`InvalidEndpoint`] where it is no URL over HTTP.
    pub fn traces_url(&self) -> Result<Option<reqwest::Url>, InvalidEndpoint> {
        let Some(endpoint) = &self.otlp_endpoint else { return Ok(None) };
        let base = endpoint.trim_end_matches('/').trim_end_matches("/v1/traces");
        let url: reqwest::Url = format!("{base}/v1/traces").parse().map_err(|_| InvalidEndpoint)?;
        let is_right = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if is_right { Ok(Some(url)) } else { Err(InvalidEndpoint) }
    }
}

impl Export {
    /// A tracer, and what hands over what it has traced. `instance` tells this process from others of its kind.
    pub fn new(
        url: reqwest::Url,
        ratio: f64,
        client: reqwest::Client,
        instance: String,
        clock: SharedClock,
        metrics: Arc<Metrics>,
    ) -> (Tracer, Self) {
        for outcome in ["sent", "refused", "unsent", "dropped"] {
            metrics.trace_spans_total.with_label_values(&[outcome]);
        }
        let (tracer, spans) = Tracer::to(clock, Arc::clone(&metrics), ratio);
        (tracer, Self { spans, client, url, resource: Resource { instance }, metrics })
    }

    /// Hands spans over until told to stop, and then what is left, each at most once more.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let mut batch = Vec::new();
            let goes_on =
                stop.run_until_cancelled(self.gather(&mut batch)).await.unwrap_or_default();
            if !goes_on {
                while batch.len() < AT_ONCE
                    && let Ok(spans) = self.spans.try_recv()
                {
                    batch.extend(spans);
                }
            }
            if batch.is_empty() {
                return;
            }
            self.hand_over(&batch, &stop).await;
        }
    }

    /// Waits for spans and for some more; `false` where none come any more.
    async fn gather(&mut self, batch: &mut Vec<Span>) -> bool {
        let Some(first) = self.spans.recv().await else { return false };
        batch.extend(first);
        let more = async {
            while batch.len() < AT_ONCE {
                let Some(spans) = self.spans.recv().await else { return false };
                batch.extend(spans);
            }
            true
        };
        tokio::time::timeout(GATHER, more).await.unwrap_or(true)
    }

    async fn hand_over(&self, spans: &[Span], stop: &CancellationToken) {
        let count = u64::try_from(spans.len()).unwrap_or(u64::MAX);
        let body = otlp::request(&self.resource, spans).to_string();
        let mut backoff = FIRST_WAIT;
        for tried in 1..=TRIES {
            match self.post(body.clone()).await {
                Handed::Taken { rejected } => {
                    self.count("refused", rejected);
                    return self.count("sent", count.saturating_sub(rejected));
                }
                Handed::Refused { status } => {
                    tracing::warn!(status, spans = count, "the collector refuses spans");
                    return self.count("refused", count);
                }
                Handed::NotNow { status, wait } => {
                    if tried == TRIES || stop.is_cancelled() {
                        tracing::warn!(
                            status,
                            spans = count,
                            "spans could not be handed to the collector"
                        );
                        break;
                    }
                    let wait = tokio::time::sleep(backoff.max(wait));
                    stop.run_until_cancelled(wait).await;
                    backoff *= 2;
                }
            }
        }
        self.count("unsent", count);
    }

    async fn post(&self, body: String) -> Handed {
        let request = self.client.post(self.url.clone());
        let sent = request.header(CONTENT_TYPE, "application/json").body(body).send().await;
        let Ok(answer) = sent else {
            return Handed::NotNow { status: None, wait: Duration::ZERO };
        };
        let status = answer.status();
        if status.is_success() {
            let said = answer.bytes().await.unwrap_or_default();
            return Handed::Taken { rejected: otlp::rejected(&said) };
        }
        // Those that the protocol calls retryable.
        let is_for_now = matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        );
        if !is_for_now {
            return Handed::Refused { status: status.as_u16() };
        }
        let asked = answer.headers().get(RETRY_AFTER).and_then(|text| text.to_str().ok());
        let seconds = asked.and_then(|text| text.parse().ok()).unwrap_or_default();
        let wait = Duration::from_secs(seconds).min(LONGEST_WAIT);
        Handed::NotNow { status: Some(status.as_u16()), wait }
    }

    fn count(&self, outcome: &str, spans: u64) {
        self.metrics.trace_spans_total.with_label_values(&[outcome]).inc_by(spans);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_where_a_collector_takes_otlp_over_http() {
        for (endpoint, url) in [
            ("http://collector:4318", Some("http://collector:4318/v1/traces")),
            ("http://collector:4318/", Some("http://collector:4318/v1/traces")),
            ("http://collector:4318/v1/traces", Some("http://collector:4318/v1/traces")),
            ("https://otlp.example.com/in", Some("https://otlp.example.com/in/v1/traces")),
            ("collector:4318", None),
            ("grpc://collector:4317", None),
            ("http://collector:4318?key=1", None),
            ("http://somebody:secret@collector:4318", None),
            ("", None),
        ] {
            let otlp_endpoint = Some(endpoint.to_owned());
            let settings = TelemetrySettings { otlp_endpoint, ..TelemetrySettings::default() };
            let expected = url.map(|url| Some(url.parse().unwrap())).ok_or(InvalidEndpoint);
            assert_eq!(settings.traces_url(), expected, "{endpoint}");
        }
        assert_eq!(TelemetrySettings::default().traces_url(), Ok(None));
    }
}

//! Traces on their way out: the client that reaches the collector, and the task that hands them over.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, ClientBuilder};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::StartError;
use crate::clock::SharedClock;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::trace::{Export, TelemetrySettings, Tracer};

/// How long a collector may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the end of the process may wait for the last spans, where its grace lasts as long.
const FAREWELL: Duration = Duration::from_secs(5);

/// What hands spans over, where anything is traced.
pub(super) struct Traces {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Traces {
    /// A tracer as these settings say, and what hands over what it traces.
    pub(super) fn begin(
        settings: &TelemetrySettings,
        clock: &SharedClock,
        metrics: &Arc<Metrics>,
    ) -> Result<(Tracer, Self), StartError> {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let Some(url) = settings.traces_url()? else {
            return Ok((Tracer::off(), Self { tasks, stop }));
        };
        let client = client(url.scheme() == "https").map_err(StartError::Collector)?;
        let (tracer, export) = Export::new(
            url,
            settings.sample_ratio,
            client,
            host(),
            Arc::clone(clock),
            Arc::clone(metrics),
        );
        tasks.spawn(export.run(stop.clone()));
        Ok((tracer, Self { tasks, stop }))
    }

    /// Hands over what is left; not beyond `latest`, and not for long.
    pub(super) async fn end(&self, latest: Instant) {
        self.stop.cancel();
        self.tasks.close();
        let latest = latest.min(Instant::now() + FAREWELL);
        if tokio::time::timeout_at(latest, self.tasks.wait()).await.is_err() {
            tracing::warn!("stopped before the collector had taken the last spans");
        }
    }
}

/// The system's certificates are trusted, else the embedded ones; neither is read where nothing is encrypted.
fn client(is_secure: bool) -> Result<reqwest::Client, reqwest::Error> {
    let builder = || {
        ClientBuilder::new()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(concat!("chatflow-bridge/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(PATIENCE)
            .timeout(PATIENCE)
            .no_proxy()
    };
    if !is_secure {
        return builder().tls_certs_only([]).build();
    }
    builder().build().or_else(|_| {
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
        let roots = roots.iter().filter_map(|der| Certificate::from_der(der).ok());
        builder().tls_certs_only(roots).build()
    })
}

/// The name of the host, in Kubernetes of the pod: what tells replicas apart.
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

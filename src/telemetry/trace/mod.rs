//! Traces: what one event went through, from the request that brought it to the request that delivered it.
//!
//! [`Tracer`] begins a unit of work, [`within`] runs it, [`step`] measures a part of it wherever it happens, and
//! [`Export`] hands what has ended over to a collector, as OTLP. Where tracing is off, all of them do nothing.
//!
//! # Promises
//!
//! - Nobody waits for a collector: what finds the queue full is dropped and counted.
//! - Nothing that comes from a request gets into a span but the names that the configuration gives things and the
//!   ids that the bridge gives them.

mod context;
mod export;
mod otlp;
mod span;

pub use context::{SpanId, TraceContext, TraceId};
pub use export::{Export, InvalidEndpoint};
pub use span::Value;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use serde::Deserialize;
use tokio::sync::mpsc;

use crate::clock::SharedClock;
use crate::telemetry::metrics::Metrics;
use span::{Kind, Place, Recording, Span};

/// Units of work that may wait to be handed over.
const MOST_WAITING: usize = 2048;

/// `telemetry.*` of the settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// Where a collector takes OTLP over HTTP, such as `http://collector:4318`; without it nothing is traced.
    pub otlp_endpoint: Option<String>,
    /// The share of traces that are kept, from 0 to 1.
    pub sample_ratio: f64,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self { otlp_endpoint: None, sample_ratio: 1.0 }
    }
}

/// Begins traces.
#[derive(Clone, Default)]
pub struct Tracer(Option<Arc<Live>>);

struct Live {
    ended: mpsc::Sender<Vec<Span>>,
    clock: SharedClock,
    metrics: Arc<Metrics>,
    ratio: f64,
}

/// A unit of work that is traced, to be run [`within`] it.
pub struct Trace {
    recording: Recording,
    /// Whether it is handed over when it ends.
    is_kept: bool,
    live: Arc<Live>,
}

tokio::task_local! {
    static CURRENT: RefCell<Option<Trace>>;
}

impl Tracer {
    /// One that traces nothing.
    pub fn off() -> Self {
        Self(None)
    }

    /// One that keeps this share of what it begins; what has ended is to be taken from the other end.
    pub(in crate::telemetry) fn to(
        clock: SharedClock,
        metrics: Arc<Metrics>,
        ratio: f64,
    ) -> (Self, mpsc::Receiver<Vec<Span>>) {
        let (ended, spans) = mpsc::channel(MOST_WAITING);
        (Self(Some(Arc::new(Live { ended, clock, metrics, ratio }))), spans)
    }

    /// The answer to a request that began at `begun`: in the trace that its sender says it belongs to, or in one of its
    /// own. Nothing where the trace is not to be had; what [`keep`] is not said of is thrown away in the end.
    pub fn answering(
        &self,
        name: &'static str,
        begun: Instant,
        parent: Option<TraceContext>,
    ) -> Option<Trace> {
        let live = self.0.as_ref()?;
        let (trace, span) = ids()?;
        let trace = parent.map_or(trace, |parent| parent.trace);
        let sampled = parent.map_or_else(|| trace.lot() < live.ratio, |parent| parent.sampled);
        let context = TraceContext { trace, span, sampled };
        let place = Place { context, parent: parent.map(|parent| parent.span), links: Vec::new() };
        let answer = || Trace { is_kept: false, ..live.begin(place, Kind::Server, name, begun) };
        sampled.then(answer)
    }

    /// Work on what was stored in these traces: it goes on in the first and points to the others. Nothing where there is
    /// none.
    pub fn going_on(
        &self,
        name: &'static str,
        mut from: impl Iterator<Item = TraceContext>,
    ) -> Option<Trace> {
        let live = self.0.as_ref()?;
        let parent = from.find(|context| context.sampled)?;
        let (_, span) = ids()?;
        let mut links: Vec<_> = from.filter(|other| other.trace != parent.trace).collect();
        links.dedup();
        let context = TraceContext { span, ..parent };
        let place = Place { context, parent: Some(parent.span), links };
        Some(live.begin(place, Kind::Consumer, name, Instant::now()))
    }
}

impl Live {
    fn begin(
        self: &Arc<Self>,
        place: Place,
        kind: Kind,
        name: &'static str,
        begun: Instant,
    ) -> Trace {
        let now = self.clock.now();
        let began_at = now.checked_sub(begun.elapsed()).unwrap_or(now);
        let recording = Recording::begin(place, kind, name, began_at, begun);
        Trace { recording, is_kept: true, live: Arc::clone(self) }
    }
}

/// Ids of chance for a trace and a span.
fn ids() -> Option<(TraceId, SpanId)> {
    let (mut trace, mut span) = ([0; 16], [0; 8]);
    // Without chance there is no trace, and nothing else suffers.
    getrandom::fill(&mut trace).ok()?;
    getrandom::fill(&mut span).ok()?;
    Some((TraceId::of(trace)?, SpanId::of(u64::from_be_bytes(span))?))
}

impl Trace {
    fn end(self) {
        if !self.is_kept {
            return;
        }
        let spans = self.recording.end();
        let count = u64::try_from(spans.len()).unwrap_or(u64::MAX);
        if self.live.ended.try_send(spans).is_err() {
            self.live.metrics.trace_spans_total.with_label_values(&["dropped"]).inc_by(count);
        }
    }
}

/// Runs work within its trace, which ends with it.
pub async fn within<T>(trace: Option<Trace>, work: impl Future<Output = T>) -> T {
    if trace.is_none() {
        return work.await;
    }
    CURRENT
        .scope(RefCell::new(trace), async {
            let done = work.await;
            end();
            done
        })
        .await
}

/// Ends the trace that this runs in, before its work is over.
pub fn end() {
    if let Some(trace) = take() {
        trace.end();
    }
}

/// Says that the trace of the answer that this runs in is worth keeping; without it there is none.
pub fn keep() {
    CURRENT
        .try_with(|current| {
            if let Ok(mut current) = current.try_borrow_mut()
                && let Some(trace) = &mut *current
            {
                trace.is_kept = true;
            }
        })
        .unwrap_or_default();
}

fn take() -> Option<Trace> {
    CURRENT.try_with(|current| current.try_borrow_mut().ok()?.take()).ok().flatten()
}

fn with<T>(act: impl FnOnce(&mut Recording) -> T) -> Option<T> {
    CURRENT
        .try_with(|current| {
            let mut current = current.try_borrow_mut().ok()?;
            Some(act(&mut current.as_mut()?.recording))
        })
        .ok()
        .flatten()
}

/// The trace that this runs in, from which what is stored now goes on.
pub fn context() -> Option<TraceContext> {
    with(|recording| recording.context())
}

/// The id of the trace that this runs in, for the log.
pub fn id() -> Option<TraceId> {
    context().map(|context| context.trace)
}

/// Says something of the whole unit of work that this runs in.
pub fn say(name: &'static str, value: impl Into<Value>) {
    with(|recording| recording.say(0, name, value.into()));
}

/// Says that the unit of work that this runs in failed.
pub fn fail() {
    with(|recording| recording.fail(0));
}

/// A part of a unit of work; it ends when this is dropped.
#[must_use = "the step ends when this is dropped"]
pub struct Step(Option<usize>);

/// Begins a part of the unit of work that this runs in.
pub fn step(name: &'static str) -> Step {
    step_since(name, Instant::now())
}

/// The same for one that began before.
pub fn step_since(name: &'static str, from: Instant) -> Step {
    Step(with(|recording| recording.enter(Kind::Internal, name, from)).flatten())
}

/// Begins a call of somebody else, as a part of the unit of work that this runs in.
pub fn call(name: &'static str) -> Step {
    Step(with(|recording| recording.enter(Kind::Client, name, Instant::now())).flatten())
}

impl Step {
    /// Says something of it.
    pub fn say(&self, name: &'static str, value: impl Into<Value>) {
        if let Some(number) = self.0 {
            with(|recording| recording.say(number, name, value.into()));
        }
    }

    /// Says that it failed.
    pub fn fail(&self) {
        if let Some(number) = self.0 {
            with(|recording| recording.fail(number));
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(number) = self.0 {
            with(|recording| recording.leave(number));
        }
    }
}

//! One request from its head to its answer, counted and logged once.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use tracing::{debug, error, info, warn};

use super::answer::Answer;
use super::doors::Door;
use super::head::Head;
use super::intake::Intake;
use super::meters::Meters;
use super::refusal::Refusal;
use crate::mapping::Traceparent;
use crate::telemetry::trace::{self, Trace, TraceContext, Tracer};

/// Milliseconds since then, for the log.
pub(super) fn elapsed_ms(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// One request from its head to its answer: counted once, whatever happens to it.
pub(super) struct Visit {
    pub(super) intake: Arc<Intake>,
    pub(super) door: Option<Arc<Door>>,
    pub(super) begun: Instant,
    client: Option<IpAddr>,
    ended: bool,
}

impl Visit {
    pub(super) fn begin(
        intake: Arc<Intake>,
        door: Option<Arc<Door>>,
        client: Option<IpAddr>,
    ) -> Self {
        intake.metrics().intake_in_flight_requests.with_label_values::<&str>(&[]).inc();
        Self { intake, door, begun: Instant::now(), client, ended: false }
    }

    /// The trace of it, where it is traced: in that of its sender, where the source trusts it with that.
    pub(super) fn trace(&self, tracer: &Tracer, head: &Head) -> Option<Trace> {
        let door = self.door.as_ref()?;
        let parent = match door.source.traceparent {
            Traceparent::Ignored => None,
            Traceparent::Trusted => {
                let given = head.headers.only("traceparent").ok().flatten();
                given.and_then(TraceContext::from_header)
            }
        };
        tracer.answering("POST /hooks/{source}", self.begun, parent)
    }

    pub(super) fn end(mut self, answer: Result<Answer, Refusal>) -> Result<Answer, Refusal> {
        match &answer {
            Ok(answer) => {
                self.say("outcome", answer.counted().as_str());
                let after = self.begun.elapsed();
                self.meters(None).taken(answer.counted(), after, self.intake.metrics());
                self.ended = true;
            }
            Err(refusal) => self.refuse(refusal),
        }
        answer
    }

    /// Says something of the request in its trace.
    fn say(&self, name: &'static str, value: &str) {
        if let Some(door) = &self.door {
            trace::say("source", door.source.name.as_str());
        }
        trace::say(name, value);
    }

    /// The source's meters; those of no source for what names none.
    fn meters(&self, refusal: Option<&Refusal>) -> &Meters {
        match &self.door {
            Some(door) if !matches!(refusal, Some(Refusal::UnknownSource)) => &door.meters,
            _ => self.intake.unknown(),
        }
    }

    fn refuse(&mut self, refusal: &Refusal) {
        self.ended = true;
        let after = self.begun.elapsed();
        if refusal.is_disbelief() {
            self.intake.charge(self.client);
        }
        self.say("outcome", refusal.outcome());
        self.say("reason", refusal.reason());
        if refusal.rejection().is_none() {
            trace::fail();
        }
        self.meters(Some(refusal)).refused(refusal, after, self.intake.metrics());
        let source = self.door.as_ref().map_or("unknown", |door| door.source.name.as_str());
        if !self.intake.refused_log().is_first(source, refusal.reason()) {
            return;
        }
        let (reason, elapsed_ms) = (refusal.reason(), elapsed_ms(self.begun));
        match refusal {
            Refusal::UnknownSource | Refusal::Method { .. } => {
                debug!(source, reason, elapsed_ms, "request refused");
            }
            Refusal::NotStored(error) => {
                error!(source, reason, elapsed_ms, %error, "event not stored");
            }
            Refusal::Closed | Refusal::Broken => {
                error!(source, reason, elapsed_ms, "request refused");
            }
            Refusal::Crowded => warn!(source, reason, elapsed_ms, "request refused"),
            Refusal::Undecodable(error) => {
                info!(source, reason, elapsed_ms, %error, "request refused");
            }
            Refusal::Unverified(_)
            | Refusal::Silent(_)
            | Refusal::Challenge { .. }
            | Refusal::OverBudget { .. }
            | Refusal::OverPace { .. }
            | Refusal::TooLarge { .. }
            | Refusal::Encoding
            | Refusal::Incomplete
            | Refusal::Late => info!(source, reason, elapsed_ms, "request refused"),
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.intake.metrics().intake_in_flight_requests.with_label_values::<&str>(&[]).dec();
        if !self.ended {
            // The sender hung up before the last byte, or something of ours panicked.
            let broken = std::thread::panicking();
            self.refuse(if broken { &Refusal::Broken } else { &Refusal::Incomplete });
        }
    }
}

//! What comes into the store.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use crate::contact::{HeldReason, PlannedUpdate, SkippedReason};
use crate::event::{EventId, SourceName};
use crate::telemetry::trace::TraceContext;

/// What is kept of a request so that it can be mapped again: never a credential, never a signature.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// `POST`, or what else the source takes.
    pub method: String,
    /// The content type as it was sent.
    pub content_type: Option<String>,
    /// The query without what verified the request.
    pub query: String,
    /// The headers that the mapping reads, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body after inflating.
    pub body: Bytes,
}

/// By what an event is known when it comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dedupe {
    /// The event's id as its sender gives it; the store keeps a keyed hash of source and id.
    pub id: String,
    /// For how long a repeat is known.
    pub window: Duration,
}

/// One event of a request, mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The source it came through.
    pub source: SourceName,
    /// Its place in the request where `body.each` split it, else 0.
    pub item: u32,
    /// By what it is known when it comes again, if its sender says so.
    pub dedupe: Option<Dedupe>,
    /// Its type, as the sender calls it.
    pub event_type: Option<String>,
    /// When it happened, as the sender says.
    pub occurred_at: Option<Timestamp>,
    /// The trace that its updates go on in, where it is traced.
    pub trace: Option<TraceContext>,
    /// Whether it is a control message (a ping, a test): answered and counted, nothing else.
    pub control: bool,
    /// What the rules planned, in the order of the rules.
    pub updates: Vec<NewUpdate>,
}

/// One rule applied to one item of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpdate {
    /// The rule.
    pub rule: Arc<str>,
    /// The place of the item in what `for_each` selects, else 0.
    pub item: u32,
    /// Whether it waits, is held or is skipped.
    pub state: NewState,
}

/// The first state of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewState {
    /// To be sent.
    Waiting(Box<PlannedUpdate>),
    /// Matched, and could not be applied.
    Held {
        /// The word for it.
        reason: HeldReason,
        /// What was expected and what was found; no values.
        detail: String,
    },
    /// Not to be sent, on purpose.
    Skipped(SkippedReason),
}

/// What became of an event that was to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It is stored under this id.
    Stored(EventId),
    /// It was stored before.
    Duplicate {
        /// The id of the first one.
        first: EventId,
        /// Whether the first one planned something else.
        differs: bool,
        /// Whether the first one stands wholly ignored or held, so that today's rules may make more of it.
        idle: bool,
    },
}

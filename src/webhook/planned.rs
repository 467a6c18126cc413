//! What the rules make of a request, and what the store keeps of that.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::answer::{EventAnswer, Status};
use super::doors::Door;
use crate::contact::HeldReason;
use crate::decode;
use crate::document::Value;
use crate::event::EventId;
use crate::mapping::{Decision, Input, PlannedEvent, Source};
use crate::store::{self, Dedupe, NewEvent, NewState, NewUpdate, Receipt};
use crate::telemetry::trace;

/// What the source's rules make of a request that is kept, or is to be.
pub(super) fn plan(
    door: &Door,
    request: &store::Request,
    document: &Value,
    received_at: Timestamp,
) -> Vec<PlannedEvent> {
    let _step = trace::step("map");
    let mapping = Instant::now();
    let planned = plan_with(&door.source, request, document, received_at);
    door.meters.mapped(mapping.elapsed());
    planned
}

/// The same for a source, whatever door it has.
pub(super) fn plan_with(
    source: &Source,
    request: &store::Request,
    document: &Value,
    received_at: Timestamp,
) -> Vec<PlannedEvent> {
    let pairs = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let headers = decode::headers(pairs);
    let query = decode::query(&request.query);
    source.plan(&Input { document, headers: &headers, query: &query, received_at })
}

/// What the rules made of one event, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Tally {
    control: bool,
    waiting: u32,
    held: u32,
    skipped: u32,
    pub(super) rules: Vec<RuleTally>,
}

/// What one rule made of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RuleTally {
    pub(super) rule: Arc<str>,
    pub(super) waiting: u32,
    pub(super) held: Vec<HeldReason>,
}

/// The event as it is stored, and its numbers. A rule without effect leaves nothing.
pub(super) fn new_event(source: &Source, item: usize, event: PlannedEvent) -> (NewEvent, Tally) {
    let mut tally = Tally { control: event.control, ..Tally::default() };
    let mut updates = Vec::with_capacity(event.planned.len());
    for planned in event.planned {
        if tally.rules.last().is_none_or(|last| last.rule != planned.rule) {
            let rule = Arc::clone(&planned.rule);
            tally.rules.push(RuleTally { rule, waiting: 0, held: Vec::new() });
        }
        let state = match planned.decision {
            Decision::NoEffect => continue,
            Decision::Update(update) => {
                tally.waiting += 1;
                tally.of_rule(|rule| rule.waiting += 1);
                NewState::Waiting(update)
            }
            Decision::Held(held) => {
                tally.held += 1;
                tally.of_rule(|rule| rule.held.push(held.reason));
                NewState::Held { reason: held.reason, detail: held.detail }
            }
            Decision::Skipped(reason) => {
                tally.skipped += 1;
                NewState::Skipped(reason)
            }
        };
        updates.push(NewUpdate { rule: planned.rule, item: planned.item, state });
    }
    let event = NewEvent {
        source: source.name.clone(),
        item: u32::try_from(item).unwrap_or(u32::MAX),
        dedupe: event.id.map(|id| Dedupe { id, window: source.dedupe_window }),
        event_type: event.event_type,
        occurred_at: event.occurred_at,
        trace: trace::context(),
        control: event.control,
        updates,
    };
    (event, tally)
}

impl Tally {
    fn of_rule(&mut self, change: impl FnOnce(&mut RuleTally)) {
        if let Some(rule) = self.rules.last_mut() {
            change(rule);
        }
    }

    fn status(&self) -> Status {
        if self.control {
            Status::Control
        } else if self.waiting > 0 {
            Status::Accepted
        } else if self.held > 0 {
            Status::Held
        } else if self.skipped > 0 {
            Status::Skipped
        } else {
            Status::Ignored
        }
    }

    /// Whether no rule matched an event that rules were asked about.
    pub(super) fn is_miss(&self) -> bool {
        !self.control && self.rules.is_empty()
    }

    /// What the sender is told.
    pub(super) fn answer(&self, receipt: Receipt) -> EventAnswer {
        match receipt {
            Receipt::Stored(event_id) => EventAnswer {
                event_id,
                status: self.status(),
                updates: Some(self.waiting),
                held: Some(self.held),
                repeated: false,
            },
            Receipt::Duplicate { first, .. } => EventAnswer {
                event_id: first,
                status: Status::Duplicate,
                updates: None,
                held: None,
                repeated: true,
            },
        }
    }

    /// What the sender of a repeat is told once today's rules have made something of the first event.
    pub(super) fn answer_to_repeat(&self, first: EventId) -> EventAnswer {
        EventAnswer { repeated: true, ..self.answer(Receipt::Stored(first)) }
    }

    /// Whether it is a control message.
    pub(super) fn is_control(&self) -> bool {
        self.control
    }

    /// Whether there is an update to send.
    pub(super) fn has_waiting(&self) -> bool {
        self.waiting > 0
    }
}

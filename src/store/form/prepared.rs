//! What is to be stored, made ready by who asks for it: hashed, written out and compressed before the writer sees it.

use std::sync::Arc;
use std::time::Duration;

use super::kept::{KeptRequest, plan_bytes};
use super::keys::{EventKey, Keys};
use crate::contact::{SkippedReason, Who};
use crate::event::{EventId, SourceName};
use crate::store::{Error, NewEvent, NewState, NewUpdate, Request};
use crate::telemetry::trace::TraceContext;

/// An update's number has 16 bits for its place within the event.
const MOST_UPDATES: usize = 1 << 16;

/// The events of one request.
pub(in crate::store) struct Prepared {
    pub(in crate::store) request: KeptRequest,
    pub(in crate::store) events: Vec<PreparedEvent>,
    /// Roughly how much memory it takes.
    pub(in crate::store) bytes: usize,
}

pub(in crate::store) struct PreparedEvent {
    pub(in crate::store) source: SourceName,
    pub(in crate::store) item: u32,
    pub(in crate::store) key: Option<(EventKey, Duration)>,
    /// Differs when the planned updates do.
    pub(in crate::store) digest: i64,
    pub(in crate::store) event_type: Option<String>,
    /// In milliseconds since 1970.
    pub(in crate::store) occurred_at: Option<i64>,
    pub(in crate::store) trace: Option<TraceContext>,
    pub(in crate::store) control: bool,
    pub(in crate::store) updates: Vec<PreparedUpdate>,
}

/// An event to be mapped again.
pub(in crate::store) struct PreparedAgain {
    pub(in crate::store) event: EventId,
    pub(in crate::store) digest: i64,
    pub(in crate::store) updates: Vec<PreparedUpdate>,
}

/// What the writer takes in.
pub(in crate::store) enum Incoming {
    Request(Prepared),
    Again(PreparedAgain),
}

pub(in crate::store) struct PreparedUpdate {
    pub(in crate::store) rule: Arc<str>,
    pub(in crate::store) item: u32,
    pub(in crate::store) state: PreparedState,
}

pub(in crate::store) enum PreparedState {
    Waiting(PreparedWaiting),
    Held { reason: &'static str, detail: String },
    Skipped(SkippedReason),
}

/// An update that is to be sent.
pub(in crate::store) struct PreparedWaiting {
    /// The lane of what names the contact.
    pub(in crate::store) lane: i64,
    /// Whether that is anything but the contact's id, so that it may turn out to mean one.
    pub(in crate::store) is_key: bool,
    /// The lanes of the keys that the contact has afterwards.
    pub(in crate::store) new_keys: Vec<i64>,
    pub(in crate::store) withdrawal: bool,
    pub(in crate::store) plan: Vec<u8>,
}

impl PreparedUpdate {
    fn bytes(&self) -> usize {
        size_of::<Self>()
            + match &self.state {
                PreparedState::Waiting(PreparedWaiting { plan, .. }) => plan.len(),
                PreparedState::Held { detail, .. } => detail.len(),
                PreparedState::Skipped(_) => 0,
            }
    }
}

/// How many of them wait.
fn waiting(updates: &[PreparedUpdate]) -> usize {
    let waits = |update: &&PreparedUpdate| matches!(update.state, PreparedState::Waiting(_));
    updates.iter().filter(waits).count()
}

impl PreparedEvent {
    pub(in crate::store) fn waiting(&self) -> usize {
        waiting(&self.updates)
    }
}

impl PreparedAgain {
    pub(in crate::store) fn new(
        keys: &Keys,
        event: EventId,
        updates: Vec<NewUpdate>,
    ) -> Result<Self, Error> {
        let updates = prepare_updates(keys, updates)?;
        Ok(Self { event, digest: digest(keys, &updates), updates })
    }

    pub(in crate::store) fn waiting(&self) -> usize {
        waiting(&self.updates)
    }
}

impl Incoming {
    /// Roughly how much memory it takes.
    pub(in crate::store) fn bytes(&self) -> usize {
        match self {
            Self::Request(prepared) => prepared.bytes,
            Self::Again(again) => again.updates.iter().map(PreparedUpdate::bytes).sum(),
        }
    }
}

impl Prepared {
    pub(in crate::store) fn new(
        keys: &Keys,
        request: Request,
        events: Vec<NewEvent>,
    ) -> Result<Self, Error> {
        let request = KeptRequest::keep(request)?;
        let events =
            events.into_iter().map(|event| prepare(keys, event)).collect::<Result<Vec<_>, _>>()?;
        let plans = events.iter().flat_map(|event| &event.updates).map(PreparedUpdate::bytes);
        let bytes = request.head.len() + request.body.len() + plans.sum::<usize>();
        Ok(Self { request, events, bytes })
    }
}

fn prepare(keys: &Keys, event: NewEvent) -> Result<PreparedEvent, Error> {
    let NewEvent { source, item, dedupe, event_type, occurred_at, trace, control, updates } = event;
    let updates = prepare_updates(keys, updates)?;
    Ok(PreparedEvent {
        key: dedupe.map(|dedupe| (keys.event(&source, &dedupe.id), dedupe.window)),
        digest: digest(keys, &updates),
        source,
        item,
        event_type,
        occurred_at: occurred_at.map(jiff::Timestamp::as_millisecond),
        trace,
        control,
        updates,
    })
}

fn prepare_updates(keys: &Keys, updates: Vec<NewUpdate>) -> Result<Vec<PreparedUpdate>, Error> {
    if updates.len() > MOST_UPDATES {
        let count = updates.len();
        return Err(Error::Failed(format!(
            "an event has {count} updates, {MOST_UPDATES} at most can be kept: limit the rule's `for_each`"
        )));
    }
    updates.into_iter().map(|update| prepare_update(keys, update)).collect()
}

pub(in crate::store) fn prepare_update(
    keys: &Keys,
    update: NewUpdate,
) -> Result<PreparedUpdate, Error> {
    let NewUpdate { rule, item, state } = update;
    let state = match state {
        NewState::Waiting(planned) => PreparedState::Waiting(PreparedWaiting {
            lane: keys.lane(&planned.target.who),
            is_key: !matches!(planned.target.who, Who::Id(_)),
            new_keys: planned.new_keys().map(|who| keys.lane(&who)).collect(),
            withdrawal: planned.update.is_withdrawal(),
            plan: plan_bytes(&planned)?,
        }),
        NewState::Held { reason, detail } => {
            PreparedState::Held { reason: reason.as_str(), detail }
        }
        NewState::Skipped(reason) => PreparedState::Skipped(reason),
    };
    Ok(PreparedUpdate { rule, item, state })
}

fn digest(keys: &Keys, updates: &[PreparedUpdate]) -> i64 {
    let mut all = Vec::new();
    for update in updates {
        all.extend_from_slice(update.rule.as_bytes());
        all.push(0);
        all.extend_from_slice(&update.item.to_be_bytes());
        match &update.state {
            PreparedState::Waiting(waiting) => all.extend_from_slice(&waiting.plan),
            PreparedState::Held { reason, .. } => all.extend_from_slice(reason.as_bytes()),
            PreparedState::Skipped(reason) => all.extend_from_slice(reason.as_str().as_bytes()),
        }
        all.push(0);
    }
    keys.number(&[&all])
}

//! Rows on their way into the tables, a column at a time: one statement a table, however many rows.

use std::borrow::Cow;

use super::core::Core;
use super::sealing::{SEALED, sealed};
use super::statements;
use super::transaction::{Fault, Transaction, params};
use crate::store::Error;
use crate::store::form::kept::{KeptRequest, PLAN_FORM};
use crate::store::form::ledger::{Deltas, What};
use crate::store::form::prepared::{PreparedEvent, PreparedState, PreparedUpdate};
use crate::store::form::state::{CONTROL, IGNORED, State, TAKEN};

/// What an event and an update take beside what is kept of their request and their plan: rows, indexes, keys.
pub(super) const EVENT_BYTES: i64 = 600;
pub(super) const UPDATE_BYTES: i64 = 500;

/// Where an update goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Home {
    /// Its number.
    pub(super) id: i64,
    pub(super) source: i64,
    pub(super) rule: i64,
    /// The lane in which it waits, where it does.
    pub(super) lane: i64,
}

#[derive(Default)]
struct Requests<'a> {
    ids: Vec<i64>,
    heads: Vec<Vec<u8>>,
    encodings: Vec<i16>,
    sizes: Vec<i64>,
    bodies: Vec<Cow<'a, [u8]>>,
}

#[derive(Default)]
struct Events<'a> {
    ids: Vec<i64>,
    sources: Vec<i64>,
    outcomes: Vec<i16>,
    updates: Vec<i32>,
    requests: Vec<i64>,
    items: Vec<i64>,
    digests: Vec<i64>,
    sizes: Vec<i64>,
    types: Vec<Option<&'a [u8]>>,
    occurred: Vec<Option<i64>>,
    traces: Vec<Option<Vec<u8>>>,
}

#[derive(Default)]
struct Updates<'a> {
    ids: Vec<i64>,
    lanes: Vec<i64>,
    sources: Vec<i64>,
    rules: Vec<i64>,
    items: Vec<i64>,
    states: Vec<i16>,
    finished: Vec<Option<i64>>,
    reasons: Vec<Option<&'a str>>,
    keys: Vec<Option<i64>>,
    withdrawals: Vec<bool>,
}

#[derive(Default)]
struct Texts<'a> {
    ids: Vec<i64>,
    bodies: Vec<Cow<'a, [u8]>>,
    originals: Vec<Option<Vec<u8>>>,
}

/// Rows of requests, events and updates, and what they count.
#[derive(Default)]
pub(super) struct Rows<'a> {
    requests: Requests<'a>,
    events: Events<'a>,
    updates: Updates<'a>,
    plans: Texts<'a>,
    details: Texts<'a>,
    pub(super) ledger: Deltas,
}

fn sealed_cow<'a>(
    core: &Core,
    kind: &str,
    row: i64,
    plain: &'a [u8],
) -> Result<Cow<'a, [u8]>, Error> {
    if core.cipher.seals() {
        return Ok(Cow::Owned(sealed(&core.cipher, kind, row, plain.to_vec())?));
    }
    Ok(Cow::Borrowed(plain))
}

fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

impl<'a> Rows<'a> {
    /// A request, under the number of the first of its events; what it takes.
    pub(super) fn add_request(
        &mut self,
        core: &Core,
        id: i64,
        request: &'a KeptRequest,
    ) -> Result<i64, Error> {
        let to = &mut self.requests;
        let head = sealed(&core.cipher, "head", id, request.head.clone())?;
        let body = sealed_cow(core, "body", id, &request.body)?;
        let bytes = length(head.len()) + length(body.len());
        let form = i16::try_from(request.encoding).unwrap_or(0);
        to.ids.push(id);
        to.heads.push(head);
        to.encodings.push(if core.cipher.seals() { form | SEALED } else { form });
        to.sizes.push(request.size);
        to.bodies.push(body);
        Ok(bytes)
    }

    /// An event of a request; its updates come by themselves and have taken `bytes` together with the request.
    pub(super) fn add_event(
        &mut self,
        (id, source, request): (i64, i64, i64),
        event: &'a PreparedEvent,
        bytes: i64,
    ) {
        let (outcome, counted) = if event.control {
            (CONTROL, What::Control)
        } else if event.updates.is_empty() {
            (IGNORED, What::Ignored)
        } else {
            (TAKEN, What::Taken)
        };
        let size = bytes.saturating_add(EVENT_BYTES);
        self.ledger.add(source, counted, 1);
        self.ledger.add(source, What::Bytes, size);
        let to = &mut self.events;
        to.ids.push(id);
        to.sources.push(source);
        to.outcomes.push(i16::try_from(outcome).unwrap_or(0));
        to.updates.push(i32::try_from(event.updates.len()).unwrap_or(i32::MAX));
        to.requests.push(request);
        to.items.push(i64::from(event.item));
        to.digests.push(event.digest);
        to.sizes.push(size);
        to.types.push(event.event_type.as_deref().map(str::as_bytes));
        to.occurred.push(event.occurred_at);
        to.traces.push(event.trace.map(|trace| trace.to_bytes().to_vec()));
    }

    /// An update; what it takes. `original` is what its rule planned, where less of it is sent.
    pub(super) fn add_update(
        &mut self,
        core: &Core,
        home: Home,
        update: &'a PreparedUpdate,
        original: Option<&[u8]>,
        now: i64,
    ) -> Result<i64, Error> {
        let Home { id, source, rule, lane } = home;
        let (state, reason, counted) = match &update.state {
            PreparedState::Waiting(_) => (State::Open, None, What::Open),
            PreparedState::Held { reason, .. } => (State::Held, Some(*reason), What::Held),
            PreparedState::Skipped(reason) => {
                (State::Skipped, Some(reason.as_str()), What::Skipped)
            }
        };
        let (key, withdrawal) = match &update.state {
            PreparedState::Waiting(waiting) => {
                (waiting.is_key.then_some(waiting.lane), waiting.withdrawal)
            }
            PreparedState::Held { .. } | PreparedState::Skipped(_) => (None, false),
        };
        self.ledger.add(source, What::Planned, 1);
        self.ledger.add(source, counted, 1);
        let to = &mut self.updates;
        to.ids.push(id);
        to.lanes.push(lane);
        to.sources.push(source);
        to.rules.push(rule);
        to.items.push(i64::from(update.item));
        to.states.push(state as i16);
        to.finished.push((state != State::Open).then_some(now));
        to.reasons.push(reason);
        to.keys.push(key);
        to.withdrawals.push(withdrawal);
        let bytes = match &update.state {
            PreparedState::Waiting(waiting) => {
                self.add_plan(core, id, Cow::Borrowed(&waiting.plan), original)?
            }
            PreparedState::Held { detail, .. } => {
                let text = sealed_cow(core, "text", id, detail.as_bytes())?;
                let bytes = length(text.len());
                self.details.ids.push(id);
                self.details.bodies.push(text);
                bytes
            }
            PreparedState::Skipped(_) => 0,
        };
        Ok(bytes.saturating_add(UPDATE_BYTES))
    }

    /// A plan, and the one that its rule made where that says more.
    pub(super) fn add_plan(
        &mut self,
        core: &Core,
        id: i64,
        plan: Cow<'a, [u8]>,
        original: Option<&[u8]>,
    ) -> Result<i64, Error> {
        let plan = match plan {
            Cow::Borrowed(plan) => sealed_cow(core, "plan", id, plan)?,
            Cow::Owned(plan) => Cow::Owned(sealed(&core.cipher, "plan", id, plan)?),
        };
        let original = original
            .map(|original| sealed(&core.cipher, "plan", id, original.to_vec()))
            .transpose()?;
        let bytes = length(plan.len()) + original.as_ref().map_or(0, |plan| length(plan.len()));
        self.plans.ids.push(id);
        self.plans.bodies.push(plan);
        self.plans.originals.push(original);
        Ok(bytes)
    }

    /// Writes all but the counters.
    pub(super) async fn write(&self, transaction: &Transaction<'_>, now: i64) -> Result<(), Fault> {
        let Self { requests, events, updates, plans, details, ledger: _ } = self;
        let requests = requests.write(transaction);
        let events = events.write(transaction, now);
        let updates = updates.write(transaction);
        let plans = plans.write_plans(transaction);
        let details = details.write_details(transaction);
        futures_util::try_join!(requests, events, updates, plans, details)?;
        Ok(())
    }
}

impl Requests<'_> {
    async fn write(&self, transaction: &Transaction<'_>) -> Result<(), Fault> {
        if self.ids.is_empty() {
            return Ok(());
        }
        let bodies: Vec<&[u8]> = self.bodies.iter().map(AsRef::as_ref).collect();
        let Self { ids, heads, encodings, sizes, .. } = self;
        let all = params![*ids, *heads, *encodings, *sizes, bodies];
        transaction.execute(statements::ADD_REQUESTS, all).await?;
        Ok(())
    }
}

impl Events<'_> {
    async fn write(&self, transaction: &Transaction<'_>, now: i64) -> Result<(), Fault> {
        if self.ids.is_empty() {
            return Ok(());
        }
        let Self { ids, sources, outcomes, updates, requests, items, digests, sizes, .. } = self;
        let Self { types, occurred, traces, .. } = self;
        let all = params![
            *ids, *sources, now, *outcomes, *updates, *requests, *items, *digests, *sizes, *types,
            *occurred, *traces
        ];
        transaction.execute(statements::ADD_EVENTS, all).await?;
        Ok(())
    }
}

impl Updates<'_> {
    async fn write(&self, transaction: &Transaction<'_>) -> Result<(), Fault> {
        if self.ids.is_empty() {
            return Ok(());
        }
        let Self { ids, lanes, sources, rules, items, states, finished, reasons, .. } = self;
        let Self { keys, withdrawals, .. } = self;
        let all = params![
            *ids,
            *lanes,
            *sources,
            *rules,
            *items,
            *states,
            *finished,
            *reasons,
            *keys,
            *withdrawals
        ];
        transaction.execute(statements::ADD_UPDATES, all).await?;
        Ok(())
    }
}

impl Texts<'_> {
    fn texts(&self) -> Vec<&[u8]> {
        self.bodies.iter().map(AsRef::as_ref).collect()
    }

    async fn write_plans(&self, transaction: &Transaction<'_>) -> Result<(), Fault> {
        if self.ids.is_empty() {
            return Ok(());
        }
        let form = i16::try_from(PLAN_FORM).unwrap_or(0);
        let (texts, Self { ids, originals, .. }) = (self.texts(), self);
        transaction.execute(statements::ADD_PLANS, params![*ids, form, texts, *originals]).await?;
        Ok(())
    }

    async fn write_details(&self, transaction: &Transaction<'_>) -> Result<(), Fault> {
        if self.ids.is_empty() {
            return Ok(());
        }
        let (texts, Self { ids, .. }) = (self.texts(), self);
        transaction.execute(statements::ADD_DETAILS, params![*ids, texts]).await?;
        Ok(())
    }
}

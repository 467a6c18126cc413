//! Storing the events of a request.

use super::batch::Batch;
use super::room::Room;
use super::seen::Mark;
use super::statements;
use crate::event::EventId;
use crate::store::form::kept::PLAN_FORM;
use crate::store::form::ledger::What;
use crate::store::form::prepared::{
    Incoming, Prepared, PreparedEvent, PreparedState, PreparedUpdate,
};
use crate::store::form::state::{CONTROL, IGNORED, State, TAKEN};
use crate::store::{Error, Receipt};
use crate::telemetry::trace::TraceContext;

impl Batch<'_> {
    /// Takes in what somebody waits to see stored.
    pub(super) fn take_in(
        &mut self,
        incoming: &Incoming,
        full: Option<&str>,
        room: &Room,
    ) -> rusqlite::Result<Result<Vec<Receipt>, Error>> {
        match incoming {
            Incoming::Request(prepared) => self.append(prepared, full, room),
            Incoming::Again(again) => self.remap(again, full, room),
        }
    }

    /// Stores the events that are new. Where there is no room (`full` says why, or too many wait), only repeats are
    /// answered; the inner error is that of this request alone.
    fn append(
        &mut self,
        prepared: &Prepared,
        full: Option<&str>,
        room: &Room,
    ) -> rusqlite::Result<Result<Vec<Receipt>, Error>> {
        let waiting = prepared.events.iter().map(PreparedEvent::waiting).sum();
        let open = self.memory.open + self.changes.ledger.total(What::Open);
        let refusal = full.map(str::to_owned).or_else(|| room.refusal_of(open, waiting));
        if let Some(refusal) = refusal
            && !self.are_known(&prepared.events)?
        {
            return Ok(Err(Error::Full(refusal)));
        }
        let mut request = None;
        let mut receipts = Vec::with_capacity(prepared.events.len());
        for event in &prepared.events {
            let source = self.name(event.source.as_str())?;
            self.changes.ledger.add(source, What::Received, 1);
            let first = match &event.key {
                Some((key, _)) => self.event_of(key)?,
                None => None,
            };
            if let Some(first) = first {
                self.changes.ledger.add(source, What::Duplicate, 1);
                let (differs, idle) = match self.first_of(first)? {
                    Some((digest, idle)) => (digest != event.digest, idle),
                    None => (false, false),
                };
                receipts.push(Receipt::Duplicate { first: EventId(first), differs, idle });
                continue;
            }
            let id = self.changes.last_event + 1;
            self.changes.last_event = id;
            if request.is_none() {
                let kept = &prepared.request;
                self.connection.prepare_cached(statements::ADD_REQUEST)?.execute((
                    id,
                    &kept.head,
                    kept.encoding,
                    kept.size,
                    &*kept.body,
                ))?;
            }
            self.add_event(id, source, *request.get_or_insert(id), event)?;
            receipts.push(Receipt::Stored(EventId(id)));
        }
        Ok(Ok(receipts))
    }

    fn are_known(&self, events: &[PreparedEvent]) -> rusqlite::Result<bool> {
        for event in events {
            let known = match &event.key {
                Some((key, _)) => self.event_of(key)?.is_some(),
                None => false,
            };
            if !known {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The digest of the first event, and whether nothing has come of it; nothing where it has been deleted since.
    fn first_of(&self, event: i64) -> rusqlite::Result<Option<(i64, bool)>> {
        use rusqlite::OptionalExtension;
        let mut first = self.connection.prepare_cached(statements::FIRST_OF)?;
        first.query_row([event], |row| Ok((row.get(0)?, row.get(1)?))).optional()
    }

    fn add_event(
        &mut self,
        id: i64,
        source: i64,
        request: i64,
        event: &PreparedEvent,
    ) -> rusqlite::Result<()> {
        let (outcome, counted) = if event.control {
            (CONTROL, What::Control)
        } else if event.updates.is_empty() {
            (IGNORED, What::Ignored)
        } else {
            (TAKEN, What::Taken)
        };
        self.changes.ledger.add(source, counted, 1);
        let key = event.key.as_ref().map(|(key, _)| key.as_slice());
        let expires_at = event.key.as_ref().map(|(_, window)| {
            let window = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
            self.now.saturating_add(window)
        });
        self.connection.prepare_cached(statements::ADD_EVENT)?.execute((
            id,
            source,
            self.wall,
            outcome,
            i64::try_from(event.updates.len()).unwrap_or(i64::MAX),
            request,
            event.item,
            event.digest,
            &event.event_type,
            event.occurred_at,
            key,
            expires_at,
            event.trace.map(TraceContext::to_bytes),
        ))?;
        if let (Some((key, _)), Some(expires_at)) = (event.key, expires_at) {
            self.changes.keys.insert(key, Mark { event: id, expires_at });
        }
        for (number, update) in (id << 16..).zip(&event.updates) {
            self.add_update(number, source, update)?;
        }
        Ok(())
    }

    pub(super) fn add_update(
        &mut self,
        id: i64,
        source: i64,
        update: &PreparedUpdate,
    ) -> rusqlite::Result<()> {
        let rule = self.name(&update.rule)?;
        let mut key = None;
        let mut withdrawal = None;
        let (lane, state, due_at, reason, counted) = match &update.state {
            PreparedState::Waiting(waiting) => {
                let lane = if waiting.is_key { self.lane_of(waiting.lane)? } else { waiting.lane };
                for &key in &waiting.new_keys {
                    self.expect_key(key, lane)?;
                }
                key = waiting.is_key.then_some(waiting.lane);
                withdrawal = waiting.withdrawal.then_some(true);
                let due_at = self.arrive(lane, waiting.withdrawal);
                (lane, State::Open, due_at, None, What::Open)
            }
            PreparedState::Held { reason, .. } => (0, State::Held, None, Some(*reason), What::Held),
            PreparedState::Skipped(reason) => {
                (0, State::Skipped, None, Some(reason.as_str()), What::Skipped)
            }
        };
        self.changes.ledger.add(source, What::Planned, 1);
        self.changes.ledger.add(source, counted, 1);
        let finished_at = (state != State::Open).then_some(self.wall);
        self.connection.prepare_cached(statements::ADD_UPDATE)?.execute((
            id,
            lane,
            source,
            rule,
            update.item,
            state as u8,
            due_at,
            finished_at,
            reason,
            key,
            withdrawal,
        ))?;
        match &update.state {
            PreparedState::Waiting(waiting) => {
                let mut add = self.connection.prepare_cached(statements::ADD_PLAN)?;
                add.execute((id, PLAN_FORM, &waiting.plan))?;
            }
            PreparedState::Held { detail, .. } => {
                self.connection.prepare_cached(statements::ADD_DETAIL)?.execute((id, detail))?;
            }
            PreparedState::Skipped(_) => {}
        }
        Ok(())
    }
}

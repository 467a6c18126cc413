//! A store in memory that keeps the promises delivery builds on, and fails when told to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::clock::{Clock, ManualClock};
use crate::contact::PlannedUpdate;
use crate::event::{EventId, SourceName, UpdateId};
use crate::store::{
    Claim, End, Error, EventFilter, EventRow, Fence, Lent, NewEvent, NewState, NewUpdate, Numbers,
    Page, Receipt, Request, Store, StoredEvent, UpdateFilter, UpdateRow,
};

pub(super) struct FakeStore {
    clock: Arc<ManualClock>,
    changed: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lanes: BTreeMap<String, VecDeque<Waiting>>,
    ends: Vec<(i64, End)>,
    last_event: i64,
    fence: i64,
    failures: VecDeque<Error>,
}

struct Waiting {
    id: UpdateId,
    planned: PlannedUpdate,
    received: Duration,
    due: Duration,
    attempts: u32,
    failing_since: Option<Duration>,
    lent: Option<Fence>,
}

impl FakeStore {
    pub(super) fn new(clock: Arc<ManualClock>) -> Self {
        Self { clock, changed: Notify::new(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// What became of the updates so far: the event's number and the end, in the order of recording.
    pub(super) fn ends(&self) -> Vec<(i64, End)> {
        self.state().ends.clone()
    }

    /// How often each update that is still there was tried, and whether it is lent.
    pub(super) fn waiting(&self) -> Vec<(u32, bool)> {
        let state = self.state();
        let all = state.lanes.values().flatten();
        all.map(|waiting| (waiting.attempts, waiting.lent.is_some())).collect()
    }

    /// The next operations of delivery fail so.
    pub(super) fn fails(&self, failures: impl IntoIterator<Item = Error>) {
        self.state().failures.extend(failures);
    }

    fn lend(&self, most: usize) -> Result<Vec<Claim>, Error> {
        let now = self.clock.monotonic();
        let mut state = self.state();
        let state = &mut *state;
        if let Some(error) = state.failures.pop_front() {
            return Err(error);
        }
        let due = state.lanes.values_mut().filter_map(VecDeque::front_mut);
        let due = due.filter(|head| head.lent.is_none() && head.due <= now).take(most);
        Ok(due
            .map(|head| {
                state.fence += 1;
                head.lent = Some(Fence(state.fence));
                head.attempts += 1;
                Claim {
                    lent: Lent { update: head.id, fence: Fence(state.fence) },
                    source: SourceName::try_from("crm").unwrap(),
                    rule: "rule".into(),
                    item: 0,
                    attempt: head.attempts,
                    age: now.saturating_sub(head.received),
                    failing_for: head.failing_since.map(|since| now.saturating_sub(since)),
                    planned: head.planned.clone(),
                }
            })
            .collect())
    }
}

#[async_trait]
impl Store for FakeStore {
    async fn append(&self, _: Request, events: Vec<NewEvent>) -> Result<Vec<Receipt>, Error> {
        let now = self.clock.monotonic();
        let mut state = self.state();
        let mut receipts = Vec::new();
        for event in events {
            state.last_event += 1;
            let id = EventId(state.last_event);
            for (place, update) in (0..).zip(event.updates) {
                let NewState::Waiting(planned) = update.state else { continue };
                let waiting = Waiting {
                    id: UpdateId { event: id, place },
                    planned: *planned,
                    received: now,
                    due: now,
                    attempts: 0,
                    failing_since: None,
                    lent: None,
                };
                let lane = waiting.planned.target.who.key();
                state.lanes.entry(lane).or_default().push_back(waiting);
            }
            receipts.push(Receipt::Stored(id));
        }
        self.changed.notify_waiters();
        Ok(receipts)
    }

    async fn remap(&self, _event: EventId, _updates: Vec<NewUpdate>) -> Result<bool, Error> {
        Ok(false)
    }

    async fn claim(&self, most: usize) -> Result<Vec<Claim>, Error> {
        let jumps = self.clock.jumps().unwrap();
        loop {
            let (changed, jumped) = (self.changed.notified(), jumps.notified());
            tokio::pin!(changed, jumped);
            changed.as_mut().enable();
            jumped.as_mut().enable();
            let claims = self.lend(most)?;
            if !claims.is_empty() {
                return Ok(claims);
            }
            tokio::select! { () = changed => {}, () = jumped => {} }
        }
    }

    async fn record(&self, lent: Lent, end: End) -> Result<bool, Error> {
        let now = self.clock.monotonic();
        let mut state = self.state();
        if let Some(error) = state.failures.pop_front() {
            return Err(error);
        }
        let lane = state.lanes.values_mut().find(|lane| {
            let head = lane.front();
            head.is_some_and(|head| head.id == lent.update && head.lent == Some(lent.fence))
        });
        let Some(lane) = lane else { return Ok(false) };
        let mut head = lane.pop_front().unwrap();
        head.lent = None;
        match end {
            End::Again { after, .. } => {
                head.due = now + after;
                head.failing_since.get_or_insert(now);
                lane.push_front(head);
            }
            End::GivenBack { after } => {
                head.due = now + after;
                head.attempts -= 1;
                lane.push_front(head);
            }
            End::Delivered | End::Skipped(_) | End::Dead(..) => {}
        }
        state.ends.push((lent.update.event.0, end));
        self.changed.notify_waiters();
        Ok(true)
    }

    async fn numbers(&self) -> Result<Numbers, Error> {
        Ok(Numbers::default())
    }

    async fn events(&self, _: &EventFilter, _: Page) -> Result<Vec<EventRow>, Error> {
        Ok(Vec::new())
    }

    async fn updates(&self, _: &UpdateFilter, _: Page) -> Result<Vec<UpdateRow>, Error> {
        Ok(Vec::new())
    }

    async fn event(&self, _: EventId) -> Result<Option<StoredEvent>, Error> {
        Ok(None)
    }

    async fn keep_mappings(&self, _: Vec<(String, String)>) -> Result<(), Error> {
        Ok(())
    }

    async fn kept_mappings(&self) -> Result<Vec<(String, String)>, Error> {
        Ok(Vec::new())
    }

    async fn adopt_secret(&self, _source: &SourceName, secret: &str) -> Result<String, Error> {
        Ok(secret.to_owned())
    }

    async fn forget_secret(&self, _source: &SourceName) -> Result<bool, Error> {
        Ok(false)
    }

    async fn adopted_secret(&self, _source: &SourceName) -> Result<Option<String>, Error> {
        Ok(None)
    }

    async fn check_writable(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn close(&self) {}
}

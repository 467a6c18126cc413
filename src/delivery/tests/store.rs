//! A store in memory that keeps the promises delivery builds on, and fails when told to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::clock::{Clock, ManualClock};
use crate::contact::fold::Fold;
use crate::contact::{PlannedUpdate, Who};
use crate::event::{EventId, SourceName, UpdateId};
use crate::store::{
    AfterDead, Claim, End, Error, EventFilter, EventRow, Fence, Joined, Lane, Lent, NewEvent,
    NewState, NewUpdate, Numbers, Page, Receipt, Refused, Request, Run, Store, StoredEvent,
    Trouble, UpdateFilter, UpdateRow, Wanted,
};

pub(super) struct FakeStore {
    clock: Arc<ManualClock>,
    changed: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lanes: BTreeMap<String, Waiters>,
    aliases: BTreeMap<String, String>,
    /// Lanes that a dead update blocks, for good.
    blocked: Vec<String>,
    ends: Vec<(i64, End)>,
    dead: Vec<Waiting>,
    last_event: i64,
    fence: i64,
    failures: VecDeque<Error>,
    unrevived: u32,
    names: BTreeMap<Lane, String>,
}

/// By id, oldest first.
type Waiters = VecDeque<Waiting>;

#[derive(Clone)]
struct Waiting {
    id: UpdateId,
    planned: PlannedUpdate,
    received: Duration,
    due: Duration,
    attempts: u32,
    failing_since: Option<Duration>,
    lent: Option<Fence>,
    together: Option<Fence>,
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

    pub(super) fn ended_times(&self) -> usize {
        self.state().ends.len()
    }

    /// Whether anything waits or is lent.
    pub(super) fn waits(&self) -> bool {
        self.state().lanes.values().any(|lane| !lane.is_empty())
    }

    /// How many updates are dead.
    pub(super) fn dead(&self) -> usize {
        self.state().dead.len()
    }

    /// So often nothing can be revived.
    pub(super) fn fails_to_revive(&self, times: u32) {
        self.state().unrevived = times;
    }

    /// Nobody holds anything any more: the process that did is gone.
    pub(super) fn reclaim(&self) {
        let mut state = self.state();
        state.failures.clear();
        state.unrevived = 0;
        for waiting in state.lanes.values_mut().flatten() {
            if let Some(lent) = waiting.lent.take() {
                waiting.together = waiting.together.or(Some(lent));
            }
        }
    }

    /// The next operations of delivery fail so.
    pub(super) fn fails(&self, failures: impl IntoIterator<Item = Error>) {
        self.state().failures.extend(failures);
    }

    fn lend(&self, wanted: Wanted) -> Result<Vec<Run>, Error> {
        let now = self.clock.monotonic();
        let mut state = self.state();
        let state = &mut *state;
        if let Some(error) = state.failures.pop_front() {
            return Err(error);
        }
        let is_due = |lane: &&mut Waiters| {
            let head = lane.front();
            head.is_some_and(|head| head.due <= now) && lane.iter().all(|w| w.lent.is_none())
        };
        let mut runs = Vec::new();
        let is_open = |lane: &&String| !state.blocked.contains(lane);
        let names: Vec<_> = state.lanes.keys().filter(is_open).cloned().collect();
        for name in names {
            let Some(lane) = state.lanes.get_mut(&name).filter(is_due) else { continue };
            if runs.len() == wanted.runs {
                break;
            }
            state.fence += 1;
            let together = lane[0].together;
            let mut fold = Fold::of(&lane[0].planned);
            let mut updates = Vec::new();
            for (place, waiting) in lane.iter_mut().enumerate() {
                let fits = |fold: &mut Fold| fold.take(&waiting.planned);
                let is_same = wanted.merging && waiting.together == together;
                if place > 0 && !(is_same && fits(&mut fold)) {
                    break;
                }
                waiting.lent = Some(Fence(state.fence));
                waiting.attempts += 1;
                updates.push(waiting.claim(now));
            }
            runs.push(Run { lane: number(&name), updates });
        }
        Ok(runs)
    }
}

/// A lane has its name here and a number there.
fn number(name: &str) -> Lane {
    let hash = name.bytes().fold(5381_i64, |hash, b| hash.wrapping_mul(33) ^ i64::from(b));
    Lane(hash & i64::MAX)
}

impl Waiting {
    fn claim(&self, now: Duration) -> Claim {
        Claim {
            lent: Lent { update: self.id, fence: self.lent.unwrap() },
            source: SourceName::try_from("crm").unwrap(),
            rule: "rule".into(),
            item: 0,
            attempt: self.attempts,
            may_have_landed: self.together.is_some(),
            age: now.saturating_sub(self.received),
            failing_for: self.failing_since.map(|since| now.saturating_sub(since)),
            trace: None,
            planned: self.planned.clone(),
        }
    }
}

impl State {
    /// The lane in which what names its contact by this key waits.
    fn lane_of(&self, key: String) -> String {
        self.aliases.get(&key).cloned().unwrap_or(key)
    }

    fn is_lent(&self, lent: &Lent) -> bool {
        let is_it = |w: &Waiting| w.id == lent.update && w.lent == Some(lent.fence);
        self.lanes.values().flatten().any(is_it)
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
                    together: None,
                };
                let lane = state.lane_of(waiting.planned.target.who.key());
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

    async fn claim(&self, wanted: Wanted) -> Result<Vec<Run>, Error> {
        let jumps = self.clock.jumps().unwrap();
        loop {
            let (changed, jumped) = (self.changed.notified(), jumps.notified());
            tokio::pin!(changed, jumped);
            changed.as_mut().enable();
            jumped.as_mut().enable();
            let claims = self.lend(wanted)?;
            if !claims.is_empty() {
                return Ok(claims);
            }
            tokio::select! { () = changed => {}, () = jumped => {} }
        }
    }

    async fn record(&self, ends: Vec<(Lent, End)>, after_dead: AfterDead) -> Result<bool, Error> {
        let now = self.clock.monotonic();
        let mut state = self.state();
        let state = &mut *state;
        if let Some(error) = state.failures.pop_front() {
            return Err(error);
        }
        let mut all = true;
        for (lent, end) in ends {
            let is_it = |w: &Waiting| w.id == lent.update && w.lent == Some(lent.fence);
            let lane = state.lanes.iter_mut().find(|(_, lane)| lane.iter().any(is_it));
            let Some((name, lane)) = lane else {
                all = false;
                continue;
            };
            let place = lane.iter().position(is_it).unwrap();
            let waiting = &mut lane[place];
            match &end {
                End::Again { after, may_have_landed, .. } => {
                    waiting.due = now + *after;
                    waiting.failing_since.get_or_insert(now);
                    if *may_have_landed {
                        waiting.together = waiting.together.or(waiting.lent);
                    }
                    waiting.lent = None;
                }
                End::GivenBack { after } => {
                    waiting.due = now + *after;
                    waiting.attempts -= 1;
                    waiting.lent = None;
                }
                End::Delivered | End::Marking(_) | End::Skipped(_) => {
                    lane.remove(place);
                }
                End::Dead(..) => {
                    let mut gone = lane.remove(place).unwrap();
                    gone.lent = None;
                    state.dead.push(gone);
                }
            }
            if matches!(end, End::Dead(..)) && after_dead == AfterDead::Block {
                state.blocked.push(name.clone());
            }
            state.ends.push((lent.update.event.0, end));
        }
        self.changed.notify_waiters();
        Ok(all)
    }

    async fn refusals(&self, _: Duration) -> Result<Vec<Refused>, Error> {
        let state = self.state();
        let refused = |end: &End| match end {
            End::Dead(_, Trouble { status, .. }) => *status,
            _ => None,
        };
        let last = state.ends.iter().rev().take_while(|(_, end)| *end != End::Delivered);
        let last = last.filter_map(|(event, end)| {
            let dead = state.dead.iter().find(|dead| dead.id.event.0 == *event)?;
            let whom = number(&dead.planned.target.who.key());
            Some(Refused { update: dead.id, whom, status: refused(end)?, ago: Duration::ZERO })
        });
        let mut refused: Vec<_> = last.collect();
        refused.reverse();
        Ok(refused)
    }

    fn lane_of(&self, who: &Who) -> Lane {
        let key = who.key();
        let lane = number(&key);
        self.state().names.insert(lane, key);
        lane
    }

    async fn join(&self, run: Vec<Lent>, to: Lane) -> Result<Joined, Error> {
        let mut state = self.state();
        let state = &mut *state;
        if let Some(error) = state.failures.pop_front() {
            return Err(error);
        }
        if !run.iter().all(|lent| state.is_lent(lent)) {
            return Ok(Joined::Lapsed);
        }
        let to = state.names[&to].clone();
        let first = run[0].update;
        let lane = state.lanes.values_mut().find(|lane| lane.iter().any(|w| w.id == first));
        let lane = lane.unwrap();
        let key = lane.iter().find(|w| w.id == first).unwrap().planned.target.who.key();
        let (moved, stay) = lane.drain(..).partition(|w| w.planned.target.who.key() == key);
        *lane = stay;
        let home = state.lanes.entry(to.clone()).or_default();
        let joined = if home.is_empty() { Joined::First } else { Joined::Behind };
        let moved: Waiters = moved;
        for mut waiting in moved {
            if joined == Joined::Behind && waiting.lent.take().is_some() {
                waiting.attempts -= 1;
            }
            home.push_back(waiting);
        }
        let due = home.iter().filter(|w| w.attempts > 0).map(|w| w.due).max().unwrap_or_default();
        home.make_contiguous().sort_by_key(|w| w.id);
        if let Some(head) = home.front_mut() {
            head.due = head.due.max(due);
        }
        state.aliases.insert(key, to);
        self.changed.notify_waiters();
        Ok(joined)
    }

    async fn revive(&self, updates: &[UpdateId]) -> Result<Vec<UpdateId>, Error> {
        let now = self.clock.monotonic();
        let mut state = self.state();
        let State { lanes, dead, unrevived, .. } = &mut *state;
        if let Some(left) = unrevived.checked_sub(1) {
            *unrevived = left;
            return Err(Error::Failed("no luck".to_owned()));
        }
        let revived: Vec<_> = dead.extract_if(.., |dead| updates.contains(&dead.id)).collect();
        let ids = revived.iter().map(|update| update.id).collect();
        for update in revived {
            let lane = lanes.entry(update.planned.target.who.key()).or_default();
            let place = lane.iter().filter(|other| other.id < update.id || other.lent.is_some());
            let place = place.count();
            let attempts = update.attempts.saturating_sub(1);
            lane.insert(place, Waiting { due: now, attempts, failing_since: None, ..update });
        }
        self.changed.notify_waiters();
        Ok(ids)
    }

    async fn marked(&self, _update: crate::event::UpdateId) -> Result<crate::store::Marked, Error> {
        Ok(crate::store::Marked::default())
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

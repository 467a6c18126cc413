//! Storing the events of requests, many requests in one transaction.
//!
//! First what is known is looked up; then the lanes are locked, and only then are numbers drawn, so that the numbers
//! in a lane grow in the order in which their transactions are committed. The keys of repeats come next: of those who
//! come with one at the same time the first to insert it wins, and the others see its number.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use super::arrivals::Arrivals;
use super::core::Core;
use super::inbox::{Ended, Pace};
use super::ledger::{Work, column};
use super::queue::{AppendOp, answer};
use super::rows::{Home, Rows};
use super::statements;
use super::transaction::{Fault, Transaction, params, transacted};
use crate::event::EventId;
use crate::store::form::keys::EventKey;
use crate::store::form::ledger::What;
use crate::store::form::prepared::{PreparedEvent, PreparedState, PreparedUpdate};
use crate::store::form::state::later;
use crate::store::{Error, Receipt};

/// What an empty store takes.
pub(super) const EMPTY: u64 = 256 << 10;

type Receipts = Result<Vec<Receipt>, Error>;

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is new, the one with this place among the new ones.
    New(usize),
    /// It is a repeat of this event.
    Known(i64),
    /// It is a repeat of a new one of the same transaction.
    Same(usize),
}

/// An event that is new as far as is known.
struct Fresh<'a> {
    event: &'a PreparedEvent,
    /// Its request, by its place.
    request: usize,
}

/// How much there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filled {
    /// Updates that wait or are lent.
    pub(super) open: i64,
    /// Bytes.
    pub(super) used: u64,
}

impl Core {
    /// Stores what comes in, until the store is closed and all is stored.
    pub(super) async fn take_in(self: Arc<Self>) {
        let _ended = Ended(&self.appends);
        let mut pace = Pace::default();
        while let Some(mut ops) = self.appends.take(pace).await {
            // Who has been told to come again brings it again.
            ops.retain(|op| !op.reply.is_closed());
            if ops.is_empty() {
                continue;
            }
            let began = Instant::now();
            pace.taken = ops.len();
            self.store_all(ops).await;
            pace.time = began.elapsed();
        }
    }

    async fn store_all(&self, ops: Vec<AppendOp>) {
        let began = Instant::now();
        let all: Vec<_> = ops.iter().collect();
        match self.store(&all).await {
            Ok(receipts) => {
                self.observe("append", ops.len(), began.elapsed());
                for (op, receipts) in ops.into_iter().zip(receipts) {
                    if let Err(error) = &receipts {
                        self.failed("append", error);
                    }
                    answer(op.reply, receipts);
                }
                self.wake.now();
            }
            // One of them may be what PostgreSQL cannot store: the others do not fail with it.
            Err(Error::Failed(_)) if ops.len() > 1 => {
                for op in ops {
                    let stored = self.store(&[&op]).await;
                    let receipts = stored.and_then(|mut one| one.pop().unwrap_or(Ok(Vec::new())));
                    if let Err(error) = &receipts {
                        self.failed("append", error);
                    }
                    answer(op.reply, receipts);
                }
                self.wake.now();
            }
            Err(error) => {
                self.failed("append", &error);
                for op in ops {
                    answer(op.reply, Err(error.clone()));
                }
            }
        }
    }

    async fn store(&self, ops: &[&AppendOp]) -> Result<Vec<Receipts>, Error> {
        let events = || ops.iter().flat_map(|op| &op.prepared.events);
        let rules = events().flat_map(|event| event.updates.iter().map(|update| &*update.rule));
        let names = events().map(|event| event.source.as_str()).chain(rules).collect();
        self.names.meet(&self.pool, names).await?;
        let others_wake = self.wake_others();
        transacted!(self.pool, |transaction| self.store_in(transaction, ops, others_wake).await)
    }

    async fn store_in(
        &self,
        transaction: &Transaction<'_>,
        ops: &[&AppendOp],
        others_wake: bool,
    ) -> Result<Vec<Receipts>, Fault> {
        let manual = self.manual();
        let all = || ops.iter().flat_map(|op| &op.prepared.events);
        let keys: HashSet<EventKey> = all().filter_map(|event| Some(event.key?.0)).collect();
        let keys: Vec<EventKey> = keys.into_iter().collect();
        let contacts = Arrivals::keys(all().flat_map(|event| &event.updates));
        let (now, seen, lanes, filled) = futures_util::try_join!(
            transaction.now(manual),
            seen(transaction, &keys, manual),
            transaction.lanes_of(&contacts),
            self.filled(transaction),
        )?;

        let mut decided = Decided::default();
        for (place, op) in ops.iter().enumerate() {
            decided.add(self, place, &op.prepared.events, &seen, filled);
        }
        let Decided { fates, fresh, .. } = &decided;
        let updates = || fresh.iter().flat_map(|fresh| &fresh.event.updates);
        let mut arrivals =
            Arrivals::lock(transaction, (&contacts, lanes), updates(), &[], now).await?;
        let mut ids = event_ids(transaction, fresh.len()).await?;
        ids.sort_unstable();
        let lost = see(transaction, fresh, &ids, now).await?;

        let mut rows = Rows::default();
        let mut requests: HashMap<usize, i64> = HashMap::new();
        for (place, (fresh, id)) in fresh.iter().zip(&ids).enumerate() {
            if lost.contains_key(&place) {
                continue;
            }
            let source = self.names.id(fresh.event.source.as_str()).unwrap_or(0);
            let mut bytes = 0;
            let request = if let Some(request) = requests.get(&fresh.request) {
                *request
            } else {
                let kept = ops.get(fresh.request).map(|op| &op.prepared.request);
                if let Some(kept) = kept {
                    bytes = rows.add_request(self, *id, kept)?;
                }
                requests.insert(fresh.request, *id);
                *id
            };
            for (number, update) in (id << 16..).zip(&fresh.event.updates) {
                let lane = arrivals.arrive(update);
                let rule = self.names.id(&update.rule).unwrap_or(0);
                let home = Home { id: number, source, rule, lane };
                bytes += rows.add_update(self, home, update, None, now)?;
            }
            rows.add_event((*id, source, request), fresh.event, bytes);
        }

        let firsts = self.firsts(transaction, fates, &lost).await?;
        let receipts = self.receipts(ops, &decided, (&ids, &lost), &firsts, &mut rows);
        // In this order, all on their way at once.
        futures_util::try_join!(
            rows.write(transaction, now),
            arrivals.settle(transaction, now),
            transaction.count(&rows.ledger, self.shard(Work::Intake)),
            self.tell_others(transaction, others_wake),
        )?;
        Ok(receipts)
    }

    /// How much there is now.
    pub(super) async fn filled(&self, transaction: &Transaction<'_>) -> Result<Filled, Fault> {
        let whats = vec![column(What::Open), column(What::Bytes)];
        let rows = transaction.query(statements::ROOM, params![whats]).await?;
        let of = |what: What| {
            let row = rows.iter().find(|row| row.get::<_, i16>(0) == column(what));
            row.map_or(0, |row| row.get::<_, i64>(1))
        };
        let used = EMPTY.saturating_add(u64::try_from(of(What::Bytes)).unwrap_or(0));
        if self.is_scarce(used) {
            self.scarce.notify_one();
        }
        Ok(Filled { open: of(What::Open), used })
    }

    /// Why `more` updates cannot be taken beside what there is, if so.
    pub(super) fn refusal(&self, filled: Filled, more: usize) -> Option<String> {
        let Filled { open, used } = filled;
        let (limit, most) = (self.settings.max_size, self.settings.max_waiting);
        if used >= limit.0 {
            return Some(format!("it takes {used} bytes, `store.max_size` is `{limit}`"));
        }
        let sum = u64::try_from(open).unwrap_or(0).saturating_add(more as u64);
        (more > 0 && sum > most)
            .then(|| format!("{open} updates wait, `store.max_waiting` is {most}"))
    }

    /// What first events planned, and whether nothing has come of them.
    async fn firsts(
        &self,
        transaction: &Transaction<'_>,
        fates: &[Result<Vec<Fate>, Error>],
        lost: &HashMap<usize, i64>,
    ) -> Result<HashMap<i64, (i64, bool)>, Fault> {
        let known = fates.iter().flatten().flatten().filter_map(|fate| match fate {
            Fate::Known(first) => Some(*first),
            Fate::New(_) | Fate::Same(_) => None,
        });
        let ids: BTreeSet<i64> = known.chain(lost.values().copied()).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<i64> = ids.into_iter().collect();
        let rows = transaction.query(statements::FIRST_OF, params![ids]).await?;
        Ok(rows.into_iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect())
    }

    fn receipts(
        &self,
        ops: &[&AppendOp],
        decided: &Decided<'_>,
        (ids, lost): (&[i64], &HashMap<usize, i64>),
        firsts: &HashMap<i64, (i64, bool)>,
        rows: &mut Rows<'_>,
    ) -> Vec<Receipts> {
        let mut all = Vec::with_capacity(ops.len());
        for (op, fates) in ops.iter().zip(&decided.fates) {
            let fates = match fates {
                Ok(fates) => fates,
                Err(error) => {
                    all.push(Err(error.clone()));
                    continue;
                }
            };
            let mut receipts = Vec::with_capacity(fates.len());
            for (event, fate) in op.prepared.events.iter().zip(fates) {
                let source = self.names.id(event.source.as_str()).unwrap_or(0);
                rows.ledger.add(source, What::Received, 1);
                let known = |first: i64| {
                    let (differs, idle) = match firsts.get(&first) {
                        Some((digest, idle)) => (*digest != event.digest, *idle),
                        None => (false, false),
                    };
                    Receipt::Duplicate { first: EventId(first), differs, idle }
                };
                let receipt = match *fate {
                    Fate::Known(first) => known(first),
                    Fate::New(place) | Fate::Same(place) => {
                        let id = ids.get(place).copied().unwrap_or(0);
                        match (lost.get(&place), fate) {
                            (Some(first), _) => known(*first),
                            (None, Fate::Same(_)) => decided.same_as(place, id, event),
                            (None, _) => Receipt::Stored(EventId(id)),
                        }
                    }
                };
                if matches!(receipt, Receipt::Duplicate { .. }) {
                    rows.ledger.add(source, What::Duplicate, 1);
                }
                receipts.push(receipt);
            }
            all.push(Ok(receipts));
        }
        all
    }
}

/// What becomes of the events of a transaction, as far as can be said before anything is locked.
#[derive(Default)]
struct Decided<'a> {
    fates: Vec<Result<Vec<Fate>, Error>>,
    fresh: Vec<Fresh<'a>>,
    keys: HashMap<EventKey, usize>,
    waiting: usize,
}

impl<'a> Decided<'a> {
    /// Decides of the events of one request. Where there is no room, only repeats are answered.
    fn add(
        &mut self,
        core: &Core,
        request: usize,
        events: &'a [PreparedEvent],
        seen: &HashMap<EventKey, i64>,
        filled: Filled,
    ) {
        let known = |key: &EventKey, new: &HashMap<EventKey, usize>| {
            let first = seen.get(key).map(|first| Fate::Known(*first));
            first.or_else(|| new.get(key).map(|place| Fate::Same(*place)))
        };
        let waiting: usize = events.iter().map(PreparedEvent::waiting).sum();
        let refusal = core.refusal(filled, self.waiting + waiting);
        if let Some(refusal) = refusal {
            let is_known = |event: &PreparedEvent| {
                event.key.is_some_and(|(key, _)| known(&key, &self.keys).is_some())
            };
            if !events.iter().all(is_known) {
                self.fates.push(Err(Error::Full(refusal)));
                return;
            }
        }
        let mut fates = Vec::with_capacity(events.len());
        for event in events {
            let fate = event.key.and_then(|(key, _)| known(&key, &self.keys));
            fates.push(fate.unwrap_or_else(|| {
                let place = self.fresh.len();
                self.fresh.push(Fresh { event, request });
                self.waiting += event.waiting();
                if let Some((key, _)) = event.key {
                    self.keys.insert(key, place);
                }
                Fate::New(place)
            }));
        }
        self.fates.push(Ok(fates));
    }

    /// The receipt of a repeat of an event that is stored by the same transaction.
    fn same_as(&self, place: usize, id: i64, event: &PreparedEvent) -> Receipt {
        let first = self.fresh.get(place).map(|fresh| fresh.event);
        let differs = first.is_some_and(|first| first.digest != event.digest);
        let held = |update: &PreparedUpdate| matches!(update.state, PreparedState::Held { .. });
        let idle = first.is_some_and(|first| !first.control && first.updates.iter().all(held));
        Receipt::Duplicate { first: EventId(id), differs, idle }
    }
}

/// The events of keys whose window lasts.
async fn seen(
    transaction: &Transaction<'_>,
    keys: &[EventKey],
    manual: Option<i64>,
) -> Result<HashMap<EventKey, i64>, Fault> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let keys: Vec<&[u8]> = keys.iter().map(<[u8; 16]>::as_slice).collect();
    let rows = transaction.query(statements::SEEN, params![keys, manual]).await?;
    let key = |key: &[u8]| EventKey::try_from(key).unwrap_or_default();
    Ok(rows.into_iter().map(|row| (key(row.get(0)), row.get(1))).collect())
}

/// Numbers for this many events. Drawn only while their lanes are locked.
async fn event_ids(transaction: &Transaction<'_>, count: usize) -> Result<Vec<i64>, Fault> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let rows = transaction.query(statements::EVENT_IDS, params![count]).await?;
    Ok(rows.into_iter().map(|row| row.get(0)).collect())
}

/// Has the keys of new events known from now on; gives those events, by their place, whose key somebody else has
/// brought in the meantime, and whose it is.
async fn see(
    transaction: &Transaction<'_>,
    fresh: &[Fresh<'_>],
    ids: &[i64],
    now: i64,
) -> Result<HashMap<usize, i64>, Fault> {
    let mut places: HashMap<EventKey, usize> = HashMap::new();
    let (mut keys, mut events, mut expire) = (Vec::new(), Vec::new(), Vec::new());
    for (place, (fresh, id)) in fresh.iter().zip(ids).enumerate() {
        if let Some((key, window)) = fresh.event.key {
            places.insert(key, place);
            keys.push(key);
            events.push(*id);
            expire.push(later(now, window));
        }
    }
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let kept: Vec<&[u8]> = keys.iter().map(<[u8; 16]>::as_slice).collect();
    let won = transaction.query(statements::SEE, params![kept, events, expire, now]).await?;
    for row in won {
        if let Ok(key) = EventKey::try_from(row.get::<_, &[u8]>(0)) {
            places.remove(&key);
        }
    }
    let lost: Vec<EventKey> = places.keys().copied().collect();
    let first = seen(transaction, &lost, Some(now)).await?;
    let of = |(key, place): (EventKey, usize)| Some((place, *first.get(&key)?));
    let count = places.len();
    let lost: HashMap<usize, i64> = places.into_iter().filter_map(of).collect();
    // Whose it was has gone already: the next try finds the key free.
    if lost.len() < count { Err(Fault::changed()) } else { Ok(lost) }
}

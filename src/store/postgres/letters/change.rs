//! Changes that operators ask for, each call in a transaction of its own.
//!
//! Everything that the changes are about is locked first, lanes and then events, so that it stands as it is seen from
//! then on; the changes are made one after the other.

use std::collections::{BTreeSet, HashMap, HashSet};

use tokio_postgres::Row;

use super::super::append::Filled;
use super::super::arrivals::Arrivals;
use super::super::core::Core;
use super::super::lanes::sorted;
use super::super::ledger::Work;
use super::super::sealing::sealed;
use super::super::transaction::{Fault, Transaction, params, transacted};
use super::super::{queries, statements};
use crate::contact::SkippedReason;
use crate::store::Error;
use crate::store::form::changes::{PreparedChange, PreparedRemap, PreparedSends};
use crate::store::form::ledger::{Deltas, What};
use crate::store::form::prepared::PreparedUpdate;
use crate::store::form::state::State;
use crate::store::letters::Changed;

/// Where more has come since it was looked at than this, nothing is looked at again here.
const CAME_SINCE: i64 = 10_000;

/// How an update stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Standing {
    id: i64,
    state: State,
    source: i64,
    lane: i64,
    key: Option<i64>,
    reason: Option<String>,
}

impl Standing {
    fn of(row: &Row) -> Option<Self> {
        Some(Self {
            id: row.get(0),
            state: State::of(i64::from(row.get::<_, i16>(1)))?,
            source: row.get(2),
            lane: row.get(3),
            key: row.get(4),
            reason: row.get(5),
        })
    }

    /// Whether nothing was sent because later updates had said the same.
    fn is_superseded(&self) -> bool {
        self.state == State::Skipped
            && self.reason.as_deref() == Some(SkippedReason::Superseded.as_str())
    }
}

/// What changes are about.
struct Subjects<'a> {
    /// Updates that are named.
    updates: Vec<i64>,
    /// Events of which all is meant.
    events: Vec<i64>,
    /// Updates that come.
    come: Vec<&'a PreparedUpdate>,
    /// The lanes of what names the contacts of those.
    lanes: Vec<i64>,
    /// How many updates wait that did not, at most.
    waiting: usize,
}

impl<'a> Subjects<'a> {
    fn of(changes: &'a [PreparedChange]) -> Self {
        let (mut updates, mut events, mut come) = (Vec::new(), Vec::new(), Vec::new());
        let (mut lanes, mut waiting) = (Vec::new(), 0);
        for change in changes {
            match change {
                PreparedChange::Replay { update, .. } => {
                    updates.push(*update);
                    waiting += 1;
                }
                PreparedChange::Remap { event, gone, updates: remapped } => {
                    updates.extend(gone);
                    events.push(*event);
                    come.extend(remapped.iter().map(|remapped| &remapped.update));
                    lanes.extend(remapped.iter().filter_map(PreparedRemap::lane));
                    waiting += remapped.iter().filter(|come| come.lane().is_some()).count();
                }
                PreparedChange::Discard(update) => updates.push(*update),
                PreparedChange::Purge(event) => events.push(*event),
                PreparedChange::Forget(key) => lanes.push(*key),
            }
        }
        Self { updates, events, come, lanes, waiting }
    }

    /// All events, in order.
    fn all_events(&self) -> Vec<i64> {
        sorted(self.updates.iter().map(|id| id >> 16).chain(self.events.iter().copied()))
    }
}

/// Where the contacts of what changes are about wait: what has to be locked.
#[derive(Debug, PartialEq, Eq)]
struct Where {
    /// Lanes, with all others of the same contact.
    families: HashMap<i64, Vec<i64>>,
    /// Where what names its contact by a key waits.
    homes: HashMap<i64, i64>,
}

/// Changes being made.
pub(super) struct Making<'a> {
    pub(super) core: &'a Core,
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) now: i64,
    pub(super) ledger: Deltas,
    pub(super) arrivals: Arrivals,
    /// The lanes of what has come since it was looked at; nothing where that is too much to look at.
    came: Option<HashSet<i64>>,
    at: Where,
    /// Lanes that are to be set right.
    touched: BTreeSet<i64>,
}

impl Core {
    /// Makes the changes, all in one transaction; after an error none of them is made.
    pub(super) async fn change(
        &self,
        changes: &[PreparedChange],
        upto: i64,
    ) -> Result<Vec<Changed>, Error> {
        let subjects = Subjects::of(changes);
        let rules = subjects.come.iter().map(|update| &*update.rule).collect();
        self.names.meet(&self.pool, rules).await?;
        let made = self.noted(
            "change",
            transacted!(self.pool, |transaction| {
                let filled = Filled { used: 0, ..self.filled(transaction).await? };
                if let Some(full) = self.refusal(filled, subjects.waiting) {
                    return Err(Error::Full(full).into());
                }
                let mut making = Making::begin(self, transaction, &subjects, upto).await?;
                let mut made = Vec::with_capacity(changes.len());
                for change in changes {
                    made.push(making.make(change).await?);
                }
                making.end().await?;
                Ok(made)
            }),
        )?;
        self.wake.now();
        Ok(made)
    }
}

impl<'a> Making<'a> {
    /// Locks what the changes are about.
    async fn begin(
        core: &'a Core,
        transaction: &'a Transaction<'a>,
        subjects: &Subjects<'_>,
        upto: i64,
    ) -> Result<Self, Fault> {
        let keys = Arrivals::keys(subjects.come.iter().copied());
        let lanes = transaction.lanes_of(&keys).await?;
        let at = whereabouts(transaction, subjects).await?;
        let also = sorted(at.families.values().flatten().chain(at.homes.values()).copied());
        let now = transaction.now(core.manual()).await?;
        let coming = subjects.come.iter().copied();
        let arrivals = Arrivals::lock(transaction, (&keys, lanes), coming, &also, now).await?;
        let events = subjects.all_events();
        transaction.query(queries::LOCK_EVENTS, params![events]).await?;
        if whereabouts(transaction, subjects).await? != at {
            return Err(Fault::changed());
        }
        let after = upto << 16 | 0xffff;
        let came = transaction.query(queries::UPDATES_AFTER, params![after, CAME_SINCE]).await?;
        let all = i64::try_from(came.len()).is_ok_and(|count| count < CAME_SINCE);
        let came = all.then(|| came.into_iter().map(|row| row.get(1)).collect());
        let touched = also.into_iter().collect();
        let ledger = Deltas::default();
        Ok(Self { core, transaction, now, ledger, arrivals, came, at, touched })
    }

    async fn make(&mut self, change: &PreparedChange) -> Result<Changed, Fault> {
        match change {
            PreparedChange::Replay { update, sends } => self.replay(*update, sends).await,
            PreparedChange::Remap { event, gone, updates } => {
                self.remap_some(*event, gone, updates).await
            }
            PreparedChange::Discard(update) => self.discard(*update).await,
            PreparedChange::Purge(event) => self.purge(*event).await,
            PreparedChange::Forget(key) => self.forget(*key).await,
        }
    }

    /// Forgets which keys mean a contact and what events have set of it, unless something waits for it.
    async fn forget(&mut self, key: i64) -> Result<Changed, Fault> {
        let family = self.at.families.get(&key).cloned().unwrap_or_default();
        let lanes = sorted(family.into_iter().chain([key]));
        let open = self.transaction.query_opt(queries::IS_OPEN, params![lanes]).await?;
        if open.is_none_or(|row| row.get(0)) {
            return Ok(Changed::StandsOtherwise);
        }
        for forget in [queries::FORGET_MARKS_OF, queries::FORGET_ALIASES_OF] {
            self.transaction.execute(forget, params![lanes]).await?;
        }
        Ok(Changed::Done)
    }

    /// Sets right what was locked; the counters come last.
    async fn end(self) -> Result<(), Fault> {
        let touched: Vec<i64> = self.touched.into_iter().collect();
        self.arrivals.settle(self.transaction, self.now).await?;
        self.transaction.set_right(&touched, self.now).await?;
        self.transaction.count(&self.ledger, self.core.shard(Work::Rare)).await
    }

    /// Whether something of the contact with this lane has come; nothing known is as good as something.
    fn has_come(&self, lane: i64) -> bool {
        let Some(came) = &self.came else { return true };
        let family = self.at.families.get(&lane).map_or(&[][..], Vec::as_slice);
        came.contains(&lane) || family.iter().any(|lane| came.contains(lane))
    }

    async fn standing(&self, id: i64) -> Result<Option<Standing>, Fault> {
        let row = self.transaction.query_opt(queries::STANDING, params![vec![id]]).await?;
        Ok(row.as_ref().and_then(Standing::of))
    }

    async fn replay(&mut self, id: i64, sends: &PreparedSends) -> Result<Changed, Fault> {
        let Some(stands) = self.standing(id).await? else { return Ok(Changed::StandsOtherwise) };
        if stands.state != State::Dead && !stands.is_superseded() {
            return Ok(Changed::StandsOtherwise);
        }
        if self.has_come(stands.lane) {
            return Ok(Changed::SomethingCame);
        }
        let before = self.plan_size(id).await?;
        let becomes = match sends {
            PreparedSends::Whole => {
                self.transaction.execute(queries::SEND_WHOLE, params![id]).await?;
                State::Open
            }
            PreparedSends::Part(part) => {
                let body = sealed(&self.core.cipher, "plan", id, part.body.clone())?;
                let form = i16::try_from(part.form).unwrap_or(0);
                self.transaction.execute(queries::SEND_PART, params![id, body, form]).await?;
                State::Open
            }
            PreparedSends::Nothing => State::Skipped,
        };
        let grown = self.plan_size(id).await? - before;
        self.transaction.execute(queries::ADD_SIZE, params![id >> 16, grown]).await?;
        self.ledger.add(stands.source, What::Bytes, grown);
        self.ledger.add(stands.source, stands.state.counted(), -1);
        self.ledger.add(stands.source, becomes.counted(), 1);
        if becomes == State::Skipped {
            let reason = Some(SkippedReason::Superseded.as_str());
            self.set_state(id, State::Skipped, reason).await?;
        } else {
            for forget in [queries::FORGET_ATTEMPTS, queries::FORGET_DETAILS] {
                self.transaction.execute(forget, params![vec![id]]).await?;
            }
            let home = stands.key.and_then(|key| self.at.homes.get(&key)).copied();
            let lane = home.unwrap_or(stands.lane);
            self.transaction.execute(queries::REVIVE, params![id, lane]).await?;
        }
        self.unblock(stands.lane, id).await?;
        Ok(Changed::Done)
    }

    async fn discard(&mut self, id: i64) -> Result<Changed, Fault> {
        let Some(stands) = self.standing(id).await? else { return Ok(Changed::StandsOtherwise) };
        if !matches!(stands.state, State::Dead | State::Held) {
            return Ok(Changed::StandsOtherwise);
        }
        self.ledger.add(stands.source, stands.state.counted(), -1);
        self.ledger.add(stands.source, What::Discarded, 1);
        // Why it was put away is why it was held or dead.
        self.set_state(id, State::Discarded, stands.reason.as_deref()).await?;
        self.unblock(stands.lane, id).await?;
        Ok(Changed::Done)
    }

    /// Forgets an event of which all has come to an end.
    async fn purge(&mut self, event: i64) -> Result<Changed, Fault> {
        let locked = &self.touched;
        let removed = self
            .transaction
            .remove(&[event], |lane| locked.contains(&lane), |_, _| true, &mut self.ledger)
            .await?;
        Ok(if removed.is_empty() { Changed::StandsOtherwise } else { Changed::Done })
    }

    /// Replaces updates of an event that have come to an end.
    async fn remap_some(
        &mut self,
        event: i64,
        gone: &[i64],
        updates: &[PreparedRemap],
    ) -> Result<Changed, Fault> {
        for id in gone {
            let stands = self.standing(*id).await?;
            if stands.is_none_or(|stands| stands.state == State::Open) {
                return Ok(Changed::StandsOtherwise);
            }
        }
        if updates.iter().filter_map(PreparedRemap::lane).any(|lane| self.has_come(lane)) {
            return Ok(Changed::SomethingCame);
        }
        let replaced = self.replace(event, gone, updates).await?;
        Ok(if replaced { Changed::Done } else { Changed::StandsOtherwise })
    }

    async fn set_state(&self, id: i64, state: State, reason: Option<&str>) -> Result<(), Fault> {
        let (state, reason) = (state as i16, reason.map(str::to_owned));
        let set = params![id, state, reason, self.now];
        self.transaction.execute(queries::SET_STATE, set).await?;
        Ok(())
    }

    /// A dead update waits again or is put away: what waits behind it goes on, unless another one blocks the lane.
    async fn unblock(&self, lane: i64, id: i64) -> Result<(), Fault> {
        self.transaction.execute(statements::UNBLOCK, params![vec![lane], vec![id]]).await?;
        Ok(())
    }

    async fn plan_size(&self, id: i64) -> Result<i64, Fault> {
        let size = self.transaction.query_opt(queries::PLAN_SIZE, params![id]).await?;
        Ok(size.map_or(0, |row| i64::from(row.get::<_, i32>(0))))
    }
}

/// Where the contacts of what changes are about wait now.
async fn whereabouts(
    transaction: &Transaction<'_>,
    subjects: &Subjects<'_>,
) -> Result<Where, Fault> {
    let mut rows = transaction.query(queries::STANDING, params![subjects.updates]).await?;
    rows.extend(transaction.query(queries::STANDING_OF_EVENTS, params![subjects.events]).await?);
    let stand: Vec<Standing> = rows.iter().filter_map(Standing::of).collect();
    let keys = sorted(stand.iter().filter_map(|stands| stands.key));
    let homes = transaction.lanes_of(&keys).await?;
    let lanes = stand.iter().map(|stands| stands.lane).chain(subjects.lanes.iter().copied());
    let families = transaction.families(&sorted(lanes)).await?;
    Ok(Where { families, homes })
}

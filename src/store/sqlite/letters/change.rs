//! Changes that operators ask for, each call in a transaction of its own: they are rare, and must not spoil what
//! came in.

use std::collections::HashSet;

use rusqlite::OptionalExtension;

use super::super::batch::Batch;
use super::super::blocked::ComesBack;
use super::super::lanes::Standing as Lane;
use super::super::statements;
use super::super::writer::Writer;
use super::HALTED;
use super::later::lanes_of;
use crate::contact::SkippedReason;
use crate::store::Error;
use crate::store::form::changes::{PreparedChange, PreparedRemap, PreparedSends};
use crate::store::form::ledger::What;
use crate::store::form::prepared::PreparedUpdate;
use crate::store::form::state::{IGNORED, State, TAKEN};
use crate::store::letters::Changed;

/// Where more has come since it was looked at than this, nothing is looked at again here.
const CAME_SINCE: i64 = 10_000;

/// Places of updates within an event.
const PLACES: usize = 1 << 16;

/// How an update stands.
struct Standing {
    state: State,
    source: i64,
    lane: i64,
    reason: Option<String>,
}

impl Standing {
    /// Whether nothing was sent because later updates had said the same.
    fn is_superseded(&self) -> bool {
        self.state == State::Skipped
            && self.reason.as_deref() == Some(SkippedReason::Superseded.as_str())
    }
}

impl Writer {
    /// Makes the changes, all in one transaction; after an error none of them is made. What is forgotten leaves
    /// nothing behind in the file or its log.
    pub(super) fn change(
        &mut self,
        changes: &[PreparedChange],
        upto: i64,
    ) -> Result<Vec<Changed>, Error> {
        let forgets = |change: &PreparedChange| {
            matches!(change, PreparedChange::Purge(_) | PreparedChange::Forget(_))
        };
        let forgets = changes.iter().any(forgets);
        if forgets {
            self.overwrite(true);
        }
        let come = changes.iter().map(PreparedChange::waiting).sum();
        let made = self.alone("change", |batch, room| {
            if let Some(full) = room.refusal_of(batch.memory.open, come) {
                return Ok(Err(Error::Full(full)));
            }
            batch.make(changes, upto).map(Ok)
        });
        if forgets {
            self.overwrite(false);
        }
        made?
    }

    /// Notes that an operator has paused delivery, or has it go on.
    pub(super) fn halt(&mut self, halted: bool) -> Result<(), Error> {
        self.alone("change", |batch, _| batch.halt(halted))
    }
}

impl PreparedChange {
    /// How many updates wait that did not, at most.
    fn waiting(&self) -> usize {
        match self {
            Self::Replay { .. } => 1,
            Self::Remap { updates, .. } => {
                updates.iter().filter(|come| come.lane().is_some()).count()
            }
            Self::Discard(_) | Self::Purge(_) | Self::Forget(_) => 0,
        }
    }
}

impl Batch<'_> {
    fn halt(&self, halted: bool) -> rusqlite::Result<()> {
        if halted {
            // Since when it is paused is when it was first.
            self.connection.prepare_cached(statements::ADD_META)?.execute((HALTED, self.wall))?;
        } else {
            self.connection.prepare_cached(statements::FORGET_META)?.execute([HALTED])?;
        }
        Ok(())
    }

    fn make(&mut self, changes: &[PreparedChange], upto: i64) -> rusqlite::Result<Vec<Changed>> {
        let came = self.came_since(upto)?;
        let mut made = Vec::with_capacity(changes.len());
        for change in changes {
            made.push(match change {
                PreparedChange::Replay { update, sends } => {
                    self.replay(*update, sends, came.as_ref())?
                }
                PreparedChange::Remap { event, gone, updates } => {
                    self.remap_some(*event, gone, updates, came.as_ref())?
                }
                PreparedChange::Discard(update) => self.discard(*update)?,
                PreparedChange::Purge(event) => self.purge(*event)?,
                PreparedChange::Forget(key) => self.forget(*key)?,
            });
        }
        Ok(made)
    }

    /// The lanes of what has come since the event `upto`; nothing where that is too much to look at.
    fn came_since(&self, upto: i64) -> rusqlite::Result<Option<HashSet<i64>>> {
        if self.memory.last_event <= upto {
            return Ok(Some(HashSet::new()));
        }
        let mut after = self.connection.prepare_cached(statements::UPDATES_AFTER)?;
        let rows = after.query_map((upto << 16 | 0xffff, CAME_SINCE), |row| row.get(1))?;
        let (mut lanes, mut read) = (HashSet::new(), 0);
        for lane in rows {
            lanes.insert(lane?);
            read += 1;
        }
        Ok((read < CAME_SINCE).then_some(lanes))
    }

    /// Whether something of the contact with this lane has come; nothing known is as good as something.
    fn has_come(&self, came: Option<&HashSet<i64>>, lane: i64) -> rusqlite::Result<bool> {
        let Some(came) = came else { return Ok(true) };
        Ok(!came.is_empty()
            && lanes_of(self.connection, lane)?.iter().any(|lane| came.contains(lane)))
    }

    fn found(&self, id: i64) -> rusqlite::Result<Option<Standing>> {
        let mut standing = self.connection.prepare_cached(statements::STANDING)?;
        let found = standing.query_row([id], |row| {
            let state = State::of(row.get(0)?);
            Ok(state.map(|state| (state, row.get(1), row.get(2), row.get(3))))
        });
        let Some((state, source, lane, reason)) = found.optional()?.flatten() else {
            return Ok(None);
        };
        Ok(Some(Standing { state, source: source?, lane: lane?, reason: reason? }))
    }

    fn replay(
        &mut self,
        id: i64,
        sends: &PreparedSends,
        came: Option<&HashSet<i64>>,
    ) -> rusqlite::Result<Changed> {
        let Some(stands) = self.found(id)? else { return Ok(Changed::StandsOtherwise) };
        if stands.state != State::Dead && !stands.is_superseded() {
            return Ok(Changed::StandsOtherwise);
        }
        if self.has_come(came, stands.lane)? {
            return Ok(Changed::SomethingCame);
        }
        let becomes = match sends {
            PreparedSends::Whole => {
                self.connection.prepare_cached(statements::SEND_WHOLE)?.execute([id])?;
                State::Open
            }
            PreparedSends::Part(part) => {
                let mut set = self.connection.prepare_cached(statements::SEND_PART)?;
                set.execute((id, &part.body, part.form))?;
                State::Open
            }
            PreparedSends::Nothing => State::Skipped,
        };
        self.changes.ledger.add(stands.source, stands.state.counted(), -1);
        self.changes.ledger.add(stands.source, becomes.counted(), 1);
        if becomes == State::Skipped {
            let reason = Some(SkippedReason::Superseded.as_str());
            let mut set = self.connection.prepare_cached(statements::SET_STATE)?;
            set.execute((id, State::Skipped as u8, reason, self.wall))?;
            self.unblock(stands.lane, id)?;
            return Ok(Changed::Done);
        }
        for forget in [statements::FORGET_ATTEMPTS, statements::FORGET_DETAIL] {
            self.connection.prepare_cached(forget)?.execute([id])?;
        }
        let ComesBack { from, lane, due_at } = self.come_back(id)?;
        self.connection.prepare_cached(statements::REVIVE)?.execute((id, due_at, lane))?;
        self.unblock(from, id)?;
        Ok(Changed::Done)
    }

    fn discard(&mut self, id: i64) -> rusqlite::Result<Changed> {
        let Some(stands) = self.found(id)? else { return Ok(Changed::StandsOtherwise) };
        if !matches!(stands.state, State::Dead | State::Held) {
            return Ok(Changed::StandsOtherwise);
        }
        self.changes.ledger.add(stands.source, stands.state.counted(), -1);
        self.changes.ledger.add(stands.source, What::Discarded, 1);
        // Why it was put away is why it was held or dead.
        let mut set = self.connection.prepare_cached(statements::SET_STATE)?;
        set.execute((id, State::Discarded as u8, stands.reason, self.wall))?;
        self.unblock(stands.lane, id)?;
        Ok(Changed::Done)
    }

    /// Forgets an event of which all has come to an end.
    fn purge(&mut self, event: i64) -> rusqlite::Result<Changed> {
        let removed = self.remove_event(event, |_, _| true)?;
        Ok(if removed.events > 0 { Changed::Done } else { Changed::StandsOtherwise })
    }

    /// Forgets which keys mean a contact and what events have set of it, unless something waits for it.
    fn forget(&mut self, key: i64) -> rusqlite::Result<Changed> {
        let lanes = lanes_of(self.connection, key)?;
        let waits = |lane: &i64| self.standing(*lane) != Lane::Free || self.is_blocked(*lane);
        if lanes.iter().any(waits) {
            return Ok(Changed::StandsOtherwise);
        }
        for lane in lanes {
            for forget in statements::FORGET_CONTACT {
                self.connection.prepare_cached(forget)?.execute([lane])?;
            }
        }
        Ok(Changed::Done)
    }

    /// Replaces updates of an event that have come to an end.
    fn remap_some(
        &mut self,
        event: i64,
        gone: &[i64],
        updates: &[PreparedRemap],
        came: Option<&HashSet<i64>>,
    ) -> rusqlite::Result<Changed> {
        for id in gone {
            let stands = self.found(*id)?;
            if stands.is_none_or(|stands| stands.state == State::Open) {
                return Ok(Changed::StandsOtherwise);
            }
        }
        for lane in updates.iter().filter_map(PreparedRemap::lane) {
            if self.has_come(came, lane)? {
                return Ok(Changed::SomethingCame);
            }
        }
        let plain: Vec<_> = updates.iter().map(|come| &come.update).collect();
        let Some(placed) = self.replace(event, gone, &plain, None)? else {
            return Ok(Changed::StandsOtherwise);
        };
        for (id, come) in placed.into_iter().zip(updates) {
            let Some(id) = id else { continue };
            if let Some(original) = &come.original {
                let mut set = self.connection.prepare_cached(statements::SET_ORIGINAL)?;
                set.execute((id, original))?;
            }
            if let Some(plan) = &come.superseded {
                let mut add = self.connection.prepare_cached(statements::ADD_PLAN)?;
                add.execute((id, plan.form, &plan.body))?;
            }
        }
        Ok(Changed::Done)
    }

    /// Takes updates of an event away and gives it others, at the first places that are free; one of a rule and item
    /// that stays is left out. Their numbers, in order; nothing where there is no such event, or no place.
    pub(in super::super) fn replace(
        &mut self,
        event: i64,
        gone: &[i64],
        updates: &[&PreparedUpdate],
        digest: Option<i64>,
    ) -> rusqlite::Result<Option<Vec<Option<i64>>>> {
        let mut stands = self.connection.prepare_cached(statements::EVENT_STANDS)?;
        let found: Option<(i64, i64)> =
            stands.query_row([event], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((source, outcome)) = found else { return Ok(None) };
        let (mut taken, mut stay) = (HashSet::new(), HashSet::new());
        let mut of_event = self.connection.prepare_cached(statements::STANDING_OF_EVENT)?;
        let mut rows = of_event.query([event])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            if gone.contains(&id) {
                if let Some(state) = State::of(row.get(1)?) {
                    self.changes.ledger.add(source, state.counted(), -1);
                    self.changes.ledger.add(source, What::Planned, -1);
                }
            } else {
                taken.insert(id);
                stay.insert((row.get::<_, i64>(2)?, row.get::<_, u32>(3)?));
            }
        }
        if taken.len() + updates.len() > PLACES {
            return Ok(None);
        }
        for id in gone {
            for forget in statements::FORGET_UPDATE {
                self.connection.prepare_cached(forget)?.execute([id])?;
            }
        }
        let mut count = taken.len();
        let mut free = (event << 16..).filter(|id| !taken.contains(id));
        let mut placed = Vec::with_capacity(updates.len());
        for update in updates {
            let rule = self.name(&update.rule)?;
            let place = if stay.contains(&(rule, update.item)) { None } else { free.next() };
            if let Some(id) = place {
                self.add_update(id, source, update)?;
                count += 1;
            }
            placed.push(place);
        }
        let becomes = if count == 0 { IGNORED } else { TAKEN };
        for (outcome, by) in [(outcome, -1), (becomes, 1)] {
            let counted = if outcome == IGNORED { What::Ignored } else { What::Taken };
            self.changes.ledger.add(source, counted, by);
        }
        let mut set = self.connection.prepare_cached(statements::SET_EVENT)?;
        set.execute((event, becomes, i64::try_from(count).unwrap_or(i64::MAX), digest))?;
        Ok(Some(placed))
    }
}

//! What became of what was lent.

use rusqlite::OptionalExtension;

use super::batch::Batch;
use super::lanes::{Loan, Standing};
use super::statements;
use crate::contact::HeldReason;
use crate::store::form::kept::kept_words;
use crate::store::form::ledger::What;
use crate::store::form::lending::Ending;
use crate::store::form::state::{State, later, number};
use crate::store::{AfterDead, End, Lent, Trouble};

/// What one record left of an update.
struct Recorded {
    lane: i64,
    /// When it may be lent again, where it is not at its end.
    due_at: Option<i64>,
}

impl Batch<'_> {
    /// Records what became of updates of one run; the lane goes on once nothing of the run is left. `false` where a
    /// fence is no longer in force.
    pub(super) fn record(
        &mut self,
        ends: &[(Lent, Ending)],
        after_dead: AfterDead,
    ) -> rusqlite::Result<bool> {
        // The head of a lane of which nothing else is lent stays the head: nothing has to be found for it.
        let stays = ends.len() == 1 && self.lends_single_updates_only();
        let mut recorded = Vec::with_capacity(ends.len());
        for (lent, ending) in ends {
            recorded.extend(self.record_one(*lent, ending, stays, after_dead)?);
        }
        let all = recorded.len() == ends.len();
        let Some(Recorded { lane, .. }) = recorded.first() else { return Ok(all) };
        if !(stays && recorded.iter().any(|recorded| recorded.due_at.is_some())) {
            self.settle(*lane, &recorded)?;
        }
        Ok(all)
    }

    /// Has a lane go on of which these were lent, unless others still are.
    fn settle(&mut self, lane: i64, recorded: &[Recorded]) -> rusqlite::Result<()> {
        let loan = self.loan(lane);
        let count = u32::try_from(recorded.len()).unwrap_or(u32::MAX);
        let before = loan.unwrap_or(Loan { left: count, due_at: 0 });
        let put_off = recorded.iter().filter_map(|recorded| recorded.due_at).max();
        if put_off.is_some() {
            self.set_standing(lane, Standing::Queued);
        }
        let due_at = before.due_at.max(put_off.unwrap_or(0));
        let left = before.left.saturating_sub(count);
        if left > 0 {
            self.set_loan(lane, Some(Loan { left, due_at }));
            return Ok(());
        }
        if loan.is_some() {
            self.set_loan(lane, None);
        }
        self.go_on(lane, due_at)
    }

    /// Records one end; nothing where the fence is no longer in force. What is put off becomes due by itself where it
    /// `stays` the head.
    fn record_one(
        &mut self,
        lent: Lent,
        ending: &Ending,
        stays: bool,
        after_dead: AfterDead,
    ) -> rusqlite::Result<Option<Recorded>> {
        let id = number(lent.update);
        let done = |(lane, _)| Recorded { lane, due_at: None };
        match ending {
            Ending::Said(End::Delivered) => {
                let ended = self.end(lent, State::Delivered, What::Delivered, None, 0)?;
                Ok(ended.map(done))
            }
            Ending::Said(End::Marking(marks)) => {
                let ended = self.end(lent, State::Delivered, What::Delivered, None, 0)?;
                if ended.is_some() {
                    self.mark(id, marks)?;
                }
                Ok(ended.map(done))
            }
            Ending::Said(End::Skipped(reason)) => {
                let reason = Some(reason.as_str());
                Ok(self.end(lent, State::Skipped, What::Skipped, reason, 0)?.map(done))
            }
            Ending::Said(End::Dead(reason, trouble)) => {
                let ended = self.end(lent, State::Dead, What::Dead, Some(reason.as_str()), 0)?;
                if let Some((lane, attempt)) = ended {
                    self.add_attempt(id, attempt, trouble)?;
                    if after_dead == AfterDead::Block {
                        self.block(lane, id)?;
                    }
                }
                Ok(ended.map(done))
            }
            Ending::Said(End::Again { after, trouble, may_have_landed }) => {
                let due_at = later(self.now, *after);
                let mut put_off = self.connection.prepare_cached(statements::PUT_OFF)?;
                let due = stays.then_some(due_at);
                let put_off: Option<(i64, u32)> = put_off
                    .query_row((id, lent.fence.0, due, self.now, may_have_landed), |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })
                    .optional()?;
                let Some((lane, attempt)) = put_off else { return Ok(None) };
                self.add_attempt(id, attempt, trouble)?;
                Ok(Some(Recorded { lane, due_at: Some(due_at) }))
            }
            Ending::Said(End::GivenBack { after }) => {
                let due_at = later(self.now, *after);
                let mut give_back = self.connection.prepare_cached(statements::GIVE_BACK)?;
                let lane = give_back
                    .query_row((id, lent.fence.0, stays.then_some(due_at)), |row| row.get(0))
                    .optional()?;
                Ok(lane.map(|lane| Recorded { lane, due_at: Some(due_at) }))
            }
            Ending::Unreadable(detail) => {
                let reason = Some(HeldReason::Version.as_str());
                let held = self.end(lent, State::Held, What::Held, reason, 1)?;
                if held.is_some() {
                    let mut add = self.connection.prepare_cached(statements::ADD_DETAIL)?;
                    add.execute((id, detail))?;
                }
                Ok(held.map(done))
            }
        }
    }

    /// Ends an update and takes `uncounted` of its attempts back. Its lane and the number of attempts, or nothing
    /// where the fence is no longer in force.
    fn end(
        &mut self,
        lent: Lent,
        state: State,
        counted: What,
        reason: Option<&str>,
        uncounted: u32,
    ) -> rusqlite::Result<Option<(i64, u32)>> {
        let mut finish = self.connection.prepare_cached(statements::FINISH)?;
        let id = number(lent.update);
        let ended: Option<(i64, i64, u32)> = finish
            .query_row((id, lent.fence.0, state as u8, reason, self.wall, uncounted), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((lane, source, attempts)) = ended else { return Ok(None) };
        self.changes.ledger.add(source, What::Open, -1);
        self.changes.ledger.add(source, counted, 1);
        Ok(Some((lane, attempts)))
    }

    fn add_attempt(&self, id: i64, attempt: u32, trouble: &Trouble) -> rusqlite::Result<()> {
        let mut add = self.connection.prepare_cached(statements::ADD_ATTEMPT)?;
        add.execute((id, attempt, self.wall, trouble.status, kept_words(&trouble.words)))?;
        Ok(())
    }
}

//! Ends of lent updates on their way into the tables.

use std::collections::BTreeMap;

use super::core::Core;
use super::record::LentRow;
use super::sealing::sealed;
use super::statements;
use super::transaction::{Fault, Transaction, params};
use crate::contact::{HeldReason, Mark};
use crate::store::form::kept::kept_words;
use crate::store::form::ledger::{Deltas, What};
use crate::store::form::lending::Ending;
use crate::store::form::state::{State, later};
use crate::store::{AfterDead, End, Error, Trouble};

/// In milliseconds: a sender that comes with an event a month late is taken at its word.
const KEPT_FOR: i64 = 30 * 24 * 60 * 60 * 1000;

/// So many old marks go with each that comes: more than come, so that the rest gets less.
const SWEPT: i64 = 20;

/// By which a mark is known: lane, source and field.
type MarkKey = (i64, i64, Vec<u8>);

#[derive(Default)]
struct Updates {
    ids: Vec<i64>,
    states: Vec<i16>,
    reasons: Vec<Option<&'static str>>,
    finished: Vec<Option<i64>>,
    attempts: Vec<i32>,
    first_failed: Vec<Option<i64>>,
    together: Vec<Option<i64>>,
}

#[derive(Default)]
struct Attempts {
    ids: Vec<i64>,
    numbers: Vec<i32>,
    statuses: Vec<Option<i32>>,
    words: Vec<Vec<u8>>,
}

/// What became of updates, and what it counts.
pub(super) struct Ends {
    now: i64,
    updates: Updates,
    attempts: Attempts,
    details: Vec<(i64, Vec<u8>)>,
    blocks: Vec<(i64, i64)>,
    marks: BTreeMap<MarkKey, (bool, i64)>,
    pub(super) ledger: Deltas,
}

impl Ends {
    pub(super) fn new(now: i64) -> Self {
        Self {
            now,
            updates: Updates::default(),
            attempts: Attempts::default(),
            details: Vec::new(),
            blocks: Vec::new(),
            marks: BTreeMap::new(),
            ledger: Deltas::default(),
        }
    }

    /// Takes one end; when the update may be lent again, where it is not at its end.
    pub(super) fn add(
        &mut self,
        core: &Core,
        row: &LentRow,
        ending: &Ending,
        after_dead: AfterDead,
    ) -> Result<Option<i64>, Error> {
        let end = match ending {
            Ending::Said(end) => end,
            Ending::Unreadable(detail) => {
                let text = detail.as_bytes().to_vec();
                self.details.push((row.id, sealed(&core.cipher, "text", row.id, text)?));
                self.end(row, State::Held, Some(HeldReason::Version.as_str()), row.attempts - 1);
                return Ok(None);
            }
        };
        match end {
            End::Delivered => self.end(row, State::Delivered, None, row.attempts),
            End::Marking(marks) => {
                self.end(row, State::Delivered, None, row.attempts);
                self.mark(row, marks);
            }
            End::Skipped(reason) => {
                self.end(row, State::Skipped, Some(reason.as_str()), row.attempts);
            }
            End::Dead(reason, trouble) => {
                self.end(row, State::Dead, Some(reason.as_str()), row.attempts);
                self.attempt(core, row, trouble)?;
                if after_dead == AfterDead::Block {
                    self.blocks.push((row.lane, row.id));
                }
            }
            End::Again { after, trouble, may_have_landed } => {
                self.attempt(core, row, trouble)?;
                let first_failed = row.first_failed.or(Some(self.now));
                let together = row.together.or(may_have_landed.then_some(row.fence));
                self.waits(row, row.attempts, first_failed, together);
                return Ok(Some(later(self.now, *after)));
            }
            End::GivenBack { after } => {
                self.waits(row, row.attempts - 1, row.first_failed, row.together);
                return Ok(Some(later(self.now, *after)));
            }
        }
        Ok(None)
    }

    fn end(&mut self, row: &LentRow, state: State, reason: Option<&'static str>, attempts: i32) {
        self.ledger.add(row.source, What::Open, -1);
        self.ledger.add(row.source, state.counted(), 1);
        let to = &mut self.updates;
        to.ids.push(row.id);
        to.states.push(state as i16);
        to.reasons.push(reason);
        to.finished.push(Some(self.now));
        to.attempts.push(attempts);
        to.first_failed.push(row.first_failed);
        to.together.push(row.together);
    }

    fn waits(
        &mut self,
        row: &LentRow,
        attempts: i32,
        first_failed: Option<i64>,
        together: Option<i64>,
    ) {
        let to = &mut self.updates;
        to.ids.push(row.id);
        to.states.push(State::Open as i16);
        to.reasons.push(None);
        to.finished.push(None);
        to.attempts.push(attempts);
        to.first_failed.push(first_failed);
        to.together.push(together);
    }

    fn attempt(&mut self, core: &Core, row: &LentRow, trouble: &Trouble) -> Result<(), Error> {
        let words = kept_words(&trouble.words).as_bytes().to_vec();
        let to = &mut self.attempts;
        to.ids.push(row.id);
        to.numbers.push(row.attempts);
        to.statuses.push(trouble.status.map(i32::from));
        to.words.push(sealed(&core.cipher, "text", row.id, words)?);
        Ok(())
    }

    /// Of each field the newest mark is kept.
    fn mark(&mut self, row: &LentRow, marks: &[Mark]) {
        for mark in marks {
            let key = (row.lane, row.source, mark.field.to_string().into_bytes());
            let at = mark.at.as_millisecond();
            let kept = self.marks.entry(key).or_insert((mark.is_there, at));
            if at >= kept.1 {
                *kept = (mark.is_there, at);
            }
        }
    }

    /// Writes all but the counters.
    pub(super) async fn write(&self, transaction: &Transaction<'_>) -> Result<(), Fault> {
        futures_util::try_join!(
            self.write_updates(transaction),
            self.write_attempts(transaction),
            self.write_details(transaction),
            self.write_blocks(transaction),
            self.write_marks(transaction),
        )?;
        Ok(())
    }

    async fn write_updates(&self, transaction: &Transaction<'_>) -> Result<(), Fault> {
        let Updates { ids, states, reasons, finished, attempts, first_failed, together } =
            &self.updates;
        if ids.is_empty() {
            return Ok(());
        }
        let all = params![*ids, *states, *reasons, *finished, *attempts, *first_failed, *together];
        transaction.execute(statements::RECORD, all).await?;
        Ok(())
    }

    async fn write_attempts(&self, transaction: &Transaction<'_>) -> Result<(), Fault> {
        let Attempts { ids, numbers, statuses, words } = &self.attempts;
        if ids.is_empty() {
            return Ok(());
        }
        let all = params![*ids, *numbers, self.now, *statuses, *words];
        transaction.execute(statements::ADD_ATTEMPTS, all).await?;
        Ok(())
    }

    async fn write_details(&self, transaction: &Transaction<'_>) -> Result<(), Fault> {
        if self.details.is_empty() {
            return Ok(());
        }
        let (ids, texts): (Vec<i64>, Vec<Vec<u8>>) = self.details.iter().cloned().unzip();
        transaction.execute(statements::ADD_DETAILS, params![ids, texts]).await?;
        Ok(())
    }

    async fn write_blocks(&self, transaction: &Transaction<'_>) -> Result<(), Fault> {
        if self.blocks.is_empty() {
            return Ok(());
        }
        let (lanes, updates): (Vec<i64>, Vec<i64>) = self.blocks.iter().copied().unzip();
        transaction.execute(statements::BLOCK, params![lanes, updates]).await?;
        Ok(())
    }

    async fn write_marks(&self, transaction: &Transaction<'_>) -> Result<(), Fault> {
        if self.marks.is_empty() {
            return Ok(());
        }
        let (mut lanes, mut sources, mut fields) = (Vec::new(), Vec::new(), Vec::new());
        let (mut there, mut at) = (Vec::new(), Vec::new());
        for ((lane, source, field), (is_there, happened)) in &self.marks {
            lanes.push(*lane);
            sources.push(*source);
            fields.push(&**field);
            there.push(*is_there);
            at.push(*happened);
        }
        let marks = params![lanes, sources, fields, there, at, self.now];
        transaction.execute(statements::MARK, marks).await?;
        let old = self.now.saturating_sub(KEPT_FOR);
        let swept = SWEPT.saturating_mul(i64::try_from(self.marks.len()).unwrap_or(1));
        transaction.execute(statements::SWEEP_MARKS, params![old, swept]).await?;
        Ok(())
    }
}

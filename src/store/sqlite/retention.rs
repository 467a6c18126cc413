//! What is deleted when its time has come, a hundred at a time: the next entries of the lists of `form::ages`.

use std::time::Duration;

use rusqlite::Connection;

use super::batch::Batch;
use super::removal::Removed;
use super::statements;
use crate::store::form::ages::{Ages, BATCH, List, Lists, MOST_UPDATES, Place};
use crate::store::settings::Retention;

/// What one transaction deleted, and how far it came.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) removed: Vec<Removed>,
    reached: Option<(usize, Place)>,
    /// Nothing is left that has come of age.
    pub(super) is_done: bool,
}

/// How far the lists have been gone through.
pub(super) struct Rounds(Lists);

impl Rounds {
    pub(super) fn new(keep: Retention) -> Self {
        Self(Lists::new(keep))
    }

    /// Takes in sources that are new, and begins again once a day.
    pub(super) fn look(
        &mut self,
        connection: &Connection,
        clock: Duration,
    ) -> rusqlite::Result<()> {
        let mut sources = connection.prepare_cached(statements::SOURCES)?;
        let sources = sources.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
        self.0.look(sources, clock);
        Ok(())
    }

    /// Until when something has to have ended: by its age or, where room is `scarce`, any history.
    pub(super) fn ages(&self, now: i64, scarce: bool) -> Ages {
        self.0.ages(now, scarce)
    }

    /// Deletes the next of what has come of age, the oldest first.
    pub(super) fn round(&self, batch: &mut Batch<'_>, ages: Ages) -> rusqlite::Result<Round> {
        let lists = self.0.all();
        let first = |(list, place): &(List, Place)| oldest_of(batch.connection, *list, *place);
        let first = lists.iter().map(first).collect::<Result<Vec<_>, _>>()?;
        let oldest = self.0.oldest(&first, ages);
        let Some((at, (list, place))) = oldest.and_then(|at| Some((at, lists.get(at).copied()?)))
        else {
            let mut drop = batch.connection.prepare_cached(statements::DROP_KEYS)?;
            let keys = drop.execute((batch.now, BATCH))?;
            let is_done = i64::try_from(keys).is_ok_and(|keys| keys < BATCH);
            return Ok(Round { is_done, ..Round::default() });
        };
        let mut round = Round::default();
        let (mut event, mut updates) = (None, 0);
        for (ended, id) in entries(batch.connection, list, place, ages)? {
            let of = list.event_of(id);
            if event != Some(of) {
                if updates >= MOST_UPDATES {
                    break;
                }
                event = Some(of);
                let removed = batch.remove_event(of, |state, at| at < ages.of(state))?;
                updates += removed.updates;
                round.removed.extend((removed.events > 0).then_some(removed));
            }
            round.reached = Some((at, (ended, id)));
        }
        Ok(round)
    }

    /// Takes over how far a round came, once it is committed.
    pub(super) fn reached(&mut self, round: &Round) {
        if let Some((at, place)) = round.reached {
            self.0.reached(at, place);
        }
    }
}

fn oldest_of(
    connection: &Connection,
    list: List,
    (ended, id): Place,
) -> rusqlite::Result<Option<i64>> {
    use rusqlite::OptionalExtension;
    match list {
        List::Ended(state, source) => connection
            .prepare_cached(statements::OLDEST_ENDED)?
            .query_row((state as u8, source, ended, id), |row| row.get(0)),
        List::Without(outcome) => connection
            .prepare_cached(statements::OLDEST_WITHOUT)?
            .query_row((outcome, ended, id), |row| row.get(0)),
    }
    .optional()
}

fn entries(
    connection: &Connection,
    list: List,
    (ended, id): Place,
    ages: Ages,
) -> rusqlite::Result<Vec<Place>> {
    let (before, most) = (ages.of_list(list), ages.most);
    let entry = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    match list {
        List::Ended(state, source) => connection
            .prepare_cached(statements::ENDED_BEFORE)?
            .query_map((state as u8, source, ended, id, before, most), entry)?
            .collect(),
        List::Without(outcome) => connection
            .prepare_cached(statements::WITHOUT_BEFORE)?
            .query_map((outcome, ended, id, before, most), entry)?
            .collect(),
    }
}

//! What is deleted when its time has come, a hundred at a time.
//!
//! Finished updates are listed by how and when they ended, events without updates by when they were received. Each
//! list is gone through from its oldest entry; an event that has to stay (one of its updates is open, or is kept
//! longer) is passed by, since the last of its updates to come of age takes it along. Once a day every list is gone
//! through again from the beginning, so that nothing is passed by for good.

use std::time::Duration;

use rusqlite::Connection;

use super::batch::Batch;
use super::removal::Removed;
use super::statements;
use crate::store::form::state::{CONTROL, IGNORED, State};
use crate::store::settings::Retention;
use crate::units::Span;

/// So many entries are looked at in one transaction: more would hold up who comes in meanwhile.
const BATCH: i64 = 100;

/// The same for what goes before its time: no more than has to.
const BATCH_OF_HISTORY: i64 = 20;

/// So many updates are deleted in one transaction, but for those of one event.
const MOST_UPDATES: u64 = 400;

const A_DAY: Duration = Duration::from_hours(24);

/// A list, in the order in which its entries come of age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    /// Updates of a source that ended so.
    Ended(State, i64),
    /// Events without updates.
    Without(i64),
}

/// After which entry of a list to go on: when it ended, and its id.
type Place = (i64, i64);

const BEGINNING: Place = (i64::MIN, i64::MIN);

/// Until when something has to have ended to be deleted, in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ages {
    delivered: i64,
    ignored: i64,
    dead: i64,
    most: i64,
}

impl Ages {
    fn of(self, state: State) -> i64 {
        match state {
            State::Delivered | State::Skipped | State::Discarded => self.delivered,
            State::Dead | State::Held => self.dead,
            State::Open => i64::MIN,
        }
    }

    fn of_list(self, list: List) -> i64 {
        match list {
            List::Ended(state, _) => self.of(state),
            List::Without(_) => self.ignored,
        }
    }
}

/// What one transaction deleted, and how far it came.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) removed: Vec<Removed>,
    reached: Option<(usize, Place)>,
    /// Nothing is left that has come of age.
    pub(super) is_done: bool,
}

/// How far the lists have been gone through.
pub(super) struct Rounds {
    keep: Retention,
    lists: Vec<(List, Place)>,
    /// By the monotonic clock.
    began: Option<Duration>,
}

impl Rounds {
    pub(super) fn new(keep: Retention) -> Self {
        Self { keep, lists: Vec::new(), began: None }
    }

    /// Takes in sources that are new, and begins again once a day.
    pub(super) fn look(
        &mut self,
        connection: &Connection,
        clock: Duration,
    ) -> rusqlite::Result<()> {
        if self.began.is_none_or(|began| clock.saturating_sub(began) >= A_DAY) {
            self.began = Some(clock);
            self.lists.clear();
            self.lists.extend([IGNORED, CONTROL].map(|of| (List::Without(of), BEGINNING)));
        }
        let mut sources = connection.prepare_cached(statements::SOURCES)?;
        let sources = sources.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
        for source in sources {
            for state in State::FINISHED {
                let list = List::Ended(*state, source);
                if !self.lists.iter().any(|(known, _)| *known == list) {
                    self.lists.push((list, BEGINNING));
                }
            }
        }
        Ok(())
    }

    /// Until when something has to have ended: by its age or, where room is `scarce`, any history.
    pub(super) fn ages(&self, now: i64, scarce: bool) -> Ages {
        let before =
            |Span(kept)| now.saturating_sub(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX));
        let history = |kept| if scarce { i64::MAX } else { before(kept) };
        Ages {
            delivered: history(self.keep.delivered),
            ignored: history(self.keep.ignored),
            dead: self.keep.dead.map_or(i64::MIN, before),
            most: if scarce { BATCH_OF_HISTORY } else { BATCH },
        }
    }

    /// Deletes the next of what has come of age, the oldest first.
    pub(super) fn round(&self, batch: &mut Batch<'_>, ages: Ages) -> rusqlite::Result<Round> {
        let mut oldest = None;
        for (at, (list, place)) in self.lists.iter().enumerate() {
            let first = oldest_of(batch.connection, *list, *place)?;
            let Some(first) = first.filter(|first| *first < ages.of_list(*list)) else { continue };
            if oldest.is_none_or(|(other, _)| first < other) {
                oldest = Some((first, at));
            }
        }
        let Some((at, (list, place))) =
            oldest.and_then(|(_, at)| Some((at, self.lists.get(at).copied()?)))
        else {
            let mut drop = batch.connection.prepare_cached(statements::DROP_KEYS)?;
            let keys = drop.execute((batch.now, BATCH))?;
            let is_done = i64::try_from(keys).is_ok_and(|keys| keys < BATCH);
            return Ok(Round { is_done, ..Round::default() });
        };
        let mut round = Round::default();
        let (mut event, mut updates) = (None, 0);
        for (ended, id) in entries(batch.connection, list, place, ages)? {
            let of = match list {
                List::Ended(..) => id >> 16,
                List::Without(_) => id,
            };
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
        if let Some((at, place)) = round.reached
            && let Some((_, known)) = self.lists.get_mut(at)
        {
            *known = place;
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

//! What has come of age: which lists are gone through, how far they are, and until when something has to have ended.
//!
//! Finished updates are listed by how and when they ended, events without updates by when they were received. Each
//! list is gone through from its oldest entry; an event that has to stay (one of its updates is open, or is kept
//! longer) is passed by, since the last of its updates to come of age takes it along. Once a day every list is gone
//! through again from the beginning, so that nothing is passed by for good.

use std::time::Duration;

use super::state::{CONTROL, IGNORED, State};
use crate::store::settings::Retention;
use crate::units::Span;

/// So many entries are looked at in one transaction: more would hold up who comes in meanwhile.
pub(in crate::store) const BATCH: i64 = 100;

/// The same for what goes before its time: no more than has to.
const BATCH_OF_HISTORY: i64 = 20;

/// So many updates are deleted in one transaction, but for those of one event.
pub(in crate::store) const MOST_UPDATES: u64 = 400;

const A_DAY: Duration = Duration::from_hours(24);

/// A list, in the order in which its entries come of age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum List {
    /// Updates of a source that ended so.
    Ended(State, i64),
    /// Events without updates.
    Without(i64),
}

impl List {
    /// The event of the entry with this id.
    pub(in crate::store) const fn event_of(self, id: i64) -> i64 {
        match self {
            Self::Ended(..) => id >> 16,
            Self::Without(_) => id,
        }
    }
}

/// After which entry of a list to go on: when it ended, and its id.
pub(in crate::store) type Place = (i64, i64);

const BEGINNING: Place = (i64::MIN, i64::MIN);

/// Until when something has to have ended to be deleted, in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Ages {
    delivered: i64,
    ignored: i64,
    dead: i64,
    /// So many entries are looked at.
    pub(in crate::store) most: i64,
}

impl Ages {
    /// Until when an update in this state has to have ended.
    pub(in crate::store) const fn of(self, state: State) -> i64 {
        match state {
            State::Delivered | State::Skipped | State::Discarded => self.delivered,
            State::Dead | State::Held => self.dead,
            State::Open => i64::MIN,
        }
    }

    /// Until when an entry of this list has to have ended.
    pub(in crate::store) const fn of_list(self, list: List) -> i64 {
        match list {
            List::Ended(state, _) => self.of(state),
            List::Without(_) => self.ignored,
        }
    }
}

/// How far the lists have been gone through.
pub(in crate::store) struct Lists {
    keep: Retention,
    all: Vec<(List, Place)>,
    /// By the monotonic clock.
    began: Option<Duration>,
}

impl Lists {
    /// Those of a store that keeps things for so long.
    pub(in crate::store) const fn new(keep: Retention) -> Self {
        Self { keep, all: Vec::new(), began: None }
    }

    /// Takes in sources that are new, and begins again once a day.
    pub(in crate::store) fn look(&mut self, sources: Vec<i64>, clock: Duration) {
        if self.began.is_none_or(|began| clock.saturating_sub(began) >= A_DAY) {
            self.began = Some(clock);
            self.all.clear();
            self.all.extend([IGNORED, CONTROL].map(|of| (List::Without(of), BEGINNING)));
        }
        for source in sources {
            for state in State::FINISHED {
                let list = List::Ended(*state, source);
                if !self.all.iter().any(|(known, _)| *known == list) {
                    self.all.push((list, BEGINNING));
                }
            }
        }
    }

    /// Until when something has to have ended: by its age or, where room is `scarce`, any history.
    pub(in crate::store) fn ages(&self, now: i64, scarce: bool) -> Ages {
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

    /// The lists, and after which entry each goes on.
    pub(in crate::store) fn all(&self) -> &[(List, Place)] {
        &self.all
    }

    /// Of the lists, the one whose next entry has come of age first. `first` are the ends of the next entries.
    pub(in crate::store) fn oldest(&self, first: &[Option<i64>], ages: Ages) -> Option<usize> {
        let of_age =
            self.all.iter().zip(first).enumerate().filter_map(|(at, ((list, _), first))| {
                first.filter(|first| *first < ages.of_list(*list)).map(|first| (first, at))
            });
        of_age.min().map(|(_, at)| at)
    }

    /// Goes on in a list after this entry, once what was deleted is committed.
    pub(in crate::store) fn reached(&mut self, at: usize, place: Place) {
        if let Some((_, known)) = self.all.get_mut(at) {
            *known = place;
        }
    }
}

//! Updates by what is said of them: which lists are read, which of their rows are taken, how the lists are joined.
//!
//! Each list is read from an index in its order; what the index does not know is looked at row by row, a bounded
//! number of rows a page.

use super::cursor::{MOST, Place, most, place};
use super::row::{Damaged, RawUpdate};
use super::state::State;
use crate::store::letters::{Found, Search};
use crate::store::{Error, Page, UpdateRow};

/// So many rows of a list are looked at for one page.
pub(in crate::store) const LOOKED_AT: i64 = 2000;

/// A list in order of receipt ends so long after the time that is asked for: clocks are set back at times.
const MARGIN: i64 = 3_600_000;

/// Which lists are read for a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum Lists {
    /// For each source that is meant and each of these states, what ended so, last ended first.
    Finished(Vec<State>),
    /// For each source that is meant, what is in flight.
    InFlight,
    /// For each source that is meant, what waits.
    Waiting,
    /// Everything, or everything of the source that is meant.
    All,
}

impl Lists {
    /// Those of a search.
    pub(in crate::store) fn of(states: &[String]) -> Result<Self, Error> {
        check_states(states)?;
        let finished: Vec<_> = states.iter().filter_map(|word| State::finished(word)).collect();
        Ok(match states {
            states if !finished.is_empty() && finished.len() == states.len() => {
                Self::Finished(finished)
            }
            [one] if one == "in_flight" => Self::InFlight,
            [_] => Self::Waiting,
            _ => Self::All,
        })
    }
}

fn check_states(states: &[String]) -> Result<(), Error> {
    let known =
        |word: &str| word == "waiting" || word == "in_flight" || State::finished(word).is_some();
    match states.iter().find(|word| !known(word)) {
        None => Ok(()),
        Some(_) => Err(Error::Failed(
            "no such state: one of `waiting`, `in_flight`, `held`, `delivered`, `skipped`, `dead`, `discarded`"
                .to_owned(),
        )),
    }
}

/// A search, and the page of it that is asked for.
pub(in crate::store) struct Asked<'a> {
    wanted: &'a Search,
    /// The lanes of the contact that is asked for; nothing where none is.
    lanes: Option<Vec<i64>>,
    /// In milliseconds since 1970.
    not_before: Option<i64>,
    /// Whether the lists are in the order in which updates ended.
    by_end: bool,
    most: usize,
    /// After which row the page begins.
    pub(in crate::store) before: Place,
}

impl<'a> Asked<'a> {
    /// A search at the moment `now`, in milliseconds since 1970.
    pub(in crate::store) fn new(
        wanted: &'a Search,
        lanes: Option<Vec<i64>>,
        now: i64,
        page: &Page,
    ) -> Result<Self, Error> {
        let not_before = wanted.within.map(|within| {
            now.saturating_sub(i64::try_from(within.as_millis()).unwrap_or(i64::MAX))
        });
        Ok(Self {
            wanted,
            lanes,
            not_before,
            by_end: matches!(Lists::of(&wanted.states)?, Lists::Finished(_)),
            most: usize::try_from(most(page)).unwrap_or(MOST),
            before: place(page)?,
        })
    }

    /// Of the updates of one event, those that are meant.
    pub(in crate::store) fn of_event(&self, rows: Vec<RawUpdate>) -> Result<Found, Damaged> {
        let taken = rows.into_iter().filter(|row| self.takes(row));
        let rows = taken.map(|row| row.row(false)).collect::<Result<_, _>>()?;
        Ok(Found { rows, next: None })
    }

    /// One list that is to be read, up to [`LOOKED_AT`] rows.
    pub(in crate::store) fn part(&self) -> Part<'_> {
        Part { asked: self, rows: Vec::new(), stopped: None, looked_at: 0 }
    }

    /// The page: the lists are in one order, so what is younger than the row at which the first of them stopped is
    /// all there.
    pub(in crate::store) fn joined(&self, parts: Vec<Part<'_>>) -> Found {
        let stopped = parts.iter().filter_map(|part| part.stopped).max();
        let mut rows: Vec<_> = parts.into_iter().flat_map(|part| part.rows).collect();
        if let Some(stopped) = stopped {
            rows.retain(|(place, _)| *place >= stopped);
        }
        rows.sort_unstable_by_key(|(place, _)| std::cmp::Reverse(*place));
        let more = rows.len() > self.most;
        rows.truncate(self.most);
        let last = if more { rows.last().map(|(place, _)| *place) } else { stopped };
        let next =
            last.map(
                |Place { finished_at, id }| {
                    if self.by_end { format!("{finished_at}.{id}") } else { id.to_string() }
                },
            );
        Found { rows: rows.into_iter().map(|(_, row)| row).collect(), next }
    }

    /// Whether every row from here on is too old.
    fn is_past(&self, row: &RawUpdate) -> bool {
        let Some(not_before) = self.not_before else { return false };
        let at = if self.by_end { row.finished_at } else { Some(row.received_at) };
        at.unwrap_or(i64::MAX) < not_before.saturating_sub(MARGIN)
    }

    fn takes(&self, row: &RawUpdate) -> bool {
        let Search { states, source, rule, reason, status, .. } = self.wanted;
        (states.is_empty() || states.iter().any(|word| word == row.state()))
            && source.as_ref().is_none_or(|source| source.as_str() == row.source)
            && rule.as_ref().is_none_or(|rule| *rule == row.rule)
            && (reason.is_none() || *reason == row.reason)
            && (status.is_none() || *status == row.status)
            // What a key means is forgotten in time; what came under it still says so.
            && self.lanes.as_ref().is_none_or(|lanes| {
                lanes.contains(&row.lane) || row.key.is_some_and(|key| lanes.contains(&key))
            })
            && self.not_before.is_none_or(|not_before| row.received_at >= not_before)
    }
}

/// What was read of one list.
pub(in crate::store) struct Part<'a> {
    asked: &'a Asked<'a>,
    rows: Vec<(Place, UpdateRow)>,
    /// The last row that was looked at, where more may follow.
    stopped: Option<Place>,
    looked_at: i64,
}

impl Part<'_> {
    /// Takes the next row of the list, where it is meant; whether another is wanted.
    pub(in crate::store) fn take(&mut self, row: RawUpdate) -> Result<bool, Damaged> {
        let by_end = self.asked.by_end;
        let finished_at = if by_end { row.finished_at.unwrap_or(0) } else { 0 };
        let place = Place { finished_at, id: row.number };
        if self.asked.is_past(&row) {
            return Ok(false);
        }
        if self.asked.takes(&row) {
            self.rows.push((place, row.row(by_end)?));
        }
        self.looked_at += 1;
        if self.rows.len() >= self.asked.most || self.looked_at >= LOOKED_AT {
            self.stopped = Some(place);
        }
        Ok(self.stopped.is_none())
    }

    /// Says that the list had no more rows than those that were given.
    pub(in crate::store) fn ended(&mut self) {
        if self.looked_at < LOOKED_AT {
            self.stopped = None;
        }
    }
}

//! An update as it stands in the tables, and as it is shown in a list.

use jiff::Timestamp;

use super::state::{State, outcome_word, update_id};
use crate::event::{EventId, SourceName};
use crate::store::{EventRow, UpdateRow};

/// A value in the store that no release has written.
#[derive(Debug, thiserror::Error)]
#[error("a stored {0} is damaged")]
pub(in crate::store) struct Damaged(&'static str);

/// An update with its names, its last failed attempt and its event's time. Moments are in milliseconds since 1970.
#[derive(Debug, Clone)]
pub(in crate::store) struct RawUpdate {
    pub(in crate::store) number: i64,
    pub(in crate::store) source: String,
    pub(in crate::store) rule: String,
    pub(in crate::store) item: u32,
    pub(in crate::store) state: i64,
    pub(in crate::store) is_lent: bool,
    pub(in crate::store) reason: Option<String>,
    pub(in crate::store) attempts: u32,
    pub(in crate::store) received_at: i64,
    pub(in crate::store) finished_at: Option<i64>,
    pub(in crate::store) status: Option<u16>,
    pub(in crate::store) detail: Option<String>,
    pub(in crate::store) lane: i64,
    /// The lane of the key that it named its contact by, where that is not the contact's id.
    pub(in crate::store) key: Option<i64>,
}

impl RawUpdate {
    /// The word of the reference for its state.
    pub(in crate::store) fn state(&self) -> &'static str {
        match State::FINISHED.iter().find(|finished| **finished as i64 == self.state) {
            Some(finished) => finished.as_str(),
            None if self.is_lent => "in_flight",
            None => State::Open.as_str(),
        }
    }

    /// The same for a list; `by_end` where the list is in the order in which updates ended.
    pub(in crate::store) fn row(self, by_end: bool) -> Result<UpdateRow, Damaged> {
        let id = update_id(self.number);
        let state = self.state();
        Ok(UpdateRow {
            id,
            update: format!("{}/{}/{}", id.event, self.rule, self.item),
            event_id: id.event,
            source: source(self.source)?,
            rule: self.rule,
            item: self.item,
            state,
            reason: self.reason,
            attempts: self.attempts,
            received_at: moment(self.received_at)?,
            // What is held waits for somebody: that is no end.
            finished_at: match state {
                "held" => None,
                _ => self.finished_at.map(moment).transpose()?,
            },
            status: self.status,
            detail: self.detail,
            cursor: match self.finished_at {
                Some(finished_at) if by_end => format!("{finished_at}.{}", self.number),
                _ => self.number.to_string(),
            },
        })
    }
}

/// An event as it stands in the tables.
#[derive(Debug, Clone)]
pub(in crate::store) struct RawEvent {
    pub(in crate::store) number: i64,
    pub(in crate::store) source: String,
    pub(in crate::store) received_at: i64,
    pub(in crate::store) event_type: Option<String>,
    pub(in crate::store) outcome: i64,
    pub(in crate::store) updates: u32,
}

impl RawEvent {
    /// The same for a list.
    pub(in crate::store) fn row(self) -> Result<EventRow, Damaged> {
        Ok(EventRow {
            event_id: EventId(self.number),
            source: source(self.source)?,
            received_at: moment(self.received_at)?,
            event_type: self.event_type,
            outcome: outcome_word(self.outcome).ok_or(Damaged("outcome"))?,
            updates: self.updates,
            cursor: self.number.to_string(),
        })
    }
}

fn source(name: String) -> Result<SourceName, Damaged> {
    SourceName::try_from(name).map_err(|_| Damaged("name of a source"))
}

fn moment(milliseconds: i64) -> Result<Timestamp, Damaged> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| Damaged("moment"))
}

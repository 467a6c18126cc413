//! Looking into the store, a page at a time.

use jiff::Timestamp;
use serde::Serialize;

use super::entry::Request;
use crate::event::{EventId, SourceName, UpdateId};

/// Which part of a list: at most `most` rows, those before `before`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many rows at most.
    pub most: usize,
    /// The `cursor` of the last row of the page before; nothing for the first page.
    pub before: Option<String>,
}

/// Which events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Those of this source.
    pub source: Option<SourceName>,
}

/// Which updates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateFilter {
    /// Those in this state: a word of the reference (`waiting`, `in_flight`, `held`, `delivered`, `skipped`, `dead`, `discarded`).
    pub state: Option<String>,
    /// Those of this source.
    pub source: Option<SourceName>,
}

/// One event in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventRow {
    /// Its id.
    pub event_id: EventId,
    /// The source it came through.
    pub source: SourceName,
    /// When it was received.
    pub received_at: Timestamp,
    /// Its type, as the sender calls it.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// `taken`, `ignored` or `control`.
    pub outcome: &'static str,
    /// How many updates it has.
    pub updates: u32,
    /// What to give as `before` for the next page.
    pub cursor: String,
}

/// One update in a list. No personal data: the contact is not named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UpdateRow {
    /// Its number.
    #[serde(skip)]
    pub id: UpdateId,
    /// Its name, `EVENT_ID/RULE/ITEM`.
    pub update: String,
    /// Its event.
    pub event_id: EventId,
    /// The source it came through.
    pub source: SourceName,
    /// The rule that planned it.
    pub rule: String,
    /// The place of the item in what `for_each` selects.
    pub item: u32,
    /// A word of the reference.
    pub state: &'static str,
    /// Why it is held, skipped or dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// When the event was received.
    pub received_at: Timestamp,
    /// When it came to an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// The status of the last failed attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What was expected and found (held), or the API's own words (the last failed attempt).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to give as `before` for the next page.
    pub cursor: String,
}

/// An event with all that is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// The event.
    pub event: EventRow,
    /// Its place in the request where `body.each` split it.
    pub item: u32,
    /// The request as it was kept.
    pub request: Request,
    /// Its updates, in the order of the rules.
    pub updates: Vec<UpdateRow>,
}

/// What there is, by state, and how the balance stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Numbers {
    /// Updates that are due now.
    pub ready: u64,
    /// Updates that wait for a later moment, or behind another of their lane.
    pub scheduled: u64,
    /// Updates lent to workers.
    pub in_flight: u64,
    /// Updates that matched and could not be applied.
    pub held: u64,
    /// Updates the API took.
    pub delivered: u64,
    /// Updates not sent, on purpose.
    pub skipped: u64,
    /// Updates refused for good or given up.
    pub dead: u64,
    /// Updates put away by an operator.
    pub discarded: u64,
    /// Dead letters that were deleted: by retention, or on purpose.
    pub expired: u64,
    /// Events received, repeats included.
    pub events_received: u64,
    /// Events that were repeats.
    pub events_duplicate: u64,
    /// Events that were control messages.
    pub events_control: u64,
    /// Events without effect.
    pub events_ignored: u64,
    /// Events with an update at least.
    pub events_taken: u64,
    /// Updates ever planned.
    pub updates_planned: u64,
    /// Seconds the oldest update that is ready has waited.
    pub oldest_ready_seconds: u64,
    /// Seconds since the oldest withdrawal of consent was received that waits, is in flight or is dead.
    pub oldest_withdrawal_seconds: u64,
    /// The size of the store in bytes.
    pub size_bytes: u64,
}

impl Numbers {
    /// Events and updates that are unaccounted for; 0 in a store that balances.
    pub fn imbalance(&self) -> i64 {
        let events =
            self.events_duplicate + self.events_control + self.events_ignored + self.events_taken;
        let updates = self.ready
            + self.scheduled
            + self.in_flight
            + self.held
            + self.delivered
            + self.skipped
            + self.dead
            + self.discarded
            + self.expired;
        let apart = |one: u64, other: u64| i64::try_from(one.abs_diff(other)).unwrap_or(i64::MAX);
        apart(self.events_received, events).saturating_add(apart(self.updates_planned, updates))
    }
}

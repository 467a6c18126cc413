//! What an operator does with what is stored: find it, send it again, map it again, put it away, have it forgotten.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::browse::{Page, UpdateRow};
use super::entry::NewUpdate;
use super::error::Error;
use crate::contact::{PlannedUpdate, Since, Who};
use crate::event::{EventId, SourceName, UpdateId};

/// Which updates: those for which all that is said holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// In one of these states; none says nothing.
    pub states: Vec<String>,
    /// Of this source.
    pub source: Option<SourceName>,
    /// Planned by this rule.
    pub rule: Option<String>,
    /// Held, skipped or dead for this reason.
    pub reason: Option<String>,
    /// Whose last failed attempt was answered with this status.
    pub status: Option<u16>,
    /// Of events that were received within this time.
    pub within: Option<Duration>,
    /// Of this event.
    pub event: Option<EventId>,
    /// Of the contact that is known by this key, now or when they came.
    pub contact: Option<Who>,
}

/// A page of updates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The updates. There may be fewer than were asked for, or none, and more on later pages: a page looks at a
    /// bounded number of rows.
    pub rows: Vec<UpdateRow>,
    /// What to give as `before` for the next page; nothing after the last one.
    pub next: Option<String>,
}

/// An update with what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The update.
    pub row: UpdateRow,
    /// As its rule planned it; nothing where it was held, or was skipped before it was planned.
    pub planned: Option<PlannedUpdate>,
    /// As it is sent, where something was left out of it.
    pub part: Option<PlannedUpdate>,
}

/// What has been said about contacts after certain updates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later {
    /// For each update that was asked for, in order.
    pub since: Vec<Since>,
    /// The youngest event that was looked at.
    pub upto: EventId,
}

/// What is sent of an update that is sent late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sends {
    /// All that was planned.
    Whole,
    /// Only this.
    Part(Box<PlannedUpdate>),
    /// Nothing: it is skipped, reason `superseded`.
    Nothing,
}

/// An update that an event gets by being mapped again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remapped {
    /// As today's rules plan it.
    pub update: NewUpdate,
    /// What is sent of it, where it is to be sent.
    pub sends: Sends,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A dead update, or one that was skipped as superseded, waits again at the place it had.
    Replay {
        /// The update.
        update: UpdateId,
        /// What is sent of it.
        sends: Sends,
    },
    /// Updates of an event that have come to an end are replaced.
    Remap {
        /// The event.
        event: EventId,
        /// The updates that go; each must have come to an end.
        gone: Vec<UpdateId>,
        /// The updates that come in their place. One of a rule and item that stays is left out.
        updates: Vec<Remapped>,
    },
    /// A held or dead update is put away.
    Discard(UpdateId),
    /// An event of which all has come to an end is forgotten: its request, its updates, all but its number.
    Purge(EventId),
    /// What is known of the contact that is known by this key is forgotten, where nothing waits for it: which keys
    /// mean it, and what events have set of it.
    Forget(Who),
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// It was made.
    Done,
    /// It was not made: what it is about is not there, or stands otherwise.
    StandsOtherwise,
    /// It was not made: something has come for the contact since it was looked at.
    SomethingCame,
}

/// Whether delivery goes on, as an operator wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    /// Since when it is paused.
    pub since: Timestamp,
}

/// A counter against the rows that stand for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// The source.
    pub source: SourceName,
    /// What is counted: `received`, `duplicate`, `control`, `ignored`, `taken`, `planned`, or a state.
    pub what: &'static str,
    /// The counter.
    pub counted: i64,
    /// The rows that are there, where rows stand for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<i64>,
    /// The rows that were deleted because they were old, or to be forgotten.
    #[serde(skip_serializing_if = "is_zero")]
    pub deleted: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
const fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Balance {
    /// By how much the counter is off.
    pub fn off(&self) -> i64 {
        self.rows.map_or(0, |rows| self.counted - rows - self.deleted)
    }
}

/// What operators may ask of a store.
///
/// # Promises
///
/// - Nothing is changed but what still stands as it was seen: an update that has moved on meanwhile stays.
/// - What comes back waits at the place its event had, before all that came later for the contact.
/// - The ledger holds after every change.
#[async_trait]
pub trait Letters: super::Store {
    /// Updates, youngest first; where only states that are an end are asked for, last ended first.
    async fn find(&self, wanted: &Search, page: Page) -> Result<Found, Error>;

    /// Those of these updates that are there, with what they say.
    async fn letters(&self, updates: Vec<UpdateId>) -> Result<Vec<Letter>, Error>;

    /// What updates that came after each of these have said about its contact. One pass over what is younger than
    /// the oldest of them, away from the writer and in short transactions.
    async fn later(&self, asked: Vec<(UpdateId, Who)>) -> Result<Later, Error>;

    /// Makes these changes in one transaction, each if it still can be made, in order. `upto` is that of
    /// [`Later`]: where something younger has come for a contact, its change is not made.
    async fn change(&self, changes: Vec<Change>, upto: EventId) -> Result<Vec<Changed>, Error>;

    /// Keeps, over restarts too, that an operator has paused delivery (`true`) or has it go on.
    async fn halt(&self, halted: bool) -> Result<(), Error>;

    /// Whether an operator has paused delivery.
    async fn halted(&self) -> Result<Option<Halt>, Error>;

    /// Counts the rows and holds them against the counters, all at one moment.
    async fn audit(&self) -> Result<Vec<Balance>, Error>;
}

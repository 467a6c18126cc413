//! Lending updates to delivery, and what comes back.

use std::sync::Arc;
use std::time::Duration;

use crate::contact::{DeadReason, Mark, PlannedUpdate, SkippedReason};
use crate::event::{SourceName, UpdateId};
use crate::telemetry::trace::TraceContext;

/// How much is to be lent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// At most so many runs.
    pub runs: usize,
    /// Whether updates that one request can carry are lent together; else a run is one update.
    pub merging: bool,
}

/// The line in which a contact's updates wait, by the name that the store has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane(pub i64);

/// What became of a run that was said to belong into another lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// Nothing there was before it: it is still lent, and may be sent.
    First,
    /// It waits there for what is older or lent.
    Behind,
    /// It is no longer under its fence; nothing has changed.
    Lapsed,
}

/// The next updates of a lane, lent together under one fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The lane.
    pub lane: Lane,
    /// At least one, oldest first, all for the same target; one request can carry them all.
    pub updates: Vec<Claim>,
}

/// What a dead update means for those that wait behind it (`delivery.after_dead`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterDead {
    /// They go on.
    #[default]
    Continue,
    /// They wait until it is replayed or discarded; only a withdrawal of consent passes.
    Block,
}

/// A token that no earlier claim had: only who holds it may say what became of the update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fence(pub i64);

/// An update in somebody's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lent {
    /// The update.
    pub update: UpdateId,
    /// The claim it was lent with.
    pub fence: Fence,
}

/// An update that is lent, with all that delivery needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The update and its fence.
    pub lent: Lent,
    /// The source it came through.
    pub source: SourceName,
    /// The rule that planned it.
    pub rule: Arc<str>,
    /// The place of the item in what `for_each` selects.
    pub item: u32,
    /// How often it was tried, this time included.
    pub attempt: u32,
    /// How long it has been since the event was received.
    pub age: Duration,
    /// How long it has been failing: since its own first failed attempt; nothing before that.
    pub failing_for: Option<Duration>,
    /// The trace that the event was taken in with.
    pub trace: Option<TraceContext>,
    /// Whether it may have reached the API before, so that nobody knows how the contact stands.
    pub may_have_landed: bool,
    /// Who is to change, and how.
    pub planned: PlannedUpdate,
}

/// What the API said, or did not say, when an attempt failed: kept with the attempt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trouble {
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The API's own words, or what happened on the wire; never personal data of ours.
    pub words: String,
}

/// An update that the API has refused for good, as far as whether it refuses everything is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The update; it is dead.
    pub update: UpdateId,
    /// The lane of what names its contact: the same for the same key.
    pub whom: Lane,
    /// The status of the answer.
    pub status: u16,
    /// How long ago it was.
    pub ago: Duration,
}

/// What became of an update that was lent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The API took it.
    Delivered,
    /// The API took it, and this is what it has set of its contact, for a source that guards against older events: of
    /// each field the newest mark is kept, for a month.
    Marking(Vec<Mark>),
    /// It is not sent, on purpose.
    Skipped(SkippedReason),
    /// It was refused for good or given up.
    Dead(DeadReason, Trouble),
    /// It is to be tried again, not before `after`; it keeps its place in the lane. The failure counts.
    Again {
        /// How long to wait.
        after: Duration,
        /// What went wrong.
        trouble: Trouble,
        /// Whether the API may have done it all the same: then the same updates go again, and nothing joins them.
        may_have_landed: bool,
    },
    /// It was not tried, or the failure says nothing about it (a pause, a stop): no attempt is counted.
    GivenBack {
        /// How long to wait before it may be lent again.
        after: Duration,
    },
}

impl End {
    /// Whether the API took it.
    pub const fn is_delivered(&self) -> bool {
        matches!(self, Self::Delivered | Self::Marking(_))
    }
}

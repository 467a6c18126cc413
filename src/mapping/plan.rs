//! What a source's rules make of a document.

use std::sync::Arc;

use jiff::Timestamp;

use super::Held;
use crate::contact::{PlannedUpdate, SkippedReason};
use crate::document::Value;

/// A request as the rules see it.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The body as one document.
    pub document: &'a Value,
    /// The headers, an object of texts with names in lower case; never credentials or signatures.
    pub headers: &'a Value,
    /// The query, an object of texts (or lists of them, where a name is repeated).
    pub query: &'a Value,
    /// When the request was received.
    pub received_at: Timestamp,
}

/// One event of the request, and what the rules made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedEvent {
    /// The sender's id of it, by which a repeat is known.
    pub id: Option<String>,
    /// Its type, as the sender calls it.
    pub event_type: Option<String>,
    /// When it happened, as the sender says.
    pub occurred_at: Option<Timestamp>,
    /// Whether it is a control message, so that no rule was asked.
    pub control: bool,
    /// What each rule that matched made of it, in the order of the rules and items.
    pub planned: Vec<Planned>,
}

/// One rule applied to one item of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The rule.
    pub rule: Arc<str>,
    /// The place of the item in what `for_each` selects, else 0.
    pub item: u32,
    /// What came of it.
    pub decision: Decision,
}

/// What came of a rule that matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// An update to send.
    Update(Box<PlannedUpdate>),
    /// It could not be applied.
    Held(Held),
    /// It is not to be sent, on purpose.
    Skipped(SkippedReason),
    /// There is nothing to change.
    NoEffect,
}

//! What may be asked: filters and changes, as the API takes them and commands send them.

use serde::{Deserialize, Serialize};

use crate::contact::{DeadReason, HeldReason, InvalidWho, SkippedReason, Who};
use crate::event::{EventId, Named, SourceName};
use crate::store::Page;
use crate::store::letters::Search;
use crate::units::Span;

/// Rows of a page where the caller does not say.
const ROWS: usize = 50;
/// Rows of a page at most.
const MOST_ROWS: usize = 500;

/// The states that updates can be listed by.
pub const STATES: &[&str] =
    &["waiting", "in_flight", "held", "delivered", "skipped", "dead", "discarded"];

/// Which updates: all that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// States, separated by `,`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceName>,
    /// The rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Why it is held, skipped or dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The status with which the last failed attempt was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Received within this time, such as `2h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Span>,
    /// The event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<EventId>,
    /// The contact: `id:…`, `mobile:…` or `attribute:NAME=VALUE`, as the rule named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Rows of a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

/// A change that is asked for: to the updates that are named, or to those that a filter finds, a page at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeAsked {
    /// Event ids and names of updates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Named>,
    /// What to find otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// Send also what later events have set since.
    pub overwrite: bool,
    /// Replace also what was delivered (remap).
    pub again: bool,
}

/// What cannot be understood of what is asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAsked {
    /// No such state.
    #[error("`state` is one of {}", STATES.join(", "))]
    State,
    /// No such reason.
    #[error("`reason` is one of {}", reasons().join(", "))]
    Reason,
    /// No such contact.
    #[error("`contact`: {0}")]
    Contact(#[from] InvalidWho),
    /// Neither names nor a filter, or both.
    #[error(
        "give either `names` or a `filter` that says something: nothing is changed for all by chance"
    )]
    NothingChosen,
    /// Too many names.
    #[error("{0} names in one call, {MOST_ROWS} at most: call again with the rest")]
    TooManyNames(usize),
    /// A state of which nothing can be changed that way.
    #[error("of `{state}` updates none can be {done}: {instead}")]
    NotThat {
        /// The state.
        state: String,
        /// What was to be done.
        done: &'static str,
        /// What can be.
        instead: &'static str,
    },
}

fn reasons() -> Vec<&'static str> {
    let held = HeldReason::ALL.iter().map(|reason| reason.as_str());
    let skipped = SkippedReason::ALL.iter().map(|reason| reason.as_str());
    let dead = DeadReason::ALL.iter().map(|reason| reason.as_str());
    let mut all: Vec<_> = held.chain(skipped).chain(dead).collect();
    all.sort_unstable();
    all.dedup();
    all
}

impl Filter {
    /// The states that are asked for.
    pub fn states(&self) -> Vec<String> {
        let words = self.state.as_deref().unwrap_or_default().split(',');
        words.map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        Self { limit: None, before: None, ..self.clone() } == Self::default()
    }

    /// The filter as the store takes it.
    pub fn wanted(&self) -> Result<Search, InvalidAsked> {
        let states = self.states();
        if states.iter().any(|word| !STATES.contains(&word.as_str())) {
            return Err(InvalidAsked::State);
        }
        if let Some(reason) = &self.reason
            && !reasons().contains(&reason.as_str())
        {
            return Err(InvalidAsked::Reason);
        }
        Ok(Search {
            states,
            source: self.source.clone(),
            rule: self.rule.clone(),
            reason: self.reason.clone(),
            status: self.status,
            within: self.since.map(|since| since.0),
            event: self.event,
            contact: self.contact.as_deref().map(str::parse::<Who>).transpose()?,
        })
    }

    /// The page that is asked for.
    pub fn page(&self) -> Page {
        page(self.limit, self.before.clone())
    }
}

/// A page of this many rows, within bounds.
pub fn page(limit: Option<usize>, before: Option<String>) -> Page {
    Page { most: limit.unwrap_or(ROWS).clamp(1, MOST_ROWS), before }
}

/// What a change is asked of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chosen<'a> {
    Names(&'a [Named]),
    Filter(&'a Filter),
}

impl ChangeAsked {
    pub(super) fn chosen(&self) -> Result<Chosen<'_>, InvalidAsked> {
        match (&*self.names, &self.filter) {
            ([], Some(filter)) if !filter.is_empty() => Ok(Chosen::Filter(filter)),
            (names @ [_, ..], None) if names.len() <= MOST_ROWS => Ok(Chosen::Names(names)),
            (names @ [_, ..], None) => Err(InvalidAsked::TooManyNames(names.len())),
            _ => Err(InvalidAsked::NothingChosen),
        }
    }
}

//! One mapping file, read: a source and its rules.

use std::sync::Arc;
use std::time::Duration;

use super::plan::{Input, PlannedEvent};
use super::syntax::Node;
use crate::event::SourceName;

/// A source as its mapping file describes it.
#[derive(Debug)]
pub struct Source {
    /// Its name, as in `/hooks/{source}`.
    pub name: SourceName,
    /// The file it came from, as it is shown in messages.
    pub file: String,
    /// `verify:`, to be read by the door.
    pub verify: Option<Node>,
    /// For how long a repeat of an event is known.
    pub dedupe_window: Duration,
    /// The names of its rules, in order.
    pub rules: Vec<Arc<str>>,
    /// The headers that its rules read, in lower case: the only ones that are kept.
    pub headers: Vec<String>,
}

impl Source {
    /// Applies the rules: one entry for each event of the request. Pure, and the same every time.
    pub fn plan(&self, _input: &Input<'_>) -> Vec<PlannedEvent> {
        Vec::new()
    }
}

//! One mapping file, read: a source and its rules.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexSet;
use jiff::tz::TimeZone;

use super::When;
use super::body::Body;
use super::event::EventFields;
use super::expr::{Expr, Path};
use super::plan::{self, Input, PlannedEvent};
use super::rule::Rule;
use super::syntax::Node;
use super::testing::Test;
use crate::event::SourceName;

/// What a sender's `traceparent` header counts for (`trust_traceparent`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Traceparent {
    /// Nothing: a request has a trace of its own.
    #[default]
    Ignored,
    /// It says to which trace a request belongs, and whether that is kept.
    Trusted,
}

/// A source as its mapping file describes it.
#[derive(Debug)]
pub struct Source {
    /// Its name, as in `/hooks/{source}`.
    pub name: SourceName,
    /// The file it came from, as it is shown in messages.
    pub file: String,
    /// What it is for, in a sentence.
    pub description: Option<String>,
    /// `verify:`, to be read by the door.
    pub verify: Option<Node>,
    /// `respond:`, to be read by the door.
    pub respond: Option<Node>,
    /// How its bodies are read.
    pub body: Body,
    /// For how long a repeat of an event is known.
    pub dedupe_window: Duration,
    /// Verified requests it may send in a minute, where that is limited.
    pub per_minute: Option<NonZeroU32>,
    /// Whether what an older event sets is dropped when a newer one has set it.
    pub stale_guard: bool,
    /// What its sender's `traceparent` header counts for.
    pub traceparent: Traceparent,
    /// What must exist in Chatflow's settings.
    pub requires: Requires,
    /// The names of its rules, in order.
    pub rules: Vec<Arc<str>>,
    /// The headers that its rules read, in lower case: the only ones that are kept.
    pub headers: Vec<String>,
    pub(super) country: Option<phonenumber::country::Id>,
    pub(super) timezone: TimeZone,
    pub(super) event: EventFields,
    pub(super) lets: Vec<Expr>,
    /// An event for which one of these holds is a control message.
    pub(super) control: Vec<When>,
    pub(super) compiled: Vec<Rule>,
    pub(super) asks: Asks,
    /// The attributes by which any rule of the set finds contacts.
    pub(super) looked_up: Arc<BTreeSet<String>>,
    /// Whether anything reads `$event`.
    pub(super) reads_event: bool,
    /// Whether there may be a `phone` step.
    pub(super) phone_steps: bool,
    pub(super) tests: Vec<Test>,
}

/// `match`: how many of the rules that match are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Asks {
    /// All of them.
    #[default]
    All,
    /// The first.
    First,
}

/// The words of `match`.
pub(super) const ASKS: &[(&str, Asks)] = &[("all", Asks::All), ("first", Asks::First)];

/// What a source needs to exist in Chatflow's settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Requires {
    /// Tags.
    pub tags: Vec<String>,
    /// Attributes.
    pub attributes: Vec<String>,
}

impl Requires {
    /// What these rules name.
    pub(super) fn of(rules: &[Rule]) -> Self {
        let each = |names: Vec<&str>| -> Vec<String> {
            let names: IndexSet<&str> = names.into_iter().collect();
            names.into_iter().map(str::to_owned).collect()
        };
        Self {
            tags: each(rules.iter().flat_map(Rule::tags).collect()),
            attributes: each(rules.iter().flat_map(Rule::attributes).collect()),
        }
    }
}

impl Source {
    /// Applies the rules: one entry for each event of the request. Pure, and the same every time.
    pub fn plan(&self, input: &Input<'_>) -> Vec<PlannedEvent> {
        plan::plan(self, input)
    }

    /// Notes which headers its values read, and whether they read `$event`.
    pub(super) fn note_what_is_read(&mut self) {
        let (mut headers, mut reads_event) = (BTreeSet::new(), false);
        self.each_path(&mut |path| {
            headers.extend(path.header().flatten().map(str::to_owned));
            reads_event |= path.reads_event();
        });
        self.headers = headers.into_iter().collect();
        self.reads_event = reads_event;
    }

    fn each_path(&self, then: &mut dyn FnMut(&Path)) {
        self.event.each_path(then);
        self.lets.iter().for_each(|value| value.each_path(then));
        self.control.iter().for_each(|when| when.each_path(then));
        self.compiled.iter().for_each(|rule| rule.each_path(then));
    }

    /// Whether the file says where an event's id is, so that one without is worth counting.
    pub const fn has_event_id(&self) -> bool {
        self.event.has_id()
    }

    /// Whether the file says when an event happened.
    pub const fn has_occurred_at(&self) -> bool {
        self.event.has_occurred_at()
    }

    /// Whether it reads phone numbers, so that their metadata should be loaded before the first event.
    pub fn reads_phones(&self) -> bool {
        self.phone_steps || self.compiled.iter().any(Rule::reads_mobile)
    }

    /// The tags and attributes that the rules name, in order and without repeats: those that must exist in
    /// Chatflow's settings, whether `requires` lists them or not.
    pub fn uses(&self) -> Requires {
        Requires::of(&self.compiled)
    }

    /// What must exist in Chatflow's settings: what the rules name, then what only `requires` lists.
    pub fn needs(&self) -> Requires {
        let both = |used: Vec<String>, listed: &[String]| -> Vec<String> {
            used.into_iter()
                .chain(listed.iter().cloned())
                .collect::<IndexSet<_>>()
                .into_iter()
                .collect()
        };
        let uses = self.uses();
        Requires {
            tags: both(uses.tags, &self.requires.tags),
            attributes: both(uses.attributes, &self.requires.attributes),
        }
    }

    /// The tests that stand in the file.
    pub fn tests(&self) -> &[Test] {
        &self.tests
    }
}

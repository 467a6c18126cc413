//! A unit of work and its steps, while they happen.

use std::fmt;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::context::{SpanId, TraceContext, TraceId};

/// Steps of one unit of work that are kept at most.
const MOST_STEPS: usize = 64;

/// Which side of a call a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Within the bridge.
    Internal,
    /// It answers somebody.
    Server,
    /// It asks somebody.
    Client,
    /// It works off what was stored before.
    Consumer,
}

/// What is said of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A word or an id.
    Text(String),
    /// A number.
    Whole(u64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<fmt::Arguments<'_>> for Value {
    fn from(text: fmt::Arguments<'_>) -> Self {
        Self::Text(text.to_string())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Whole(number.into())
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Whole(number.into())
    }
}

/// What is said of a span, by name.
pub(super) type Attributes = Vec<(&'static str, Value)>;

/// A span that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::telemetry) struct Span {
    pub(super) trace: TraceId,
    pub(super) id: SpanId,
    pub(super) parent: Option<SpanId>,
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    /// When it began and ended.
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) attributes: Attributes,
    pub(super) failed: bool,
    pub(super) links: Vec<TraceContext>,
}

/// One span while it goes on.
struct Part {
    parent: Option<usize>,
    kind: Kind,
    name: &'static str,
    from: Duration,
    to: Option<Duration>,
    attributes: Attributes,
    failed: bool,
}

/// A unit of work that goes on: its span first, those of its steps behind it.
pub(super) struct Recording {
    context: TraceContext,
    parent: Option<SpanId>,
    /// The wall clock's time at `begun`; the length of everything is measured by `begun` alone.
    began_at: Timestamp,
    begun: Instant,
    links: Vec<TraceContext>,
    parts: Vec<Part>,
    /// The steps that go on, outermost first.
    open: Vec<usize>,
}

/// Where a unit of work stands among others.
pub(super) struct Place {
    pub(super) context: TraceContext,
    pub(super) parent: Option<SpanId>,
    pub(super) links: Vec<TraceContext>,
}

impl Recording {
    /// Begins one.
    pub(super) fn begin(
        place: Place,
        kind: Kind,
        name: &'static str,
        began_at: Timestamp,
        begun: Instant,
    ) -> Self {
        let Place { context, parent, links } = place;
        let mut recording =
            Self { context, parent, began_at, begun, links, parts: Vec::new(), open: Vec::new() };
        recording.parts.push(Part {
            parent: None,
            kind,
            name,
            from: Duration::ZERO,
            to: None,
            attributes: Vec::new(),
            failed: false,
        });
        recording
    }

    pub(super) const fn context(&self) -> TraceContext {
        self.context
    }

    /// Begins a step within the innermost one that goes on, as if it had begun at `from`; its number.
    pub(super) fn enter(&mut self, kind: Kind, name: &'static str, from: Instant) -> Option<usize> {
        let number = self.parts.len();
        if number > MOST_STEPS {
            return None;
        }
        let parent = Some(self.open.last().copied().unwrap_or(0));
        let from = from.saturating_duration_since(self.begun);
        self.parts.push(Part {
            parent,
            kind,
            name,
            from,
            to: None,
            attributes: Vec::new(),
            failed: false,
        });
        self.open.push(number);
        Some(number)
    }

    /// Ends a step.
    pub(super) fn leave(&mut self, number: usize) {
        self.open.retain(|open| *open != number);
        let now = self.begun.elapsed();
        if let Some(part) = self.parts.get_mut(number) {
            part.to = Some(now);
        }
    }

    /// Says something of a step; number 0 is the whole.
    pub(super) fn say(&mut self, number: usize, name: &'static str, value: Value) {
        if let Some(part) = self.parts.get_mut(number) {
            part.attributes.retain(|(said, _)| *said != name);
            part.attributes.push((name, value));
        }
    }

    /// Says that a step failed; number 0 is the whole.
    pub(super) fn fail(&mut self, number: usize) {
        if let Some(part) = self.parts.get_mut(number) {
            part.failed = true;
        }
    }

    /// Ends the whole, and whatever of it goes on.
    pub(super) fn end(self) -> Vec<Span> {
        let Self { context, parent, began_at, begun, links, parts, .. } = self;
        let last = begun.elapsed();
        let at = |after: Duration| began_at.saturating_add(after).unwrap_or(began_at);
        // The ids of the steps follow that of the whole, whose own is a number of chance.
        let id = |number: usize| {
            let number = u64::try_from(number).unwrap_or(u64::MAX);
            SpanId::of(context.span.number().wrapping_add(number)).unwrap_or(context.span)
        };
        let mut links = Some(links);
        parts
            .into_iter()
            .enumerate()
            .map(|(number, part)| Span {
                trace: context.trace,
                id: id(number),
                parent: part.parent.map_or(parent, |number| Some(id(number))),
                kind: part.kind,
                name: part.name,
                from: at(part.from),
                to: at(part.to.unwrap_or(last)),
                attributes: part.attributes,
                failed: part.failed,
                links: links.take().unwrap_or_default(),
            })
            .collect()
    }
}

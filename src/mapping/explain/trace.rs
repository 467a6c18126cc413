//! What is noted while an event is explained: a tree of everything that was evaluated.

use std::cell::RefCell;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::contact::SkippedReason;
use crate::document::Value;
use crate::mapping::Held;
use crate::mapping::expr::{Evaluated, Missing};

/// One thing that was evaluated, and what was evaluated for it, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Noted {
    /// What it was, and what came of it.
    #[serde(flatten)]
    pub what: What,
    /// What was evaluated for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<Noted>,
}

/// A thing that can be evaluated, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// A rule; inside, the path of `for_each` and each [`What::Item`].
    Rule {
        /// Its name.
        rule: Arc<str>,
    },
    /// A rule that was not asked, since one before it matched (`match: first`).
    NotAsked {
        /// Its name.
        rule: Arc<str>,
        /// The rule that matched.
        after: Arc<str>,
    },
    /// A rule applied to one item, or to the event.
    Item {
        /// The place of the item.
        item: u32,
        /// What came of it.
        came: Came,
    },
    /// A block of `control`.
    Control {
        /// Whether it holds.
        holds: Answer,
    },
    /// A `let`, when it was first read.
    Let {
        /// Its name, with the `$`.
        name: String,
        /// Its value.
        gave: Gave,
    },
    /// A block of clauses that must all hold.
    Block {
        /// Whether it holds.
        holds: Answer,
    },
    /// `all`, `any` or `not`, with a [`What::Block`] for each of its blocks.
    Group {
        /// Which of them.
        group: &'static str,
        /// Whether it holds.
        holds: Answer,
    },
    /// A clause of a condition; inside, the value and then a [`What::Test`] for each test.
    Clause {
        /// The value, as it is written.
        subject: Box<str>,
        /// Whether it holds.
        holds: Answer,
    },
    /// A test of a clause.
    Test {
        /// The test and what it expects, as in `gt 50`.
        expected: String,
        /// Whether it holds.
        holds: Answer,
    },
    /// A part of `contact` or `update`.
    Field {
        /// Its name, as in `update.attributes.city`.
        field: String,
        /// What becomes of it; absent where it is left out.
        gave: Gave,
    },
    /// A path.
    Path {
        /// As it is written.
        path: Box<str>,
        /// What it selects.
        gave: Gave,
        /// Where it selects nothing: how far it got, and what may have been meant.
        #[serde(skip_serializing_if = "Option::is_none")]
        missing: Option<Missing>,
    },
    /// A step that a value goes through.
    Step {
        /// The step with its arguments, as in `map(plans)`.
        step: Box<str>,
        /// What it was given.
        input: Gave,
        /// What it made of it.
        gave: Gave,
    },
    /// A value made of others: `steps` (a path and the steps after it), `first_of`, `join`, `all_of`, `index`,
    /// `when` (a form with options), `default`, or a template as it is written.
    Form {
        /// Which of them.
        form: Box<str>,
        /// What it gives.
        gave: Gave,
    },
}

/// What a value gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gave {
    /// Nothing.
    Absent,
    /// One value.
    Value(Value),
    /// What a path that can select several has selected.
    Values(Vec<Value>),
    /// The wish to remove what is there.
    Remove,
    /// It could not be had.
    Held(Held),
}

/// Whether a condition holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// That cannot be told.
    Unclear(Held),
}

/// What came of a rule for one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Came {
    /// Its condition does not hold.
    NotMatched,
    /// An update to send.
    Planned,
    /// It matched and could not be applied.
    Held(Held),
    /// It matched and is not to be sent, on purpose.
    Skipped(SkippedReason),
    /// It matched, and there is nothing to change.
    NoEffect,
}

impl Gave {
    /// What an evaluation gave.
    pub(in crate::mapping) fn of(result: &Result<Evaluated<'_>, Held>) -> Self {
        match result {
            Err(held) => Self::Held(held.clone()),
            Ok(found) => Self::found(found),
        }
    }

    /// The same, of one that could be made.
    pub(in crate::mapping) fn found(found: &Evaluated<'_>) -> Self {
        match found {
            Evaluated::Absent => Self::Absent,
            Evaluated::One(value) => Self::Value(Value::clone(value)),
            Evaluated::Many(values) => {
                Self::Values(values.iter().map(|value| Value::clone(value)).collect())
            }
            Evaluated::Mobile(mobile) => Self::Value(Value::text(mobile.as_str())),
            Evaluated::Remove => Self::Remove,
        }
    }
}

impl Answer {
    /// The answer as it was found.
    pub(in crate::mapping) fn of(answer: &Result<bool, Held>) -> Self {
        match answer {
            Ok(true) => Self::Yes,
            Ok(false) => Self::No,
            Err(held) => Self::Unclear(held.clone()),
        }
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Yes => serializer.serialize_bool(true),
            Self::No => serializer.serialize_bool(false),
            Self::Unclear(held) => held.serialize(serializer),
        }
    }
}

impl Noted {
    /// What it gave, where it is a value or a field.
    pub fn gave(&self) -> Option<&Gave> {
        match &self.what {
            What::Let { gave, .. }
            | What::Field { gave, .. }
            | What::Path { gave, .. }
            | What::Step { gave, .. }
            | What::Form { gave, .. } => Some(gave),
            _ => None,
        }
    }
}

/// Takes notes while an event is mapped. Evaluation is the same with and without it: what is noted is what happened.
#[derive(Debug, Default)]
pub struct Tracer {
    /// What is being evaluated, the innermost last; the first is the event.
    open: RefCell<Vec<Frame>>,
}

#[derive(Debug, Default)]
struct Frame {
    notes: Vec<Noted>,
    /// Whether the `let`s of a rule are noted here.
    is_item: bool,
}

/// Whose `let` it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mapping) enum Whose {
    /// The file's.
    File,
    /// The rule's.
    Rule,
}

impl Tracer {
    /// What was noted of the event, which has ended.
    pub(super) fn take(&self) -> Vec<Noted> {
        self.open.borrow_mut().drain(..).flat_map(|frame| frame.notes).collect()
    }

    /// Something is about to be evaluated.
    pub(in crate::mapping) fn begin(&self) {
        let mut open = self.open.borrow_mut();
        if open.is_empty() {
            open.push(Frame::default());
        }
        open.push(Frame::default());
    }

    /// What was about to be evaluated is a rule for one item.
    pub(in crate::mapping) fn is_item(&self) {
        if let Some(frame) = self.open.borrow_mut().last_mut() {
            frame.is_item = true;
        }
    }

    /// What was begun last has ended.
    pub(in crate::mapping) fn end(&self, what: What) {
        let mut open = self.open.borrow_mut();
        let inside = open.pop().unwrap_or_default().notes;
        if let Some(frame) = open.last_mut() {
            frame.notes.push(Noted { what, inside });
        }
    }

    /// A `let` that was begun last has ended: it is noted once, where it belongs.
    pub(in crate::mapping) fn end_let(&self, whose: Whose, what: What) {
        let mut open = self.open.borrow_mut();
        let inside = open.pop().unwrap_or_default().notes;
        let place = match whose {
            Whose::File => 0,
            Whose::Rule => open.iter().rposition(|frame| frame.is_item).unwrap_or(0),
        };
        let Some(frame) = open.get_mut(place) else { return };
        let name = |what: &What| {
            if let What::Let { name, .. } = what { Some(name.clone()) } else { None }
        };
        match frame.notes.iter_mut().find(|noted| name(&noted.what) == name(&what)) {
            None => frame.notes.push(Noted { what, inside }),
            // It was read before: its value is kept, and only the first reading shows how it came about.
            Some(_) if inside.is_empty() => {}
            Some(noted) => *noted = Noted { what, inside },
        }
    }
}

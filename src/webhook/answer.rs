//! What a sender is told about the events that were taken in.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::handshake::Reply;
use super::respond::Respond;
use crate::event::EventId;

/// What became of an event, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Stored, and at least one update waits.
    Accepted,
    /// Stored, nothing waits, something is held.
    Held,
    /// Stored, nothing waits or is held, something was skipped.
    Skipped,
    /// No rule matched, or without effect.
    Ignored,
    /// A ping, a test or the like.
    Control,
    /// It was seen before.
    Duplicate,
}

impl Status {
    /// Every status, the best first.
    pub const ALL: &[Self] =
        &[Self::Accepted, Self::Held, Self::Skipped, Self::Ignored, Self::Control, Self::Duplicate];

    /// The word in answers and logs, and the `outcome` label of `intake_requests_total`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Held => "held",
            Self::Skipped => "skipped",
            Self::Ignored => "ignored",
            Self::Control => "control",
            Self::Duplicate => "duplicate",
        }
    }
}

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct EventAnswer {
    /// Its id; of a repeat, that of the first one.
    pub event_id: EventId,
    /// What became of it.
    pub status: Status,
    /// How many of its updates wait; not said of a repeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updates: Option<u32>,
    /// How many are held; not said of a repeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<u32>,
    /// Whether it was seen before, whatever became of it now.
    #[serde(skip)]
    pub repeated: bool,
}

impl EventAnswer {
    /// The status it is counted under.
    fn counted(&self) -> Status {
        if self.repeated { Status::Duplicate } else { self.status }
    }
}

/// The answer to a request that was taken in; its JSON is the body of the 200.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// The request was one event.
    One(EventAnswer),
    /// It was several, or none.
    Several {
        /// The best of theirs.
        status: Status,
        /// Each of them, in the order of the request.
        events: Vec<EventAnswer>,
    },
    /// It is told in the source's own words.
    #[serde(serialize_with = "as_usual")]
    Own {
        /// What `respond` says.
        respond: Arc<Respond>,
        /// The usual answer.
        usual: Box<Self>,
    },
    /// It was no event: the answer is what the sender's protocol asks for.
    #[serde(skip)]
    Handshake(Reply),
}

#[expect(clippy::borrowed_box, reason = "as the derived code calls it")]
fn as_usual<S: Serializer>(
    _: &Arc<Respond>,
    usual: &Box<Answer>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    usual.serialize(serializer)
}

impl Answer {
    /// The answer for the events of a request.
    pub fn of(events: Vec<EventAnswer>) -> Self {
        if let [one] = events.as_slice() {
            return Self::One(*one);
        }
        let best = events.iter().map(|event| event.status).min();
        Self::Several { status: best.unwrap_or(Status::Ignored), events }
    }

    /// The status of the request.
    pub fn status(&self) -> Status {
        match self {
            Self::One(event) => event.status,
            Self::Several { status, .. } => *status,
            Self::Own { usual, .. } => usual.status(),
            Self::Handshake(_) => Status::Control,
        }
    }

    /// The status that the request is counted under: a repeat is a duplicate even where something came of it.
    pub fn counted(&self) -> Status {
        match self {
            Self::One(event) => event.counted(),
            Self::Several { status, events } => {
                events.iter().map(EventAnswer::counted).min().unwrap_or(*status)
            }
            Self::Own { usual, .. } => usual.counted(),
            Self::Handshake(_) => Status::Control,
        }
    }

    /// The same in the words of the source, where it has its own.
    pub(super) fn in_words_of(self, respond: Option<&Arc<Respond>>) -> Self {
        match respond {
            None => self,
            Some(respond) => Self::Own { respond: Arc::clone(respond), usual: Box::new(self) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: i64, status: Status) -> EventAnswer {
        let counted = (status != Status::Duplicate).then_some(0);
        let repeated = status == Status::Duplicate;
        EventAnswer { event_id: EventId(id), status, updates: counted, held: counted, repeated }
    }

    #[test]
    fn the_answer_is_short_for_one_event_and_a_list_for_several() {
        for (events, json) in [
            (
                vec![EventAnswer { updates: Some(2), ..event(1, Status::Accepted) }],
                r#"{"event_id":"0000000000001","status":"accepted","updates":2,"held":0}"#,
            ),
            (
                vec![event(1, Status::Duplicate)],
                r#"{"event_id":"0000000000001","status":"duplicate"}"#,
            ),
            (vec![], r#"{"status":"ignored","events":[]}"#),
            (
                vec![event(2, Status::Duplicate), event(3, Status::Control)],
                r#"{"status":"control","events":[{"event_id":"0000000000002","status":"duplicate"},{"event_id":"0000000000003","status":"control","updates":0,"held":0}]}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&Answer::of(events)).unwrap(), json);
        }
    }

    #[test]
    fn a_repeat_counts_as_one_whatever_came_of_it() {
        let revived = EventAnswer { repeated: true, ..event(1, Status::Accepted) };

        assert_eq!(Answer::of(vec![revived]).counted(), Status::Duplicate);
        let several = Answer::of(vec![revived, event(2, Status::Held)]);
        assert_eq!((several.status(), several.counted()), (Status::Accepted, Status::Held));
    }

    #[test]
    fn the_status_of_several_is_the_best_of_theirs() {
        for (at, &best) in Status::ALL.iter().enumerate() {
            let worse = &Status::ALL[at..];
            let events = worse.iter().rev().map(|status| event(1, *status)).collect::<Vec<_>>();
            assert_eq!(Answer::of(events).status(), best);
        }
    }
}

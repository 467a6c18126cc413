//! What an answer of the API means for an update: the one place that says so.
//!
//! [`Meaning`] is what an answer says by itself, a table by status; [`Outcome`] is what follows from it for the
//! update at hand, which also depends on what was asked and on what is known already. Neither does anything.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::chatflow::Failure;
use crate::contact::{DeadReason, OnMissing, SkippedReason, Target, Who};

/// What was asked of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Looking a contact up.
    Find,
    /// Creating a contact.
    Create,
    /// Updating a contact.
    Update,
}

impl Operation {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Find, Self::Create, Self::Update];

    /// The `operation` label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Find => "find",
            Self::Create => "create",
            Self::Update => "update",
        }
    }
}

/// How the id of a contact came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The event names it.
    ById,
    /// It was remembered from an earlier look-up.
    Cached,
    /// It was looked up just now.
    LookedUp,
    /// The contact was created just now.
    Created,
}

/// What an answer says by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The API did what was asked.
    Taken,
    /// The key is refused: nothing about the update.
    KeyRefused,
    /// Forbidden: the key or the update, a probe tells which.
    Forbidden,
    /// There is no such contact.
    Unknown,
    /// Refused for good, in the API's own words.
    Refused,
    /// It may work later.
    Passing,
    /// It may work later, and the answer may say when.
    TooMuch,
    /// Nobody can tell what became of it.
    Unclear,
    /// No answer in time: the request may still be on its way.
    TimedOut,
}

/// What a status means; the first row that holds decides.
const BY_STATUS: &[(RangeInclusive<u16>, Meaning)] = &[
    (200..=299, Meaning::Taken),
    (401..=402, Meaning::KeyRefused),
    (403..=403, Meaning::Forbidden),
    (404..=404, Meaning::Unknown),
    (408..=408, Meaning::Passing),
    (425..=425, Meaning::Passing),
    (429..=429, Meaning::TooMuch),
    (501..=501, Meaning::Refused),
    (503..=503, Meaning::TooMuch),
    (500..=599, Meaning::Passing),
    // 3xx (redirects are never followed), 400, 409, 410, 413, 422 and every other 4xx.
    (0..=u16::MAX, Meaning::Refused),
];

impl Meaning {
    /// What an answer with this status means.
    pub fn of_status(status: u16) -> Self {
        let row = BY_STATUS.iter().find(|(statuses, _)| statuses.contains(&status));
        row.map_or(Self::Refused, |(_, meaning)| *meaning)
    }

    /// What a call that failed means.
    pub fn of(failure: &Failure) -> Self {
        match failure {
            Failure::Answered { status, .. } => Self::of_status(*status),
            Failure::Unclear { .. } => Self::Unclear,
            Failure::TimedOut => Self::TimedOut,
            Failure::NotConnected(_) | Failure::Reset | Failure::Broken(_) => Self::Passing,
            Failure::Unsayable(_) => Self::Refused,
        }
    }
}

/// Whether the API may have done what was asked although the call failed.
pub fn may_have_landed(operation: Operation, failure: &Failure) -> bool {
    if operation != Operation::Update {
        return false;
    }
    match failure {
        Failure::Answered { status, .. } => {
            !matches!(status, 425 | 429 | 503) && Meaning::of_status(*status) == Meaning::Passing
        }
        Failure::Unclear { .. } | Failure::TimedOut | Failure::Broken(_) | Failure::Reset => true,
        Failure::NotConnected(_) | Failure::Unsayable(_) => false,
    }
}

/// Whether the same request goes out once more at once, uncounted: the connection was an old one that the
/// other side had closed.
pub fn is_worth_another_go(failure: &Failure) -> bool {
    matches!(failure, Failure::Reset)
}

/// What a harmless request says about the key after a 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The key is good: the update is what is forbidden.
    KeyGood,
    /// The key is refused.
    KeyRefused,
    /// One cannot tell now.
    Untold,
}

impl Verdict {
    /// What the answer to a probe says.
    pub fn of(probe: &Result<(), Failure>) -> Self {
        match probe {
            Ok(()) => Self::KeyGood,
            Err(failure) => match Meaning::of(failure) {
                Meaning::KeyRefused | Meaning::Forbidden => Self::KeyRefused,
                _ => Self::Untold,
            },
        }
    }
}

/// What is known when an answer comes in.
#[derive(Debug, Clone, Copy)]
pub struct Situation {
    /// What was asked.
    pub operation: Operation,
    /// How the contact's id came to be known.
    pub found: Found,
    /// How many unclear answers the update has had before this one.
    pub unclear_before: u32,
    /// How many of them it may get (`delivery.retry.unclear_attempts`).
    pub unclear_attempts: u32,
    /// What a probe said, if there was one.
    pub probe: Option<Verdict>,
}

/// What follows for the update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is dead.
    Dead(DeadReason),
    /// Delivery pauses; the attempt does not count.
    Pause,
    /// A probe has to tell first.
    Probe,
    /// The contact's id has to be looked up again, once.
    LookAgain,
    /// There is no such contact: what the rule says about that decides.
    Missing,
    /// It is tried again later.
    Again {
        /// What the API asked everybody to wait.
        everybody_waits: Option<Duration>,
        /// Whether the contact has to rest, since a request may still be on its way.
        rest: bool,
    },
}

impl Outcome {
    const LATER: Self = Self::Again { everybody_waits: None, rest: false };

    /// What follows from a call that failed.
    pub fn of(failure: &Failure, situation: &Situation) -> Self {
        match Meaning::of(failure) {
            // A failure never has a status that says success; were it so, nobody could tell.
            Meaning::Taken | Meaning::Unclear
                if situation.unclear_before + 1 >= situation.unclear_attempts =>
            {
                Self::Dead(DeadReason::Unclear)
            }
            Meaning::Taken | Meaning::Unclear | Meaning::Passing => Self::LATER,
            Meaning::KeyRefused => Self::Pause,
            Meaning::Forbidden => match situation.probe {
                None => Self::Probe,
                Some(Verdict::KeyGood) => Self::Dead(DeadReason::Forbidden),
                Some(Verdict::KeyRefused) => Self::Pause,
                Some(Verdict::Untold) => Self::LATER,
            },
            Meaning::Unknown => match (situation.operation, situation.found) {
                (Operation::Create, _) => Self::Dead(DeadReason::Refused),
                (Operation::Update, Found::Cached) => Self::LookAgain,
                _ => Self::Missing,
            },
            Meaning::Refused => Self::Dead(DeadReason::Refused),
            Meaning::TooMuch => match failure {
                Failure::Answered { retry_after, .. } => {
                    Self::Again { everybody_waits: *retry_after, rest: false }
                }
                _ => Self::LATER,
            },
            Meaning::TimedOut => Self::Again { everybody_waits: None, rest: true },
        }
    }
}

/// What follows when there is no such contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenMissing {
    /// It is looked for again later.
    LookLater,
    /// The update is skipped.
    Skip(SkippedReason),
    /// The update is dead.
    Dead(DeadReason),
}

impl WhenMissing {
    /// What follows for an update with this target: an id is either there or not; any other key is looked for
    /// until it `was_waited_for` long enough. Creating, where the rule asks for it, was tried before.
    pub fn of(target: &Target, was_waited_for: bool) -> Self {
        match (&target.who, target.on_missing) {
            (Who::Id(_), OnMissing::Skip) => Self::Skip(SkippedReason::ContactMissing),
            (Who::Id(_), OnMissing::Dead | OnMissing::Create) => Self::Dead(DeadReason::NotFound),
            (Who::Mobile(_) | Who::Attribute { .. }, _) if !was_waited_for => Self::LookLater,
            (Who::Mobile(_) | Who::Attribute { .. }, OnMissing::Skip) => {
                Self::Skip(SkippedReason::ContactMissing)
            }
            (Who::Mobile(_) | Who::Attribute { .. }, OnMissing::Dead | OnMissing::Create) => {
                Self::Dead(DeadReason::ContactMissing)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::{ContactId, Mobile};

    const SITUATION: Situation = Situation {
        operation: Operation::Update,
        found: Found::ById,
        unclear_before: 0,
        unclear_attempts: 6,
        probe: None,
    };

    fn answered(status: u16) -> Failure {
        Failure::Answered { status, words: "no".to_owned(), retry_after: None }
    }

    fn unclear() -> Failure {
        Failure::Unclear { status: 200, words: "no JSON".to_owned() }
    }

    const REFUSED: Outcome = Outcome::Dead(DeadReason::Refused);

    #[test]
    fn every_status_means_what_the_reference_says() {
        for status in 200..600 {
            let meaning = match status {
                200..=299 => Meaning::Taken,
                401 | 402 => Meaning::KeyRefused,
                403 => Meaning::Forbidden,
                404 => Meaning::Unknown,
                429 | 503 => Meaning::TooMuch,
                408 | 425 | 500 | 502 | 504..=599 => Meaning::Passing,
                _ => Meaning::Refused,
            };
            assert_eq!(Meaning::of_status(status), meaning, "{status}");
        }
    }

    #[test]
    fn each_answer_has_its_outcome() {
        for (failure, outcome) in [
            (answered(301), REFUSED),
            (answered(400), REFUSED),
            (answered(401), Outcome::Pause),
            (answered(402), Outcome::Pause),
            (answered(403), Outcome::Probe),
            (answered(404), Outcome::Missing),
            (answered(405), REFUSED),
            (answered(408), Outcome::LATER),
            (answered(409), REFUSED),
            (answered(410), REFUSED),
            (answered(413), REFUSED),
            (answered(422), REFUSED),
            (answered(425), Outcome::LATER),
            (answered(429), Outcome::LATER),
            (answered(500), Outcome::LATER),
            (answered(501), REFUSED),
            (answered(502), Outcome::LATER),
            (answered(503), Outcome::LATER),
            (answered(504), Outcome::LATER),
            (unclear(), Outcome::LATER),
            (Failure::TimedOut, Outcome::Again { everybody_waits: None, rest: true }),
            (Failure::NotConnected("refused".to_owned()), Outcome::LATER),
            (Failure::Reset, Outcome::LATER),
            (Failure::Broken("cut off".to_owned()), Outcome::LATER),
            (Failure::Unsayable("a tag with a comma".to_owned()), REFUSED),
        ] {
            assert_eq!(Outcome::of(&failure, &SITUATION), outcome, "{failure}");
        }
    }

    #[test]
    fn retry_after_counts_for_everybody_on_429_and_503_alone() {
        let minute = Some(Duration::from_mins(1));
        for (status, everybody_waits) in
            [(408, None), (425, None), (429, minute), (500, None), (502, None), (503, minute)]
        {
            let failure = Failure::Answered { status, words: String::new(), retry_after: minute };
            let outcome = Outcome::Again { everybody_waits, rest: false };
            assert_eq!(Outcome::of(&failure, &SITUATION), outcome, "{status}");
        }
    }

    #[test]
    fn unclear_answers_are_counted_up_to_the_limit() {
        for (unclear_before, outcome) in [
            (0, Outcome::LATER),
            (4, Outcome::LATER),
            (5, Outcome::Dead(DeadReason::Unclear)),
            (9, Outcome::Dead(DeadReason::Unclear)),
        ] {
            let situation = Situation { unclear_before, ..SITUATION };
            assert_eq!(Outcome::of(&unclear(), &situation), outcome, "{unclear_before} before");
        }
    }

    #[test]
    fn a_403_is_told_apart_by_a_probe() {
        for (probe, outcome) in [
            (Ok(()), Outcome::Dead(DeadReason::Forbidden)),
            (Err(answered(401)), Outcome::Pause),
            (Err(answered(402)), Outcome::Pause),
            (Err(answered(403)), Outcome::Pause),
            (Err(answered(500)), Outcome::LATER),
            (Err(Failure::TimedOut), Outcome::LATER),
        ] {
            let situation = Situation { probe: Some(Verdict::of(&probe)), ..SITUATION };
            assert_eq!(Outcome::of(&answered(403), &situation), outcome, "{probe:?}");
        }
    }

    #[test]
    fn a_404_depends_on_how_the_id_was_found() {
        for (operation, found, outcome) in [
            (Operation::Update, Found::ById, Outcome::Missing),
            (Operation::Update, Found::Cached, Outcome::LookAgain),
            (Operation::Update, Found::LookedUp, Outcome::Missing),
            (Operation::Update, Found::Created, Outcome::Missing),
            (Operation::Find, Found::LookedUp, Outcome::Missing),
            (Operation::Create, Found::LookedUp, REFUSED),
        ] {
            let situation = Situation { operation, found, ..SITUATION };
            assert_eq!(Outcome::of(&answered(404), &situation), outcome, "{operation:?} {found:?}");
        }
    }

    #[test]
    fn what_follows_for_a_missing_contact_is_what_the_rule_says() {
        use OnMissing::{Create, Dead, Skip};
        let id = Who::Id(ContactId::try_from("65f0c0ffee0123456789abcd".to_owned()).unwrap());
        let mobile = Who::Mobile(Mobile::try_from("12025550143".to_owned()).unwrap());
        let skip = WhenMissing::Skip(SkippedReason::ContactMissing);
        for (who, on_missing, was_waited_for, what_follows) in [
            (&id, Dead, false, WhenMissing::Dead(DeadReason::NotFound)),
            (&id, Create, false, WhenMissing::Dead(DeadReason::NotFound)),
            (&id, Skip, false, skip),
            (&mobile, Dead, false, WhenMissing::LookLater),
            (&mobile, Skip, false, WhenMissing::LookLater),
            (&mobile, Create, false, WhenMissing::LookLater),
            (&mobile, Dead, true, WhenMissing::Dead(DeadReason::ContactMissing)),
            (&mobile, Create, true, WhenMissing::Dead(DeadReason::ContactMissing)),
            (&mobile, Skip, true, skip),
        ] {
            let target = Target { who: who.clone(), on_missing };
            assert_eq!(WhenMissing::of(&target, was_waited_for), what_follows, "{target:?}");
        }
    }

    #[test]
    fn only_a_reset_before_the_answer_is_sent_once_more_at_once() {
        assert!(is_worth_another_go(&Failure::Reset));
        for failure in [Failure::TimedOut, Failure::Broken(String::new()), answered(500)] {
            assert!(!is_worth_another_go(&failure), "{failure}");
        }
    }
}

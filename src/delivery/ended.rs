//! What came of a request: what is recorded of each update in it, and what becomes of those behind them.

use std::time::Duration;

use super::locks::Held;
use crate::contact::DeadReason;
use crate::store::{Claim, End, Trouble};

/// Whether what is left of a run may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// It may.
    GoesOn,
    /// It goes back, and waits.
    GoesBack,
    /// All of the run is in the store's hands again already.
    IsGone,
}

/// What came of an attempt.
pub(super) struct Ended {
    /// What is to be recorded of each update that was in it, in their order.
    pub(super) ends: Vec<End>,
    /// What becomes of the updates behind them in the run.
    pub(super) rest: Rest,
    /// Whether the request was refused for good, or cannot be: what is in it has to be told apart.
    pub(super) is_refused: bool,
    /// Whether anything was asked of the API, or decided: no line in the log otherwise.
    pub(super) was_tried: bool,
    /// The status of the answer that decided, where it was no success.
    pub(super) status: Option<u16>,
    /// The contact, where it has to rest.
    pub(super) resting: Option<Held<String>>,
}

impl Ended {
    pub(super) fn with(ends: Vec<End>, rest: Rest) -> Self {
        let (is_refused, was_tried) = (false, true);
        Self { ends, rest, is_refused, was_tried, status: None, resting: None }
    }

    /// The same end for all of them, and for good.
    pub(super) fn all(end: End, part: &[Claim]) -> Self {
        Self::with(vec![end; part.len()], Rest::GoesOn)
    }

    pub(super) fn given_back(part: &[Claim]) -> Self {
        let end = End::GivenBack { after: Duration::ZERO };
        Self::with(vec![end; part.len()], Rest::GoesBack)
    }

    pub(super) fn not_sent(part: &[Claim]) -> Self {
        Self { was_tried: false, ..Self::given_back(part) }
    }

    /// It takes more than one request.
    pub(super) fn apart(part: &[Claim]) -> Self {
        Self { is_refused: true, ..Self::not_sent(part) }
    }

    pub(super) fn gone() -> Self {
        Self { was_tried: false, ..Self::with(Vec::new(), Rest::IsGone) }
    }

    pub(super) fn dead(part: &[Claim], reason: DeadReason, trouble: Trouble) -> Self {
        Self { status: trouble.status, ..Self::all(End::Dead(reason, trouble), part) }
    }
}

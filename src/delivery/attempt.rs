//! The way of one update: its contact found, the request sent when its turn has come, the answer judged.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::expiring::Expiring;
use super::locks::{Held, Locks};
use super::outbound::{Outbound, Unanswered};
use super::outcome::{self, Found, Operation, Outcome, Situation, Verdict, WhenMissing};
use super::pause::PauseReason;
use super::resolve::{ABSENT_FOR, Resolver, Unresolved};
use super::retry::Chance;
use super::settings::Policy;
use super::tally::Tally;
use crate::chatflow::Failure;
use crate::clock::SharedClock;
use crate::contact::{ContactId, ContactUpdate, DeadReason, SkippedReason};
use crate::event::UpdateId;
use crate::store::{Claim, End, Trouble};

/// How long an update may be held before it is sent: well within what any store lends it for.
const HELD_AT_MOST: Duration = Duration::from_mins(5);

/// How many updates with unclear answers are remembered.
const MOST_UNCLEAR: usize = 100_000;

/// What came of an attempt.
pub(super) struct Ended {
    /// What is to be recorded.
    pub(super) end: End,
    /// Whether anything was asked of the API, or decided: no line in the log otherwise.
    pub(super) was_tried: bool,
    /// The status of the answer that decided, where it was no success.
    pub(super) status: Option<u16>,
    /// The contact, where it has to rest.
    pub(super) resting: Option<Held<String>>,
}

impl Ended {
    fn with(end: End) -> Self {
        Self { end, was_tried: true, status: None, resting: None }
    }

    pub(super) fn not_sent() -> Self {
        Self { was_tried: false, ..Self::with(End::GivenBack { after: Duration::ZERO }) }
    }

    fn dead(reason: DeadReason, trouble: Trouble) -> Self {
        Self { status: trouble.status, ..Self::with(End::Dead(reason, trouble)) }
    }
}

/// Sees updates through.
pub(super) struct Attempts {
    pub(super) outbound: Arc<Outbound>,
    pub(super) resolver: Resolver,
    pub(super) policy: Policy,
    pub(super) clock: SharedClock,
    pub(super) chance: Chance,
    pub(super) tally: Arc<Tally>,
    /// One request at a time for a contact, under its id in lower case.
    one_at_a_time: Locks<String>,
    /// How many unclear answers an update had.
    unclear: Mutex<Expiring<UpdateId, u32>>,
}

impl Attempts {
    pub(super) fn new(
        policy: Policy,
        outbound: Arc<Outbound>,
        clock: SharedClock,
        chance: Chance,
        tally: Arc<Tally>,
    ) -> Self {
        let resolver =
            Resolver::new(&policy, Arc::clone(&outbound), Arc::clone(&clock), Arc::clone(&tally));
        let one_at_a_time = Locks::new();
        let unclear = Mutex::new(Expiring::new(Duration::from_hours(24), MOST_UNCLEAR));
        Self { outbound, resolver, policy, clock, chance, tally, one_at_a_time, unclear }
    }

    /// One attempt; `claimed` is the monotonic time at which the update was lent.
    pub(super) async fn attempt(&self, claim: &Claim, claimed: Duration) -> Ended {
        let mut looked_again = false;
        loop {
            let (id, found) = match self.resolver.resolve(&claim.planned).await {
                Ok(resolved) => resolved,
                Err(unresolved) => return self.unresolved(claim, unresolved).await,
            };
            if claim.planned.update.is_empty() {
                return Ended::with(End::Delivered);
            }
            let turn = self.one_at_a_time.lock(id.as_str().to_ascii_lowercase()).await;
            let latest = claimed.saturating_add(HELD_AT_MOST);
            let failure = match self.update(&id, &claim.planned.update, latest).await {
                Ok(()) => {
                    self.resolver.changed(&id, &claim.planned.update);
                    return Ended::with(End::Delivered);
                }
                Err(Unanswered::NotSent) => return Ended::not_sent(),
                Err(Unanswered::Failed(failure)) => failure,
            };
            // What is known is worth one look; what that look gives is no longer remembered but known.
            let found = if looked_again { Found::LookedUp } else { found };
            let outcome = self.judge(claim, Operation::Update, found, &failure).await;
            match outcome {
                None => return Ended::not_sent(),
                Some(Outcome::LookAgain) => {
                    self.resolver.forget(&claim.planned.target.who);
                    looked_again = true;
                }
                Some(outcome) => {
                    let ended = self.follow(claim, Operation::Update, outcome, &failure);
                    let mut ended = self.withdraw(claim, &id, latest, ended).await;
                    if matches!(outcome, Outcome::Again { rest: true, .. }) {
                        ended.resting = Some(turn);
                    }
                    return ended;
                }
            }
        }
    }

    pub(super) async fn update(
        &self,
        id: &ContactId,
        update: &ContactUpdate,
        latest: Duration,
    ) -> Result<(), Unanswered> {
        let api = &self.outbound.api;
        self.outbound.send_by(latest, || api.update(id, update)).await.map(|_contact| ())
    }

    async fn unresolved(&self, claim: &Claim, unresolved: Unresolved) -> Ended {
        match unresolved {
            Unresolved::NotSent => Ended::not_sent(),
            Unresolved::Missing => self.missing(claim, Operation::Find, None),
            Unresolved::Ambiguous => {
                let words = "two contacts at least answer to this key".to_owned();
                Ended::dead(DeadReason::Ambiguous, Trouble { status: None, words })
            }
            Unresolved::NoMobileToCreate => {
                Ended::with(End::Skipped(SkippedReason::NoMobileToCreate))
            }
            Unresolved::Failed(operation, failure) => {
                match self.judge(claim, operation, Found::LookedUp, &failure).await {
                    None => Ended::not_sent(),
                    Some(outcome) => self.follow(claim, operation, outcome, &failure),
                }
            }
        }
    }

    /// What a failure means for the update; asks the API something harmless where that has to tell. Nothing if
    /// that may not be asked now.
    pub(super) async fn judge(
        &self,
        claim: &Claim,
        operation: Operation,
        found: Found,
        failure: &Failure,
    ) -> Option<Outcome> {
        let mut situation = Situation {
            operation,
            found,
            unclear_before: self.unclear_before(claim.lent.update),
            unclear_attempts: self.policy.backoff.unclear_attempts(),
            probe: None,
        };
        let outcome = Outcome::of(failure, &situation);
        if outcome != Outcome::Probe {
            return Some(outcome);
        }
        let probe = match self.outbound.send(|| self.outbound.api.probe()).await {
            Ok(()) => Ok(()),
            Err(Unanswered::Failed(failure)) => Err(failure),
            Err(Unanswered::NotSent) => return None,
        };
        situation.probe = Some(Verdict::of(&probe));
        Some(Outcome::of(failure, &situation))
    }

    /// Does what follows from an outcome.
    pub(super) fn follow(
        &self,
        claim: &Claim,
        operation: Operation,
        outcome: Outcome,
        failure: &Failure,
    ) -> Ended {
        match outcome {
            Outcome::Dead(reason) => Ended::dead(reason, trouble(operation, failure)),
            Outcome::Pause => {
                self.outbound.pauses.pause(PauseReason::Unauthorized);
                let end = End::GivenBack { after: Duration::ZERO };
                Ended { status: failure.status(), ..Ended::with(end) }
            }
            Outcome::Missing | Outcome::LookAgain => self.missing(claim, operation, Some(failure)),
            // A 403 that no probe has told apart says as little as a failure that may pass.
            Outcome::Probe => self.again(claim, operation, failure, Duration::ZERO),
            Outcome::Again { everybody_waits, rest } => {
                if matches!(failure, Failure::Unclear { .. }) {
                    self.count_unclear(claim.lent.update);
                }
                let asked = everybody_waits.map_or(Duration::ZERO, |asked| {
                    let wait = self.policy.backoff.asked_to_wait(asked, &self.chance);
                    self.outbound.gate.close_for(wait);
                    wait
                });
                let rest = if rest { self.policy.rest } else { Duration::ZERO };
                self.again(claim, operation, failure, asked.max(rest))
            }
        }
    }

    /// Later, not before `floor`; or given up, if it has been failing for too long already.
    fn again(
        &self,
        claim: &Claim,
        operation: Operation,
        failure: &Failure,
        floor: Duration,
    ) -> Ended {
        let trouble = trouble(operation, failure);
        if self.is_given_up(claim) {
            return Ended::dead(DeadReason::GaveUp, trouble);
        }
        self.tally.put_off(operation, failure.label());
        let after = self.policy.backoff.delay(claim.attempt, &self.chance).max(floor);
        let may_have_landed = outcome::may_have_landed(operation, failure);
        Ended {
            status: trouble.status,
            ..Ended::with(End::Again { after, trouble, may_have_landed })
        }
    }

    /// There is no such contact: now, and maybe for good.
    fn missing(&self, claim: &Claim, operation: Operation, failure: Option<&Failure>) -> Ended {
        let target = &claim.planned.target;
        self.resolver.forget(&target.who);
        // Both count: a new event gets its time though its key has led nowhere before, and an event that came out
        // of the line late does too.
        let missing_for = self.resolver.missing_for(&target.who).min(claim.age);
        let trouble = failure.map_or_else(
            || Trouble { status: None, words: "no contact answers to this key".to_owned() },
            |failure| trouble(operation, failure),
        );
        let was_waited_for = missing_for >= self.policy.wait || self.is_given_up(claim);
        match WhenMissing::of(target, was_waited_for) {
            WhenMissing::LookLater => {
                self.tally.put_off(operation, "not_found");
                let left = self.policy.wait.saturating_sub(missing_for);
                let delay = self.policy.backoff.delay(claim.attempt, &self.chance).min(left);
                let after = delay.max(ABSENT_FOR);
                let end = End::Again { after, trouble, may_have_landed: false };
                Ended { status: failure.and_then(Failure::status), ..Ended::with(end) }
            }
            WhenMissing::Skip(reason) => Ended::with(End::Skipped(reason)),
            WhenMissing::Dead(reason) => Ended::dead(reason, trouble),
        }
    }

    /// Time in which delivery was paused does not count.
    fn is_given_up(&self, claim: &Claim) -> bool {
        let failing_for = claim.failing_for.unwrap_or_default();
        let paused = self.outbound.pauses.paused_within(failing_for);
        self.policy.backoff.is_given_up(failing_for.saturating_sub(paused))
    }

    fn unclear_before(&self, update: UpdateId) -> u32 {
        let unclear = self.unclear.lock().unwrap_or_else(PoisonError::into_inner);
        unclear.get(&update, self.clock.monotonic()).copied().unwrap_or(0)
    }

    fn count_unclear(&self, update: UpdateId) {
        let now = self.clock.monotonic();
        let mut unclear = self.unclear.lock().unwrap_or_else(PoisonError::into_inner);
        let count = unclear.get(&update, now).copied().unwrap_or(0);
        unclear.put(update, count.saturating_add(1), now);
    }
}

/// What is kept of a failure: the API's own words where it has any.
fn trouble(operation: Operation, failure: &Failure) -> Trouble {
    let words = match failure {
        Failure::Answered { words, .. } => words.clone(),
        _ => failure.to_string(),
    };
    let words = match operation {
        Operation::Find => format!("looking the contact up: {words}"),
        Operation::Create => format!("creating the contact: {words}"),
        Operation::Update => words,
    };
    Trouble { status: failure.status(), words }
}

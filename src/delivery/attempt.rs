//! The way of one request: its contact found, sent when its turn has come, the answer judged for each update in it.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::ended::{Ended, Rest};
use super::expiring::Expiring;
use super::locks::Locks;
use super::outbound::{Outbound, Unanswered};
use super::outcome::{self, Found, Operation, Outcome, Situation, Verdict, WhenMissing};
use super::pause::PauseReason;
use super::resolve::{ABSENT_FOR, Resolver, Unresolved};
use super::retry::Chance;
use super::settings::Policy;
use super::tally::Tally;
use crate::chatflow::Failure;
use crate::clock::SharedClock;
use crate::contact::fold::Fold;
use crate::contact::{ContactId, ContactUpdate, DeadReason, PlannedUpdate, SkippedReason, Who};
use crate::event::UpdateId;
use crate::store::{Claim, End, Joined, Lane, Store, Trouble};

/// How long an update may be held before it is sent: well within what any store lends it for.
const HELD_AT_MOST: Duration = Duration::from_mins(5);

/// How many updates with unclear answers are remembered.
const MOST_UNCLEAR: usize = 100_000;

/// Sees updates through.
pub(super) struct Attempts {
    pub(super) store: Arc<dyn Store>,
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
        store: Arc<dyn Store>,
        policy: Policy,
        outbound: Arc<Outbound>,
        clock: SharedClock,
        chance: Chance,
        tally: Arc<Tally>,
    ) -> Self {
        let resolver = Resolver::new(
            Arc::clone(&store),
            &policy,
            Arc::clone(&outbound),
            Arc::clone(&clock),
            Arc::clone(&tally),
        );
        let one_at_a_time = Locks::new();
        let unclear = Mutex::new(Expiring::new(Duration::from_hours(24), MOST_UNCLEAR));
        Self { store, outbound, resolver, policy, clock, chance, tally, one_at_a_time, unclear }
    }

    /// The latest monotonic time at which a request may begin that ends while these are still lent; nothing where it is
    /// too late already.
    fn lent_until(&self, part: &[Claim]) -> Option<Duration> {
        let sure = part.first().and_then(|claim| self.store.sure_for(claim.lent.fence));
        let Some(sure) = sure else { return Some(Duration::MAX) };
        let left = sure.checked_sub(self.policy.rest).filter(|left| !left.is_zero())?;
        Some(self.clock.monotonic().saturating_add(left))
    }

    /// One attempt with the first `count` of what is `left` of a run, in one request; `lane` is the one they wait in,
    /// `claimed` the monotonic time at which they were lent.
    pub(super) async fn attempt(
        &self,
        lane: &mut Lane,
        left: &[Claim],
        count: usize,
        claimed: Duration,
    ) -> Ended {
        let part = left.get(..count).unwrap_or(left);
        let Some(planned) = folded(part) else { return Ended::apart(part) };
        let may_have_landed = part.iter().any(|claim| claim.may_have_landed);
        let mut looked_again = false;
        loop {
            let (id, found) = match self.resolver.resolve(&planned, may_have_landed).await {
                Ok(resolved) => resolved,
                Err(unresolved) => return self.unresolved(lane, left, part, unresolved).await,
            };
            if let Err(ended) = self.join(lane, left, part, &Who::Id(id.clone())).await {
                return ended;
            }
            let guarded = match self.guarded(part).await {
                Ok(guarded) => guarded,
                Err(ended) => return ended,
            };
            let sent = guarded.as_ref().map_or(&planned.update, |guarded| &guarded.update);
            if sent.is_empty() {
                return Ended::all(End::Delivered, part);
            }
            let turn = self.one_at_a_time.lock(id.as_str().to_ascii_lowercase()).await;
            let Some(lent_until) = self.lent_until(part) else { return Ended::not_sent(part) };
            let latest = claimed.saturating_add(HELD_AT_MOST).min(lent_until);
            let failure = match self.update(&id, sent, latest).await {
                Ok(()) => {
                    self.resolver.changed(&id, sent);
                    self.resolver.tell(&id, &planned);
                    let end = guarded.map_or(End::Delivered, |guarded| End::Marking(guarded.marks));
                    return Ended::all(end, part);
                }
                Err(Unanswered::NotSent) => return Ended::not_sent(part),
                Err(Unanswered::Failed(failure)) => failure,
            };
            // What is known is worth one look; what that look gives is no longer remembered but known.
            let found = if looked_again { Found::LookedUp } else { found };
            let outcome = self.judge(part, Operation::Update, found, &failure).await;
            match outcome {
                None => return Ended::not_sent(part),
                Some(Outcome::LookAgain) => {
                    self.resolver.forget(&planned.target.who);
                    looked_again = true;
                }
                Some(Outcome::Missing) => {
                    return self.missing(lane, left, part, Operation::Update, Some(&failure)).await;
                }
                Some(outcome) => {
                    let ended = self.follow(part, Operation::Update, outcome, &failure);
                    let mut ended = self.withdraw(part, &id, latest, ended).await;
                    if matches!(outcome, Outcome::Again { rest: true, .. }) {
                        ended.resting = Some(turn);
                    }
                    return ended;
                }
            }
        }
    }

    /// Has the run wait where it belongs, now that it is known whom its key means; an error is what came of it where
    /// it may not be sent now.
    async fn join(
        &self,
        lane: &mut Lane,
        left: &[Claim],
        part: &[Claim],
        whose: &Who,
    ) -> Result<(), Ended> {
        let is_keyed = part.first().is_some_and(|claim| match &claim.planned.target.who {
            Who::Id(_) => false,
            Who::Mobile(_) | Who::Attribute { .. } => true,
        });
        if !is_keyed {
            return Ok(());
        }
        let home = self.store.lane_of(whose);
        if *lane == home {
            return Ok(());
        }
        let run = left.iter().map(|claim| claim.lent).collect();
        match self.store.join(run, home).await {
            Ok(Joined::First) => {
                *lane = home;
                Ok(())
            }
            Ok(Joined::Behind | Joined::Lapsed) => Err(Ended::gone()),
            Err(error) => {
                tracing::error!(%error, "a contact's lanes could not be joined");
                Err(Ended::not_sent(part))
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

    async fn unresolved(
        &self,
        lane: &mut Lane,
        left: &[Claim],
        part: &[Claim],
        unresolved: Unresolved,
    ) -> Ended {
        match unresolved {
            Unresolved::NotSent => Ended::not_sent(part),
            Unresolved::Missing => self.missing(lane, left, part, Operation::Find, None).await,
            Unresolved::Ambiguous => {
                let words = "two contacts at least answer to this key".to_owned();
                Ended::dead(part, DeadReason::Ambiguous, Trouble { status: None, words })
            }
            Unresolved::NoMobileToCreate => {
                Ended::all(End::Skipped(SkippedReason::NoMobileToCreate), part)
            }
            Unresolved::Failed(operation, failure) => {
                match self.judge(part, operation, Found::LookedUp, &failure).await {
                    None => Ended::not_sent(part),
                    Some(Outcome::Missing | Outcome::LookAgain) => {
                        self.missing(lane, left, part, operation, Some(&failure)).await
                    }
                    Some(outcome) => self.follow(part, operation, outcome, &failure),
                }
            }
        }
    }

    /// What a failure means for the updates; asks the API something harmless where that has to tell. Nothing if
    /// that may not be asked now.
    pub(super) async fn judge(
        &self,
        part: &[Claim],
        operation: Operation,
        found: Found,
        failure: &Failure,
    ) -> Option<Outcome> {
        let mut situation = Situation {
            operation,
            found,
            unclear_before: self.unclear_before(part),
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
        part: &[Claim],
        operation: Operation,
        outcome: Outcome,
        failure: &Failure,
    ) -> Ended {
        match outcome {
            Outcome::Dead(reason) => {
                let ended = Ended::dead(part, reason, trouble(operation, failure));
                Ended { is_refused: operation == Operation::Update, ..ended }
            }
            Outcome::Pause => {
                self.outbound.pauses.pause(PauseReason::Unauthorized);
                Ended { status: failure.status(), ..Ended::given_back(part) }
            }
            // A 403 that no probe has told apart says as little as a failure that may pass; the other two are seen
            // to before.
            Outcome::Probe | Outcome::Missing | Outcome::LookAgain => {
                self.again(part, operation, failure, Duration::ZERO)
            }
            Outcome::Again { everybody_waits, rest } => {
                if matches!(failure, Failure::Unclear { .. }) {
                    self.count_unclear(part);
                }
                let asked = everybody_waits.map_or(Duration::ZERO, |asked| {
                    let wait = self.policy.backoff.asked_to_wait(asked, &self.chance);
                    self.outbound.gate.close_for(wait);
                    wait
                });
                let rest = if rest { self.policy.rest } else { Duration::ZERO };
                self.again(part, operation, failure, asked.max(rest))
            }
        }
    }

    /// Later, not before `floor`; or given up, what has been failing for too long already.
    fn again(
        &self,
        part: &[Claim],
        operation: Operation,
        failure: &Failure,
        floor: Duration,
    ) -> Ended {
        let trouble = trouble(operation, failure);
        let tried = part.iter().map(|claim| claim.attempt).max().unwrap_or(1);
        let after = self.policy.backoff.delay(tried, &self.chance).max(floor);
        let may_have_landed = outcome::may_have_landed(operation, failure);
        let end = |claim: &Claim| {
            let trouble = trouble.clone();
            if self.is_given_up(claim) {
                End::Dead(DeadReason::GaveUp, trouble)
            } else {
                End::Again { after, trouble, may_have_landed }
            }
        };
        let ends: Vec<_> = part.iter().map(end).collect();
        let is_put_off = ends.iter().any(|end| matches!(end, End::Again { .. }));
        if is_put_off {
            self.tally.put_off(operation, failure.label());
        }
        let rest = if is_put_off { Rest::GoesBack } else { Rest::GoesOn };
        Ended { status: trouble.status, ..Ended::with(ends, rest) }
    }

    /// There is no such contact: now, and maybe for good. What is looked for again waits in its key's own lane, so
    /// that it holds up nobody else's.
    async fn missing(
        &self,
        lane: &mut Lane,
        left: &[Claim],
        part: &[Claim],
        operation: Operation,
        failure: Option<&Failure>,
    ) -> Ended {
        let Some(target) = part.first().map(|claim| &claim.planned.target) else {
            return Ended::not_sent(part);
        };
        self.resolver.forget(&target.who);
        let missing_for = self.resolver.missing_for(&target.who);
        let trouble = failure.map_or_else(
            || Trouble { status: None, words: "no contact answers to this key".to_owned() },
            |failure| trouble(operation, failure),
        );
        let status = failure.and_then(Failure::status);
        let mut ends = Vec::with_capacity(part.len());
        for claim in part {
            // Both count: a new event gets its time though its key has led nowhere before, and an event that came
            // out of the line late does too.
            let missing_for = missing_for.min(claim.age);
            let was_waited_for = missing_for >= self.policy.wait || self.is_given_up(claim);
            match WhenMissing::of(target, was_waited_for) {
                WhenMissing::Skip(reason) => ends.push(End::Skipped(reason)),
                WhenMissing::Dead(reason) => ends.push(End::Dead(reason, trouble.clone())),
                WhenMissing::LookLater => {
                    self.tally.put_off(operation, "not_found");
                    let wait = self.policy.wait.saturating_sub(missing_for);
                    let delay = self.policy.backoff.delay(claim.attempt, &self.chance).min(wait);
                    let after = delay.max(ABSENT_FOR);
                    ends.push(End::Again { after, trouble, may_have_landed: false });
                    break;
                }
            }
        }
        let looks_later = matches!(ends.last(), Some(End::Again { .. }));
        if looks_later && let Err(ended) = self.join(lane, left, part, &target.who).await {
            return ended;
        }
        // What waits behind the one that is looked for again was not tried.
        ends.resize(part.len(), End::GivenBack { after: Duration::ZERO });
        let rest = if looks_later { Rest::GoesBack } else { Rest::GoesOn };
        Ended { status, ..Ended::with(ends, rest) }
    }

    /// Time in which delivery was paused does not count.
    fn is_given_up(&self, claim: &Claim) -> bool {
        let failing_for = claim.failing_for.unwrap_or_default();
        let paused = self.outbound.pauses.paused_within(failing_for);
        self.policy.backoff.is_given_up(failing_for.saturating_sub(paused))
    }

    fn unclear_before(&self, part: &[Claim]) -> u32 {
        let unclear = self.unclear.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.monotonic();
        let counts = part.iter().filter_map(|claim| unclear.get(&claim.lent.update, now));
        counts.copied().max().unwrap_or(0)
    }

    fn count_unclear(&self, part: &[Claim]) {
        let now = self.clock.monotonic();
        let mut unclear = self.unclear.lock().unwrap_or_else(PoisonError::into_inner);
        for claim in part {
            let update = claim.lent.update;
            let count = unclear.get(&update, now).copied().unwrap_or(0);
            unclear.put(update, count.saturating_add(1), now);
        }
    }
}

/// The updates of a part as one; nothing where only what goes before them in the run made them fit.
fn folded(part: &[Claim]) -> Option<Cow<'_, PlannedUpdate>> {
    let (first, others) = part.split_first()?;
    if others.is_empty() {
        return Some(Cow::Borrowed(&first.planned));
    }
    let mut fold = Fold::of(&first.planned);
    let all = others.iter().all(|claim| fold.take(&claim.planned));
    all.then(|| Cow::Owned(fold.into_planned()))
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

//! Whether the API works at all, as the answers for several contacts tell: closed, open, half open.
//!
//! One contact whose updates fail says nothing about the API. Many failures in a row over several contacts do: the
//! circuit opens, nothing is sent, and a harmless request is tried ever more rarely until one is answered. Nothing
//! here sends anything or waits.

use std::time::Duration;

use super::outcome::Meaning;
use crate::chatflow::Failure;

/// So many failures in a row, without an answer between them, open the circuit.
const FAILURES: usize = 20;

/// They are those of so many contacts at least; of as many as are asked about at once, where those are fewer.
const CONTACTS: usize = 5;

/// How long to wait before the first trial, and at most before a later one.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// What one answer, or none, says about the API as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// It works, even where it refuses.
    Works,
    /// It fails: errors of its own, too many requests, no whole answer, none that can be understood.
    Fails,
}

impl Sign {
    /// What this answer says; nothing where nothing was asked.
    pub(super) fn of<T>(answer: &Result<T, Failure>) -> Option<Self> {
        let Err(failure) = answer else { return Some(Self::Works) };
        if matches!(failure, Failure::Unsayable(_)) {
            return None;
        }
        Some(match Meaning::of(failure) {
            Meaning::Passing | Meaning::TooMuch | Meaning::TimedOut | Meaning::Unclear => {
                Self::Fails
            }
            Meaning::Taken
            | Meaning::KeyRefused
            | Meaning::Forbidden
            | Meaning::Unknown
            | Meaning::Refused => Self::Works,
        })
    }
}

/// What an answer changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing is to be sent from now on.
    Opens,
    /// All goes on.
    Closes,
}

/// How the circuit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Everything is sent.
    Closed,
    /// Nothing is.
    Open,
    /// Nothing is but a trial, which is on its way.
    HalfOpen,
}

impl State {
    pub(super) const ALL: &[Self] = &[Self::Closed, Self::Open, Self::HalfOpen];

    /// The word used in metrics.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// The circuit. Time is handed in, as the clock's monotonic time.
#[derive(Debug)]
pub(super) struct Breaker {
    enough_contacts: usize,
    failures: usize,
    /// The contacts of these failures, as many as matter.
    contacts: Vec<u64>,
    /// How long to wait before the next trial; nothing while the circuit is closed.
    open: Option<Duration>,
    /// A trial is on its way.
    is_trying: bool,
    /// When it was closed last, and how rare the trials had become.
    closed: Option<(Duration, Duration)>,
}

impl Breaker {
    /// A closed circuit; so many requests are open at once.
    pub(super) fn new(concurrency: usize) -> Self {
        Self {
            enough_contacts: concurrency.clamp(2, CONTACTS),
            failures: 0,
            contacts: Vec::new(),
            open: None,
            is_trying: false,
            closed: None,
        }
    }

    /// A request about this contact was answered, or was not.
    pub(super) fn answered(&mut self, contact: u64, sign: Sign, now: Duration) -> Option<Change> {
        match sign {
            Sign::Works => self.close(now),
            Sign::Fails if self.open.is_some() => None,
            Sign::Fails => {
                self.failures += 1;
                if self.contacts.len() < self.enough_contacts && !self.contacts.contains(&contact) {
                    self.contacts.push(contact);
                }
                let opens =
                    self.failures >= FAILURES && self.contacts.len() >= self.enough_contacts;
                if opens {
                    self.open = Some(self.first_wait(now));
                }
                opens.then_some(Change::Opens)
            }
        }
    }

    /// Where it opens again soon, the trials go on as rarely as they had become: a trial that is answered does not
    /// show that updates are.
    fn first_wait(&self, now: Duration) -> Duration {
        let relapse = self.closed.filter(|(at, _)| now.saturating_sub(*at) < LONGEST_WAIT);
        relapse.map_or(FIRST_WAIT, |(_, wait)| (wait * 2).min(LONGEST_WAIT))
    }

    /// How long to wait before the next trial; nothing while the circuit is closed.
    pub(super) fn wait(&self) -> Option<Duration> {
        self.open
    }

    /// How it is.
    pub(super) const fn state(&self) -> State {
        match (self.open, self.is_trying) {
            (None, _) => State::Closed,
            (Some(_), false) => State::Open,
            (Some(_), true) => State::HalfOpen,
        }
    }

    /// A trial is sent.
    pub(super) const fn tries(&mut self) {
        self.is_trying = true;
    }

    /// A trial was answered, or was not.
    pub(super) fn tried(&mut self, sign: Sign, now: Duration) -> Option<Change> {
        self.is_trying = false;
        match sign {
            Sign::Works => self.close(now),
            Sign::Fails => {
                self.open = self.open.map(|wait| (wait * 2).min(LONGEST_WAIT));
                None
            }
        }
    }

    /// It is closed from now on, whatever it was; what failed before no longer counts.
    pub(super) fn close(&mut self, now: Duration) -> Option<Change> {
        self.failures = 0;
        self.contacts.clear();
        let wait = self.open.take()?;
        self.closed = Some((now, wait));
        Some(Change::Closes)
    }
}

#[cfg(test)]
mod tests {
    use super::Sign::{Fails, Works};
    use super::*;
    use proptest::prelude::*;

    const NOW: Duration = Duration::from_secs(1_000);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// An open circuit.
    fn open_at(now: Duration, mut breaker: Breaker) -> Breaker {
        let opens = (0..20).filter_map(|n| breaker.answered(n % 5, Fails, now)).collect::<Vec<_>>();
        assert_eq!(opens, [Change::Opens]);
        breaker
    }

    #[test]
    fn it_opens_after_many_failures_in_a_row_of_several_contacts() {
        let failing = |contacts: u64, times: u64| (0..times).map(move |n| (n % contacts, Fails));
        let then = |sign: Sign| std::iter::once((7, sign));
        for (concurrency, answers, opens) in [
            (16, failing(5, 19).collect::<Vec<_>>(), false),
            (16, failing(5, 20).collect(), true),
            (16, failing(4, 1_000).collect(), false),
            (16, failing(1, 1_000).chain(failing(5, 5)).collect(), true),
            (16, failing(5, 19).chain(then(Works)).chain(failing(5, 19)).collect(), false),
            (16, failing(5, 19).chain(then(Works)).chain(failing(5, 20)).collect(), true),
            (3, failing(3, 20).collect(), true),
            (1, failing(1, 1_000).collect(), false),
            (1, failing(2, 20).collect(), true),
        ] {
            let mut breaker = Breaker::new(concurrency);
            let changes: Vec<_> = answers
                .iter()
                .filter_map(|(contact, sign)| breaker.answered(*contact, *sign, NOW))
                .collect();
            let expected: &[Change] = if opens { &[Change::Opens] } else { &[] };
            assert_eq!(changes, expected, "{concurrency} at once, {} answers", answers.len());
            assert_eq!(breaker.wait().is_some(), opens);
        }
    }

    #[test]
    fn trials_become_rarer_until_one_is_answered() {
        let mut breaker = open_at(NOW, Breaker::new(16));

        for wait in [5, 10, 20, 40, 60, 60] {
            assert_eq!(breaker.wait(), Some(seconds(wait)));
            assert_eq!(breaker.state(), State::Open);
            breaker.tries();
            assert_eq!(breaker.state(), State::HalfOpen);
            assert_eq!(breaker.tried(Fails, NOW), None);
        }

        breaker.tries();
        assert_eq!(breaker.tried(Works, NOW), Some(Change::Closes));
        assert_eq!((breaker.wait(), breaker.state()), (None, State::Closed));
    }

    #[test]
    fn a_relapse_soon_after_goes_on_as_rarely() {
        for (later, wait) in [(0, 20), (59, 20), (60, 5)] {
            let mut breaker = open_at(NOW, Breaker::new(16));
            breaker.tried(Fails, NOW);
            breaker.tried(Works, NOW);

            let breaker = open_at(NOW + seconds(later), breaker);

            assert_eq!(breaker.wait(), Some(seconds(wait)), "{later} s later");
        }
    }

    #[test]
    fn an_answer_that_was_on_its_way_closes_it_and_a_failure_changes_nothing() {
        let mut breaker = open_at(NOW, Breaker::new(16));

        assert_eq!(breaker.answered(1, Fails, NOW), None);
        assert_eq!(breaker.wait(), Some(seconds(5)));
        assert_eq!(breaker.answered(1, Works, NOW), Some(Change::Closes));
    }

    #[test]
    fn refusals_show_that_the_api_works_and_an_update_that_cannot_be_said_shows_nothing() {
        let answered =
            |status| Failure::Answered { status, words: String::new(), retry_after: None };
        for (failure, sign) in [
            (answered(400), Some(Works)),
            (answered(401), Some(Works)),
            (answered(403), Some(Works)),
            (answered(404), Some(Works)),
            (answered(429), Some(Fails)),
            (answered(500), Some(Fails)),
            (answered(503), Some(Fails)),
            (Failure::TimedOut, Some(Fails)),
            (Failure::Reset, Some(Fails)),
            (Failure::NotConnected(String::new()), Some(Fails)),
            (Failure::Broken(String::new()), Some(Fails)),
            (Failure::Unclear { status: 200, words: String::new() }, Some(Fails)),
            (Failure::Unsayable(String::new()), None),
        ] {
            assert_eq!(Sign::of::<()>(&Err(failure.clone())), sign, "{failure}");
        }
        assert_eq!(Sign::of(&Ok(())), Some(Works));
    }

    proptest! {
        #[test]
        fn it_is_open_just_when_the_answers_since_it_was_last_closed_say_so(
            answers in proptest::collection::vec((0_u64..7, prop::bool::weighted(0.96)), 0..200),
        ) {
            let mut breaker = Breaker::new(16);
            for (contact, fails) in &answers {
                breaker.answered(*contact, if *fails { Fails } else { Works }, NOW);
            }

            let last: Vec<_> =
                answers.iter().rev().take_while(|(_, fails)| *fails).map(|(of, _)| of).collect();
            let contacts: std::collections::HashSet<_> = last.iter().collect();
            let opened = last.len() >= 20 && contacts.len() >= 5;
            prop_assert_eq!(breaker.wait().is_some(), opened);
        }
    }
}

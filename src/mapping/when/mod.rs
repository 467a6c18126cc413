//! Conditions: whether a rule, or a value with `when`, applies to an event.
//!
//! A block holds when all its clauses do. A clause that cannot be evaluated is no answer: the whole is
//! held only where the answer hangs on it. Missing, null, false, 0 and "" are five different things.

mod describe;
mod read;
mod test;

pub(super) use read::TESTS;

use super::Held;
use super::explain::{Answer as Noted, What};
use super::expr::{Expr, Path, Scope};
use crate::contact::HeldReason;
use test::Test;

/// A compiled condition: a block of clauses, all of which must hold.
#[derive(Debug)]
pub struct When {
    clauses: Vec<Clause>,
}

/// One entry of a block.
#[derive(Debug)]
enum Clause {
    /// A value and the tests it must pass.
    Tests { subject: Expr, text: Box<str>, tests: Vec<Test> },
    /// Blocks that must all hold.
    All(Vec<When>),
    /// Blocks one of which must hold.
    Any(Vec<When>),
    /// A block that must not hold.
    Not(When),
}

/// An answer, or why there is none.
type Answer = Result<bool, Held>;

impl When {
    /// Whether it holds; held (`condition`) where that cannot be told.
    pub fn holds(&self, scope: &Scope<'_>) -> Result<bool, Held> {
        self.answer(scope).map_err(|held| Held::new(HeldReason::Condition, held.detail))
    }

    /// Hands over every path that the condition may read.
    pub fn each_path(&self, then: &mut dyn FnMut(&Path)) {
        for clause in &self.clauses {
            match clause {
                Clause::Tests { subject, tests, .. } => {
                    subject.each_path(then);
                    for test in tests {
                        test.each_path(then);
                    }
                }
                Clause::All(blocks) | Clause::Any(blocks) => {
                    for block in blocks {
                        block.each_path(then);
                    }
                }
                Clause::Not(block) => block.each_path(then),
            }
        }
    }

    fn answer(&self, scope: &Scope<'_>) -> Answer {
        let answer = || all(scope, self.clauses.iter().map(|clause| clause.answer(scope)));
        scope.note(answer, |answer| What::Block { holds: Noted::of(answer) })
    }
}

impl Clause {
    fn answer(&self, scope: &Scope<'_>) -> Answer {
        let group = |group, answer: &Answer| What::Group { group, holds: Noted::of(answer) };
        match self {
            Self::Tests { subject, text, tests } => scope.note(
                || {
                    let found = subject.evaluate(scope)?.plain();
                    all(scope, tests.iter().map(|test| test.noted(&found, scope)))
                        .map_err(|held| held.at(&format!("`when`, `{text}`")))
                },
                |answer| What::Clause { subject: text.clone(), holds: Noted::of(answer) },
            ),
            Self::All(blocks) => scope.note(
                || all(scope, blocks.iter().map(|block| block.answer(scope))),
                |answer| group("all", answer),
            ),
            Self::Any(blocks) => scope.note(
                || any(scope, blocks.iter().map(|block| block.answer(scope))),
                |answer| group("any", answer),
            ),
            Self::Not(block) => scope
                .note(|| block.answer(scope).map(|holds| !holds), |answer| group("not", answer)),
        }
    }
}

/// False where one is false, whatever the others; else no answer where one has none.
fn all(scope: &Scope<'_>, answers: impl Iterator<Item = Answer>) -> Answer {
    settle(scope, answers, false)
}

/// True where one is true, whatever the others; else no answer where one has none.
fn any(scope: &Scope<'_>, answers: impl Iterator<Item = Answer>) -> Answer {
    settle(scope, answers, true)
}

fn settle(scope: &Scope<'_>, mut answers: impl Iterator<Item = Answer>, decisive: bool) -> Answer {
    let mut open = None;
    while let Some(answer) = answers.next() {
        match answer {
            Ok(holds) if holds == decisive => {
                if scope.is_noted() {
                    // The answer stands; the others are seen too.
                    answers.for_each(drop);
                }
                return Ok(decisive);
            }
            Ok(_) => {}
            Err(held) => open = open.or(Some(held)),
        }
    }
    open.map_or(Ok(!decisive), Err)
}

#[cfg(test)]
mod tests;

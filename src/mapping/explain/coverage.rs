//! Which rules and which branches of conditions a number of events have touched.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::{Answer, Explained, Noted, What};
use crate::mapping::Source;

/// What events have touched of one source's rules.
#[derive(Debug, Default)]
pub struct Coverage {
    /// By rule: whether it ever matched.
    rules: IndexMap<String, bool>,
    /// By rule (or `control`) and clause.
    clauses: IndexMap<(String, String), Seen>,
}

/// The answers of a clause.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    yes: bool,
    no: bool,
}

/// Something that no event has touched.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Untouched {
    /// The rule, or `control`.
    pub rule: String,
    /// The clause, as in `$answer.size gt 50`; nothing where the rule never matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// What it never was: `matched`, `true` or `false`.
    pub never: &'static str,
}

impl Coverage {
    /// Nothing of this source has been touched yet.
    pub fn of(source: &Source) -> Self {
        let rules = source.rules.iter().map(|rule| (rule.to_string(), false)).collect();
        Self { rules, clauses: IndexMap::new() }
    }

    /// Adds what an event touches.
    pub fn add(&mut self, explained: &Explained) {
        for planned in &explained.event.planned {
            if let Some(matched) = self.rules.get_mut(&*planned.rule) {
                *matched = true;
            }
        }
        for (rule, inside) in explained.rules() {
            for noted in inside {
                if let What::Item { .. } = noted.what {
                    self.clauses_of(rule, &noted.inside);
                }
            }
        }
        let control = explained.trace.iter().filter(|n| matches!(n.what, What::Control { .. }));
        control.for_each(|noted| self.clauses_of("control", &noted.inside));
    }

    fn clauses_of(&mut self, rule: &str, notes: &[Noted]) {
        let mut count = BTreeMap::new();
        each_clause(notes, "", &mut |place, clause, holds| {
            // The same clause may stand in several places of a rule.
            let repeat: &mut usize = count.entry(format!("{place}{clause}")).or_default();
            *repeat += 1;
            let marks = "′".repeat(*repeat - 1);
            let key = (rule.to_owned(), format!("{place}{clause}{marks}"));
            let seen = self.clauses.entry(key).or_default();
            seen.yes |= *holds == Answer::Yes;
            seen.no |= *holds == Answer::No;
        });
    }

    /// How many there are to touch (rules, and both branches of every clause seen), and how many were touched.
    pub fn touched(&self) -> (usize, usize) {
        let all = self.rules.len() + 2 * self.clauses.len();
        (all - self.untouched().len(), all)
    }

    /// What was never touched, in the order of the rules.
    pub fn untouched(&self) -> Vec<Untouched> {
        let mut untouched = Vec::new();
        let of_rule = |rule: &str, untouched: &mut Vec<Untouched>| {
            for ((own, clause), seen) in &self.clauses {
                for (was, never) in [(seen.yes, "true"), (seen.no, "false")] {
                    if own == rule && !was {
                        let clause = Some(clause.clone());
                        untouched.push(Untouched { rule: rule.to_owned(), clause, never });
                    }
                }
            }
        };
        of_rule("control", &mut untouched);
        for (rule, matched) in &self.rules {
            if !matched {
                untouched.push(Untouched { rule: rule.clone(), clause: None, never: "matched" });
            }
            of_rule(rule, &mut untouched);
        }
        untouched
    }
}

/// Hands over every clause among the notes: those of the rule itself without a place, those of a value with the field
/// in front.
fn each_clause(notes: &[Noted], place: &str, then: &mut dyn FnMut(&str, String, &Answer)) {
    for noted in notes {
        match &noted.what {
            What::Clause { subject, holds } => {
                let tests: Vec<_> = noted
                    .inside
                    .iter()
                    .filter_map(|inner| match &inner.what {
                        What::Test { expected, .. } => Some(expected.as_str()),
                        _ => None,
                    })
                    .collect();
                // A subject that could not be had was put to no test, and says nothing of either branch.
                if !tests.is_empty() {
                    then(place, format!("{subject} {}", tests.join(" and ")), holds);
                }
            }
            What::Field { field, .. } => {
                each_clause(&noted.inside, &format!("{field}: "), then);
            }
            _ => each_clause(&noted.inside, place, then),
        }
    }
}

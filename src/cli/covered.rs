//! What tests have touched of the rules, and what none of them has.

use serde_json::{Value, json};

use super::style::Style;
use crate::mapping::explain::{Coverage, Untouched};
use crate::mapping::{Explained, Set, Source};

/// The coverage of each source, in their order.
pub(super) struct Covered(Vec<(String, Coverage)>);

impl Covered {
    /// Nothing has been touched yet.
    pub(super) fn of(set: &Set) -> Self {
        Self(set.iter().map(|source| (source.name.to_string(), Coverage::of(source))).collect())
    }

    /// Adds what a test of a source has touched.
    pub(super) fn add(&mut self, source: &Source, explained: &[Explained]) {
        let own = self.0.iter_mut().find(|(name, _)| *name == source.name.as_str());
        if let Some((_, coverage)) = own {
            for explained in explained {
                coverage.add(explained);
            }
        }
    }

    /// How many rules and branches there are, after how many of them are touched.
    fn touched(&self) -> (usize, usize) {
        let each = self.0.iter().map(|(_, coverage)| coverage.touched());
        each.fold((0, 0), |(touched, all), (own, of)| (touched + own, all + of))
    }

    fn untouched(&self) -> impl Iterator<Item = (&str, Untouched)> {
        self.0.iter().flat_map(|(source, coverage)| {
            coverage.untouched().into_iter().map(|untouched| (source.as_str(), untouched))
        })
    }

    /// One line: how much is touched.
    pub(super) fn summary(&self) -> String {
        let (touched, all) = self.touched();
        let rest = if touched == all { "" } else { "; `--coverage` lists what no test touches" };
        format!("{touched} of {all} rules and branches of conditions touched{rest}")
    }

    /// What no test touches, a line each.
    pub(super) fn list(&self, style: Style) -> Vec<String> {
        let line = |(source, untouched): (&str, Untouched)| {
            let rule = format!("{source}: {}", untouched.rule);
            let what = match &untouched.clause {
                None => "no test makes it match".to_owned(),
                Some(clause) => format!("`{clause}` is never {}", untouched.never),
            };
            format!("{} {rule}: {what}", style.bad("untouched"))
        };
        self.untouched().map(line).collect()
    }

    /// The same for a program.
    pub(super) fn to_json(&self) -> Value {
        let (touched, all) = self.touched();
        let untouched: Vec<_> = self
            .untouched()
            .map(|(source, untouched)| {
                json!({ "source": source, "rule": untouched.rule, "clause": untouched.clause,
                        "never": untouched.never })
            })
            .collect();
        json!({ "touched": touched, "of": all, "untouched": untouched })
    }
}

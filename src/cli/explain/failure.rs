//! A test that failed: expected and actual, and the clauses and paths that decided.

use super::short;
use crate::cli::difference;
use crate::cli::style::Style;
use crate::mapping::testing::Outcome;

/// What is to be seen of a failed test, line by line.
pub(in crate::cli) fn lines(outcome: &Outcome, style: Style) -> Vec<String> {
    let mut out = Vec::new();
    let differences = outcome.differences.iter().filter(|one| one.expected != one.actual);
    for (place, one) in differences.enumerate() {
        if place == 0 {
            out.push(format!("{}, {}:", style.bad("- expected"), style.good("+ actual")));
        }
        out.extend(difference::lines(&one.expected, &one.actual, style));
    }
    for (place, explained) in outcome.explained.iter().enumerate() {
        let of =
            if outcome.explained.len() > 1 { format!("event {place}: ") } else { String::new() };
        out.push(style.heading(&format!("{of}what the rules saw:")));
        out.extend(short::lines(explained, style).into_iter().map(|line| format!("  {line}")));
    }
    out
}

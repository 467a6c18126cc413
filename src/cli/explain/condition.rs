//! Conditions, clause by clause: what was expected, what was found, whether it held.

use super::value;
use crate::cli::style::Style;
use crate::mapping::explain::{Answer, Gave, Noted, What};

/// Beyond this width the columns of a block are not aligned.
const WIDEST: usize = 56;

/// A mark for an answer.
pub(super) fn mark(answer: &Answer, style: Style) -> String {
    match answer {
        Answer::Yes => style.good("✓"),
        Answer::No => style.bad("✗"),
        Answer::Unclear(_) => style.bad("?"),
    }
}

/// The clauses of a block, aligned; of one that does not hold, why nothing was found.
pub(super) fn lines(block: &Noted, indent: usize, style: Style, out: &mut Vec<String>) {
    let fine = matches!(
        block.what,
        What::Block { holds: Answer::Yes } | What::Control { holds: Answer::Yes }
    );
    clauses(&block.inside, indent, if fine { Why::Unasked } else { Why::Asked }, style, out);
}

/// Whether it matters why a value is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// The whole does not hold.
    Asked,
    /// The whole holds anyway.
    Unasked,
}

fn clauses(notes: &[Noted], indent: usize, why: Why, style: Style, out: &mut Vec<String>) {
    let margin = " ".repeat(indent);
    let width = notes
        .iter()
        .flat_map(tests)
        .map(|(claim, _)| claim.chars().count())
        .filter(|width| *width <= WIDEST)
        .max()
        .unwrap_or(0);
    for noted in notes {
        match &noted.what {
            What::Clause { subject, holds } => {
                let tests = tests(noted);
                let why = if *holds == Answer::Yes { Why::Unasked } else { why };
                let found = found(noted, why, style);
                if tests.is_empty() {
                    out.push(format!("{margin}{} {subject}  {found}", mark(holds, style)));
                }
                for (place, (claim, answer)) in tests.into_iter().enumerate() {
                    let found = if place == 0 { found.as_str() } else { "" };
                    let line = format!("{margin}{} {claim:width$}  {found}", mark(answer, style));
                    out.push(line.trim_end().to_owned());
                    if let Answer::Unclear(held) = answer {
                        out.push(format!("{margin}    {}", style.bad(&held.detail)));
                    }
                }
            }
            What::Group { group, holds } => {
                out.push(format!("{margin}{} {group}", mark(holds, style)));
                let why = if *holds == Answer::Yes { Why::Unasked } else { why };
                for block in &noted.inside {
                    match (block.inside.as_slice(), &block.what) {
                        (several @ [_, _, ..], What::Block { holds }) => {
                            out.push(format!("{margin}  {} together", mark(holds, style)));
                            clauses(several, indent + 4, why, style, out);
                        }
                        (one, _) => clauses(one, indent + 2, why, style, out),
                    }
                }
            }
            What::Block { .. } => clauses(&noted.inside, indent, why, style, out),
            _ => {}
        }
    }
}

/// The claims of a clause, as in `$.kind equals "lead"`, each with its answer.
fn tests(noted: &Noted) -> Vec<(String, &Answer)> {
    let What::Clause { subject, .. } = &noted.what else { return Vec::new() };
    noted
        .inside
        .iter()
        .filter_map(|inner| match &inner.what {
            What::Test { expected, holds } => {
                // A path on the other side: what it selects.
                let other: Vec<_> =
                    inner.inside.iter().filter_map(Noted::gave).map(value::gave).collect();
                let other = if other.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", other.join(", "))
                };
                Some((format!("{subject} {expected}{other}"), holds))
            }
            _ => None,
        })
        .collect()
}

/// What stands at the subject of a clause; of one with steps, how it came about.
fn found(noted: &Noted, why: Why, style: Style) -> String {
    let Some(subject) = noted.inside.first() else { return String::new() };
    match (&subject.what, subject.gave()) {
        (What::Path { gave: Gave::Absent, missing, .. }, _) => {
            let missing = missing.as_ref().filter(|_| why == Why::Asked);
            format!("found nothing{}", missing.map(value::why).unwrap_or_default())
        }
        (What::Path { .. }, Some(gave)) => format!("found {}", value::gave(gave)),
        (_, Some(gave)) => {
            let how = value::chain(subject, style).map(|how| format!(": {how}"));
            format!("found {}{}", value::gave(gave), how.unwrap_or_default())
        }
        (_, None) => String::new(),
    }
}

/// The claims that decided that a block does not hold (or cannot be evaluated), each with what was found.
pub(in crate::cli) fn deciding(notes: &[Noted], style: Style) -> Vec<String> {
    let mut decided = Vec::new();
    gather(notes, false, style, &mut decided);
    decided
}

/// `turned`: inside a `not`, where the claims that hold are what decided.
fn gather(notes: &[Noted], turned: bool, style: Style, decided: &mut Vec<String>) {
    let is_decisive = |answer: &Answer| match answer {
        Answer::Yes => turned,
        Answer::No => !turned,
        Answer::Unclear(_) => true,
    };
    for noted in notes {
        match &noted.what {
            What::Clause { holds, .. } if is_decisive(holds) => {
                let found = found(noted, Why::Asked, style);
                let claims = tests(noted).into_iter().filter(|(_, answer)| is_decisive(answer));
                let not = if turned { "not " } else { "" };
                decided.extend(claims.map(|(claim, answer)| match answer {
                    Answer::Unclear(held) => format!("{not}{claim}: {}", held.detail),
                    _ => format!("{not}{claim}: {found}"),
                }));
                if let (Answer::Unclear(held), true) = (holds, tests(noted).is_empty()) {
                    decided.push(held.detail.clone());
                }
            }
            What::Group { group, holds } if is_decisive(holds) => {
                gather(&noted.inside, turned != (*group == "not"), style, decided);
            }
            What::Block { holds } if is_decisive(holds) => {
                gather(&noted.inside, turned, style, decided);
            }
            _ => {}
        }
    }
}

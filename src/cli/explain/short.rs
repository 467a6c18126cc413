//! An explained event in short: of each rule, the clauses that decided, and the fields that were left out.

use super::condition;
use super::value::{self, visible};
use crate::cli::style::Style;
use crate::mapping::Explained;
use crate::mapping::explain::{Came, Gave, Noted, What};

/// A line for each rule and item, and one for each field that was left out or held.
pub(super) fn lines(explained: &Explained, style: Style) -> Vec<String> {
    let mut out = Vec::new();
    if explained.event.control {
        out.push("a control message: no rule is asked".to_owned());
    }
    for (rule, inside) in explained.rules() {
        let mut any = false;
        for noted in inside {
            let What::Item { item, came } = &noted.what else { continue };
            any = true;
            let title = if *item == 0 { rule.to_owned() } else { format!("{rule}, item {item}") };
            out.push(verdict(&title, came, noted, style));
            fields(&noted.inside, style, &mut out);
        }
        if !any {
            let items = inside.first().and_then(|noted| value::chain(noted, style));
            out.push(format!("{} {rule}: no item: {}", style.bad("✗"), items.unwrap_or_default()));
        }
    }
    for noted in &explained.trace {
        if let What::NotAsked { rule, after } = &noted.what {
            out.push(format!("{} {rule}: not asked, since `{after}` matched", style.faint("–")));
        }
    }
    out
}

fn verdict(title: &str, came: &Came, noted: &Noted, style: Style) -> String {
    match came {
        Came::NotMatched => {
            let decided = condition::deciding(&noted.inside, style).join("; ");
            format!("{} {title}: did not match: {decided}", style.bad("✗"))
        }
        Came::Planned => format!("{} {title}: matched", style.good("✓")),
        Came::NoEffect => format!("{} {title}: matched, nothing to change", style.good("✓")),
        Came::Skipped(reason) => format!("{} {title}: skipped: {reason}", style.good("✓")),
        Came::Held(held) => {
            format!("{} {title}: held ({}): {}", style.bad("!"), held.reason, held.detail)
        }
    }
}

fn fields(notes: &[Noted], style: Style, out: &mut Vec<String>) {
    for noted in notes {
        let What::Field { field, gave: Gave::Absent } = &noted.what else { continue };
        let mut missing = Vec::new();
        paths(&noted.inside, &mut missing);
        let why =
            if missing.is_empty() { String::new() } else { format!(": {}", missing.join("; ")) };
        out.push(format!("    {} {} is left out{why}", style.bad("–"), visible(field)));
    }
}

/// Why each path under a field selects nothing.
fn paths(notes: &[Noted], found: &mut Vec<String>) {
    for noted in notes {
        if let What::Path { path, gave: Gave::Absent, missing } = &noted.what {
            found.push(value::selects_nothing(path, missing.as_ref()));
        }
        paths(&noted.inside, found);
    }
}

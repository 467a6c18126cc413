//! The rows against the counters.

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::What;
use super::state::{CONTROL, IGNORED, State, TAKEN};
use crate::event::SourceName;
use crate::store::letters::Balance;

/// What is counted, in the order of the ledger, with its word.
const COUNTED: &[(What, &str)] = &[
    (What::Received, "received"),
    (What::Duplicate, "duplicate"),
    (What::Control, "control"),
    (What::Ignored, "ignored"),
    (What::Taken, "taken"),
    (What::Planned, "planned"),
    (What::Open, "open"),
    (What::Held, "held"),
    (What::Delivered, "delivered"),
    (What::Skipped, "skipped"),
    (What::Dead, "dead"),
    (What::Discarded, "discarded"),
    (What::Expired, "expired"),
];

/// Numbers by source and what they count.
pub(in crate::store) type Counts = BTreeMap<(i64, u8), i64>;

/// As what events of this outcome are counted.
pub(in crate::store) fn of_events(outcome: i64) -> Option<u8> {
    match outcome {
        TAKEN => Some(What::Taken as u8),
        IGNORED => Some(What::Ignored as u8),
        CONTROL => Some(What::Control as u8),
        _ => None,
    }
}

/// As what updates in this state are counted.
pub(in crate::store) fn of_updates(state: i64) -> Option<u8> {
    State::of(state).map(|state| state.counted() as u8)
}

/// Sums of rows of source, kind and number, the kind as `what` says.
pub(in crate::store) fn counts(
    rows: impl IntoIterator<Item = (i64, i64, i64)>,
    what: impl Fn(i64) -> Option<u8>,
) -> Counts {
    let mut counts = Counts::new();
    for (source, kind, number) in rows {
        if let Some(what) = what(kind) {
            *counts.entry((source, what)).or_default() += number;
        }
    }
    counts
}

/// The counters against the rows; `names` are those of the sources.
pub(in crate::store) fn balances(
    counters: &Counts,
    rows: &Counts,
    names: &BTreeMap<i64, String>,
) -> Vec<Balance> {
    let sources: BTreeSet<i64> = counters.keys().chain(rows.keys()).map(|(of, _)| *of).collect();
    let mut balances = Vec::new();
    for source in sources {
        // A name that this release does not take has no balance of its own to show.
        let name = names.get(&source).and_then(|name| SourceName::try_from(name.as_str()).ok());
        let Some(name) = name else { continue };
        for (what, word) in COUNTED {
            let of = (source, *what as u8);
            let counted = counters.get(&of).copied().unwrap_or(0);
            // What repeats an event leaves no row, and the sums are held against their parts.
            let has_rows =
                !matches!(what, What::Received | What::Duplicate | What::Planned | What::Expired);
            let deleted = what.gone().map(|gone| (source, gone as u8));
            let deleted = deleted.and_then(|of| counters.get(&of)).copied();
            balances.push(Balance {
                source: name.clone(),
                what: word,
                counted,
                rows: has_rows.then(|| rows.get(&of).copied().unwrap_or(0)),
                deleted: deleted.unwrap_or(0),
            });
        }
    }
    balances
}

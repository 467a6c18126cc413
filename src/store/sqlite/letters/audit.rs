//! The rows against the counters, all read in one transaction and so at one moment.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::super::connection::failed;
use super::super::statements;
use crate::event::SourceName;
use crate::store::Error;
use crate::store::form::ledger::What;
use crate::store::form::state::{CONTROL, IGNORED, State, TAKEN};
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

type Counts = BTreeMap<(i64, u8), i64>;

pub(in super::super) fn audit(connection: &Connection) -> Result<Vec<Balance>, Error> {
    read(connection).map_err(|error| failed(&error))
}

fn read(connection: &Connection) -> rusqlite::Result<Vec<Balance>> {
    let counters =
        counts(connection, statements::LEDGER_OF_SOURCES, |what| u8::try_from(what).ok())?;
    let mut rows = counts(connection, statements::COUNT_EVENTS, |outcome| match outcome {
        TAKEN => Some(What::Taken as u8),
        IGNORED => Some(What::Ignored as u8),
        CONTROL => Some(What::Control as u8),
        _ => None,
    })?;
    let state = |state| State::of(state).map(|state| state.counted() as u8);
    rows.extend(counts(connection, statements::COUNT_OPEN, state)?);
    rows.extend(counts(connection, statements::COUNT_FINISHED, state)?);
    let sources: BTreeSet<i64> = counters.keys().chain(rows.keys()).map(|(of, _)| *of).collect();
    let mut balances = Vec::new();
    for source in sources {
        let text: String = connection
            .prepare_cached(statements::NAME_OF)?
            .query_row([source], |row| row.get(0))?;
        // A name that this release does not take has no balance of its own to show.
        let Ok(name) = SourceName::try_from(text) else { continue };
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
    Ok(balances)
}

/// Rows of source, kind and number, the kind as `what` says.
fn counts(
    connection: &Connection,
    sql: &str,
    what: impl Fn(i64) -> Option<u8>,
) -> rusqlite::Result<Counts> {
    let mut counts = Counts::new();
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(what) = what(row.get(1)?) {
            *counts.entry((row.get(0)?, what)).or_default() += row.get::<_, i64>(2)?;
        }
    }
    Ok(counts)
}

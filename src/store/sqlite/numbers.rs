//! How many there are of each, and how the balance stands.

use rusqlite::{Connection, OptionalExtension};

use super::room::used_bytes;
use super::statements;
use crate::store::Numbers;
use crate::store::form::ledger::Counts;

pub(super) fn numbers(connection: &Connection, now: i64) -> rusqlite::Result<Numbers> {
    let mut counts = Counts::default();
    let mut ledger = connection.prepare_cached(statements::LEDGER)?;
    let mut rows = ledger.query([])?;
    while let Some(row) = rows.next()? {
        counts.note(row.get(0)?, row.get(1)?);
    }
    let (ready, oldest): (i64, Option<i64>) = connection
        .prepare_cached(statements::READY)?
        .query_row([now], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let in_flight: i64 =
        connection.prepare_cached(statements::LENT)?.query_row([], |row| row.get(0))?;
    let (ready, in_flight) = (ready.cast_unsigned(), in_flight.cast_unsigned());
    let since = |then: Option<i64>| then.map_or(0, |then| u64::try_from(now - then).unwrap_or(0));
    let withdrawal: Option<i64> = connection
        .prepare_cached(statements::OLDEST_WITHDRAWAL)?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(counts.complete(&Numbers {
        ready,
        in_flight,
        oldest_ready_seconds: since(oldest) / 1000,
        oldest_withdrawal_seconds: since(withdrawal) / 1000,
        size_bytes: used_bytes(connection)?,
        ..Numbers::default()
    }))
}

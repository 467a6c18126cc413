//! The rows against the counters, all read in one transaction and so at one moment.

use rusqlite::Connection;

use super::super::connection::failed;
use super::super::statements;
use crate::store::Error;
use crate::store::form::audit::{Counts, balances, counts, of_events, of_updates};
use crate::store::letters::Balance;

pub(in super::super) fn audit(connection: &Connection) -> Result<Vec<Balance>, Error> {
    read(connection).map_err(|error| failed(&error))
}

fn read(connection: &Connection) -> rusqlite::Result<Vec<Balance>> {
    let counters =
        counted(connection, statements::LEDGER_OF_SOURCES, |what| u8::try_from(what).ok())?;
    let mut rows = counted(connection, statements::COUNT_EVENTS, of_events)?;
    rows.extend(counted(connection, statements::COUNT_OPEN, of_updates)?);
    rows.extend(counted(connection, statements::COUNT_FINISHED, of_updates)?);
    let mut names = connection.prepare_cached(statements::NAMES)?;
    let names = names.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(balances(&counters, &rows, &names.collect::<Result<_, _>>()?))
}

/// Rows of source, kind and number, the kind as `what` says.
fn counted(
    connection: &Connection,
    sql: &str,
    what: impl Fn(i64) -> Option<u8>,
) -> rusqlite::Result<Counts> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(counts(rows.collect::<Result<Vec<_>, _>>()?, what))
}

//! The rows against the counters, all read in one transaction and so at one moment.

use super::super::core::Core;
use super::super::queries;
use super::super::transaction::{Fault, Transaction, transacted};
use crate::store::Error;
use crate::store::form::audit::{self, Counts, counts, of_events, of_updates};
use crate::store::letters::Balance;

impl Core {
    pub(super) async fn audit(&self) -> Result<Vec<Balance>, Error> {
        transacted!(long self.pool, |transaction| balances(transaction).await)
    }
}

/// The counters against the rows, as a transaction sees them.
pub(in super::super) async fn balances(
    transaction: &Transaction<'_>,
) -> Result<Vec<Balance>, Fault> {
    let counters =
        counted(transaction, queries::LEDGER_OF_SOURCES, |what| u8::try_from(what).ok()).await?;
    let mut rows = counted(transaction, queries::COUNT_EVENTS, of_events).await?;
    rows.extend(counted(transaction, queries::COUNT_UPDATES, of_updates).await?);
    let names = transaction.query(queries::ALL_NAMES, &[]).await?;
    let names = names.into_iter().map(|row| (row.get(0), row.get(1))).collect();
    Ok(audit::balances(&counters, &rows, &names))
}

/// Rows of source, kind and number, the kind as `what` says.
async fn counted(
    transaction: &Transaction<'_>,
    sql: &str,
    what: impl Fn(i64) -> Option<u8>,
) -> Result<Counts, Fault> {
    let rows = transaction.query(sql, &[]).await?;
    let row = |row: tokio_postgres::Row| {
        (row.get(0), i64::from(row.get::<_, i16>(1)), row.get::<_, i64>(2))
    };
    Ok(counts(rows.into_iter().map(row), what))
}

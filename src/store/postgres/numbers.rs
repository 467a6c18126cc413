//! How many there are of each, and how the balance stands.

use super::append::EMPTY;
use super::core::Core;
use super::statements;
use super::transaction::{params, transacted};
use crate::store::form::ledger::{Counts, What};
use crate::store::{Error, Numbers};

impl Core {
    pub(super) async fn numbers(&self) -> Result<Numbers, Error> {
        let manual = self.manual();
        self.is_open()?;
        let (ledger, ready, in_flight, withdrawal) = transacted!(self.pool, |transaction| {
            let ready = params![manual];
            futures_util::try_join!(
                transaction.query(statements::LEDGER, &[]),
                transaction.query_opt(statements::READY, ready),
                transaction.query_opt(statements::IN_FLIGHT, &[]),
                transaction.query_opt(statements::OLDEST_WITHDRAWAL, &[]),
            )
        })?;
        let mut counts = Counts::default();
        for row in ledger {
            counts.note(row.get::<_, i16>(0).into(), row.get(1));
        }
        let (ready, oldest, now): (i64, Option<i64>, i64) =
            ready.map_or((0, None, 0), |row| (row.get(0), row.get(1), row.get(2)));
        let in_flight: i64 = in_flight.map_or(0, |row| row.get(0));
        let (ready, in_flight) = (ready.cast_unsigned(), in_flight.cast_unsigned());
        let since =
            |then: Option<i64>| then.map_or(0, |then| u64::try_from(now - then).unwrap_or(0));
        let withdrawal: Option<i64> = withdrawal.map(|row| row.get(0));
        Ok(counts.complete(&Numbers {
            ready,
            in_flight,
            oldest_ready_seconds: since(oldest) / 1000,
            oldest_withdrawal_seconds: since(withdrawal) / 1000,
            size_bytes: EMPTY.saturating_add(counts.of(What::Bytes)),
            ..Numbers::default()
        }))
    }
}

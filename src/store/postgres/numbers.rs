//! How many there are of each, and how the balance stands.

use super::append::EMPTY;
use super::core::Core;
use super::statements;
use super::transaction::{params, transacted};
use crate::store::form::ledger::What;
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
        let mut counts = [0_u64; 14];
        for row in ledger {
            let what = usize::try_from(row.get::<_, i16>(0)).unwrap_or(usize::MAX);
            if let Some(count) = counts.get_mut(what) {
                *count = u64::try_from(row.get::<_, i64>(1)).unwrap_or(0);
            }
        }
        let of = |what: What| counts.get(what as usize).copied().unwrap_or(0);
        let (ready, oldest, now): (i64, Option<i64>, i64) =
            ready.map_or((0, None, 0), |row| (row.get(0), row.get(1), row.get(2)));
        let in_flight: i64 = in_flight.map_or(0, |row| row.get(0));
        let (ready, in_flight) = (ready.cast_unsigned(), in_flight.cast_unsigned());
        let since =
            |then: Option<i64>| then.map_or(0, |then| u64::try_from(now - then).unwrap_or(0));
        let withdrawal: Option<i64> = withdrawal.map(|row| row.get(0));
        Ok(Numbers {
            ready,
            scheduled: of(What::Open).saturating_sub(ready).saturating_sub(in_flight),
            in_flight,
            held: of(What::Held),
            delivered: of(What::Delivered),
            skipped: of(What::Skipped),
            dead: of(What::Dead),
            discarded: of(What::Discarded),
            expired: of(What::Expired),
            events_received: of(What::Received),
            events_duplicate: of(What::Duplicate),
            events_control: of(What::Control),
            events_ignored: of(What::Ignored),
            events_taken: of(What::Taken),
            updates_planned: of(What::Planned),
            oldest_ready_seconds: since(oldest) / 1000,
            oldest_withdrawal_seconds: since(withdrawal) / 1000,
            size_bytes: EMPTY.saturating_add(of(What::Bytes)),
        })
    }
}

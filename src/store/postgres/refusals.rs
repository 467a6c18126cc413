//! What the API has refused of late: whether it is a storm does not depend on a process.

use std::time::Duration;

use super::core::Core;
use super::queries;
use super::transaction::{params, transacted};
use crate::store::form::state::update_id;
use crate::store::{Error, Lane, Refused};

/// As many are read of each source, and given.
const MOST: usize = 1000;

impl Core {
    /// Those since an update was last delivered, oldest first.
    pub(super) async fn refusals(&self, within: Duration) -> Result<Vec<Refused>, Error> {
        // Where what was delivered is not kept, nobody knows what was taken between two refusals.
        let within = within.min(self.settings.retention.delivered.0);
        let within = i64::try_from(within.as_millis()).unwrap_or(i64::MAX);
        let most = i64::try_from(MOST).unwrap_or(i64::MAX);
        let (now, rows) = transacted!(self.pool, |transaction| {
            let now = transaction.now(self.manual()).await?;
            let last = transaction.query_opt(queries::LAST_DELIVERED, &[]).await?;
            let last: Option<i64> = last.and_then(|row| row.get(0));
            let since = now.saturating_sub(within).max(last.unwrap_or(i64::MIN));
            let rows = transaction.query(queries::REFUSED_SINCE, params![since, most]).await?;
            Ok((now, rows))
        })?;
        let mut all: Vec<(i64, i64, i64, i32)> =
            rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect();
        all.sort_unstable();
        let oldest = all.len().saturating_sub(MOST);
        let refused = all.drain(oldest..).map(|(at, id, lane, status)| Refused {
            update: update_id(id),
            whom: Lane(lane),
            status: u16::try_from(status).unwrap_or(0),
            ago: Duration::from_millis(u64::try_from(now.saturating_sub(at)).unwrap_or(0)),
        });
        Ok(refused.collect())
    }
}

//! What the API has refused of late, read back at a start: whether it is a storm does not depend on a process.

use std::time::Duration;

use rusqlite::Connection;

use super::connection::failed;
use super::statements;
use crate::store::form::state::update_id;
use crate::store::{Error, Lane, Refused};

/// As many are read of each source, and given.
const MOST: usize = 1000;

/// Those since an update was last delivered, oldest first.
pub(super) fn read(
    connection: &Connection,
    now: i64,
    within: Duration,
) -> Result<Vec<Refused>, Error> {
    refusals(connection, now, within).map_err(|error| failed(&error))
}

fn refusals(connection: &Connection, now: i64, within: Duration) -> rusqlite::Result<Vec<Refused>> {
    let within = i64::try_from(within.as_millis()).unwrap_or(i64::MAX);
    let mut since = now.saturating_sub(within);
    let mut sources = connection.prepare_cached(statements::SOURCES)?;
    let sources = sources.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    let mut delivered = connection.prepare_cached(statements::LAST_DELIVERED)?;
    for source in &sources {
        let last: Option<i64> = delivered.query_row([source], |row| row.get(0))?;
        since = since.max(last.unwrap_or(i64::MIN));
    }
    let mut refused = connection.prepare_cached(statements::REFUSED_SINCE)?;
    let mut all = Vec::new();
    for source in &sources {
        let most = i64::try_from(MOST).unwrap_or(i64::MAX);
        let rows = refused.query_map((source, since, most), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
        all.extend(rows.collect::<Result<Vec<(i64, i64, i64, u16)>, _>>()?);
    }
    all.sort_unstable();
    let oldest = all.len().saturating_sub(MOST);
    let refused = all.drain(oldest..).map(|(at, id, lane, status)| Refused {
        update: update_id(id),
        whom: Lane(lane),
        status,
        ago: Duration::from_millis(u64::try_from(now.saturating_sub(at)).unwrap_or(0)),
    });
    Ok(refused.collect())
}

//! What has been said about contacts after certain updates: one pass over the younger ones, in order of receipt.
//!
//! No index knows the updates of a contact that have come to an end, and none is wanted where each costs a page a
//! commit. A pass reads the small rows of what is younger than the oldest update that is asked for, in many short
//! transactions, and opens a plan only where the contact is one of those that are asked for.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Connection;

use super::super::connection::failed;
use super::super::join::way_of;
use super::super::readers::Readers;
use super::super::statements;
use super::read::sent;
use crate::contact::Since;
use crate::event::{EventId, UpdateId};
use crate::store::Error;
use crate::store::form::state::{State, number};
use crate::store::letters::Later;

/// So many rows are read in one transaction.
const ROWS: i64 = if cfg!(test) { 4 } else { 20_000 };

/// The updates that are asked for, by lane: number and place in the answer.
type Lanes = HashMap<i64, Vec<(i64, usize)>>;

/// A pass under way.
struct Pass {
    lanes: Lanes,
    since: Vec<Since>,
    after: i64,
}

/// The lanes in which updates of the contact with this one wait or have waited: its own, the one it has joined, and
/// those that have joined that one.
pub(super) fn lanes_of(connection: &Connection, lane: i64) -> rusqlite::Result<Vec<i64>> {
    let mut lanes = way_of(connection, lane)?;
    let home = lanes.last().copied().unwrap_or(lane);
    let mut joined = connection.prepare_cached(statements::KEYS_OF)?;
    for key in joined.query_map([home], |row| row.get(0))? {
        lanes.push(key?);
    }
    lanes.sort_unstable();
    lanes.dedup();
    Ok(lanes)
}

pub(super) async fn later(
    readers: &Arc<Readers>,
    asked: Vec<(UpdateId, i64)>,
) -> Result<Later, Error> {
    let begin = move |connection: &Connection| {
        // Whatever is younger than this is looked at by who makes the change.
        let youngest: Option<i64> = connection
            .query_row(statements::LAST_EVENT, [], |row| row.get(0))
            .map_err(|error| failed(&error))?;
        let mut lanes = Lanes::new();
        for (place, (update, lane)) in asked.iter().enumerate() {
            for lane in lanes_of(connection, *lane).map_err(|error| failed(&error))? {
                lanes.entry(lane).or_default().push((number(*update), place));
            }
        }
        let oldest = asked.iter().map(|(update, _)| number(*update)).min();
        let pass = Pass {
            lanes,
            since: vec![Since::default(); asked.len()],
            after: oldest.unwrap_or(i64::MAX),
        };
        Ok((pass, youngest.unwrap_or(0)))
    };
    let (mut pass, youngest) = readers.read(begin).await?;
    loop {
        let (went_on, more) = readers
            .read(move |connection| {
                let more = pass.go_on(connection).map_err(|error| failed(&error))?;
                Ok((pass, more))
            })
            .await?;
        pass = went_on;
        if !more {
            return Ok(Later { since: pass.since, upto: EventId(youngest) });
        }
    }
}

impl Pass {
    /// Reads some rows; whether there may be more.
    fn go_on(&mut self, connection: &Connection) -> rusqlite::Result<bool> {
        let mut after = connection.prepare_cached(statements::UPDATES_AFTER)?;
        let mut rows = after.query((self.after, ROWS))?;
        let mut read = 0;
        while let Some(row) = rows.next()? {
            read += 1;
            let (id, lane): (i64, i64) = (row.get(0)?, row.get(1)?);
            self.after = id;
            let Some(asked) = self.lanes.get(&lane) else { continue };
            if asked.iter().all(|(earlier, _)| *earlier >= id) {
                continue;
            }
            let Some(planned) = sent(connection, id)? else { continue };
            let state = State::of(row.get(2)?);
            for (_, place) in asked.iter().filter(|(earlier, _)| *earlier < id) {
                let Some(since) = self.since.get_mut(*place) else { continue };
                match state {
                    Some(State::Open | State::Delivered) => since.sent(&planned.update),
                    _ => since.planned(&planned.update),
                }
            }
        }
        Ok(read == ROWS)
    }
}

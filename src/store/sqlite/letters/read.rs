//! Updates with what they say.

use rusqlite::{Connection, OptionalExtension};

use super::super::browse::{damaged, raw_update};
use super::super::connection::failed;
use super::super::statements;
use crate::contact::PlannedUpdate;
use crate::event::UpdateId;
use crate::store::Error;
use crate::store::form::kept;
use crate::store::form::row::RawUpdate;
use crate::store::form::state::number;
use crate::store::letters::Letter;

pub(super) fn letters(connection: &Connection, updates: &[UpdateId]) -> Result<Vec<Letter>, Error> {
    let mut letters = Vec::with_capacity(updates.len());
    for update in updates {
        let found = letter(connection, number(*update)).map_err(|error| failed(&error))?;
        let Some((raw, (sent, original))) = found else { continue };
        let row = raw.row(false).map_err(damaged)?;
        letters.push(match original {
            Some(original) => Letter { row, planned: Some(original), part: sent },
            None => Letter { row, planned: sent, part: None },
        });
    }
    Ok(letters)
}

/// What is sent of an update, and what was planned where that is more.
type Plans = (Option<PlannedUpdate>, Option<PlannedUpdate>);

fn letter(connection: &Connection, id: i64) -> rusqlite::Result<Option<(RawUpdate, Plans)>> {
    let mut find = connection.prepare_cached(statements::LETTER)?;
    let Some(raw) = find.query_row([id], raw_update).optional()? else { return Ok(None) };
    Ok(Some((raw, plans(connection, id)?)))
}

/// What this release cannot read is not there.
fn plans(connection: &Connection, id: i64) -> rusqlite::Result<Plans> {
    let mut plan = connection.prepare_cached(statements::PLAN_OF)?;
    let found: Option<(i64, Vec<u8>, Option<Vec<u8>>)> =
        plan.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let Some((form, body, original)) = found else { return Ok((None, None)) };
    let read = |bytes: Vec<u8>| kept::plan(form, &bytes).ok();
    Ok((read(body), original.and_then(read)))
}

/// What is sent of an update, if it has a plan that this release can read.
pub(super) fn sent(connection: &Connection, id: i64) -> rusqlite::Result<Option<PlannedUpdate>> {
    Ok(plans(connection, id)?.0)
}

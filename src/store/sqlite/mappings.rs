//! The mapping files that were last in force, kept whole so that a start with a broken folder has them.

use rusqlite::Connection;

use super::connection::failed;
use super::statements;
use crate::store::Error;

/// Puts these files, by name and text, in the place of those that were kept.
pub(super) fn keep(connection: &Connection, files: &[(String, String)]) -> rusqlite::Result<()> {
    connection.prepare_cached(statements::FORGET_MAPPINGS)?.execute([])?;
    let mut add = connection.prepare_cached(statements::KEEP_MAPPING)?;
    for (name, text) in files {
        add.execute((name, text))?;
    }
    Ok(())
}

/// The files that are kept, in the order of their names.
pub(super) fn kept(connection: &Connection) -> Result<Vec<(String, String)>, Error> {
    let read = || -> rusqlite::Result<Vec<(String, String)>> {
        let mut all = connection.prepare_cached(statements::KEPT_MAPPINGS)?;
        all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    read().map_err(|error| failed(&error))
}

//! The secrets that senders gave themselves, each under the name of its source.

use rusqlite::{Connection, OptionalExtension};

use super::connection::failed;
use super::statements;
use crate::event::SourceName;
use crate::store::Error;

/// The name in `meta` under which the secret of a source's sender is kept.
pub(super) fn name_of(source: &SourceName) -> String {
    format!("adopted:{source}")
}

/// Keeps a secret unless there is one of its name; gives the one there is.
pub(super) fn adopt(connection: &Connection, name: &str, secret: &str) -> rusqlite::Result<String> {
    connection.prepare_cached(statements::ADOPT)?.execute((name, secret))?;
    connection.prepare_cached(statements::ADOPTED)?.query_row([name], |row| row.get(0))
}

/// Whether there was a secret of this name.
pub(super) fn forget(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    connection.prepare_cached(statements::FORGET_META)?.execute([name]).map(|rows| rows > 0)
}

/// The secret of this name, if there is one.
pub(super) fn adopted(connection: &Connection, name: &str) -> Result<Option<String>, Error> {
    connection
        .query_row(statements::ADOPTED, [name], |row| row.get(0))
        .optional()
        .map_err(|error| failed(&error))
}

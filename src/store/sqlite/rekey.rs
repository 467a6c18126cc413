//! Sealing everything with the first key of the key file: after a new key was put first, or where encryption is new.
//!
//! A pass over every table that holds something sealed, a few hundred rows a transaction; what is sealed with the
//! first key already is left alone, so that a pass that was broken off goes on quickly. At its end the file is written
//! anew, since what was deleted in it earlier may still stand between its rows.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::connection::{StoreFile, failed, writing};
use super::lock::LockFile;
use super::place::place_for;
use super::{schema, statements};
use crate::store::Error;
use crate::store::form::cipher::Cipher;
use crate::store::rekey::Progress;

/// Rows in one transaction.
const ROWS: i64 = 500;

/// The tables, and the statement that goes over a piece of each.
const TABLES: &[(&str, &str, &str)] = &[
    ("request", statements::REKEY_REQUESTS, statements::END_OF_REQUESTS),
    ("plan", statements::REKEY_PLANS, statements::END_OF_PLANS),
    ("detail", statements::REKEY_DETAILS, statements::END_OF_DETAILS),
    ("attempt", statements::REKEY_ATTEMPTS, statements::END_OF_ATTEMPTS),
];

/// Seals everything in the store at `path` with the first key of `key_file`; no bridge may run on it. `told` is called
/// after every transaction; what it interrupts goes on with the next call.
///
/// # Errors
///
/// [`Error::Held`] names the bridge that holds the store; [`Error::Failed`] says which key is missing, or that some
/// rows cannot be opened: they stay as they are.
pub(in crate::store) fn rekey(
    path: &Path,
    key_file: &Path,
    mut told: impl FnMut(Progress),
) -> Result<Progress, Error> {
    place_for(path)?;
    super::offline::is_there(path)?;
    let _lock = LockFile::take(path)?;
    let file = StoreFile::new(path, &Cipher::read(Some(key_file))?);
    let mut connection = writing(&file, u64::MAX)?;
    schema::check_readable(&connection)?;
    schema::check_keys(&connection, &file.cipher)?;
    schema::note_key(&connection, &file.cipher)?;
    let mut run = |connection: &mut Connection| -> rusqlite::Result<Progress> {
        connection.pragma_update(None, "secure_delete", true)?;
        let mut progress = Progress { looked_at: 0, of: 0, sealed: 0 };
        for (table, _, _) in TABLES {
            let rows: i64 =
                connection
                    .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
            progress.of += rows.cast_unsigned();
        }
        small(connection)?;
        for (_, piece, end) in TABLES {
            let mut after = i64::MIN;
            while let Some(last) = next(connection, end, after)? {
                let transaction =
                    connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let sealed = transaction.prepare_cached(piece)?.execute((after, last.0))?;
                transaction.commit()?;
                after = last.0;
                progress.looked_at += last.1.cast_unsigned();
                progress.sealed += sealed as u64;
                told(progress);
            }
        }
        Ok(progress)
    };
    let progress = run(&mut connection).map_err(|error| failed(&error))?;
    let unopened = file.cipher.unopened();
    if unopened > 0 {
        return Err(Error::Failed(format!(
            "{unopened} values cannot be decrypted and stay as they are: they are damaged, see `chatflow-bridge store check`"
        )));
    }
    connection
        .execute_batch("VACUUM")
        .and_then(|()| connection.query_row(statements::START_LOG_OVER, [], |_| Ok(())))
        .map_err(|error| failed(&error))?;
    schema::set_keys(&connection, &file.cipher.current().unwrap_or_default())?;
    Ok(progress)
}

/// The mapping files and the secrets: few enough for one transaction.
fn small(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute(statements::REKEY_MAPPINGS, [])?;
    transaction.execute(statements::REKEY_SECRETS, [])?;
    transaction.commit()
}

/// The last row of the next piece and how many rows it has.
fn next(connection: &Connection, sql: &str, after: i64) -> rusqlite::Result<Option<(i64, i64)>> {
    let last: Option<(Option<i64>, i64)> = connection
        .prepare_cached(sql)?
        .query_row((after, ROWS), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(last.and_then(|(last, rows)| last.map(|last| (last, rows))))
}

//! Opening the file, and what SQLite's errors mean.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::sealing;
use crate::store::Error;
use crate::store::form::cipher::Cipher;

/// Room for the tables, however small a store may be; and the most that SQLite knows.
const LEAST_PAGES: u64 = 256;
const MOST_PAGES: u64 = 4_294_967_294;

/// Where the store is, and the keys with which its connections read and write.
#[derive(Clone)]
pub(super) struct StoreFile {
    path: PathBuf,
    pub(super) cipher: Arc<Cipher>,
}

impl StoreFile {
    pub(super) fn new(path: &Path, cipher: &Arc<Cipher>) -> Self {
        Self { path: path.to_owned(), cipher: Arc::clone(cipher) }
    }
}

impl Deref for StoreFile {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

/// The connection that writes. `max_pages` is how large the store may be: a tenth more, and SQLite itself refuses.
pub(super) fn writing(file: &StoreFile, max_pages: u64) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&**file, flags).map_err(|error| failed(&error))?;
    sealing::teach(&connection, &file.cipher).map_err(|error| failed(&error))?;
    if connection.is_readonly(rusqlite::MAIN_DB).map_err(|error| failed(&error))? {
        return Err(Error::Failed(
            "the file cannot be written: mend its permissions, or its file system is mounted to be read only".to_owned(),
        ));
    }
    connection.set_prepared_statement_cache_capacity(64);
    // The first two count before the first table is made; the log starts over every 1,000 pages, by this connection:
    // a checkpoint on another one would never end beside a busy writer.
    connection
        .execute_batch(
            "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; \
             PRAGMA synchronous = FULL; PRAGMA cache_size = -4096; PRAGMA mmap_size = 0; \
             PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = 5000;",
        )
        .map_err(|error| failed(&error))?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(|error| failed(&error))?;
    if mode != "wal" {
        return Err(Error::Failed(format!(
            "its file system cannot share memory (the journal mode stays `{mode}`): keep it on a local disk"
        )));
    }
    connection
        .execute_batch("PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 67108864;")
        .map_err(|error| failed(&error))?;
    let most = max_pages.saturating_add(max_pages / 10).clamp(LEAST_PAGES, MOST_PAGES);
    connection
        .execute_batch(&format!("PRAGMA max_page_count = {most}"))
        .map_err(|error| failed(&error))?;
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn reading(file: &StoreFile) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&**file, flags).map_err(|error| failed(&error))?;
    sealing::teach(&connection, &file.cipher).map_err(|error| failed(&error))?;
    connection.set_prepared_statement_cache_capacity(32);
    connection
        .execute_batch(
            "PRAGMA cache_size = -2048; PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = 5000;",
        )
        .map_err(|error| failed(&error))?;
    Ok(connection)
}

/// What an error of SQLite means for who asked.
pub(super) fn failed(error: &rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            Error::Full("the disk is full: make room on it, or move the store".to_owned())
        }
        Some(ErrorCode::NotADatabase) => Error::Failed(
            "it is not an SQLite database: name another file; or, if it was the store, it is damaged: restore a backup"
                .to_owned(),
        ),
        Some(ErrorCode::DatabaseCorrupt) => Error::Damaged(
            "while no bridge runs on it, `chatflow-bridge store check` says what of it, and `chatflow-bridge store recover` saves what can be read"
                .to_owned(),
        ),
        Some(ErrorCode::ReadOnly) => Error::Failed(
            "the file cannot be written: mend its permissions, or its file system is mounted to be read only".to_owned(),
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy,
        _ => Error::Failed(error.to_string()),
    }
}

//! Looking into a store that no bridge runs on, without changing it.

use std::path::Path;
use std::sync::Arc;

use super::connection::StoreFile;
use super::lock::LockFile;
use super::place::place_for;
use super::readers::Readers;
use super::{browse, schema};
use crate::event::EventId;
use crate::store::form::cipher::Cipher;
use crate::store::{Error, EventFilter, EventRow, Page, StoredEvent};

/// Finds that there is a file.
pub(super) fn is_there(path: &Path) -> Result<(), Error> {
    if path.is_file() {
        return Ok(());
    }
    Err(Error::Failed(format!(
        "there is no store `{}`: name it with `--store sqlite:PATH` or `store.url`",
        path.display()
    )))
}

/// A store that is only read. No bridge can open it as long as this lives.
pub struct OfflineStore {
    readers: Arc<Readers>,
    _lock: LockFile,
}

impl OfflineStore {
    /// Opens the store at `path`; nothing is made where there is none. `key_file` is
    /// `store.encryption_key_file`.
    ///
    /// # Errors
    ///
    /// [`Error::Held`] names the bridge that holds the store.
    pub fn open(path: &Path, key_file: Option<&Path>) -> Result<Self, Error> {
        place_for(path)?;
        is_there(path)?;
        let lock = LockFile::take(path)?;
        let file = StoreFile::new(path, &Cipher::read(key_file)?);
        let connection = super::connection::reading(&file)?;
        schema::check_readable(&connection)?;
        schema::check_keys(&connection, &file.cipher)?;
        Ok(Self { readers: Readers::new(file), _lock: lock })
    }

    /// Events, youngest first.
    pub async fn events(&self, filter: &EventFilter, page: Page) -> Result<Vec<EventRow>, Error> {
        let filter = filter.clone();
        self.readers.read(move |connection| browse::events(connection, &filter, &page)).await
    }

    /// One event with its request and its updates.
    pub async fn event(&self, id: EventId) -> Result<Option<StoredEvent>, Error> {
        self.readers.read(move |connection| browse::event(connection, id)).await
    }
}

//! Looking into a store that no bridge runs on, without changing it.

use std::path::Path;
use std::sync::Arc;

use super::lock::LockFile;
use super::readers::Readers;
use super::{browse, place_for, schema};
use crate::event::EventId;
use crate::store::{Error, EventFilter, EventRow, Page, StoredEvent};

/// A store that is only read. No bridge can open it as long as this lives.
pub struct OfflineStore {
    readers: Arc<Readers>,
    _lock: LockFile,
}

impl OfflineStore {
    /// Opens the store at `path`; nothing is made where there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Held`] names the bridge that holds the store.
    pub fn open(path: &Path) -> Result<Self, Error> {
        place_for(path)?;
        if !path.is_file() {
            return Err(Error::Failed(format!(
                "there is no store `{}`: name it with `--store sqlite:PATH` or `store.url`",
                path.display()
            )));
        }
        let lock = LockFile::take(path)?;
        schema::check_readable(&super::connection::reading(path)?)?;
        Ok(Self { readers: Readers::new(path.to_owned()), _lock: lock })
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

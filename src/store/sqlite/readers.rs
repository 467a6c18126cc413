//! Connections for looking in: short transactions, away from the writer and from the threads that serve.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::connection::{StoreFile, failed, reading};
use crate::store::Error;

/// So many connections are kept open; more are opened as needed.
const KEPT: usize = 2;

pub(super) struct Readers {
    file: StoreFile,
    /// Nothing once closed.
    idle: Mutex<Option<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(file: StoreFile) -> Arc<Self> {
        Arc::new(Self { file, idle: Mutex::new(Some(Vec::new())) })
    }

    /// Reads in one transaction, which sees one state of the store.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let readers = Arc::clone(self);
        let reading = tokio::task::spawn_blocking(move || {
            let connection = readers.take()?;
            let transaction = connection.unchecked_transaction().map_err(|error| failed(&error))?;
            let found = read(&transaction);
            // An open transaction would keep the log from starting over.
            transaction.rollback().map_err(|error| failed(&error))?;
            readers.put_back(connection);
            found
        });
        reading.await.map_err(|_| Error::Failed("reading was broken off".to_owned()))?
    }

    fn take(&self) -> Result<Connection, Error> {
        let idle = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.as_mut().ok_or(Error::Closed)?.pop()
        };
        idle.map_or_else(|| reading(&self.file), Ok)
    }

    fn put_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(idle) = idle.as_mut().filter(|idle| idle.len() < KEPT) {
            idle.push(connection);
        }
    }

    pub(super) fn close(&self) {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

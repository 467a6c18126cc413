//! Which store the settings name: the only place that opens one.

use std::path::PathBuf;
use std::sync::Arc;

use super::StartError;
use crate::clock::SharedClock;
use crate::store::postgres::PostgresStore;
use crate::store::settings::{StorePlace, StoreSettings};
use crate::store::sqlite::SqliteStore;
use crate::store::{Error, Letters, Replicas};
use crate::telemetry::metrics::Metrics;

/// An open store.
pub(super) struct Opened {
    pub(super) letters: Arc<dyn Letters>,
    /// The way to the other processes on it, where there may be any.
    pub(super) replicas: Option<Arc<dyn Replicas>>,
}

/// Opens the store, or makes it.
pub(super) async fn open(
    settings: &StoreSettings,
    clock: SharedClock,
    metrics: Arc<Metrics>,
) -> Result<Opened, StartError> {
    Ok(match settings.place()? {
        StorePlace::Sqlite(path) => {
            let letters = SqliteStore::open(&path, settings, clock, metrics)?;
            Opened { letters, replicas: None }
        }
        StorePlace::Postgres(address) => {
            let place = settings.postgres(*address);
            let store = PostgresStore::open(&place, settings, clock, metrics).await?;
            Opened { letters: Arc::<PostgresStore>::clone(&store), replicas: Some(store) }
        }
    })
}

/// Opens the store for a command, and makes none: a file must not be held by a bridge; a database may be used by any
/// number of them.
///
/// # Errors
///
/// [`StartError::Store`] says that there is no store, who holds it, or why it cannot be reached.
pub(crate) async fn open_offline(
    settings: &StoreSettings,
    clock: SharedClock,
) -> Result<Arc<dyn Letters>, StartError> {
    match settings.place()? {
        StorePlace::Sqlite(path) if !path.is_file() => {
            let path = path.display();
            return Err(none(format!("there is no store `{path}` (`store.url`)")));
        }
        StorePlace::Postgres(address) => {
            let place = settings.postgres(*address);
            if !PostgresStore::is_there(&place).await? {
                let url = &settings.url;
                return Err(none(format!("there is no store in `{url}` (`store.url`)")));
            }
        }
        StorePlace::Sqlite(_) => {}
    }
    Ok(open(settings, clock, Arc::new(Metrics::new()?)).await?.letters)
}

fn none(why: String) -> StartError {
    StartError::Store(Error::Failed(why))
}

/// The file of the store; nothing where it is in a database.
pub(super) fn file(settings: &StoreSettings) -> Result<Option<PathBuf>, StartError> {
    Ok(match settings.place()? {
        StorePlace::Sqlite(path) => Some(path),
        StorePlace::Postgres(_) => None,
    })
}

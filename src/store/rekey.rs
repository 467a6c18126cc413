//! Everything in a store encrypted with the first key of its key file.

use std::path::Path;

use super::form::cipher::Cipher;
use super::settings::{StorePlace, StoreSettings};
use super::{Error, postgres, sqlite};

/// How far a pass has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Rows that were looked at.
    pub looked_at: u64,
    /// All rows.
    pub of: u64,
    /// Rows that were sealed anew.
    pub sealed: u64,
}

/// Seals everything in the store that `settings` name with the first key of `key_file`; no bridge may run on it. `told`
/// is called after every transaction; what it interrupts goes on with the next call.
///
/// # Errors
///
/// [`Error::Held`] names the bridge that holds the store; [`Error::Failed`] says which key is missing, or that some
/// values cannot be opened: they stay as they are.
pub async fn rekey(
    settings: &StoreSettings,
    key_file: &Path,
    told: impl FnMut(Progress),
) -> Result<Progress, Error> {
    let place = settings.place().map_err(|error| Error::Failed(error.to_string()))?;
    match place {
        StorePlace::Sqlite(path) => sqlite::rekey(&path, key_file, told),
        StorePlace::Postgres(address) => {
            let cipher = Cipher::read(Some(key_file))?;
            postgres::rekey(&settings.postgres(*address), cipher, told).await
        }
    }
}

//! What can be set about the store.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::postgres::{Address, Place};
pub use super::url::{InvalidUrl, StorePlace, StoreUrl};
use crate::units::{ByteSize, Span};

/// `store.*`: where accepted work is kept, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// Where it is: `sqlite:` and the path of a file, or `postgres://…`.
    pub url: StoreUrl,
    /// A file with the password for PostgreSQL, read again for each new connection.
    pub password_file: Option<PathBuf>,
    /// A file with the certificates of authorities that PostgreSQL's is held against.
    pub ca_file: Option<PathBuf>,
    /// How many connections to PostgreSQL at most.
    pub connections: usize,
    /// How many updates may wait at most; senders are told to come again beyond it.
    pub max_waiting: u64,
    /// How large the store may grow, free pages not counted.
    pub max_size: ByteSize,
    /// How much of the disk has to stay free.
    pub min_free: ByteSize,
    /// A file with the keys that encrypt what can be read of people; without one nothing is encrypted.
    pub encryption_key_file: Option<PathBuf>,
    /// How long what is done with is kept.
    pub retention: Retention,
}

/// `store.retention.*`: how long an event is kept after all of it came to an end; it goes as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Delivered, skipped and discarded updates.
    pub delivered: Span,
    /// Ignored events and control messages.
    pub ignored: Span,
    /// Dead and held updates; without it they are kept until somebody deals with them.
    pub dead: Option<Span>,
}

impl Retention {
    /// For how long that is kept which is kept for the shortest time.
    pub(super) fn shortest(&self) -> Duration {
        let dead = self.dead.unwrap_or(self.delivered);
        self.delivered.0.min(self.ignored.0).min(dead.0)
    }
}

impl Default for Retention {
    fn default() -> Self {
        let week = Span(Duration::from_hours(7 * 24));
        Self { delivered: week, ignored: week, dead: None }
    }
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            url: StoreUrl::new("sqlite:chatflow-bridge.db"),
            password_file: None,
            ca_file: None,
            connections: 8,
            max_waiting: 2_000_000,
            max_size: ByteSize(10 << 30),
            min_free: ByteSize(512 << 20),
            encryption_key_file: None,
            retention: Retention::default(),
        }
    }
}

impl StoreSettings {
    /// Where the store is.
    pub fn place(&self) -> Result<StorePlace, InvalidUrl> {
        self.url.place()
    }

    /// The file that `url` names; `instead` says what to do where it is a PostgreSQL.
    pub fn sqlite_path(&self, instead: &'static str) -> Result<PathBuf, InvalidUrl> {
        match self.place()? {
            StorePlace::Sqlite(path) => Ok(path),
            StorePlace::Postgres(_) => Err(InvalidUrl::NotAFile(instead)),
        }
    }

    /// How the database at this address is reached.
    pub fn postgres(&self, address: Address) -> Place {
        Place {
            address,
            password_file: self.password_file.clone(),
            ca_file: self.ca_file.clone(),
            connections: self.connections,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_has_its_default_and_what_is_unknown_is_refused() {
        let settings: StoreSettings =
            serde_json::from_value(serde_json::json!({"max_size": "1GiB"})).unwrap();

        assert_eq!(
            settings,
            StoreSettings { max_size: ByteSize(1 << 30), ..StoreSettings::default() }
        );
        assert!(
            serde_json::from_value::<StoreSettings>(serde_json::json!({"max_sise": "1GiB"}))
                .is_err()
        );
    }
}

//! What can be set about the store.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::units::{ByteSize, Span};

/// `store.*`: where accepted work is kept, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// Where it is: `sqlite:` and the path of a file.
    pub url: String,
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
            url: "sqlite:chatflow-bridge.db".to_owned(),
            max_waiting: 2_000_000,
            max_size: ByteSize(10 << 30),
            min_free: ByteSize(512 << 20),
            encryption_key_file: None,
            retention: Retention::default(),
        }
    }
}

/// Why a text does not say where a store is.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`store.url` is `sqlite:` and the path of a file, such as `sqlite:chatflow-bridge.db`")]
pub struct InvalidUrl;

impl StoreSettings {
    /// The file that `url` names.
    pub fn sqlite_path(&self) -> Result<PathBuf, InvalidUrl> {
        match self.url.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
            _ => Err(InvalidUrl),
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

    #[test]
    fn a_url_names_a_file() {
        for (url, path) in [
            ("sqlite:chatflow-bridge.db", Ok(PathBuf::from("chatflow-bridge.db"))),
            ("sqlite:/var/lib/bridge.db", Ok(PathBuf::from("/var/lib/bridge.db"))),
            ("sqlite:", Err(InvalidUrl)),
            ("bridge.db", Err(InvalidUrl)),
        ] {
            let settings = StoreSettings { url: url.to_owned(), ..StoreSettings::default() };
            assert_eq!(settings.sqlite_path(), path, "{url:?}");
        }
    }
}

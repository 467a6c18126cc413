//! The sum of the settings that the parts declare, and where each value in force came from.
//!
//! Defaults, then the settings file, then the environment (`BRIDGE_SERVER__HOOKS`: prefix `BRIDGE_`, `__` between
//! levels), then flags; the later wins. [`load()`] reads them; every unknown or mistyped key is reported, all at once.
//! [`environment`] is the one place that reads what is outside.

mod check;
pub mod environment;
mod file;
mod keys;
mod load;
mod origin;
mod reference;
pub mod reload;

pub use environment::Secrets;
pub use keys::{KEYS, Key, Kind};
pub use load::{Invalid, Sources, load};
pub use origin::{Effective, Line};
pub use reference::reference;

use std::net::SocketAddr;
use std::path::PathBuf;

use config::{Config, ConfigError};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::chatflow::ChatflowSettings;
use crate::delivery::{ContactSettings, DeliverySettings};
use crate::secret::Secret;
use crate::store::settings::StoreSettings;
use crate::telemetry::log::LogSettings;
use crate::telemetry::trace::TelemetrySettings;
use crate::units::Span;
use crate::webhook::IntakeSettings;

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `server.*`: the listeners.
    pub server: ServerSettings,
    /// `server.*`: what intake takes.
    pub intake: IntakeSettings,
    /// `admin.*`.
    pub admin: AdminSettings,
    /// `chatflow.*`.
    pub chatflow: ChatflowSettings,
    /// `delivery.*`.
    pub delivery: DeliverySettings,
    /// `contact.*`.
    pub contact: ContactSettings,
    /// `store.*`.
    pub store: StoreSettings,
    /// `mappings.*`.
    pub mappings: MappingSettings,
    /// `log.*`.
    pub log: LogSettings,
    /// `telemetry.*`.
    pub telemetry: TelemetrySettings,
}

/// `server.*`: the listeners and how they stop.
#[derive(Debug, Clone, Deserialize)]
pub struct ServerSettings {
    /// Where senders post; port 0 picks one and logs it.
    pub hooks: SocketAddr,
    /// Metrics and health.
    pub metrics: SocketAddr,
    /// The operator's door.
    pub admin: SocketAddr,
    /// Open connections of senders.
    pub max_connections: usize,
    /// TLS for senders.
    #[serde(default)]
    pub tls: TlsSettings,
    /// How long the listeners go on after readiness went off.
    pub drain_delay: Span,
    /// From SIGTERM to the end; includes the delay.
    pub shutdown_grace: Span,
}

/// `server.tls.*`: both files or none.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsSettings {
    /// The certificate and those that lead to its root, PEM.
    pub cert_file: Option<PathBuf>,
    /// Its private key, PEM.
    pub key_file: Option<PathBuf>,
}

/// `admin.*`: who may ask the admin API.
#[derive(Debug, Clone, Deserialize)]
pub struct AdminSettings {
    /// The bearer token.
    pub token: Option<Secret>,
    /// A file that holds it.
    pub token_file: Option<PathBuf>,
    /// Names under which the listener may be asked, beside loopback's.
    pub hosts: Vec<String>,
}

/// `mappings.*`.
#[derive(Debug, Clone, Deserialize)]
pub struct MappingSettings {
    /// The folder with the mapping files.
    pub dir: PathBuf,
    /// Whether the folder is followed while the bridge runs.
    pub watch: bool,
}

impl Settings {
    /// Takes the sections, each as its part declares it, out of what was read.
    fn take(built: &Config) -> Result<Self, ConfigError> {
        fn section<T: DeserializeOwned>(built: &Config, name: &str) -> Result<T, ConfigError> {
            built.get(name)
        }
        Ok(Self {
            server: section(built, "server")?,
            intake: section(built, "server")?,
            admin: section(built, "admin")?,
            chatflow: section(built, "chatflow")?,
            delivery: section(built, "delivery")?,
            contact: section(built, "contact")?,
            store: section(built, "store")?,
            mappings: section(built, "mappings")?,
            log: section(built, "log")?,
            telemetry: section(built, "telemetry")?,
        })
    }
}

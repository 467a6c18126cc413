//! The sum of the settings that the parts declare, and where each value in force came from.
//!
//! Defaults, then the environment (`BRIDGE_SERVER__HOOKS`: prefix `BRIDGE_`, `__` between levels), then flags;
//! the later wins. [`load`] reads them; every unknown or mistyped key is reported, all at once.

mod keys;
mod load;
mod origin;

pub use keys::{KEYS, Key, Kind};
pub use load::{Invalid, Sources, load};
pub use origin::{Effective, Line};

use std::net::SocketAddr;

use serde::Deserialize;

use crate::telemetry::log::LogSettings;
use crate::units::Span;

/// Everything that can be set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The listeners.
    pub server: ServerSettings,
    /// The log.
    pub log: LogSettings,
}

/// `server.*`: the listeners and how they stop.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Where senders post; port 0 picks one and logs it.
    pub hooks: SocketAddr,
    /// Metrics and health.
    pub metrics: SocketAddr,
    /// The operator's door.
    pub admin: SocketAddr,
    /// How long the listeners go on after readiness went off.
    pub drain_delay: Span,
    /// From SIGTERM to the end; includes the delay.
    pub shutdown_grace: Span,
}

//! Why a bridge could not start: what, where, what to do.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::delivery::InvalidDelivery;
use crate::settings::reload::Unfit;
use crate::telemetry::trace::InvalidEndpoint;
use crate::webhook::Flaw;
use crate::{chatflow, store};

/// Why a bridge could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No API key.
    #[error(
        "no API key for Chatflow: give one in the environment (BRIDGE_CHATFLOW__API_KEY=…), in a file (BRIDGE_CHATFLOW__API_KEY_FILE=/path, or `chatflow.api_key_file`), or as `chatflow.api_key` in the settings file; to try without one: `chatflow-bridge demo`"
    )]
    NoApiKey,
    /// A file with a secret.
    #[error("the secret file `{}` {problem}", path.display())]
    SecretFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The store's URL.
    #[error("`store.url`: {0}")]
    StoreUrl(#[from] store::settings::InvalidUrl),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A setting of the client, or a key that is none.
    #[error(transparent)]
    Chatflow(#[from] chatflow::Unusable),
    /// A setting of delivery.
    #[error(transparent)]
    Delivery(#[from] InvalidDelivery),
    /// The `verify` of a mapping.
    #[error("`verify` cannot be used: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Verify(Vec<Flaw>),
    /// The mappings, with nothing that could go on in their place.
    #[error("{unfit}; {}", .kept.as_ref().map_or_else(
        || "no set that worked before is kept in the store".to_owned(),
        |kept| format!("the set that is kept in the store is not fit either: {kept}"),
    ))]
    Mappings {
        /// What is wrong with them.
        unfit: Unfit,
        /// What is wrong with those that were kept, if there are any.
        kept: Option<Unfit>,
    },
    /// A listener.
    #[error(
        "`{setting}`: cannot listen at {address}: {error}; stop what holds it, or choose another with {variable}"
    )]
    Listen {
        /// The setting that gives the address.
        setting: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
        /// The variable to set.
        variable: String,
    },
    /// The certificate of the listener of senders, or its key.
    #[error(transparent)]
    Tls(#[from] super::tls::Unusable),
    /// Where traces go to.
    #[error(transparent)]
    TracesUrl(#[from] InvalidEndpoint),
    /// The client that reaches it.
    #[error("no HTTP client can be made for `telemetry.otlp_endpoint`: {0}")]
    Collector(reqwest::Error),
    /// The listeners' thread.
    #[error("the thread of the listeners cannot be started: {0}")]
    Thread(std::io::Error),
    /// The listeners' thread, before it could say whether it listens.
    #[error("the thread of the listeners ended at once")]
    ListenersEnded,
    /// The admin token.
    #[error("the admin token file `{}` cannot be read or made: {error}", path.display())]
    AdminToken {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The metrics.
    #[error("the metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

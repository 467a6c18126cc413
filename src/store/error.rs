//! Why the store could not do what it was asked.

/// What went wrong in a store. The message is for the log; senders are told to come again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Past `store.max_waiting`, `store.max_size` or `store.min_free`, or the disk is full.
    #[error("the store is full: {0}")]
    Full(String),
    /// More work is queued for the store than it can take now.
    #[error("the store is busy: too much waits to be written")]
    Busy,
    /// Another process holds the store.
    #[error("the store is held by another process: {0}")]
    Held(String),
    /// The store was written by a newer release.
    #[error(
        "the store has schema {found}, this release reads up to {known}: run the newer release again, or restore a backup"
    )]
    Newer {
        /// The schema in the file.
        found: i64,
        /// The newest one this release knows.
        known: i64,
    },
    /// The database cannot be reached or does not keep up; it may come back by itself.
    #[error("the store is away: {0}")]
    Away(String),
    /// Reading or writing failed.
    #[error("the store failed: {0}")]
    Failed(String),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

impl Error {
    /// The `reason` label of `store_errors_total`.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Full(_) => "full",
            Self::Busy => "busy",
            Self::Held(_) | Self::Newer { .. } | Self::Failed(_) => "io",
            Self::Away(_) | Self::Closed => "connection",
        }
    }
}

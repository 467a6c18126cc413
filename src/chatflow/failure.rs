//! What can go wrong on the wire.

use std::time::Duration;

/// Why a call did not give what it was made for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The API answered with a status other than 2xx.
    #[error("the API answered {status}: {words}")]
    Answered {
        /// The HTTP status.
        status: u16,
        /// The API's own words, shortened, control characters replaced.
        words: String,
        /// What `Retry-After` asks for (seconds, or a date less the answer's own).
        retry_after: Option<Duration>,
    },
    /// The API answered 2xx, and the body says failure or is not what the reference shows.
    #[error("the API answered {status}, and its body is unclear: {words}")]
    Unclear {
        /// The HTTP status.
        status: u16,
        /// What is wrong with the body: the API's own words where it says failure, else never what it holds.
        words: String,
    },
    /// No whole answer within `chatflow.timeout`.
    #[error("no answer in time")]
    TimedOut,
    /// No connection, or none that can be trusted.
    #[error("no connection to the API: {0}")]
    NotConnected(String),
    /// The connection ended before any byte of the answer came.
    #[error("the connection ended before an answer came")]
    Reset,
    /// The answer ended too early, or is larger than an answer may be.
    #[error("the answer could not be read: {0}")]
    Broken(String),
    /// The update cannot be said in the wire forms that are set; nothing was sent.
    #[error("the update cannot be said on the wire: {0}")]
    Unsayable(String),
}

impl Failure {
    /// The `outcome` label of `delivery_attempts_total`.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Answered { status: 401 | 402, .. } => "unauthorized",
            Self::Answered { status: 404, .. } => "not_found",
            Self::Answered { status: 429, .. } => "rate_limited",
            Self::Answered { status: 408 | 425 | 500.., .. } => "server_error",
            Self::Answered { .. } | Self::Unsayable(_) => "rejected",
            Self::Unclear { .. } | Self::Broken(_) => "invalid_response",
            Self::TimedOut => "timeout",
            Self::NotConnected(_) | Self::Reset => "connect",
        }
    }

    /// The HTTP status, where there was an answer.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } | Self::Unclear { status, .. } => Some(*status),
            _ => None,
        }
    }
}

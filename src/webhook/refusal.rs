//! Why a request is turned away, and what its sender is told.

use std::time::Duration;

use crate::problem::Problem;
use crate::{decode, store};

use super::settings::BodyLimit;
use super::verify::Reason;

/// After how many seconds a sender should come again when we could not take its event.
const RETRY_AFTER: u64 = 10;

/// Why an event was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No source has this name, or none has a token in its path.
    #[error("there is no such source")]
    UnknownSource,
    /// The source takes another method.
    #[error("only `{allow}` is taken here")]
    Method {
        /// Those it takes, as `Allow` lists them.
        allow: &'static str,
    },
    /// The source's secret is missing: it is closed, never open.
    #[error("the source is not ready")]
    Closed,
    /// It is not from whom it should be.
    #[error("the request is not believed")]
    Unverified(Reason),
    /// The same, for a sender that wants to be told so without a word.
    #[error("the request is not believed")]
    Silent(Reason),
    /// A handshake without the token that was agreed on, or with a question that is not answered.
    #[error("the handshake is not answered")]
    Challenge {
        /// What its sender is told.
        status: u16,
    },
    /// Too much came from its address that was not believed, and it shows no signature or token.
    #[error("too many requests, come again later")]
    OverBudget {
        /// Until there is something left.
        wait: Duration,
    },
    /// It is believed, and more than the source may send in a minute (`per_minute`).
    #[error("too many requests, come again later")]
    OverPace {
        /// Until there is something left.
        wait: Duration,
    },
    /// The body is larger than the source takes.
    #[error("the body is larger than the limit of {limit}{}", if *inflated { " once it is inflated" } else { "" })]
    TooLarge {
        /// The limit.
        limit: BodyLimit,
        /// Whether it is only once its `Content-Encoding` is taken off.
        inflated: bool,
    },
    /// The body is packed in a way that is not handled.
    #[error(
        "the content encoding is not handled: send `gzip`, `deflate`, `br`, one of them, or the body as it is"
    )]
    Encoding,
    /// The body does not become a document.
    #[error(transparent)]
    Undecodable(#[from] decode::Error),
    /// The sender hung up, or the body broke off.
    #[error("the body is incomplete")]
    Incomplete,
    /// The body was not received in time.
    #[error("the request was not received in time")]
    Late,
    /// The bodies being received take up all the memory they may.
    #[error("too many requests are being received, come again later")]
    Crowded,
    /// The store could not keep it; nothing is half-stored.
    #[error("the event could not be stored, come again later")]
    NotStored(#[source] store::Error),
    /// A mistake of ours.
    #[error("the request could not be handled")]
    Broken,
}

/// Whole seconds, one at least.
fn seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

impl Refusal {
    /// Every reason that a known source counts, as `intake_rejections_total` labels it.
    pub(super) const REASONS: &[&str] = &[
        "method",
        "signature_missing",
        "signature_mismatch",
        "timestamp_skew",
        "auth",
        "over_budget",
        "over_pace",
        "body_too_large",
        "bad_body",
        "bad_content_type",
        "timeout",
    ];

    /// The `reason` label of `intake_rejections_total`; nothing for what is no fault of the sender.
    pub fn rejection(&self) -> Option<&'static str> {
        match self {
            Self::UnknownSource => Some("unknown_source"),
            Self::Method { .. } => Some("method"),
            Self::Unverified(reason) | Self::Silent(reason) => Some(reason.label()),
            Self::Challenge { .. } => Some(Reason::Auth.label()),
            Self::OverBudget { .. } => Some("over_budget"),
            Self::OverPace { .. } => Some("over_pace"),
            Self::TooLarge { .. } => Some("body_too_large"),
            Self::Encoding
            | Self::Undecodable(
                decode::Error::UnsupportedContentType | decode::Error::UnknownCharset,
            ) => Some("bad_content_type"),
            Self::Undecodable(_) | Self::Incomplete => Some("bad_body"),
            Self::Late => Some("timeout"),
            Self::Closed | Self::Crowded | Self::NotStored(_) | Self::Broken => None,
        }
    }

    /// The `outcome` label of `intake_requests_total`.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::UnknownSource
            | Self::Method { .. }
            | Self::Unverified(_)
            | Self::Silent(_)
            | Self::Challenge { .. }
            | Self::OverBudget { .. }
            | Self::OverPace { .. }
            | Self::TooLarge { .. }
            | Self::Encoding
            | Self::Undecodable(_)
            | Self::Incomplete
            | Self::Late => "rejected",
            Self::Crowded | Self::NotStored(store::Error::Full(_) | store::Error::Busy) => "shed",
            Self::Closed | Self::NotStored(_) | Self::Broken => "error",
        }
    }

    /// Whether it is not known from whom the request is: what clients are charged for.
    pub(super) const fn is_disbelief(&self) -> bool {
        matches!(self, Self::Unverified(_) | Self::Silent(_) | Self::Challenge { .. })
    }

    /// Whether a sender that means well may be told so, and somebody wants to know why.
    pub(super) const fn is_worth_a_look(&self) -> bool {
        self.is_disbelief()
            || matches!(
                self,
                Self::TooLarge { .. }
                    | Self::Encoding
                    | Self::Undecodable(_)
                    | Self::Incomplete
                    | Self::Late
            )
    }

    /// The word for it in the log.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Closed => "secret_missing",
            Self::Crowded => "buffers_full",
            Self::NotStored(store::Error::Full(_)) => "store_full",
            Self::NotStored(store::Error::Busy) => "store_busy",
            Self::NotStored(_) => "store_failed",
            other => other.rejection().unwrap_or("internal"),
        }
    }
}

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Self {
        let problem = match refusal {
            Refusal::UnknownSource => {
                Self::new(404, "/problems/unknown-source", "There is no such source")
            }
            Refusal::Method { .. } => {
                Self::new(405, "/problems/method-not-allowed", "The method is not taken here")
            }
            // With no word on which part is wrong: whoever guesses learns nothing.
            Refusal::Unverified(_) | Refusal::Silent(_) => {
                return Self::new(401, "/problems/unverified", "The request is not believed");
            }
            Refusal::Challenge { status } => {
                Self::new(*status, "/problems/challenge", "The handshake is not answered")
            }
            Refusal::OverBudget { wait } | Refusal::OverPace { wait } => {
                Self::new(429, "/problems/too-many", "Too many requests")
                    .retry_after(seconds(*wait))
            }
            Refusal::TooLarge { .. } => {
                Self::new(413, "/problems/too-large", "The body is too large")
            }
            Refusal::Encoding
            | Refusal::Undecodable(
                decode::Error::UnsupportedContentType | decode::Error::UnknownCharset,
            ) => Self::new(415, "/problems/unsupported-content", "The content is not handled"),
            Refusal::Undecodable(_) | Refusal::Incomplete => {
                Self::new(400, "/problems/bad-body", "The body does not parse")
            }
            Refusal::Late => Self::new(408, "/problems/timeout", "The request came too slowly"),
            Refusal::Closed => Self::new(503, "/problems/not-ready", "The source is not ready")
                .retry_after(RETRY_AFTER),
            Refusal::Crowded => Self::new(503, "/problems/busy", "Too much is being received")
                .retry_after(RETRY_AFTER),
            Refusal::NotStored(_) => {
                Self::new(503, "/problems/not-stored", "The event could not be stored")
                    .retry_after(RETRY_AFTER)
            }
            Refusal::Broken => Self::new(500, "/problems/internal", "Something is broken here"),
        };
        problem.detail(refusal.to_string())
    }
}

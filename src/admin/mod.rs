//! The operator's doors: [`observe`] for machines (metrics and health, on a port of their own), [`api`] for people
//! (the admin API, on loopback, behind a token).
//!
//! # Promises
//!
//! - Nothing of it can be reached through the listener that senders use.
//! - Readiness says whether the bridge can take webhooks, never whether the API is well: while the API is down
//!   the bridge goes on accepting.
//! - No list names a contact; what a sender said is shown for one event at a time ([`event`]), what is sent for one
//!   update, or in a dry run of a change.
//! - Nothing is changed but by `POST`, and each change is logged ([`desk`]).

pub mod api;
pub mod auth;
mod change;
pub mod desk;
pub mod event;
mod guarded;
pub mod observe;
mod overview;
mod reply;
pub mod senders;

pub use overview::{Overview, SourceStatus, State};

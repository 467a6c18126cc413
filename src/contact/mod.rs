//! What can be said about a contact: who it is, and what is to change. Pure, and spoken by every other part.

mod attribute;
pub mod fold;
mod id;
mod mobile;
#[cfg(test)]
pub(crate) mod model;
mod reason;
mod stale;
mod superseded;
mod tags;
mod update;
mod who;

pub use attribute::AttributeChange;
pub use id::{ContactId, InvalidContactId};
pub use mobile::{InvalidMobile, Mobile};
pub use reason::{DeadReason, HeldReason, SkippedReason};
pub use stale::{Mark, fresh};
pub use superseded::{Field, Since};
pub use tags::TagChange;
pub use update::{ContactUpdate, PlannedUpdate};
pub use who::{InvalidWho, OnMissing, Target, Who};

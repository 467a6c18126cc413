//! From the store to the API: each contact's updates in order, tried again until they are taken or refused.
//!
//! [`Delivery`] claims ahead and sees each update through; `attempt` is the way of one update: `resolve` finds
//! the contact, `outbound` is the only way out, [`outcome`] says what an answer means, [`retry`] when to try
//! again, [`pause`] stops everything while there is a reason. `watched` sees every answer: `breaker` tells whether the
//! API works at all, `confirm` whether it did what it was asked; `storm` keeps a wrong setting from emptying the queue
//! into the dead letters. Where several processes deliver from one store, `peers` has them know what each has found.
//!
//! # Promises
//!
//! - Never two requests in flight for one contact's id, whatever keys it is known by.
//! - A lane that waits (for a retry, a contact, its turn) holds up no other.
//! - Nothing is lost: an update is recorded with what became of it, or given back.
//! - A refused key pauses delivery; nothing dies of it and no attempt is counted.

mod api;
mod attempt;
mod breaker;
mod cache;
mod confirm;
mod ended;
mod expiring;
mod gate;
mod halving;
mod limiter;
mod locks;
mod outbound;
pub mod outcome;
pub mod pause;
mod peers;
mod record;
mod resolve;
pub mod retry;
mod settings;
mod stale;
mod storm;
mod tally;
#[cfg(test)]
mod tests;
mod watched;
mod withdrawal;
mod worker;

pub use api::Api;
pub use pause::{PauseReason, Pauses};
pub use peers::Peers;
pub use retry::RetrySettings;
pub use settings::{ContactSettings, DeliverySettings, InvalidDelivery, Policy};
pub use worker::Delivery;

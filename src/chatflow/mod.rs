//! The vendor's API and nothing else.
//!
//! [`Client`] has one method an endpoint; [`Failure`] says what can go wrong on the wire.

mod failure;

pub use failure::Failure;

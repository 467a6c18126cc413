//! The vendor's API and nothing else.
//!
//! [`Client`] has one method an endpoint; `request` puts an update into the wire form that is set, `response` reads
//! the API's envelopes into [`Contact`]s, [`unconfirmed`] compares those with what was sent, [`Failure`] says what can
//! go wrong on the wire. [`mock`] is the API as the reference says, for tests, `chatflow-bridge mock` and `demo`;
//! [`planned`] shows what would be sent, [`probing`] finds the wire forms that the API understands.
//!
//! # Promises
//!
//! - Every request ends within `chatflow.timeout`; an answer is read up to 1 MiB; no redirect is followed; nothing
//!   is sent twice by itself.
//! - A search gives only contacts that are exactly what was asked for, each once.
//! - No URL, mobile number or e-mail address gets into a [`Failure`] or a metric.

mod client;
mod confirm;
mod contact;
mod failure;
pub mod mock;
pub mod planned;
pub mod probing;
mod request;
mod response;
mod retry_after;
mod settings;
mod spelling;
mod tally;
mod tls;
mod words;

#[cfg(test)]
mod tests;

pub use client::{Client, Unusable};
pub use confirm::{Field, unconfirmed};
pub use contact::Contact;
pub use failure::Failure;
pub use request::NewContact;
pub use settings::{
    AttributesForm, BaseUrl, ChatflowSettings, InvalidBaseUrl, OnDuplicatePlace, TagChangesForm,
    WireSettings,
};
pub use tls::install_tls;

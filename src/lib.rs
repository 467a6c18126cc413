//! chatflow-bridge: webhooks in, contact updates in Pabbly Chatflow out; in order, retried, never lost.
//!
//! The modules stand in layers; each uses what stands below it, never what stands above
//! (`tests/architecture.rs` holds them to it). `ARCHITECTURE.md` is the map.

pub mod admin;
pub mod chatflow;
pub mod cli;
pub mod clock;
pub mod contact;
pub mod decode;
pub mod delivery;
pub mod document;
pub mod event;
pub mod library;
pub mod mapping;
pub mod problem;
pub mod secret;
pub mod server;
pub mod settings;
pub mod store;
pub mod telemetry;
pub mod units;
pub mod webhook;

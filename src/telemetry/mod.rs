//! What an operator sees: [`metrics`], every one in one table, and [`log`], lines without secrets or people.

pub mod log;
pub mod metrics;

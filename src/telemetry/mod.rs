//! What an operator sees: [`metrics`], every one in one table, [`log`], lines without secrets or people, and [`trace`],
//! what one event went through.

pub mod log;
pub mod metrics;
pub mod trace;

//! A document in, planned updates out: the rules of a mapping file, read once and applied to every event. Pure.
//!
//! [`syntax`] reads the file, [`expr`] finds and makes values (paths, steps, templates), [`Source::plan`] applies
//! the rules, [`Held`] says why a value could not be had.

pub mod expr;
mod held;
mod plan;
mod source;
mod steps;
pub mod syntax;
mod when;

pub use held::Held;
pub use plan::{Decision, Input, Planned, PlannedEvent};
pub use source::Source;
pub use steps::{moment, warm_phone_metadata};
pub use when::When;

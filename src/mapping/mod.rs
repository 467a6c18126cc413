//! A document in, planned updates out: the rules of a mapping file, read once and applied to every event. Pure.
//!
//! [`Set::read`] reads all files, [`syntax`] one of them, [`expr`] finds and makes values (paths, steps, templates),
//! [`Source::plan`] applies the rules, [`Held`] says why a value could not be had. [`diagnostics`] shows what is
//! wrong with a file, [`testing`] runs the tests that stand in it, [`shown`] shows what was planned and [`explain`] why,
//! [`comparing`] holds what two sets make of the same events against each other.

mod attributes;
mod body;
pub mod comparing;
mod contact;
pub mod diagnostics;
mod effective;
mod event;
pub mod explain;
pub mod expr;
mod held;
mod known;
mod lets;
mod plan;
mod rule;
mod set;
pub mod shown;
mod source;
mod steps;
pub mod suggest;
pub mod syntax;
mod tags;
pub mod testing;
mod update;
mod when;

pub use body::{Body, Format};
pub use diagnostics::Report;
pub use effective::effective;
pub use explain::Explained;
pub use held::Held;
pub use known::tags_not_among;
pub use plan::{Decision, Input, Planned, PlannedEvent};
pub use set::{Read, Set};
pub use source::{Requires, Source, Traceparent};
pub use steps::{moment, warm_phone_metadata};
pub use syntax::{LIBRARY, extends};
pub use when::When;

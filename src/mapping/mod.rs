//! A document in, planned updates out: the rules of a mapping file, read once and applied to every event. Pure.
//!
//! [`expr`] finds and makes values (paths, steps, templates), [`Held`] says why a value could not be had.

pub mod expr;
mod held;

pub use held::Held;

//! From the text of a mapping file to rules, with the place of everything that is wrong.
//!
//! [`Node`] is the file as a tree whose scalars keep their text; [`Fields`] takes a map apart and reports
//! what it does not know; [`Problems`] collects everything, so that one run shows all of it. [`scalar`] reads
//! words, numbers and paths; `file` puts the parts of a file together.

mod allow;
mod example;
mod extend;
mod fields;
mod file;
mod headers;
mod lints;
mod mend;
mod merge;
mod node;
mod place;
mod problem;
mod requires;
mod said;
pub mod scalar;
pub mod schema;
mod write;

pub(super) use allow::Allowed;
pub use example::Example;
pub(super) use extend::Base;
pub use extend::{LIBRARY, extends};
pub use fields::Fields;
pub use file::{Check, Part};
pub(super) use file::{Read, read};
pub(super) use lints::masked;
pub(super) use merge::merged;
pub use node::{Kind, Node};
pub use problem::{Code, Problem, Problems, Severity};
pub(super) use write::{block, flow, made, tree};

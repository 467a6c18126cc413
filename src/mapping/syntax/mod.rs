//! From the text of a mapping file to rules, with the place of everything that is wrong.
//!
//! [`Node`] is the file as a tree whose scalars keep their text; [`Fields`] takes a map apart and reports
//! what it does not know; [`Problems`] collects everything, so that one run shows all of it.

mod fields;
mod node;
mod problem;

pub use fields::Fields;
pub use node::{Kind, Node};
pub use problem::{Code, Problem, Problems, Severity};

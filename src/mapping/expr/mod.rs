//! Values: what a mapping file writes where a value is expected, compiled when the file is read.
//!
//! [`Names`] says which roots may be read at a place in the file; [`Path::parse`] compiles a path
//! against it. [`Scope`] holds what the roots stand for while one event is mapped.
//! [`Expr`] is a compiled value and [`Expr::evaluate`] gives an [`Evaluated`]: absent, one value,
//! several, or the wish to remove. Nothing is parsed while an event is mapped.

mod convert;
mod evaluated;
mod forms;
mod guard;
mod index;
mod number;
mod path;
mod pipe;
mod read;
mod reading;
#[cfg(test)]
pub(in crate::mapping) mod samples;
mod scope;
mod spot;
mod template;
mod value;

pub use evaluated::Evaluated;
pub(in crate::mapping) use evaluated::{joined, text_of};
pub(in crate::mapping) use forms::{index, is_stumble};
pub(in crate::mapping) use index::{Index, ON_REPEAT};
pub use number::{compare_numbers, is_number};
pub(in crate::mapping) use path::resolve as root_of;
pub use path::{Missing, Path, PathError, looks_like_path};
pub(in crate::mapping) use pipe::Placed;
pub(in crate::mapping) use read::literal;
pub use reading::{Reading, Table};
pub use scope::{Lets, Names, Scope, nearest};
pub(in crate::mapping) use spot::Spot;
pub use value::Expr;
pub(in crate::mapping) use value::Unmapped;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

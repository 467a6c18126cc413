//! Values: what a mapping file writes where a value is expected, compiled when the file is read.
//!
//! [`Names`] says which roots may be read at a place in the file; [`Path::parse`] compiles a path
//! against it. [`Scope`] holds what the roots stand for while one event is mapped.
//! [`Expr`] is a compiled value and [`Expr::evaluate`] gives an [`Evaluated`]: absent, one value,
//! several, or the wish to remove. Nothing is parsed while an event is mapped.

mod convert;
mod number;
mod path;
mod reading;
mod scope;
mod value;

pub use number::{compare_numbers, is_number};
pub use path::{Path, PathError, looks_like_path};
pub use reading::{Reading, Table};
pub use scope::{Lets, Names, Scope, nearest};
pub use value::{Evaluated, Expr};

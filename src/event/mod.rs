//! The words for what came in: the source it came through, its id, and the name of one update.

mod id;
mod name;
mod source;

pub use id::{EventId, InvalidEventId, UpdateId};
pub use name::{InvalidName, Named, UpdateName};
pub use source::{InvalidSourceName, SourceName};

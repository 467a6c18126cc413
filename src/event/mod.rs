//! The words for what came in: the source it came through, its id, and the name of one update.

mod id;
mod source;

pub use id::{EventId, InvalidEventId, UpdateId};
pub use source::{InvalidSourceName, SourceName};

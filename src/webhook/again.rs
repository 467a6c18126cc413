//! A stored event mapped again with today's rules, by the code that maps requests.

use super::document::decode_for;
use super::planned::{new_event, plan_with};
use crate::mapping::Source;
use crate::store::{NewUpdate, StoredEvent};

/// Why a stored event cannot be mapped again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotMapped {
    /// No mapping file is there for its source.
    #[error("there is no source `{0}` any more: give it a mapping file")]
    NoSource(String),
    /// The source reads its body otherwise than when it came.
    #[error("its body cannot be read as today's `body` says")]
    Unreadable,
    /// The source splits its request otherwise than when it came.
    #[error("today's `body.each` does not find this event in its request")]
    NotInRequest,
    /// Today's rules take it for a control message.
    #[error("today's `control` takes it for a control message")]
    Control,
}

/// What the rules of `source` make of the event today.
///
/// # Errors
///
/// [`NotMapped`] says what of the mapping file does not fit the event any more.
pub fn map_again(source: &Source, stored: &StoredEvent) -> Result<Vec<NewUpdate>, NotMapped> {
    let request = &stored.request;
    let document = decode_for(source, request.content_type.as_deref(), &request.body)
        .map_err(|_| NotMapped::Unreadable)?;
    let mut planned = plan_with(source, request, &document, stored.event.received_at);
    let item = usize::try_from(stored.item).ok().filter(|item| *item < planned.len());
    let item = item.ok_or(NotMapped::NotInRequest)?;
    let planned = planned.swap_remove(item);
    if planned.control {
        return Err(NotMapped::Control);
    }
    Ok(new_event(source, item, planned).0.updates)
}

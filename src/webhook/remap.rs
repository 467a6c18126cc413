//! A repeat of an event of which nothing has come: the stored event is mapped again with today's rules.
//!
//! Senders repeat what they think was lost; where the first one was ignored or held by rules that have been mended
//! since, this is when it comes to something.

use tracing::{info, warn};

use super::answer::EventAnswer;
use super::document::decode_for;
use super::doors::Door;
use super::intake::Intake;
use super::planned::{new_event, plan};
use crate::event::EventId;

impl Intake {
    /// Maps the first event of this id again. What its sender is told where an update waits now; nothing where it is
    /// a repeat like any other. The repeat is answered in any case: what fails here is for the log.
    pub(super) async fn remap(
        &self,
        door: &Door,
        first: EventId,
        id: Option<&str>,
    ) -> Option<EventAnswer> {
        let source = &door.source.name;
        let kept = match self.store().event(first).await {
            Ok(kept) => kept?,
            Err(error) => {
                warn!(%source, event_id = %first, %error, "an event could not be mapped again");
                return None;
            }
        };
        let content_type = kept.request.content_type.as_deref();
        let document = decode_for(&door.source, content_type, &kept.request.body).ok()?;
        let mut planned = plan(door, &kept.request, &document, kept.event.received_at);
        let item = usize::try_from(kept.item).ok().filter(|item| *item < planned.len())?;
        let planned = planned.swap_remove(item);
        // Rules that split the request otherwise, or find other ids in it, are not asked.
        if planned.control || planned.id.as_deref() != id {
            return None;
        }
        let (event, tally) = new_event(&door.source, item, planned);
        // Held as before is no news; what was ignored and is held now is to be seen.
        let news = tally.has_waiting() || (kept.updates.is_empty() && !event.updates.is_empty());
        if !news {
            return None;
        }
        match self.store().remap(first, event.updates).await {
            Ok(true) => {
                door.meters.stored(&tally, self.metrics());
                info!(%source, event_id = %first, "an event was mapped again");
                tally.has_waiting().then(|| tally.answer_to_repeat(first))
            }
            Ok(false) => None,
            Err(error) => {
                warn!(%source, event_id = %first, %error, "an event could not be mapped again");
                None
            }
        }
    }
}

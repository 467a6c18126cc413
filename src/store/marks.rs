//! What events have set, for sources that guard against older ones.

use jiff::Timestamp;

use crate::contact::Mark;

/// What is known when an update of such a source is to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marked {
    /// When the event of the update happened, as its sender says.
    pub occurred_at: Option<Timestamp>,
    /// What events of the same source have set of the same contact.
    pub marks: Vec<Mark>,
}

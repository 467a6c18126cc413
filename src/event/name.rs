//! How people name an update: `EVENT_ID/RULE/ITEM`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::id::EventId;

/// An update by name: the rule that planned it, and the place of the item in what `for_each` selects.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UpdateName {
    /// Its event.
    pub event: EventId,
    /// The rule.
    pub rule: String,
    /// The item.
    pub item: u32,
}

/// One update, or all of an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Named {
    /// All updates of the event.
    Event(EventId),
    /// This update.
    Update(UpdateName),
}

/// Why a text names nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an event is named by its id, an update as EVENT_ID/RULE/ITEM, as `events list` shows them"
)]
pub struct InvalidName;

impl Named {
    /// The event.
    pub const fn event(&self) -> EventId {
        match self {
            Self::Event(event) => *event,
            Self::Update(update) => update.event,
        }
    }
}

impl FromStr for Named {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((event, rest)) = text.split_once('/') else {
            return text.parse().map(Self::Event).map_err(|_| InvalidName);
        };
        // A rule may have a `/` in its name.
        let (rule, item) = rest.rsplit_once('/').ok_or(InvalidName)?;
        let event = event.parse().map_err(|_| InvalidName)?;
        let item = item.parse().map_err(|_| InvalidName)?;
        if rule.is_empty() {
            return Err(InvalidName);
        }
        Ok(Self::Update(UpdateName { event, rule: rule.to_owned(), item }))
    }
}

impl fmt::Display for UpdateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.event, self.rule, self.item)
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(event) => event.fmt(f),
            Self::Update(update) => update.fmt(f),
        }
    }
}

impl TryFrom<String> for Named {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Named> for String {
    fn from(named: Named) -> Self {
        named.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_as_it_is_written() {
        for text in ["000000000001a", "000000000001a/lead/0", "000000000001a/a/b/12"] {
            let named: Named = text.parse().unwrap();

            assert_eq!(named.to_string(), text);
            assert_eq!(named.event().to_string(), "000000000001a");
        }
        for text in ["", "lead", "000000000001a/lead", "000000000001a/lead/x", "000000000001a//0"] {
            assert_eq!(text.parse::<Named>(), Err(InvalidName), "{text:?}");
        }
    }
}

//! The ids of events and of their updates.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An event's id: a number that grows with the order of receipt, shown as 13 letters and digits (Crockford's
/// base 32, lower case), so that ids sort as events came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventId(pub i64);

/// Why a text is no event id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event id is 13 letters and digits, as in the answer to the webhook")]
pub struct InvalidEventId;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in (0..13).rev() {
            let digit = (self.0 >> (5 * place)) & 31;
            let letter = usize::try_from(digit).ok().and_then(|at| ALPHABET.get(at)).copied();
            write!(f, "{}", char::from(letter.unwrap_or(b'0')))?;
        }
        Ok(())
    }
}

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 13 {
            return Err(InvalidEventId);
        }
        let mut number = 0_i64;
        for letter in text.bytes() {
            let digit = ALPHABET
                .iter()
                .position(|known| *known == letter.to_ascii_lowercase())
                .and_then(|at| i64::try_from(at).ok())
                .ok_or(InvalidEventId)?;
            number =
                number.checked_mul(32).and_then(|n| n.checked_add(digit)).ok_or(InvalidEventId)?;
        }
        Ok(Self(number))
    }
}

impl TryFrom<String> for EventId {
    type Error = InvalidEventId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> Self {
        id.to_string()
    }
}

/// An update's own number: the event's id and the update's place within the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UpdateId {
    /// The event it came from.
    pub event: EventId,
    /// Its place among the event's updates, from 0.
    pub place: u16,
}

impl fmt::Display for UpdateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.event, self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_event_id_reads_back_and_sorts_as_events_came(a in 0..i64::MAX, b in 0..i64::MAX) {
            prop_assert_eq!(EventId(a).to_string().parse(), Ok(EventId(a)));
            prop_assert_eq!(EventId(a).to_string().cmp(&EventId(b).to_string()), a.cmp(&b));
        }
    }

    #[test]
    fn what_is_no_event_id_is_refused() {
        for text in ["", "1", "zzzzzzzzzzzzz", "0000000000u00", "00000000000000"] {
            assert_eq!(text.parse::<EventId>(), Err(InvalidEventId), "{text:?}");
        }
    }
}

//! Why an update is held, skipped or dead: the closed lists that YAML, code, metrics and docs share.

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $($(#[$line:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$line])* $variant,)+ }

        impl $name {
            /// Every reason, in the order of the reference.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word used in metrics, logs, files and answers.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The reason that has this word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

reasons! {
    /// Why a rule that matched could not be applied.
    HeldReason {
        /// A value marked `required` is blank.
        Required = "required",
        /// Several values where one is expected.
        Several = "several",
        /// A value of a kind that does not fit, such as an object where text is expected.
        Type = "type",
        /// A text that is no phone number for the country.
        Phone = "phone",
        /// A step failed on the value it was given.
        Step = "step",
        /// A template could not be rendered.
        Template = "template",
        /// More items than the rule's limit.
        Limit = "limit",
        /// A condition could not be evaluated, and the answer hung on it.
        Condition = "condition",
        /// The stored update was written by a newer release.
        Version = "version",
    }
}

reasons! {
    /// Why an update is not sent, on purpose.
    SkippedReason {
        /// The event names no contact.
        NoContact = "no_contact",
        /// Chatflow knows no such contact, and the rule says `on_missing: skip`.
        ContactMissing = "contact_missing",
        /// The contact would be created, but the event has no mobile number.
        NoMobileToCreate = "no_mobile_to_create",
        /// A newer event has set the same fields.
        Stale = "stale",
        /// A later event has set the same fields since.
        Superseded = "superseded",
    }
}

reasons! {
    /// Why an update was refused for good or given up.
    DeadReason {
        /// The API refused it for good.
        Refused = "refused",
        /// The API forbade this update, not the key.
        Forbidden = "forbidden",
        /// The contact with this id does not exist.
        NotFound = "not_found",
        /// Chatflow knows no such contact.
        ContactMissing = "contact_missing",
        /// Two different contacts answer to the same key.
        Ambiguous = "ambiguous",
        /// The API's answers could not be understood, too often.
        Unclear = "unclear",
        /// It failed for longer than `delivery.retry.give_up_after`.
        GaveUp = "gave_up",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_reads_back_from_its_word() {
        for &reason in HeldReason::ALL {
            assert_eq!(HeldReason::parse(reason.as_str()), Some(reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
        for &reason in DeadReason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
        for &reason in SkippedReason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }
}

//! A mobile number as Chatflow wants it.

use serde::{Deserialize, Serialize};

/// A mobile number: digits with the dialing code and no `+`, as E.164 counts them (7 to 15).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mobile(String);

/// Why a text is no mobile number.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMobile {
    /// Too few or too many digits.
    #[error("a mobile number has 7 to 15 digits, this one has {0}")]
    DigitCount(usize),
    /// Something other than a digit.
    #[error("a mobile number is digits alone, with the dialing code and without `+`")]
    NotADigit,
}

impl Mobile {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Mobile {
    type Error = InvalidMobile;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidMobile::NotADigit);
        }
        if !(7..=15).contains(&text.len()) {
            return Err(InvalidMobile::DigitCount(text.len()));
        }
        Ok(Self(text))
    }
}

impl From<Mobile> for String {
    fn from(mobile: Mobile) -> Self {
        mobile.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mobile_is_digits_with_the_dialing_code() {
        for (written, read) in [
            ("12025550143", Ok(())),
            ("+12025550143", Err(InvalidMobile::NotADigit)),
            ("555014", Err(InvalidMobile::DigitCount(6))),
            ("1234567890123456", Err(InvalidMobile::DigitCount(16))),
            ("", Err(InvalidMobile::DigitCount(0))),
        ] {
            assert_eq!(Mobile::try_from(written.to_owned()).map(|_| ()), read, "{written:?}");
        }
    }
}

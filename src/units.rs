//! Durations and sizes as people write them: `30s`, `15m`, `7d`; `1MiB`, `64KiB`, `10GiB`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time, written as `10s`, `1h 30m` or `7d`; `0` alone is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

/// Why a text is no length of time.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a duration is a number with a unit, such as `500ms`, `30s`, `15m`, `12h` or `7d`")]
pub struct InvalidSpan;

impl FromStr for Span {
    type Err = InvalidSpan;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim() == "0" {
            return Ok(Self(Duration::ZERO));
        }
        humantime::parse_duration(text.trim()).map(Self).map_err(|_| InvalidSpan)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

/// A number of bytes, written as `512`, `64KiB`, `1MiB` or `10GiB` (powers of 1024), or `1MB` (of 1000).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

/// Why a text is no number of bytes.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a size is a whole number with a unit, such as `512`, `64KiB`, `1MiB` or `10GiB`")]
pub struct InvalidSize;

const UNITS: &[(&str, u64)] = &[
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

impl FromStr for ByteSize {
    type Err = InvalidSize;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (number, unit) = UNITS
            .iter()
            .find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?.trim_end(), *bytes)))
            .unwrap_or((text, 1));
        let number: u64 = number.parse().map_err(|_| InvalidSize)?;
        number.checked_mul(unit).map(Self).ok_or(InvalidSize)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS[..4]
            .iter()
            .rev()
            .find(|(_, bytes)| self.0 >= *bytes && self.0.is_multiple_of(*bytes));
        match whole {
            Some((unit, bytes)) => write!(f, "{}{unit}", self.0 / bytes),
            None => write!(f, "{}", self.0),
        }
    }
}

macro_rules! as_text {
    ($($name:ident),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

as_text!(Span, ByteSize);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, read) in [
            ("512", Ok(ByteSize(512))),
            ("1MiB", Ok(ByteSize(1 << 20))),
            ("10 GiB", Ok(ByteSize(10 << 30))),
            ("1MB", Ok(ByteSize(1_000_000))),
            ("7B", Ok(ByteSize(7))),
            ("1.5MiB", Err(InvalidSize)),
            ("-1", Err(InvalidSize)),
            ("MiB", Err(InvalidSize)),
            ("", Err(InvalidSize)),
            ("99999999999TiB", Err(InvalidSize)),
        ] {
            assert_eq!(text.parse(), read, "{text:?}");
        }
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, read) in [
            ("30s", Ok(Span(Duration::from_secs(30)))),
            ("7d", Ok(Span(Duration::from_hours(7 * 24)))),
            ("0", Ok(Span(Duration::ZERO))),
            ("30", Err(InvalidSpan)),
            ("soon", Err(InvalidSpan)),
        ] {
            assert_eq!(text.parse(), read, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_size_reads_back_as_it_is_written(bytes: u64) {
            prop_assert_eq!(ByteSize(bytes).to_string().parse(), Ok(ByteSize(bytes)));
        }

        #[test]
        fn a_duration_reads_back_as_it_is_written(milliseconds in 0_u64..10_000_000_000) {
            let span = Span(Duration::from_millis(milliseconds));
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }
    }
}

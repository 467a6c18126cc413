//! The parameters of a signature scheme: what senders differ in, as data.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};

/// A way of signing requests with a shared secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scheme {
    pub(super) algorithm: Algorithm,
    /// A plain hash over the parts, one of which is the secret, instead of an HMAC.
    pub(super) digest: bool,
    pub(super) key: KeyForm,
    /// What stands before the key in the secret and does not belong to it.
    pub(super) strip: Option<String>,
    pub(super) signature: Place,
    pub(super) format: Format,
    pub(super) encoding: Encoding,
    pub(super) signed: Vec<Part>,
    pub(super) timestamp: Option<Stamp>,
    /// The header that holds `{id}`.
    pub(super) id: Option<String>,
}

/// The hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

/// How the secret becomes the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyForm {
    Utf8,
    Hex,
    Base64,
}

/// How a signature is written; what is compared is what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Hex,
    Base64,
    Base64Url,
}

/// Where the signature stands; a header's name in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Header(String),
    Query(String),
}

/// A piece of what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Body,
    Timestamp,
    Id,
    Method,
    Path,
    /// With its `?`, where there is one.
    Query,
    Secret,
    /// A header's name in lower case.
    Header(String),
}

/// What stands around the signature, and the timestamp, in their header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Format {
    /// What stands before the timestamp, where it is in there.
    pub(super) timestamp: Option<String>,
    /// What stands before a signature.
    pub(super) signature: String,
    /// The characters that stand between entries.
    pub(super) separators: String,
}

/// The timestamp of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Its header, where it is not inside the format.
    pub(super) header: Option<String>,
    pub(super) form: StampForm,
    pub(super) tolerance: Tolerance,
}

/// How far a timestamp may be from now, either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tolerance {
    Within(Duration),
    AnyTime,
}

/// How a timestamp is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StampForm {
    Unix,
    UnixMs,
    Rfc3339,
    HttpDate,
}

/// What an entry of the signature's header holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entries<'h> {
    pub(super) timestamps: Vec<&'h str>,
    pub(super) signatures: Vec<&'h str>,
}

impl Format {
    /// Takes a header apart. Entries that are neither a timestamp nor a signature are passed over: senders add
    /// versions that are not known yet.
    pub(super) fn take_apart<'h>(&self, header: &'h str) -> Entries<'h> {
        let mut entries = Entries::default();
        let positional = self.signature.is_empty() && self.timestamp.as_deref() == Some("");
        let parts = header.split(|c| self.separators.contains(c)).map(str::trim);
        for (place, entry) in parts.filter(|entry| !entry.is_empty()).enumerate() {
            let signature = entry.strip_prefix(self.signature.as_str());
            let timestamp = self.timestamp.as_deref().and_then(|p| entry.strip_prefix(p));
            match (timestamp, signature) {
                (Some(time), Some(_)) if positional && place == 0 => entries.timestamps.push(time),
                (Some(time), Some(signature)) if time.len() < signature.len() => {
                    entries.timestamps.push(time);
                }
                (_, Some(signature)) => entries.signatures.push(signature),
                (Some(time), None) => entries.timestamps.push(time),
                (None, None) => {}
            }
        }
        entries
    }

    /// Writes the header as its sender would.
    pub(super) fn put_together(&self, timestamp: &str, signature: &str) -> String {
        let Self { timestamp: before_time, signature: before, separators } = self;
        match before_time {
            None => format!("{before}{signature}"),
            Some(before_time) => {
                let separator = separators.chars().next().unwrap_or(',');
                format!("{before_time}{timestamp}{separator}{before}{signature}")
            }
        }
    }
}

impl StampForm {
    /// Reads a timestamp.
    pub(super) fn read(self, text: &str) -> Option<Timestamp> {
        match self {
            Self::Unix => Timestamp::from_second(text.parse().ok()?).ok(),
            Self::UnixMs => Timestamp::from_millisecond(text.parse().ok()?).ok(),
            Self::Rfc3339 => text.parse().ok(),
            Self::HttpDate => DateTimeParser::new().parse_timestamp(text).ok(),
        }
    }

    /// Writes a timestamp as its sender would.
    pub(super) fn write(self, time: Timestamp) -> String {
        match self {
            Self::Unix => time.as_second().to_string(),
            Self::UnixMs => time.as_millisecond().to_string(),
            Self::Rfc3339 => format!("{time:.0}"),
            Self::HttpDate => DateTimePrinter::new()
                .timestamp_to_rfc9110_string(&time)
                .unwrap_or_else(|_| time.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(timestamp: Option<&str>, signature: &str, between: &str) -> Format {
        Format {
            timestamp: timestamp.map(str::to_owned),
            signature: signature.to_owned(),
            separators: between.to_owned(),
        }
    }

    #[test]
    fn a_header_is_taken_apart_and_strange_entries_are_passed_over() {
        let stripe = format(Some("t="), "v1=", ",");
        let csv = format(Some(""), "", ",");
        let bare_time = format(Some(""), "s=", ";");
        let words = format(None, "v1,", " ;");
        for (format, header, timestamps, signatures) in [
            (&stripe, "t=1,v1=a,v1=b,v0=c", vec!["1"], vec!["a", "b"]),
            (&stripe, " v1=a , t=1 ,,x", vec!["1"], vec!["a"]),
            (&stripe, "v1,t=1", vec!["1"], vec![]),
            (&stripe, "t=", vec![""], vec![]),
            (&csv, "1,a,b", vec!["1"], vec!["a", "b"]),
            (&bare_time, "1;s=a", vec!["1"], vec!["a"]),
            (&words, "v1,a v2,b v1,c", vec![], vec!["a", "c"]),
            (&words, "", vec![], vec![]),
        ] {
            let entries = Entries { timestamps, signatures };
            assert_eq!(format.take_apart(header), entries, "{header:?}");
        }
    }

    #[test]
    fn a_timestamp_reads_back_as_it_is_written() {
        let time = Timestamp::from_second(1_795_435_200).unwrap();
        for (form, text) in [
            (StampForm::Unix, "1795435200"),
            (StampForm::UnixMs, "1795435200000"),
            (StampForm::Rfc3339, "2026-11-23T12:00:00Z"),
            (StampForm::HttpDate, "Mon, 23 Nov 2026 12:00:00 GMT"),
        ] {
            assert_eq!(form.write(time), text);
            assert_eq!(form.read(text), Some(time));
            assert_eq!(form.read("soon"), None);
        }
    }
}

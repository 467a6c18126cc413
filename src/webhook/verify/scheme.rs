//! The parameters of a signature scheme: what senders differ in, as data.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};

use super::pointer::Pointer;
use super::spelling::Spelling;

/// A way of signing requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scheme {
    /// Its name among the schemes of a preset.
    pub(super) version: Option<String>,
    pub(super) method: Method,
    pub(super) key: KeyForm,
    /// What stands before the key in the secret and does not belong to it.
    pub(super) strip: Option<String>,
    /// What a secret must begin with to belong to this scheme of a preset; it is stripped too.
    pub(super) prefix: Option<String>,
    /// The header, in lower case, and the value that it must have for this scheme to be the one in use.
    pub(super) when: Option<(String, String)>,
    pub(super) signature: Place,
    pub(super) format: Format,
    pub(super) encoding: Encoding,
    pub(super) signed: Vec<Part>,
    /// The spellings of the URL that are tried.
    pub(super) urls: Vec<Spelling>,
    pub(super) timestamp: Option<Stamp>,
    /// The header that holds `{id}`.
    pub(super) id: Option<String>,
    /// The parameter of the query that holds the SHA-256, in hexadecimal digits, of a body that is no form: what
    /// covers the body where `{form_sorted}` does not.
    pub(super) body_hash: Option<String>,
    /// A list that must hold exactly one item, since no other is signed.
    pub(super) sole: Option<Pointer>,
    pub(super) signed_bytes: SignedBytes,
}

/// How the signature is made of what is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Hmac(Hash),
    /// A plain hash over the parts, one of which is the secret.
    Digest(Hash),
    PublicKey(Asymmetric),
}

/// The hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

/// The algorithm of a sender that has a key of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asymmetric {
    Ed25519,
    RsaSha256,
    EcdsaP256Sha256,
}

/// How the secret becomes the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyForm {
    Utf8,
    Hex,
    Base64,
    /// Text whose HTML entities are decoded first (`WordPress`).
    Html,
}

/// How a signature is written; what is compared is what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Hex,
    Base64,
    Base64Url,
}

/// The body that is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignedBytes {
    Inflated,
    AsSent,
}

/// Where something stands in a request; a header's name in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Header(String),
    Query(String),
    Json(Pointer),
}

/// A piece of what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Body,
    /// The CRC-32 of the body, in decimal digits.
    Crc32,
    Timestamp,
    Id,
    Method,
    Url,
    Path,
    /// With its `?`, where there is one.
    Query,
    /// The fields of a form, sorted, each name with its value, without repeats; nothing where it is no form.
    FormSorted,
    Secret,
    /// A header's name in lower case.
    Header(String),
    /// What stands there in the body; nothing where nothing does.
    Json(Pointer),
    /// A text that the mapping file gives beside `preset`.
    Setting(String),
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
    /// Where it stands, where it is not inside the format.
    pub(super) place: Option<Place>,
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

    /// What it looks like, for a message.
    pub(super) fn form(&self) -> String {
        self.put_together("{timestamp}", "{signature}")
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
    /// Every form.
    pub(super) const ALL: &[Self] = &[Self::Unix, Self::UnixMs, Self::Rfc3339, Self::HttpDate];

    /// Its name, as in `format:`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Unix => "unix",
            Self::UnixMs => "unix_ms",
            Self::Rfc3339 => "rfc3339",
            Self::HttpDate => "http_date",
        }
    }

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

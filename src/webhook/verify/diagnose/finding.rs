//! What may be wrong with a request, in words. Never a secret, a signature or a value of the request.

use std::fmt;
use std::time::Duration;

use crate::units::Span;

/// Something that explains why a request is not believed, or how it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Of several secrets this one signed.
    SignedBy {
        /// Where it is.
        place: String,
        /// Which of them, from 1.
        which: usize,
        /// How many there are.
        of: usize,
    },
    /// There is no signature.
    SignatureMissing {
        /// Where it should be.
        place: String,
    },
    /// What stands there holds no signature of the scheme.
    NoEntry {
        /// Where it stands.
        place: String,
        /// What a signature looks like.
        form: String,
    },
    /// Another header says that another version is in use.
    OtherVersion {
        /// The header.
        header: String,
        /// What it should be.
        value: String,
    },
    /// It is there twice, with different values.
    GivenTwice {
        /// Where.
        place: String,
    },
    /// A header that is signed is not there.
    SignedHeaderMissing {
        /// Its name.
        name: String,
    },
    /// The timestamp is not there.
    TimestampMissing {
        /// Where it should be.
        place: String,
    },
    /// The timestamp is in another form.
    OtherTimestamp {
        /// The form that it has.
        found: &'static str,
        /// The form that is expected.
        expected: &'static str,
    },
    /// The timestamp is in no known form.
    TimestampUnreadable {
        /// The form that is expected.
        expected: &'static str,
    },
    /// The signature is right, and too old or from the future.
    Skew {
        /// How far off.
        by: Duration,
        /// Whether the sender's clock is ahead of ours.
        ahead: bool,
        /// How far it may be off.
        window: Duration,
    },
    /// The signature fits when it is read in another encoding.
    OtherEncoding {
        /// The encoding that fits.
        found: &'static str,
        /// The encoding that the scheme says.
        expected: &'static str,
    },
    /// The signature cannot be read in its encoding.
    SignatureUnreadable {
        /// The encoding.
        expected: &'static str,
    },
    /// The signature fits when the secret becomes the key in another way.
    OtherKey {
        /// Where the secret is.
        place: String,
        /// The way that fits.
        read: KeyRead,
    },
    /// The URL is signed, and nobody has said what it is.
    UrlUnknown,
    /// The signature fits another spelling of the URL.
    OtherUrl {
        /// How it differs.
        how: &'static str,
    },
    /// The signature fits another spelling of the body.
    OtherBody {
        /// How it differs.
        how: &'static str,
    },
    /// The signature is right, and covers less than the whole body.
    NotCovered,
    /// It is signed as another sender signs, with one of these secrets.
    OtherPreset {
        /// That sender.
        name: &'static str,
    },
    /// It carries the signature of another sender.
    LooksLikePreset {
        /// That sender.
        name: &'static str,
    },
    /// The sender has not given its secret yet.
    NoSecretYet,
    /// The token or password is not there.
    TokenMissing(TokenAt),
    /// It is there, with blanks around it or around ours.
    TokenWithBlanks(TokenAt),
    /// It is another one.
    TokenDiffers(TokenAt),
    /// The client's address is none of those that are let in.
    Address {
        /// Whether it could be told.
        known: bool,
    },
    /// None of the known mistakes.
    NothingFits,
}

/// How a secret becomes a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyRead {
    /// Without the blanks around it.
    Trimmed,
    /// Its text.
    AsText,
    /// As hexadecimal digits.
    AsHex,
    /// As base64.
    AsBase64,
    /// Without what stands before the first `_`.
    Stripped,
    /// With what stands before it.
    Whole,
}

/// Where a token is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenAt {
    /// Behind the source's name in the path.
    Path,
    /// A parameter of the query.
    Query(String),
    /// A header.
    Header(String),
    /// A place in the body.
    Body(String),
    /// The password of `Authorization: Basic`.
    Basic,
    /// `Authorization: Bearer`.
    Bearer,
}

impl Finding {
    /// Whether it says that a signature would be right.
    pub(super) fn is_a_fit(&self) -> bool {
        matches!(self, Self::OtherPreset { .. })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignedBy { place, which: 1, of } => {
                write!(f, "the first of {of} secrets signed it (`{place}`)")
            }
            Self::SignedBy { place, which, of } => {
                write!(f, "secret {which} of {of} signed it (`{place}`): the sender does not use the first one")
            }
            Self::SignatureMissing { place } => {
                write!(f, "the signature is missing: {place} is expected")
            }
            Self::NoEntry { place, form } => {
                write!(f, "{place} holds no signature of the form `{form}`")
            }
            Self::OtherVersion { header, value } => {
                write!(f, "header `{header}` is not `{value}`: it is signed in another version")
            }
            Self::GivenTwice { place } => write!(f, "{place} is given twice with different values"),
            Self::SignedHeaderMissing { name } => {
                write!(f, "header `{name}`, which is signed, is missing")
            }
            Self::TimestampMissing { place } => {
                write!(f, "the timestamp is missing: {place} is expected to hold it")
            }
            Self::OtherTimestamp { found, expected } => {
                write!(f, "the timestamp is written as `{found}`, `{expected}` is expected")
            }
            Self::TimestampUnreadable { expected } => {
                write!(f, "the timestamp cannot be read as `{expected}`")
            }
            Self::Skew { by, ahead, window } => {
                let by = Duration::from_secs(by.as_secs());
                let when = if *ahead { "in the future" } else { "old" };
                write!(
                    f,
                    "the signature is right, its timestamp is {} {when} and may be {} off: compare the clocks, or set `tolerance` if the sender retries late",
                    Span(by),
                    Span(*window)
                )
            }
            Self::OtherEncoding { found, expected } => {
                write!(f, "the signature is right when it is read as {found}, the scheme says {expected}")
            }
            Self::SignatureUnreadable { expected } => {
                write!(f, "the signature cannot be read as {expected}")
            }
            Self::OtherKey { place, read } => {
                let read = match read {
                    KeyRead::Trimmed => "without the blanks or line ends around it",
                    KeyRead::AsText => "as text, undecoded",
                    KeyRead::AsHex => "as hexadecimal digits",
                    KeyRead::AsBase64 => "as base64",
                    KeyRead::Stripped => "without what stands before its `_`",
                    KeyRead::Whole => "whole, with what stands before its `_`",
                };
                write!(f, "the signature is right when the secret (`{place}`) is taken {read}")
            }
            Self::UrlUnknown => f.write_str(
                "the URL is signed, and nobody has said what it is: set `server.public_url`",
            ),
            Self::OtherUrl { how } => {
                write!(f, "the signature is right for the URL {how}: mend `server.public_url`, or the URL that the sender was given")
            }
            Self::OtherBody { how } => {
                write!(f, "the body was changed on the way: the signature is right for it {how}")
            }
            Self::NotCovered => f.write_str(
                "the signature is right, and does not cover the whole body",
            ),
            Self::OtherPreset { name } => {
                write!(f, "it is signed as `{name}` signs: write `preset: {name}`")
            }
            Self::LooksLikePreset { name } => {
                write!(f, "it carries a signature such as `{name}` sends")
            }
            Self::NoSecretYet => {
                f.write_str("the sender has not given its secret yet: its first request brings it")
            }
            Self::TokenMissing(at) => write!(f, "{at} is missing"),
            Self::TokenWithBlanks(at) => write!(f, "{at} differs from the secret in blanks around it"),
            Self::TokenDiffers(at) => write!(f, "{at} is another than the secret"),
            Self::Address { known: true } => {
                f.write_str("the client's address is none of those under `ip`")
            }
            Self::Address { known: false } => f.write_str(
                "the client's address is not known: name the proxies in `server.trusted_proxies`",
            ),
            Self::NothingFits => f.write_str(
                "no known mistake fits: the secret is another one, or what was signed is not what arrived",
            ),
        }
    }
}

impl fmt::Display for TokenAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path => f.write_str("the token behind the source's name in the path"),
            Self::Query(name) => write!(f, "the token in query parameter `{name}`"),
            Self::Header(name) => write!(f, "the token in header `{name}`"),
            Self::Body(path) => write!(f, "the token at `{path}` of the body"),
            Self::Basic => f.write_str("the user or password of `Authorization: Basic`"),
            Self::Bearer => f.write_str("the token of `Authorization: Bearer`"),
        }
    }
}

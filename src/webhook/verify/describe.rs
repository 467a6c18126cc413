//! A scheme in words, for whoever reads a table of senders or a diagnosis.

use std::fmt;

use super::scheme::{Asymmetric, Hash, Method, Part, Place, Scheme};

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(version) = &self.version {
            write!(f, "{version}: ")?;
        }
        write!(f, "{}, {}, {}, over `", self.method, self.encoding.name(), self.signature)?;
        for part in &self.signed {
            part.fmt(f)?;
        }
        f.write_str("`")
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hmac(hash) => write!(f, "hmac-{}", hash.name()),
            Self::Digest(hash) => f.write_str(hash.name()),
            Self::PublicKey(Asymmetric::Ed25519) => f.write_str("ed25519"),
            Self::PublicKey(Asymmetric::RsaSha256) => f.write_str("rsa-sha256"),
            Self::PublicKey(Asymmetric::EcdsaP256Sha256) => f.write_str("ecdsa-p256-sha256"),
        }
    }
}

impl Hash {
    const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "header `{name}`"),
            Self::Query(name) => write!(f, "query parameter `{name}`"),
            Self::Json(pointer) => write!(f, "`{pointer}` of the body"),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Body => f.write_str("{body}"),
            Self::Crc32 => f.write_str("{crc32}"),
            Self::Timestamp => f.write_str("{timestamp}"),
            Self::Id => f.write_str("{id}"),
            Self::Method => f.write_str("{method}"),
            Self::Url => f.write_str("{url}"),
            Self::Path => f.write_str("{path}"),
            Self::Query => f.write_str("{query}"),
            Self::FormSorted => f.write_str("{form_sorted}"),
            Self::Secret => f.write_str("{secret}"),
            Self::Header(name) => write!(f, "{{header:{name}}}"),
            Self::Json(pointer) => write!(f, "{{json:{pointer}}}"),
            Self::Setting(name) => write!(f, "{{setting:{name}}}"),
        }
    }
}

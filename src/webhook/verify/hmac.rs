//! Computing and comparing signatures.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::digest::Digest;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

use super::check::{Reason, Verdict};
use super::scheme::{Algorithm, Encoding, KeyForm, Part, Place, Scheme, Stamp, Tolerance};
use super::secret::{Secret, Unusable};
use crate::decode::query_pairs;
use crate::webhook::head::{Head, only};

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose =
    GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT.with_encode_padding(false));

/// A secret, and the key that a scheme makes of it.
#[derive(Debug)]
pub(super) struct Key {
    secret: Secret,
    bytes: Vec<u8>,
}

impl Key {
    pub(super) fn new(scheme: &Scheme, secret: Secret) -> Result<Self, Unusable> {
        let text = secret.as_str();
        let text = scheme.strip.as_deref().and_then(|p| text.strip_prefix(p)).unwrap_or(text);
        let bytes = match scheme.key {
            KeyForm::Utf8 => text.as_bytes().to_vec(),
            KeyForm::Hex => hex::decode(text).map_err(|_| Unusable::NotHex)?,
            KeyForm::Base64 => BASE64.decode(text).map_err(|_| Unusable::NotBase64)?,
        };
        if bytes.is_empty() {
            return Err(Unusable::Empty);
        }
        Ok(Self { secret, bytes })
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }
}

impl Encoding {
    fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => hex::decode(text).ok(),
            Self::Base64 => BASE64.decode(text).ok(),
            Self::Base64Url => BASE64_URL.decode(text).ok(),
        }
    }

    fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => BASE64.encode(bytes),
            Self::Base64Url => BASE64_URL.encode(bytes),
        }
    }
}

/// What is signed, its variable parts found in the request.
struct Message<'m> {
    head: &'m Head,
    body: &'m [u8],
    timestamp: &'m str,
    id: &'m str,
}

impl Message<'_> {
    /// Gives every piece in order. Nothing where a header that is signed is missing or ambiguous.
    fn feed(&self, scheme: &Scheme, key: &Key, mut to: impl FnMut(&[u8])) -> Option<()> {
        for part in &scheme.signed {
            match part {
                Part::Text(text) => to(text.as_bytes()),
                Part::Body => to(self.body),
                Part::Timestamp => to(self.timestamp.as_bytes()),
                Part::Id => to(self.id.as_bytes()),
                Part::Method => to(self.head.method.as_bytes()),
                Part::Path => to(self.head.path.as_bytes()),
                Part::Query if self.head.query.is_empty() => {}
                Part::Query => {
                    to(b"?");
                    to(self.head.query.as_bytes());
                }
                Part::Secret => to(key.secret.as_bytes()),
                Part::Header(name) => to(self.head.headers.only(name).ok()??.as_bytes()),
            }
        }
        Some(())
    }

    fn mac(&self, scheme: &Scheme, key: &Key) -> Option<Vec<u8>> {
        match scheme.algorithm {
            Algorithm::Sha1 => self.mac_by::<Sha1, Hmac<Sha1>>(scheme, key),
            Algorithm::Sha256 => self.mac_by::<Sha256, Hmac<Sha256>>(scheme, key),
            Algorithm::Sha512 => self.mac_by::<Sha512, Hmac<Sha512>>(scheme, key),
        }
    }

    fn mac_by<D: Digest, M: Mac + KeyInit>(&self, scheme: &Scheme, key: &Key) -> Option<Vec<u8>> {
        if scheme.digest {
            let mut digest = D::new();
            self.feed(scheme, key, |piece| digest.update(piece))?;
            return Some(digest.finalize().to_vec());
        }
        let mut mac = <M as KeyInit>::new_from_slice(&key.bytes).ok()?;
        self.feed(scheme, key, |piece| mac.update(piece))?;
        Some(mac.finalize().into_bytes().to_vec())
    }
}

/// Whether the request carries anything at all where the scheme's signature stands.
pub(super) fn is_present(scheme: &Scheme, head: &Head) -> bool {
    !matches!(signature_text(scheme, head), Ok(None))
}

/// What stands where the signature does; twice with different values is refused.
fn signature_text(scheme: &Scheme, head: &Head) -> Result<Option<String>, Reason> {
    match &scheme.signature {
        Place::Header(name) => head.headers.only(name).map(|value| value.map(str::to_owned)),
        Place::Query(name) => {
            let values = query_pairs(&head.query).filter(|(own, _)| own == name);
            only(values.map(|(_, value)| value))
        }
    }
    .map_err(|_| Reason::SignatureMismatch)
}

/// Holds a request against a scheme: the signature first, so that only its sender is told apart by the clock.
pub(super) fn verify(
    scheme: &Scheme,
    keys: &[Key],
    head: &Head,
    body: &[u8],
    now: Timestamp,
) -> Verdict {
    match judge(scheme, keys, head, body, now) {
        Ok(()) => Verdict::Genuine,
        Err(reason) => Verdict::Refused(reason),
    }
}

fn judge(
    scheme: &Scheme,
    keys: &[Key],
    head: &Head,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Reason> {
    let text = signature_text(scheme, head)?.ok_or(Reason::SignatureMissing)?;
    let entries = scheme.format.take_apart(&text);
    let inside = only(entries.timestamps.iter().copied()).map_err(|_| Reason::SignatureMismatch)?;
    let beside = one_header(head, scheme.timestamp.as_ref().and_then(|s| s.header.as_deref()))?;
    let id = one_header(head, scheme.id.as_deref())?.unwrap_or_default();
    let timestamp = match (&scheme.timestamp, inside.or(beside)) {
        (None, _) => "",
        (Some(_), Some(text)) if !text.is_empty() => text,
        (Some(_), _) => return Err(Reason::SignatureMissing),
    };
    if entries.signatures.is_empty() {
        return Err(Reason::SignatureMissing);
    }
    let given: Vec<_> =
        entries.signatures.iter().filter_map(|text| scheme.encoding.decode(text)).collect();
    let message = Message { head, body, timestamp, id };
    let mut genuine = false;
    for key in keys {
        let mac = message.mac(scheme, key).ok_or(Reason::SignatureMismatch)?;
        for signature in &given {
            genuine |= bool::from(mac.as_slice().ct_eq(signature));
        }
    }
    if !genuine {
        return Err(Reason::SignatureMismatch);
    }
    let Some(Stamp { form, tolerance: Tolerance::Within(tolerance), .. }) = &scheme.timestamp
    else {
        return Ok(());
    };
    let signed_at = form.read(timestamp).ok_or(Reason::TimestampSkew)?;
    let off = now.duration_since(signed_at).unsigned_abs();
    if off > *tolerance { Err(Reason::TimestampSkew) } else { Ok(()) }
}

/// The value of a header that the scheme signs, where it signs one.
fn one_header<'h>(head: &'h Head, name: Option<&str>) -> Result<Option<&'h str>, Reason> {
    let Some(name) = name else { return Ok(None) };
    match head.headers.only(name) {
        Ok(None) => Err(Reason::SignatureMissing),
        Ok(value) => Ok(value),
        Err(_) => Err(Reason::SignatureMismatch),
    }
}

/// What a sender adds to a request: headers and parameters of the query.
pub(super) struct Signature {
    pub(super) headers: Vec<(String, String)>,
    pub(super) query: Vec<(String, String)>,
}

/// Signs a request as its sender would. Nothing where a header that is to be signed is missing.
pub(super) fn sign(
    scheme: &Scheme,
    key: &Key,
    head: &Head,
    body: &[u8],
    now: Timestamp,
    id: &str,
) -> Option<Signature> {
    let timestamp = scheme.timestamp.as_ref().map_or(String::new(), |s| s.form.write(now));
    let message = Message { head, body, timestamp: &timestamp, id };
    let mac = message.mac(scheme, key)?;
    let written = scheme.format.put_together(&timestamp, &scheme.encoding.encode(&mac));
    let mut signature = Signature { headers: Vec::new(), query: Vec::new() };
    if let Some(name) = scheme.timestamp.as_ref().and_then(|stamp| stamp.header.clone()) {
        signature.headers.push((name, timestamp));
    }
    if let Some(name) = &scheme.id {
        signature.headers.push((name.clone(), id.to_owned()));
    }
    match &scheme.signature {
        Place::Header(name) => signature.headers.push((name.clone(), written)),
        Place::Query(name) => signature.query.push((name.clone(), written)),
    }
    Some(signature)
}

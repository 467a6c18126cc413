//! Computing, checking and making signatures.

use ::hmac::digest::Digest;
use ::hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

use super::asked::Asked;
use super::check::Reason;
use super::key::{Key, Material};
use super::message::Message;
use super::scheme::{Hash, Method, Part, Place, Scheme, Stamp, Tolerance};
use super::spelling::spellings;
use crate::webhook::head::{Differing, only};

/// The hash or HMAC of a message; nothing where a part of it is missing, or the key is of another kind.
fn digest(message: &Message<'_>, scheme: &Scheme, key: &Key) -> Option<Vec<u8>> {
    match scheme.method {
        Method::Hmac(Hash::Sha1) => hmac_of::<Hmac<Sha1>>(message, scheme, key),
        Method::Hmac(Hash::Sha256) => hmac_of::<Hmac<Sha256>>(message, scheme, key),
        Method::Hmac(Hash::Sha512) => hmac_of::<Hmac<Sha512>>(message, scheme, key),
        Method::Digest(Hash::Sha1) => hash_of::<Sha1>(message, scheme, key),
        Method::Digest(Hash::Sha256) => hash_of::<Sha256>(message, scheme, key),
        Method::Digest(Hash::Sha512) => hash_of::<Sha512>(message, scheme, key),
        Method::PublicKey(_) => None,
    }
}

fn hmac_of<M: Mac + KeyInit>(message: &Message<'_>, scheme: &Scheme, key: &Key) -> Option<Vec<u8>> {
    let Material::Shared(bytes) = &key.material else { return None };
    let mut mac = <M as KeyInit>::new_from_slice(bytes).ok()?;
    message.feed(scheme, key, |piece| mac.update(piece))?;
    Some(mac.finalize().into_bytes().to_vec())
}

fn hash_of<D: Digest>(message: &Message<'_>, scheme: &Scheme, key: &Key) -> Option<Vec<u8>> {
    let mut hash = D::new();
    message.feed(scheme, key, |piece| hash.update(piece))?;
    Some(hash.finalize().to_vec())
}

/// Whether one of the signatures is that of the message. Nothing where a part of the message is missing.
fn is_signed(message: &Message<'_>, scheme: &Scheme, key: &Key, given: &[Vec<u8>]) -> Option<bool> {
    let public = match &key.material {
        Material::Shared(_) => {
            let own = digest(message, scheme, key)?;
            let equal = |found, one: &Vec<u8>| found | bool::from(own.as_slice().ct_eq(one));
            return Some(given.iter().fold(false, equal));
        }
        Material::Public(public) => public.clone(),
        Material::Private(private) => private.public(),
    };
    let bytes = message.bytes(scheme, key)?;
    Some(given.iter().any(|signature| public.verifies(&bytes, signature)))
}

/// What a request gives for a scheme, read and not yet believed.
pub(super) struct Given {
    /// The signatures, as they are written.
    pub(super) signatures: Vec<String>,
    pub(super) timestamp: String,
    pub(super) id: String,
    /// The URL in every spelling that may be signed; one empty one where none is.
    pub(super) urls: Vec<String>,
}

/// What stands in a place; twice with different values is refused.
pub(super) fn at(place: &Place, asked: &Asked<'_>) -> Result<Option<String>, Differing> {
    match place {
        Place::Header(name) => asked.head.headers.only(name).map(|value| value.map(str::to_owned)),
        Place::Query(name) => asked.parameter(name),
        Place::Json(pointer) => only(asked.texts(pointer).into_iter()),
    }
}

/// Whether the request carries a signature of this scheme, good or bad.
pub(super) fn is_present(scheme: &Scheme, asked: &Asked<'_>) -> bool {
    let holds = |(header, value): &(String, String)| {
        asked.head.headers.only(header).is_ok_and(|own| own == Some(value))
    };
    scheme.when.as_ref().is_none_or(holds)
        && match at(&scheme.signature, asked) {
            Ok(None) => false,
            Ok(Some(text)) => !scheme.format.take_apart(&text).signatures.is_empty(),
            Err(Differing) => true,
        }
}

impl Given {
    /// Reads what the request gives for a scheme.
    pub(super) fn read(scheme: &Scheme, asked: &Asked<'_>) -> Result<Self, Reason> {
        let differing = |Differing| Reason::SignatureMismatch;
        let text = at(&scheme.signature, asked).map_err(differing)?;
        let text = text.ok_or(Reason::SignatureMissing)?;
        let entries = scheme.format.take_apart(&text);
        let inside = only(entries.timestamps.iter().copied()).map_err(differing)?;
        let beside = match scheme.timestamp.as_ref().and_then(|stamp| stamp.place.as_ref()) {
            None => None,
            Some(place) => at(place, asked).map_err(differing)?,
        };
        let id = match &scheme.id {
            None => String::new(),
            Some(name) => {
                let id = asked.head.headers.only(name).map_err(differing)?;
                id.ok_or(Reason::SignatureMissing)?.to_owned()
            }
        };
        let timestamp = match (&scheme.timestamp, inside.map(str::to_owned).or(beside)) {
            (None, _) => String::new(),
            (Some(_), Some(text)) if !text.is_empty() => text,
            (Some(_), _) => return Err(Reason::SignatureMissing),
        };
        if entries.signatures.is_empty() {
            return Err(Reason::SignatureMissing);
        }
        let urls = match asked.head.url() {
            Some(url) if scheme.signed.contains(&Part::Url) => spellings(&url, &scheme.urls),
            None if scheme.signed.contains(&Part::Url) => return Err(Reason::SignatureMismatch),
            _ => vec![String::new()],
        };
        let signatures = entries.signatures.into_iter().map(str::to_owned).collect();
        Ok(Self { signatures, timestamp, id, urls })
    }
}

/// Whether all of the body is covered by what is signed.
fn is_covered(scheme: &Scheme, asked: &Asked<'_>) -> bool {
    let alone = |list: &super::pointer::Pointer| {
        let items = asked.document().map(|document| list.select(document));
        matches!(
            items.as_deref(),
            Some([crate::document::Value::List(items)]) if items.len() == 1
        )
    };
    let hashed = |name: &String| {
        let body = asked.payload.inflated;
        match asked.parameter(name) {
            _ if asked.is_form() => true,
            Ok(None) => body.is_empty(),
            Ok(Some(given)) => {
                let own = Sha256::digest(body);
                hex::decode(given).is_ok_and(|given| bool::from(own.as_slice().ct_eq(&given)))
            }
            Err(Differing) => false,
        }
    };
    scheme.sole.as_ref().is_none_or(alone) && scheme.body_hash.as_ref().is_none_or(hashed)
}

/// Holds a request against a scheme: the signature first, so that only its sender is told apart by the clock. Gives
/// the place of the key that signed.
pub(super) fn judge(
    scheme: &Scheme,
    keys: &[&Key],
    asked: &Asked<'_>,
    now: Timestamp,
) -> Result<usize, Reason> {
    let given = Given::read(scheme, asked)?;
    let signer = signer(scheme, keys, asked, &given).filter(|_| is_covered(scheme, asked));
    let signer = signer.ok_or(Reason::SignatureMismatch)?;
    let Some(Stamp { form, tolerance: Tolerance::Within(tolerance), .. }) = &scheme.timestamp
    else {
        return Ok(signer);
    };
    let signed_at = form.read(&given.timestamp).ok_or(Reason::TimestampSkew)?;
    let off = now.duration_since(signed_at).unsigned_abs();
    if off > *tolerance { Err(Reason::TimestampSkew) } else { Ok(signer) }
}

/// Whether the signature is right, and something of the body is not signed.
pub(super) fn is_signed_but_not_covered(scheme: &Scheme, keys: &[&Key], asked: &Asked<'_>) -> bool {
    let given = Given::read(scheme, asked);
    given.is_ok_and(|given| signer(scheme, keys, asked, &given).is_some())
        && !is_covered(scheme, asked)
}

/// The place of the key that signed. All are tried, whichever it is, so that nothing can be told from the time.
fn signer(scheme: &Scheme, keys: &[&Key], asked: &Asked<'_>, given: &Given) -> Option<usize> {
    let signatures: Vec<_> =
        given.signatures.iter().filter_map(|text| scheme.encoding.decode(text)).collect();
    let mut signer = None;
    for url in &given.urls {
        let (timestamp, id) = (given.timestamp.as_str(), given.id.as_str());
        let message = Message { asked, timestamp, id, url };
        for (place, key) in keys.iter().enumerate() {
            if is_signed(&message, scheme, key, &signatures)? && signer.is_none() {
                signer = Some(place);
            }
        }
    }
    signer
}

/// What a sender adds to a request: headers and parameters of the query.
#[derive(Default)]
pub(super) struct Signature {
    pub(super) headers: Vec<(String, String)>,
    pub(super) query: Vec<(String, String)>,
}

/// Signs a request as its sender would. Nothing where a header that is to be signed is missing, the key cannot
/// sign, or what is added would stand in the body.
pub(super) fn sign(
    scheme: &Scheme,
    key: &Key,
    asked: &Asked<'_>,
    now: Timestamp,
    id: &str,
) -> Option<Signature> {
    let timestamp = match &scheme.timestamp {
        None => String::new(),
        // What stands in the body is there already.
        Some(Stamp { place: Some(place @ Place::Json(_)), .. }) => at(place, asked).ok()??,
        Some(stamp) => stamp.form.write(now),
    };
    let url = if scheme.signed.contains(&Part::Url) { asked.head.url()? } else { String::new() };
    let message = Message { asked, timestamp: &timestamp, id, url: &url };
    let signature = match &key.material {
        Material::Shared(_) => digest(&message, scheme, key)?,
        Material::Private(private) => private.sign(&message.bytes(scheme, key)?)?,
        Material::Public(_) => return None,
    };
    let written = scheme.format.put_together(&timestamp, &scheme.encoding.encode(&signature));
    let mut signature = Signature::default();
    let mut put = |place: &Place, text: String| match place {
        Place::Header(name) => {
            signature.headers.push((name.clone(), text));
            Some(())
        }
        Place::Query(name) => {
            signature.query.push((name.clone(), text));
            Some(())
        }
        Place::Json(_) => None,
    };
    match scheme.timestamp.as_ref().and_then(|stamp| stamp.place.as_ref()) {
        None | Some(Place::Json(_)) => {}
        Some(place) => put(place, timestamp)?,
    }
    if let Some((header, value)) = &scheme.when {
        put(&Place::Header(header.clone()), value.clone())?;
    }
    if let Some(name) = &scheme.id {
        put(&Place::Header(name.clone()), id.to_owned())?;
    }
    put(&scheme.signature, written)?;
    Some(signature)
}

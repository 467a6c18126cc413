//! Why a request is not believed: the known mistakes are tried one by one, and those that fit are named.
//!
//! Pure, and never quick: it is for a person, and for the log now and then. [`finding`] has the words, `variant`
//! the ways in which bodies and URLs are changed between the sender and us.

mod finding;
mod variant;

pub use finding::Finding;

use std::collections::BTreeSet;

use jiff::Timestamp;

use self::finding::{KeyRead, TokenAt};
use super::asked::{Asked, Payload};
use super::check::{Check, Credential, Keyed, Reason, Seen, TokenPlace, Verdict, in_force};
use super::key::{Key, Use};
use super::scheme::{Encoding, KeyForm, Method, Scheme, Stamp, StampForm, Tolerance};
use super::secret::Secret;
use super::signature::{self, Given};
use super::{Verifier, presets};
use crate::webhook::head::Head;

/// A larger body is not tried in other spellings.
const LARGEST: usize = 1 << 20;

/// What was found out about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Whether it is believed.
    pub verdict: Verdict,
    /// What can be said of it; one at least where it is not believed.
    pub findings: Vec<Finding>,
}

impl Verifier {
    /// Finds out why a request is not believed, or which secret it was signed with.
    pub fn diagnose<'b>(
        &self,
        head: &Head,
        body: impl Into<Payload<'b>>,
        now: Timestamp,
    ) -> Diagnosis {
        let asked = Asked::new(head, body.into());
        let verdict = self.check.judge(&asked, Seen::All, now);
        let mut findings = Vec::new();
        self.check.each(&mut |check| findings.extend(of_check(check, &asked, now)));
        if verdict != Verdict::Genuine && findings.is_empty() {
            findings.push(Finding::NothingFits);
        }
        Diagnosis { verdict, findings }
    }
}

fn of_check(check: &Check, asked: &Asked<'_>, now: Timestamp) -> Vec<Finding> {
    let refused = check.judge(asked, Seen::All, now) != Verdict::Genuine;
    match check {
        Check::Signature(versions) => of_signature(versions, asked, now),
        Check::Credential(credential, secrets) if refused => {
            vec![of_credential(credential, secrets, asked)]
        }
        Check::Address(_) if refused => {
            vec![Finding::Address { known: asked.head.client.is_some() }]
        }
        Check::Open | Check::Credential(..) | Check::Address(_) | Check::All(_) | Check::Any(_) => {
            Vec::new()
        }
    }
}

fn of_credential(credential: &Credential, secrets: &[Secret], asked: &Asked<'_>) -> Finding {
    let (at, given) = match credential {
        Credential::Token(TokenPlace::Body(pointer)) => {
            (TokenAt::Body(pointer.to_string()), asked.texts(pointer).into_iter().next())
        }
        Credential::Token(TokenPlace::Path) => (TokenAt::Path, credential.given(asked.head)),
        Credential::Token(TokenPlace::Query(name)) => {
            (TokenAt::Query(name.clone()), credential.given(asked.head))
        }
        Credential::Token(TokenPlace::Header(name)) => {
            (TokenAt::Header(name.clone()), credential.given(asked.head))
        }
        Credential::Basic(_) => (TokenAt::Basic, credential.given(asked.head)),
        Credential::Bearer => (TokenAt::Bearer, credential.given(asked.head)),
    };
    let blanks =
        |given: &String| secrets.iter().any(|secret| secret.as_str().trim() == given.trim());
    match given {
        None => Finding::TokenMissing(at),
        Some(given) if blanks(&given) => Finding::TokenWithBlanks(at),
        Some(_) => Finding::TokenDiffers(at),
    }
}

/// The scheme without a word on the time.
fn at_any_time(scheme: &Scheme) -> Scheme {
    let mut scheme = scheme.clone();
    if let Some(stamp) = &mut scheme.timestamp {
        stamp.tolerance = Tolerance::AnyTime;
    }
    scheme
}

/// Whether the request is signed so, whenever it was.
fn fits(scheme: &Scheme, keys: &[&Key], asked: &Asked<'_>, now: Timestamp) -> bool {
    signature::judge(&at_any_time(scheme), keys, asked, now).is_ok()
}

fn of_signature(versions: &[Keyed], asked: &Asked<'_>, now: Timestamp) -> Vec<Finding> {
    let Some(version) = in_force(versions, asked) else {
        return missing(versions, asked, now);
    };
    let (scheme, keys) = (&version.scheme, version.keys());
    if keys.is_empty() {
        return vec![Finding::NoSecretYet];
    }
    match signature::judge(scheme, &keys, asked, now) {
        Ok(place) => signer(&keys, place),
        Err(Reason::TimestampSkew) => {
            let mut findings = vec![skew(scheme, asked, now)];
            let signer_of = signature::judge(&at_any_time(scheme), &keys, asked, now);
            findings.extend(signer_of.map(|place| signer(&keys, place)).unwrap_or_default());
            findings
        }
        Err(Reason::SignatureMissing) => vec![incomplete(scheme, asked)],
        Err(Reason::SignatureMismatch | Reason::Auth) => mismatch(scheme, &keys, asked, now),
    }
}

/// Worth a word only where there are several secrets.
fn signer(keys: &[&Key], place: usize) -> Vec<Finding> {
    let signed = keys.get(place).filter(|_| keys.len() > 1).map(|key| Finding::SignedBy {
        place: key.place.clone(),
        which: place + 1,
        of: keys.len(),
    });
    signed.into_iter().collect()
}

fn missing(versions: &[Keyed], asked: &Asked<'_>, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    for Keyed { scheme, .. } in versions {
        let place = scheme.signature.to_string();
        let finding = match signature::at(&scheme.signature, asked) {
            Ok(None) => Finding::SignatureMissing { place },
            Ok(Some(_)) => match &scheme.when {
                Some((header, value)) if asked.head.headers.first(header) != Some(value) => {
                    Finding::OtherVersion { header: header.clone(), value: value.clone() }
                }
                _ => Finding::NoEntry { place, form: scheme.format.form() },
            },
            Err(_) => Finding::GivenTwice { place },
        };
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    let keys: Vec<_> = versions.iter().flat_map(Keyed::keys).collect();
    findings.extend(other_presets(&keys, asked, now));
    findings
}

/// What is missing beside a signature that is there.
fn incomplete(scheme: &Scheme, asked: &Asked<'_>) -> Finding {
    if let Some(name) = &scheme.id
        && asked.head.headers.first(name).is_none()
    {
        return Finding::SignedHeaderMissing { name: name.clone() };
    }
    let place = scheme.timestamp.as_ref().and_then(|stamp| stamp.place.as_ref());
    Finding::TimestampMissing { place: place.unwrap_or(&scheme.signature).to_string() }
}

fn skew(scheme: &Scheme, asked: &Asked<'_>, now: Timestamp) -> Finding {
    let given = Given::read(scheme, asked).map(|given| given.timestamp).unwrap_or_default();
    let Some(Stamp { form, tolerance: Tolerance::Within(window), .. }) = &scheme.timestamp else {
        return Finding::NothingFits;
    };
    if let Some(signed_at) = form.read(&given) {
        let off = now.duration_since(signed_at);
        // A thousand times off is another unit, not another clock.
        let as_other = StampForm::ALL.iter().find(|other| {
            **other != *form
                && other
                    .read(&given)
                    .is_some_and(|time| now.duration_since(time).unsigned_abs() <= *window)
        });
        if let Some(other) = as_other {
            return Finding::OtherTimestamp { found: other.name(), expected: form.name() };
        }
        return Finding::Skew { by: off.unsigned_abs(), ahead: off.is_negative(), window: *window };
    }
    let other = StampForm::ALL.iter().find(|other| other.read(&given).is_some());
    match other {
        Some(other) => Finding::OtherTimestamp { found: other.name(), expected: form.name() },
        None => Finding::TimestampUnreadable { expected: form.name() },
    }
}

fn mismatch(scheme: &Scheme, keys: &[&Key], asked: &Asked<'_>, now: Timestamp) -> Vec<Finding> {
    if signature::at(&scheme.signature, asked).is_err() {
        return vec![Finding::GivenTwice { place: scheme.signature.to_string() }];
    }
    if scheme.signed.contains(&super::scheme::Part::Url) && asked.head.origin.is_none() {
        return vec![Finding::UrlUnknown];
    }
    if signature::is_signed_but_not_covered(&at_any_time(scheme), keys, asked) {
        return vec![Finding::NotCovered];
    }
    let mut findings = Vec::new();
    for encoding in Encoding::ALL.iter().filter(|encoding| **encoding != scheme.encoding) {
        let other = Scheme { encoding: *encoding, ..scheme.clone() };
        if fits(&other, keys, asked, now) {
            findings.push(Finding::OtherEncoding {
                found: encoding.name(),
                expected: scheme.encoding.name(),
            });
        }
    }
    findings.extend(other_keys(scheme, keys, asked, now));
    findings.extend(other_urls(scheme, keys, asked, now));
    findings.extend(other_bodies(scheme, keys, asked, now));
    if findings.is_empty() {
        findings.extend(other_presets(keys, asked, now).into_iter().filter(Finding::is_a_fit));
    }
    if findings.is_empty() {
        findings.push(unreadable(scheme, asked).unwrap_or(Finding::NothingFits));
    }
    findings
}

/// A signature that cannot be one in its encoding.
fn unreadable(scheme: &Scheme, asked: &Asked<'_>) -> Option<Finding> {
    let given = Given::read(scheme, asked).ok()?;
    let reads = |encoding: &Encoding| given.signatures.iter().any(|s| encoding.decode(s).is_some());
    (!reads(&scheme.encoding))
        .then(|| Finding::SignatureUnreadable { expected: scheme.encoding.name() })
}

/// The secrets, read as keys in other ways.
fn other_keys(scheme: &Scheme, keys: &[&Key], asked: &Asked<'_>, now: Timestamp) -> Vec<Finding> {
    if matches!(scheme.method, Method::PublicKey(_)) {
        return Vec::new();
    }
    let mut found = BTreeSet::new();
    for key in keys {
        let text = key.secret.as_str();
        let mut readings = vec![(KeyRead::Trimmed, scheme.key, None, text.trim().to_owned())];
        for (form, read) in [
            (KeyForm::Utf8, KeyRead::AsText),
            (KeyForm::Hex, KeyRead::AsHex),
            (KeyForm::Base64, KeyRead::AsBase64),
        ] {
            readings.push((read, form, scheme.strip.clone(), text.to_owned()));
            let bare = text.split_once('_').map_or(text, |(_, bare)| bare);
            readings.push((KeyRead::Stripped, form, None, bare.to_owned()));
            readings.push((KeyRead::Whole, form, None, text.to_owned()));
        }
        for (read, form, strip, text) in readings {
            let other = Scheme { key: form, strip, prefix: None, ..scheme.clone() };
            let secret = Secret::new(text);
            let Ok(key) = Key::new(&other, key.place.clone(), secret, Use::Verify) else {
                continue;
            };
            if fits(&other, &[&key], asked, now) {
                found.insert((key.place.clone(), read));
                break;
            }
        }
    }
    found.into_iter().map(|(place, read)| Finding::OtherKey { place, read }).collect()
}

fn other_urls(scheme: &Scheme, keys: &[&Key], asked: &Asked<'_>, now: Timestamp) -> Vec<Finding> {
    if !scheme.signed.contains(&super::scheme::Part::Url) {
        return Vec::new();
    }
    let url = asked.head.url().unwrap_or_default();
    let fit = variant::urls(&url).into_iter().find(|(_, url)| {
        let head = Head {
            origin: Some(url.as_str().into()),
            path: String::new(),
            query: String::new(),
            ..asked.head.clone()
        };
        // Where the query is asked for by itself, this changes it too: then nothing fits.
        fits(scheme, keys, &Asked::new(&head, asked.payload), now)
    });
    fit.map(|(how, _)| Finding::OtherUrl { how }).into_iter().collect()
}

fn other_bodies(scheme: &Scheme, keys: &[&Key], asked: &Asked<'_>, now: Timestamp) -> Vec<Finding> {
    if asked.payload.inflated.len() > LARGEST {
        return Vec::new();
    }
    let fit = variant::bodies(asked)
        .into_iter()
        .find(|(_, body)| fits(scheme, keys, &Asked::new(asked.head, Payload::from(body)), now));
    fit.map(|(how, _)| Finding::OtherBody { how }).into_iter().collect()
}

/// Other senders whose signature the request carries; those first that these secrets fit.
fn other_presets(keys: &[&Key], asked: &Asked<'_>, now: Timestamp) -> Vec<Finding> {
    let (mut fitting, mut others) = (Vec::new(), Vec::new());
    for name in presets() {
        let Some(preset) = presets::find(name) else { continue };
        let Some(scheme) = preset.schemes.iter().find(|s| signature::is_present(s, asked)) else {
            continue;
        };
        let own = |key: &&Key| Key::new(scheme, key.place.clone(), key.secret.clone(), Use::Verify);
        let own: Vec<_> = keys.iter().filter_map(|key| own(key).ok()).collect();
        let own: Vec<_> = own.iter().collect();
        if fits(scheme, &own, asked, now) {
            fitting.push(Finding::OtherPreset { name });
        } else {
            others.push(Finding::LooksLikePreset { name });
        }
    }
    if fitting.is_empty() { others } else { fitting }
}

//! The parameters of a scheme: what stands under `hmac:`, under `public_key:` and in a preset.

use std::ops::Range;
use std::time::Duration;

use super::read::{header_name, optional, place, pointer, text, tolerance, truth, word};
use super::scheme::{
    Asymmetric, Encoding, Hash, KeyForm, Method, Part, Place, Scheme, SignedBytes, Stamp,
    StampForm, Tolerance,
};
use super::spelling::Spelling;
use super::template;
use crate::mapping::syntax::{Code, Fields, Node, Problems};

/// How far a timestamp may be off where nobody says otherwise.
const TOLERANCE: Tolerance = Tolerance::Within(Duration::from_mins(5));

/// Which blocks the parameters stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    /// `hmac:`
    Hmac,
    /// `public_key:`
    PublicKey,
    /// One scheme of a preset: any algorithm, and what only presets have.
    Preset,
}

/// The scheme of a preset.
pub(super) fn scheme(node: &Node, problems: &mut Problems) -> Option<Scheme> {
    let mut fields = Fields::of(node, problems)?;
    let scheme = scheme_fields(&mut fields, Block::Preset, problems);
    fields.finish(problems);
    scheme
}

/// The keys of a scheme; the caller takes the others and finishes the block.
pub(super) fn scheme_fields(
    fields: &mut Fields<'_>,
    kind: Block,
    problems: &mut Problems,
) -> Option<Scheme> {
    let block = fields.span().clone();
    let method = method(fields, kind, problems);
    let key = match kind {
        // There it is the key itself, and the caller's.
        Block::PublicKey => Some(KeyForm::Utf8),
        _ => optional(fields.take("key"), KeyForm::Utf8, |node| word(node, KEYS, problems)),
    };
    let encoding =
        optional(fields.take("encoding"), Encoding::Hex, |node| word(node, ENCODINGS, problems));
    let strip = optional(fields.take("strip"), None, |node| {
        text(node, "a text", problems).map(|text| Some(text.to_owned()))
    });
    let signature = fields.need("signature", problems).and_then(|node| {
        let mut fields = Fields::of(node, problems)?;
        let place = place(&mut fields, problems).ok()?;
        fields.finish(problems);
        if place.is_none() {
            let message = "one place is expected: `{ header: NAME }`, `{ query: NAME }` or `{ json: $.path }`";
            problems.error(Code::Verify, &node.span, message);
        }
        place
    });
    let format = optional(fields.take("format"), template::bare_signature(), |node| {
        template::format(node, problems)
    });
    let signed = optional(fields.take("signed"), template::body_alone(), |node| {
        template::signed(node, kind, problems)
    });
    let urls = optional(fields.take("url"), vec![Spelling::AsSent], |node| urls(node, problems));
    let timestamp =
        optional(fields.take("timestamp"), None, |node| stamp(node, problems).map(Some));
    let id = optional(fields.take("id"), None, |node| header_of(node, problems).map(Some));
    let body_hash = optional(fields.take("body_hash"), None, |node| {
        let mut fields = Fields::of(node, problems)?;
        let name = fields.need("query", problems);
        fields.finish(problems);
        text(name?, "the name of a parameter", problems).map(|name| Some(name.to_owned()))
    });
    let sole = optional(fields.take("sole"), None, |node| pointer(node, false, problems).map(Some));
    let signed_bytes = optional(fields.take("signed_bytes"), SignedBytes::Inflated, |node| {
        word(node, SIGNED_BYTES, problems)
    });
    let (version, prefix, when) = match kind {
        Block::Preset => (
            optional(fields.take("version"), None, |node| {
                text(node, "a name", problems).map(|text| Some(text.to_owned()))
            }),
            optional(fields.take("prefix"), None, |node| {
                text(node, "a text", problems).map(|text| Some(text.to_owned()))
            }),
            optional(fields.take("when"), None, |node| when(node, problems).map(Some)),
        ),
        _ => (Some(None), Some(None), Some(None)),
    };
    let scheme = Scheme {
        version: version?,
        method: method?,
        key: key?,
        strip: strip?,
        prefix: prefix?,
        when: when?,
        signature: signature?,
        format: format?,
        encoding: encoding?,
        signed: signed?,
        urls: urls?,
        timestamp: timestamp?,
        id: id?,
        body_hash: body_hash?,
        sole: sole?,
        signed_bytes: signed_bytes?,
    };
    fits_together(&scheme, &block, problems).then_some(scheme)
}

fn method(fields: &mut Fields<'_>, kind: Block, problems: &mut Problems) -> Option<Method> {
    let hmac = HASHES.iter().map(|(name, hash)| (*name, Method::Hmac(*hash)));
    let keys = ASYMMETRIC.iter().map(|(name, kind)| (*name, Method::PublicKey(*kind)));
    let words: Vec<_> = match kind {
        Block::Hmac => hmac.collect(),
        Block::PublicKey => keys.collect(),
        Block::Preset => hmac.chain(keys).collect(),
    };
    let method = match kind {
        Block::PublicKey => {
            fields.need("algorithm", problems).and_then(|node| word(node, &words, problems))
        }
        _ => optional(fields.take("algorithm"), Method::Hmac(Hash::Sha256), |node| {
            word(node, &words, problems)
        }),
    };
    let digest = match kind {
        Block::PublicKey => Some(false),
        _ => optional(fields.take("digest"), false, |node| truth(node, problems)),
    };
    match (method?, digest?) {
        (Method::Hmac(hash), true) => Some(Method::Digest(hash)),
        (method, _) => Some(method),
    }
}

/// Whether all that is signed can be had, and all that is checked is signed.
fn fits_together(scheme: &Scheme, block: &Range<usize>, problems: &mut Problems) -> bool {
    let signs = |part: &Part| scheme.signed.contains(part);
    let inside = scheme.format.timestamp.is_some();
    let beside = scheme.timestamp.as_ref().is_some_and(|stamp| stamp.place.is_some());
    let timestamp_is_signed = signs(&Part::Timestamp)
        // What stands in the body is signed with it.
        || signs(&Part::Body)
            && matches!(&scheme.timestamp, Some(Stamp { place: Some(Place::Json(_)), .. }));
    let covers = |part: &Part| {
        matches!(
            part,
            Part::Body | Part::Crc32 | Part::FormSorted | Part::Json(_) | Part::Header(_)
        )
    };
    let flaws = [
        (
            (inside || signs(&Part::Timestamp)) && scheme.timestamp.is_none(),
            "`{timestamp}` is used here: say `timestamp: { format: unix, tolerance: 5m }`",
        ),
        (
            scheme.timestamp.is_some() && !inside && !beside,
            "the timestamp is nowhere: give `timestamp` its `header`, or put `{timestamp}` into `format`",
        ),
        (
            inside && beside,
            "the timestamp is in two places: in `format` and in the `header` of `timestamp`",
        ),
        (
            scheme.timestamp.is_some() && !timestamp_is_signed,
            "the timestamp is not signed, so that anybody could change it: put `{timestamp}` into `signed`",
        ),
        (
            scheme.id.is_some() != signs(&Part::Id),
            "`{id}` in `signed` and `id: { header: … }` belong together",
        ),
        (
            matches!(scheme.method, Method::Digest(_)) && !signs(&Part::Secret),
            "with `digest: true` the secret must be among the parts: put `{secret}` into `signed`",
        ),
        (
            matches!(scheme.method, Method::PublicKey(_)) && signs(&Part::Secret),
            "with a public key there is no secret to sign: leave `{secret}` out of `signed`",
        ),
        (
            signs(&Part::FormSorted) && !signs(&Part::Body) && scheme.body_hash.is_none(),
            "`{form_sorted}` covers forms only, and any other body would pass unsigned: say `body_hash: { query: NAME }` or sign `{body}`",
        ),
        (
            !scheme.signed.iter().any(covers),
            "nothing of the body is signed, so that anybody could change it: put `{body}` into `signed`",
        ),
    ];
    let wrong = flaws.into_iter().find(|(wrong, _)| *wrong);
    if let Some((_, message)) = wrong {
        problems.error(Code::Verify, block, message);
    }
    wrong.is_none()
}

pub(super) const HASHES: &[(&str, Hash)] =
    &[("sha1", Hash::Sha1), ("sha256", Hash::Sha256), ("sha512", Hash::Sha512)];
pub(super) const ASYMMETRIC: &[(&str, Asymmetric)] = &[
    ("ed25519", Asymmetric::Ed25519),
    ("rsa_sha256", Asymmetric::RsaSha256),
    ("ecdsa_p256_sha256", Asymmetric::EcdsaP256Sha256),
];
pub(super) const KEYS: &[(&str, KeyForm)] = &[
    ("utf8", KeyForm::Utf8),
    ("hex", KeyForm::Hex),
    ("base64", KeyForm::Base64),
    ("html", KeyForm::Html),
];
pub(super) const ENCODINGS: &[(&str, Encoding)] =
    &[("hex", Encoding::Hex), ("base64", Encoding::Base64), ("base64url", Encoding::Base64Url)];
pub(super) const SIGNED_BYTES: &[(&str, SignedBytes)] =
    &[("inflated", SignedBytes::Inflated), ("as_sent", SignedBytes::AsSent)];
pub(super) const SPELLINGS: &[(&str, Spelling)] =
    &[("as_sent", Spelling::AsSent), ("decoded", Spelling::Decoded), ("ports", Spelling::Ports)];
pub(super) const STAMP_FORMS: &[(&str, StampForm)] = &[
    ("unix", StampForm::Unix),
    ("unix_ms", StampForm::UnixMs),
    ("rfc3339", StampForm::Rfc3339),
    ("http_date", StampForm::HttpDate),
];

fn urls(node: &Node, problems: &mut Problems) -> Option<Vec<Spelling>> {
    let items = node.as_list().unwrap_or(std::slice::from_ref(node));
    let urls: Vec<_> = items.iter().map(|item| word(item, SPELLINGS, problems)).collect();
    urls.into_iter().collect()
}

fn header_of(node: &Node, problems: &mut Problems) -> Option<String> {
    let mut fields = Fields::of(node, problems)?;
    let header = fields.need("header", problems);
    fields.finish(problems);
    header_name(header?, problems)
}

fn when(node: &Node, problems: &mut Problems) -> Option<(String, String)> {
    let mut fields = Fields::of(node, problems)?;
    let header = fields.need("header", problems).and_then(|node| header_name(node, problems));
    let value = fields.need("is", problems).and_then(|node| text(node, "a value", problems));
    fields.finish(problems);
    Some((header?, value?.to_owned()))
}

fn stamp(node: &Node, problems: &mut Problems) -> Option<Stamp> {
    let mut fields = Fields::of(node, problems)?;
    let form = fields.need("format", problems).and_then(|form| word(form, STAMP_FORMS, problems));
    let tolerance = optional(fields.take("tolerance"), TOLERANCE, |node| tolerance(node, problems));
    let place = place(&mut fields, problems).ok();
    fields.finish(problems);
    Some(Stamp { place: place?, form: form?, tolerance: tolerance? })
}

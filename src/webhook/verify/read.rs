//! The parameters of `hmac:`, read strictly.

use std::ops::Range;
use std::time::Duration;

use super::scheme::{Algorithm, Encoding, KeyForm, Place, Scheme, Stamp, StampForm, Tolerance};
use super::template;
use crate::mapping::expr::nearest;
use crate::mapping::syntax::{Code, Fields, Node, Problem, Problems};
use crate::units::Span;

/// How far a timestamp may be off where nobody says otherwise.
const TOLERANCE: Tolerance = Tolerance::Within(Duration::from_mins(5));

/// A scheme alone, as it stands in a preset.
pub(super) fn scheme(node: &Node, problems: &mut Problems) -> Option<Scheme> {
    let mut fields = Fields::of(node, problems)?;
    let scheme = scheme_fields(&mut fields, problems);
    fields.finish(problems);
    scheme
}

/// The keys of a scheme; the caller takes the others and finishes the block.
pub(super) fn scheme_fields(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Scheme> {
    let block = fields.span().clone();
    let algorithm = optional(fields.take("algorithm"), Algorithm::Sha256, |node| {
        word(node, ALGORITHMS, problems)
    });
    let key = optional(fields.take("key"), KeyForm::Utf8, |node| word(node, KEYS, problems));
    let encoding =
        optional(fields.take("encoding"), Encoding::Hex, |node| word(node, ENCODINGS, problems));
    let digest = optional(fields.take("digest"), false, |node| truth(node, problems));
    let strip = match fields.take("strip") {
        None => Some(None),
        Some(node) => text(node, "a text", problems).map(|text| Some(text.to_owned())),
    };
    let signature = fields.need("signature", problems).and_then(|node| place(node, problems));
    let format = optional(fields.take("format"), template::bare_signature(), |node| {
        template::format(node, problems)
    });
    let signed = optional(fields.take("signed"), template::body_alone(), |node| {
        template::signed(node, problems)
    });
    let timestamp = match fields.take("timestamp") {
        None => Some(None),
        Some(node) => stamp(node, problems).map(Some),
    };
    let id = match fields.take("id") {
        None => Some(None),
        Some(node) => header_of(node, problems).map(Some),
    };
    let scheme = Scheme {
        algorithm: algorithm?,
        digest: digest?,
        key: key?,
        strip: strip?,
        signature: signature?,
        format: format?,
        encoding: encoding?,
        signed: signed?,
        timestamp: timestamp?,
        id: id?,
    };
    fits_together(&scheme, &block, problems).then_some(scheme)
}

/// Whether all that is signed can be had, and all that is checked is signed.
fn fits_together(scheme: &Scheme, block: &Range<usize>, problems: &mut Problems) -> bool {
    use super::scheme::Part;
    let signs = |part: &Part| scheme.signed.contains(part);
    let inside = scheme.format.timestamp.is_some();
    let beside = scheme.timestamp.as_ref().is_some_and(|stamp| stamp.header.is_some());
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
            scheme.timestamp.is_some() && !signs(&Part::Timestamp),
            "the timestamp is not signed, so that anybody could change it: put `{timestamp}` into `signed`",
        ),
        (
            scheme.id.is_some() != signs(&Part::Id),
            "`{id}` in `signed` and `id: { header: … }` belong together",
        ),
        (
            scheme.digest && !signs(&Part::Secret),
            "with `digest: true` the secret must be among the parts: put `{secret}` into `signed`",
        ),
    ];
    let wrong = flaws.into_iter().find(|(wrong, _)| *wrong);
    if let Some((_, message)) = wrong {
        problems.error(Code::Verify, block, message);
    }
    wrong.is_none()
}

pub(super) const ALGORITHMS: &[(&str, Algorithm)] =
    &[("sha1", Algorithm::Sha1), ("sha256", Algorithm::Sha256), ("sha512", Algorithm::Sha512)];
pub(super) const KEYS: &[(&str, KeyForm)] =
    &[("utf8", KeyForm::Utf8), ("hex", KeyForm::Hex), ("base64", KeyForm::Base64)];
pub(super) const ENCODINGS: &[(&str, Encoding)] =
    &[("hex", Encoding::Hex), ("base64", Encoding::Base64), ("base64url", Encoding::Base64Url)];
pub(super) const STAMP_FORMS: &[(&str, StampForm)] = &[
    ("unix", StampForm::Unix),
    ("unix_ms", StampForm::UnixMs),
    ("rfc3339", StampForm::Rfc3339),
    ("http_date", StampForm::HttpDate),
];

fn optional<T>(
    node: Option<&Node>,
    default: T,
    read: impl FnOnce(&Node) -> Option<T>,
) -> Option<T> {
    match node {
        None => Some(default),
        Some(node) => read(node),
    }
}

/// A text that is not empty.
pub(super) fn text<'n>(node: &'n Node, expected: &str, problems: &mut Problems) -> Option<&'n str> {
    let text = node.as_text().filter(|text| !text.is_empty());
    if text.is_none() {
        let found = node.as_text().map_or(node.what(), |_| "nothing");
        problems.error(
            Code::Verify,
            &node.span,
            format!("{expected} is expected, {found} was found"),
        );
    }
    text
}

/// One of these words.
pub(super) fn word<T: Copy>(
    node: &Node,
    words: &[(&str, T)],
    problems: &mut Problems,
) -> Option<T> {
    let written = text(node, "a word", problems)?;
    let found = words.iter().find(|(word, _)| *word == written).map(|(_, meaning)| *meaning);
    if found.is_none() {
        let known = words.iter().map(|(word, _)| *word);
        problems.add(unknown_word(node, written, known));
    }
    found
}

/// A word that is none of the known ones, with the nearest of them.
pub(super) fn unknown_word<'w>(
    node: &Node,
    written: &str,
    known: impl Iterator<Item = &'w str> + Clone,
) -> Problem {
    let help = match nearest(written, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("here can stand: {}", known.collect::<Vec<_>>().join(", ")),
    };
    Problem::error(Code::Verify, node.span.clone(), format!("`{written}` is not known here"))
        .help(help)
}

fn truth(node: &Node, problems: &mut Problems) -> Option<bool> {
    let truth = node.as_bool();
    if truth.is_none() {
        problems.error(Code::Verify, &node.span, "`true` or `false` is expected");
    }
    truth
}

/// A header's name, in lower case.
pub(super) fn header_name(node: &Node, problems: &mut Problems) -> Option<String> {
    let name = text(node, "the name of a header", problems)?;
    let of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !name.bytes().all(of_a_name) {
        problems.error(Code::Verify, &node.span, "this cannot be the name of a header");
        return None;
    }
    Some(name.to_ascii_lowercase())
}

fn place(node: &Node, problems: &mut Problems) -> Option<Place> {
    let mut fields = Fields::of(node, problems)?;
    let header = fields.take("header");
    let query = fields.take("query");
    fields.finish(problems);
    match (header, query) {
        (Some(header), None) => header_name(header, problems).map(Place::Header),
        (None, Some(query)) => {
            text(query, "the name of a parameter", problems).map(|name| Place::Query(name.into()))
        }
        _ => {
            let message = "one place is expected: `{ header: NAME }` or `{ query: NAME }`";
            problems.error(Code::Verify, &node.span, message);
            None
        }
    }
}

fn header_of(node: &Node, problems: &mut Problems) -> Option<String> {
    let mut fields = Fields::of(node, problems)?;
    let header = fields.need("header", problems);
    fields.finish(problems);
    header_name(header?, problems)
}

fn stamp(node: &Node, problems: &mut Problems) -> Option<Stamp> {
    let mut fields = Fields::of(node, problems)?;
    let form = fields.need("format", problems).and_then(|form| word(form, STAMP_FORMS, problems));
    let tolerance = optional(fields.take("tolerance"), TOLERANCE, |node| tolerance(node, problems));
    let header = match fields.take("header") {
        None => Some(None),
        Some(header) => header_name(header, problems).map(Some),
    };
    fields.finish(problems);
    Some(Stamp { header: header?, form: form?, tolerance: tolerance? })
}

/// A duration, or `none` where any time will do.
pub(super) fn tolerance(node: &Node, problems: &mut Problems) -> Option<Tolerance> {
    let written = text(node, "a duration", problems)?;
    if written == "none" {
        return Some(Tolerance::AnyTime);
    }
    match written.parse::<Span>() {
        Ok(span) => Some(Tolerance::Within(span.0)),
        Err(error) => {
            problems.error(Code::Quantity, &node.span, error.to_string());
            None
        }
    }
}

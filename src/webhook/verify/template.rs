//! The two templates of a scheme: what is signed, and what stands around the signature in its header.

use super::parameters::Block;
use super::pointer::Pointer;
use super::read;
use super::scheme::{Format, Part};
use crate::mapping::syntax::{Code, Node, Problems};

/// `{body}`
pub(super) fn body_alone() -> Vec<Part> {
    vec![Part::Body]
}

/// `{signature}`
pub(super) fn bare_signature() -> Format {
    Format { timestamp: None, signature: String::new(), separators: " ,;".to_owned() }
}

/// A piece of a template.
enum Piece<'t> {
    Text(&'t str),
    Name(&'t str),
}

fn pieces<'t>(node: &Node, text: &'t str, problems: &mut Problems) -> Option<Vec<Piece<'t>>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, behind)) = behind.split_once('}') else {
            problems.error(Code::Verify, &node.span, "a `{` is not closed");
            return None;
        };
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        pieces.push(Piece::Name(name));
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Some(pieces)
}

/// Reads `signed`.
pub(super) fn signed(node: &Node, kind: Block, problems: &mut Problems) -> Option<Vec<Part>> {
    const NAMES: &[(&str, Part)] = &[
        ("body", Part::Body),
        ("crc32", Part::Crc32),
        ("timestamp", Part::Timestamp),
        ("id", Part::Id),
        ("method", Part::Method),
        ("url", Part::Url),
        ("path", Part::Path),
        ("query", Part::Query),
        ("form_sorted", Part::FormSorted),
        ("secret", Part::Secret),
    ];
    let with_argument = |name: &str| {
        let (kind_of_part, argument) = name.split_once(':')?;
        match kind_of_part {
            "header" if !argument.is_empty() => Some(Part::Header(argument.to_ascii_lowercase())),
            "json" => {
                let pointer = Pointer::parse(argument).filter(|pointer| !pointer.is_plural());
                pointer.map(Part::Json)
            }
            "setting" if kind == Block::Preset && !argument.is_empty() => {
                Some(Part::Setting(argument.to_owned()))
            }
            _ => None,
        }
    };
    let text = read::text(node, "what is signed, such as `{timestamp}.{body}`,", problems)?;
    let mut parts = Vec::new();
    for piece in pieces(node, text, problems)? {
        let part = match piece {
            Piece::Text(text) => Some(Part::Text(text.to_owned())),
            Piece::Name(name) => {
                let known = NAMES.iter().find(|(own, _)| *own == name);
                known.map(|(_, part)| part.clone()).or_else(|| with_argument(name))
            }
        };
        let Some(part) = part else {
            if let Piece::Name(name) = piece {
                let known =
                    NAMES.iter().map(|(name, _)| *name).chain(["header:NAME", "json:$.path"]);
                problems.add(read::unknown_word(node, name, known));
            }
            return None;
        };
        parts.push(part);
    }
    Some(parts)
}

/// Reads `format`: `{signature}`, and `{timestamp}` where it is in the same header, each with what stands before it.
pub(super) fn format(node: &Node, problems: &mut Problems) -> Option<Format> {
    let text = read::text(node, "a form such as `t={timestamp},v1={signature}`", problems)?;
    let pieces = pieces(node, text, problems)?;
    let format = match pieces.as_slice() {
        [Piece::Name("signature")] => Some(bare_signature()),
        [Piece::Text(before), Piece::Name("signature")] => Some(Format {
            timestamp: None,
            signature: (*before).to_owned(),
            separators: " ,;".chars().filter(|c| !before.contains(*c)).collect(),
        }),
        [Piece::Name(first), Piece::Text(between), Piece::Name(second)] => {
            two("", first, between, second)
        }
        [Piece::Text(before), Piece::Name(first), Piece::Text(between), Piece::Name(second)] => {
            two(before, first, between, second)
        }
        _ => None,
    };
    if format.is_none() {
        problems.error(
            Code::Verify,
            &node.span,
            "`{signature}` once, at most one `{timestamp}`, a `,`, `;` or blank between the two and nothing behind them is expected",
        );
    }
    format
}

fn two(before: &str, first: &str, between: &str, second: &str) -> Option<Format> {
    let separator = between.chars().next().filter(|c| matches!(c, ',' | ';' | ' '))?;
    let before_second = between.strip_prefix(separator)?.trim_start().to_owned();
    let before_first = before.to_owned();
    let (timestamp, signature) = match (first, second) {
        ("timestamp", "signature") => (before_first, before_second),
        // Without anything before them the two are told apart by their order.
        ("signature", "timestamp") if !before_first.is_empty() || !before_second.is_empty() => {
            (before_second, before_first)
        }
        _ => return None,
    };
    (timestamp != signature || timestamp.is_empty()).then(|| Format {
        timestamp: Some(timestamp),
        signature,
        separators: separator.to_string(),
    })
}

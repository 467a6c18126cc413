//! The places of the parts of a scalar, in bytes of the file.

use std::ops::Range;

use crate::mapping::syntax::{Kind, Node};

/// Where a scalar stands, and where its text begins if it stands there as it is read.
#[derive(Debug, Clone)]
pub(in crate::mapping) struct Spot {
    whole: Range<usize>,
    text_starts: Option<usize>,
    plain: bool,
}

impl Spot {
    /// The place of a scalar. Escapes, folded lines and block scalars have no inner places.
    pub(in crate::mapping) fn of(node: &Node) -> Self {
        let whole = node.span.clone();
        let Kind::Scalar { text, quoted } = &node.kind else {
            return Self { whole, text_starts: None, plain: false };
        };
        let around = usize::from(*quoted);
        let as_written = whole.len() == text.len() + 2 * around && !text.contains('\n');
        let text_starts = as_written.then_some(whole.start + around);
        Self { whole, text_starts, plain: !quoted }
    }

    /// The place in the file of a part of the text; the whole scalar where that cannot be told.
    pub(in crate::mapping) fn at(&self, part: Range<usize>) -> Range<usize> {
        match self.text_starts {
            Some(start) => start + part.start..start + part.end,
            None => self.whole.clone(),
        }
    }

    /// Whether the scalar has no quotes, so that YAML may have ended it early.
    pub(in crate::mapping) fn is_plain(&self) -> bool {
        self.plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_plain_and_quoted_scalars_have_their_own_places() {
        for (text, part, expected) in [
            ("a: $.x | trimm  # c\n", "trimm", "trimm"),
            ("a: \"$.é | trimm\"\n", "trimm", "trimm"),
            ("a: '$.x | trimm'\n", "trimm", "trimm"),
            ("a: 'it''s | trimm'\n", "trimm", "'it''s | trimm'"),
            ("a: |\n  $.x | trimm\n", "trimm", "$.x | trimm"),
        ] {
            let node = Node::read(text).unwrap();
            let Kind::Map(entries) = &node.kind else { panic!("a map") };
            let (_, value) = entries.first().unwrap();
            let start = value.as_text().unwrap().find(part).unwrap();

            let place = Spot::of(value).at(start..start + part.len());

            let found = text.get(place).unwrap();
            assert_eq!(found.trim_end(), expected.trim_end(), "{text:?}");
        }
    }
}

//! What a sender signs, put together from a request.

use super::asked::Asked;
use super::key::Key;
use super::pointer::text_of;
use super::scheme::{Part, Scheme, SignedBytes};

/// What is signed, its variable parts found in the request.
pub(super) struct Message<'m> {
    pub(super) asked: &'m Asked<'m>,
    pub(super) timestamp: &'m str,
    pub(super) id: &'m str,
    /// One spelling of the URL.
    pub(super) url: &'m str,
}

impl Message<'_> {
    /// Gives every piece in order. Nothing where a header that is signed is missing or ambiguous.
    pub(super) fn feed(&self, scheme: &Scheme, key: &Key, mut to: impl FnMut(&[u8])) -> Option<()> {
        let head = self.asked.head;
        let body = match scheme.signed_bytes {
            SignedBytes::Inflated => self.asked.payload.inflated,
            SignedBytes::AsSent => self.asked.payload.as_sent,
        };
        for part in &scheme.signed {
            match part {
                Part::Text(text) => to(text.as_bytes()),
                Part::Body => to(body),
                Part::Crc32 => to(crc32(body).to_string().as_bytes()),
                Part::Timestamp => to(self.timestamp.as_bytes()),
                Part::Id => to(self.id.as_bytes()),
                Part::Method => to(head.method.as_bytes()),
                Part::Url => to(self.url.as_bytes()),
                Part::Path => to(head.path.as_bytes()),
                Part::Query if head.query.is_empty() => {}
                Part::Query => {
                    to(b"?");
                    to(head.query.as_bytes());
                }
                Part::FormSorted if self.asked.is_form() => {
                    let mut fields = self.asked.form();
                    fields.sort();
                    fields.dedup();
                    for (name, value) in fields {
                        to(name.as_bytes());
                        to(value.as_bytes());
                    }
                }
                Part::FormSorted => {}
                Part::Secret => to(key.secret.as_bytes()),
                Part::Header(name) => to(head.headers.only(name).ok()??.as_bytes()),
                Part::Json(pointer) => {
                    let selected = pointer.select(self.asked.document()?);
                    to(selected.first().map(|value| text_of(value)).unwrap_or_default().as_bytes());
                }
                // A preset is used only with all its settings said.
                Part::Setting(_) => return None,
            }
        }
        Some(())
    }

    /// The pieces as one.
    pub(super) fn bytes(&self, scheme: &Scheme, key: &Key) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.feed(scheme, key, |piece| bytes.extend_from_slice(piece))?;
        Some(bytes)
    }
}

/// CRC-32 as in Ethernet, gzip and PNG (the polynomial 0x04C11DB7, reflected).
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut at = 0;
        while at < 256 {
            #[expect(clippy::cast_possible_truncation, reason = "it is below 256")]
            let mut value = at as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { 0xEDB8_8320 ^ (value >> 1) } else { value >> 1 };
                bit += 1;
            }
            table[at] = value;
            at += 1;
        }
        table
    };
    let next = |sum: u32, byte: &u8| {
        let [low, ..] = sum.to_le_bytes();
        let entry = TABLE.get(usize::from(low ^ byte)).copied().unwrap_or_default();
        entry ^ (sum >> 8)
    };
    !bytes.iter().fold(!0, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_everybody_uses() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }
}

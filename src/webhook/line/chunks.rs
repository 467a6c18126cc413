//! Where a body in chunks ends. Source of the format: RFC 9112, section 7.1.

use super::framing::Flaw;

/// The longest line of a size or a trailer.
const LONGEST_LINE: u16 = 512;
/// Trailers that are passed over.
const MOST_TRAILERS: u8 = 16;
/// Digits of a size.
const MOST_DIGITS: u8 = 8;

/// How far a body in chunks has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunks {
    place: Place,
    /// Bytes of this chunk that are to come, or what its size is so far.
    left: u64,
    /// Digits of the size so far, then characters of the line so far.
    count: u16,
    trailers: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Size,
    Extension,
    SizeEnd,
    Content,
    ContentEnd,
    ContentEndLf,
    TrailerStart,
    Trailer,
    TrailerEnd,
    LastLf,
    Over,
}

impl Default for Chunks {
    fn default() -> Self {
        Self { place: Place::Size, left: 0, count: 0, trailers: 0 }
    }
}

impl Chunks {
    /// How many of these bytes belong to the body: all of them, or those up to its end.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<usize, Flaw> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at).copied() {
            if self.place == Place::Over {
                break;
            }
            if self.place == Place::Content {
                let rest = bytes.len() - at;
                let taken = usize::try_from(self.left).unwrap_or(usize::MAX).min(rest);
                self.left -= taken as u64;
                at += taken;
                if self.left == 0 {
                    self.place = Place::ContentEnd;
                }
                continue;
            }
            self.step(byte)?;
            at += 1;
        }
        Ok(at)
    }

    /// Whether the last chunk and the empty line behind it have come.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self.place, Place::Over)
    }

    fn step(&mut self, byte: u8) -> Result<(), Flaw> {
        let expect =
            |wanted: u8, next: Place| if byte == wanted { Ok(next) } else { Err(Flaw::Chunk) };
        self.place = match self.place {
            Place::Size => self.digit(byte)?,
            Place::Extension => match byte {
                b'\r' => Place::SizeEnd,
                _ => self.within_line(byte, Place::Extension)?,
            },
            Place::SizeEnd => {
                self.count = 0;
                expect(b'\n', if self.left == 0 { Place::TrailerStart } else { Place::Content })?
            }
            Place::ContentEnd => expect(b'\r', Place::ContentEndLf)?,
            Place::ContentEndLf => expect(b'\n', Place::Size)?,
            Place::TrailerStart => match byte {
                b'\r' => Place::LastLf,
                b' ' | b'\t' | b':' => return Err(Flaw::Chunk),
                _ => self.within_line(byte, Place::Trailer)?,
            },
            Place::Trailer => match byte {
                b'\r' => Place::TrailerEnd,
                _ => self.within_line(byte, Place::Trailer)?,
            },
            Place::TrailerEnd => {
                (self.count, self.trailers) = (0, self.trailers + 1);
                if self.trailers > MOST_TRAILERS {
                    return Err(Flaw::Chunk);
                }
                expect(b'\n', Place::TrailerStart)?
            }
            Place::LastLf => expect(b'\n', Place::Over)?,
            Place::Content | Place::Over => return Err(Flaw::Chunk),
        };
        Ok(())
    }

    fn digit(&mut self, byte: u8) -> Result<Place, Flaw> {
        let first = self.count == 0;
        match byte {
            b'\r' if !first => Ok(Place::SizeEnd),
            b';' if !first => Ok(Place::Extension),
            _ => {
                let digit = char::from(byte).to_digit(16).ok_or(Flaw::Chunk)?;
                if self.count >= u16::from(MOST_DIGITS) {
                    return Err(Flaw::Chunk);
                }
                self.left = if first { 0 } else { self.left << 4 } | u64::from(digit);
                self.count += 1;
                Ok(Place::Size)
            }
        }
    }

    fn within_line(&mut self, byte: u8, place: Place) -> Result<Place, Flaw> {
        self.count += 1;
        let control = (byte < b' ' && byte != b'\t') || byte == 0x7f;
        if control || self.count > LONGEST_LINE { Err(Flaw::Chunk) } else { Ok(place) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_body_in_chunks_ends_where_its_last_chunk_does() {
        for (text, ends) in [
            ("0\r\n\r\n", true),
            ("5\r\nhello\r\n0\r\n\r\n", true),
            ("A;name=value\r\n0123456789\r\n00\r\n\r\n", true),
            ("1\r\na\r\n1\r\nb\r\n0\r\nDigest: x\r\nX: y\r\n\r\n", true),
            ("5\r\nhello\r\n0\r\n", false),
            ("5\r\nhel", false),
        ] {
            let mut chunks = Chunks::default();
            let more = if ends { format!("{text}GET /") } else { text.to_owned() };
            assert_eq!(chunks.take(more.as_bytes()), Ok(text.len()), "{text:?}");
            assert_eq!(chunks.is_over(), ends, "{text:?}");
        }
    }

    #[test]
    fn a_chunk_that_two_readers_could_read_differently_is_refused() {
        for text in [
            "\r\n",
            "5 \r\nhello\r\n",
            " 5\r\nhello\r\n",
            "+5\r\nhello\r\n",
            "0x5\r\nhello\r\n",
            "-1\r\n",
            "5\nhello\r\n",
            "5\r\rhello",
            "5\r\nhelloX",
            "5\r\nhello\n0\r\n\r\n",
            "123456789\r\n",
            "5;a\nb\r\n",
            "0\r\n a: b\r\n",
            "0\r\n\rX",
            &format!("5;{}", "a".repeat(600)),
            &format!("0\r\n{}", "a: b\r\n".repeat(20)),
        ] {
            assert_eq!(Chunks::default().take(text.as_bytes()), Err(Flaw::Chunk), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_in_chunks_ends_there_in_whatever_pieces_it_comes(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
            step in 1_usize..9,
        ) {
            let mut text = Vec::new();
            for chunk in &chunks {
                text.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
                text.extend(chunk);
                text.extend(b"\r\n");
            }
            text.extend(b"0\r\n\r\n");
            let mut body = Chunks::default();

            for piece in text.chunks(step) {
                prop_assert!(!body.is_over());
                prop_assert_eq!(body.take(piece), Ok(piece.len()));
            }

            prop_assert!(body.is_over());
            prop_assert_eq!(body.take(b"GET"), Ok(0));
        }
    }
}

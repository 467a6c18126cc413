//! One layer of `Content-Encoding` taken off: gzip, deflate (with or without its zlib wrapping: senders disagree), br.

use std::io::Read;

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::Error;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// `gzip` or `x-gzip` (RFC 1952)
    Gzip,
    /// `deflate` (RFC 1950, or RFC 1951 as it is)
    Deflate,
    /// `br` (RFC 7932)
    Brotli,
}

/// So much is inflated before it is asked whether there is room for it.
const PIECE: usize = 16 << 10;

impl Coding {
    /// The coding that a `Content-Encoding` names: nothing for a body as it is; an error for what is not handled,
    /// among it several layers.
    #[expect(clippy::result_unit_err, reason = "there is nothing more to say of it")]
    pub fn named(header: &str) -> Result<Option<Self>, ()> {
        match header.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(None),
            "gzip" | "x-gzip" => Ok(Some(Self::Gzip)),
            "deflate" => Ok(Some(Self::Deflate)),
            "br" => Ok(Some(Self::Brotli)),
            _ => Err(()),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
        }
    }
}

/// Unpacks a body. Before it keeps so many bytes more, it asks `room`, which bounds what comes of it: a few packed
/// bytes can stand for thousands.
pub fn inflate<E: From<Error>>(
    coding: Coding,
    packed: &[u8],
    mut room: impl FnMut(usize) -> Result<(), E>,
) -> Result<Vec<u8>, E> {
    let broken = || E::from(Error::Packed { coding: coding.as_str() });
    let mut keep = |piece: &[u8], unpacked: &mut Vec<u8>| -> Result<(), E> {
        room(piece.len())?;
        unpacked.extend_from_slice(piece);
        Ok(())
    };
    if coding == Coding::Brotli {
        return brotli(packed, keep, broken);
    }
    // The slice moves on as it is read, so that what stands behind the end is seen.
    let mut left = packed;
    let mut unpacked = Vec::new();
    {
        let mut reader: Box<dyn Read + '_> = match coding {
            Coding::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(&mut left)),
            Coding::Deflate if is_zlib(packed) => {
                Box::new(flate2::bufread::ZlibDecoder::new(&mut left))
            }
            Coding::Deflate | Coding::Brotli => {
                Box::new(flate2::bufread::DeflateDecoder::new(&mut left))
            }
        };
        let mut piece = vec![0; PIECE];
        loop {
            let read = reader.read(&mut piece).map_err(|_| broken())?;
            if read == 0 {
                break;
            }
            keep(piece.get(..read).unwrap_or_default(), &mut unpacked)?;
        }
    }
    if left.is_empty() { Ok(unpacked) } else { Err(broken()) }
}

/// Without the library's reader: it takes windows of up to a gigabyte, and passes over what stands behind the end.
fn brotli<E>(
    packed: &[u8],
    mut keep: impl FnMut(&[u8], &mut Vec<u8>) -> Result<(), E>,
    broken: impl Fn() -> E,
) -> Result<Vec<u8>, E> {
    let alloc = StandardAlloc::default;
    let mut state = BrotliState::new_strict(alloc(), alloc(), alloc());
    let (mut unpacked, mut piece) = (Vec::new(), vec![0; PIECE]);
    let (mut left, mut at, mut total) = (packed.len(), 0, 0);
    loop {
        let (mut room, mut end) = (piece.len(), 0);
        let result = BrotliDecompressStream(
            &mut left, &mut at, packed, &mut room, &mut end, &mut piece, &mut total, &mut state,
        );
        keep(piece.get(..end).unwrap_or_default(), &mut unpacked)?;
        match result {
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::ResultSuccess if left == 0 => return Ok(unpacked),
            BrotliResult::ResultSuccess
            | BrotliResult::NeedsMoreInput
            | BrotliResult::ResultFailure => return Err(broken()),
        }
    }
}

/// Whether the first two bytes are a zlib header (RFC 1950, section 2.2).
fn is_zlib(packed: &[u8]) -> bool {
    let [cmf, flags, ..] = packed else { return false };
    cmf & 0x0f == 8 && cmf >> 4 <= 7 && (u16::from(*cmf) * 256 + u16::from(*flags)) % 31 == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    fn unpacked(coding: Coding, packed: &[u8]) -> Result<Vec<u8>, Error> {
        inflate(coding, packed, |_| Ok(()))
    }

    macro_rules! packed {
        ($encoder:ident, $bytes:expr) => {{
            let mut encoder = $encoder::new(Vec::new(), Compression::best());
            encoder.write_all($bytes).unwrap();
            encoder.finish().unwrap()
        }};
    }

    #[test]
    fn codings_are_known_by_name_one_layer_only() {
        for (header, coding) in [
            ("", Ok(None)),
            ("identity", Ok(None)),
            (" GZIP ", Ok(Some(Coding::Gzip))),
            ("x-gzip", Ok(Some(Coding::Gzip))),
            ("deflate", Ok(Some(Coding::Deflate))),
            ("br", Ok(Some(Coding::Brotli))),
            ("zstd", Err(())),
            ("gzip, br", Err(())),
            ("gzip, gzip", Err(())),
        ] {
            assert_eq!(Coding::named(header), coding, "{header}");
        }
    }

    /// As Node's `zlib.brotliCompressSync` packs [`TEXT`], and eight mebibytes of zeros.
    const BROTLI: &str = "1b3100f8254158e8729043b869055240062165dc0f270b";
    const BROTLI_BOMB: &str = "9bffff7ff82700e2b14020f7fe0f";
    const TEXT: &[u8] = b"the same again and again, the same again and again";

    #[test]
    fn what_is_cut_off_or_followed_by_something_is_refused() {
        for (coding, whole) in [
            (Coding::Gzip, packed!(GzEncoder, TEXT)),
            (Coding::Deflate, packed!(ZlibEncoder, TEXT)),
            (Coding::Deflate, packed!(DeflateEncoder, TEXT)),
            (Coding::Brotli, hex::decode(BROTLI).unwrap()),
        ] {
            assert_eq!(unpacked(coding, &whole).as_deref(), Ok(TEXT), "{coding:?}");
            for cut in 0..whole.len() {
                let unpacked = unpacked(coding, &whole[..cut]);
                assert!(unpacked.is_err(), "{coding:?} at {cut}");
            }
            let mut more = whole.clone();
            more.push(b'x');
            assert!(unpacked(coding, &more).is_err(), "{coding:?} with more");
        }
        assert_eq!(
            unpacked(Coding::Gzip, b"{}").unwrap_err().to_string(),
            "the body is not the gzip that its `Content-Encoding` says"
        );
    }

    #[test]
    fn a_bomb_is_stopped_when_there_is_no_more_room() {
        let zeros = vec![0; 8 << 20];
        for (coding, bomb) in [
            (Coding::Gzip, packed!(GzEncoder, &zeros)),
            (Coding::Deflate, packed!(ZlibEncoder, &zeros)),
            (Coding::Brotli, hex::decode(BROTLI_BOMB).unwrap()),
        ] {
            let (mut left, mut asked) = (1 << 20, 0);
            let stopped = inflate(coding, &bomb, |more| {
                asked += more;
                left = usize::checked_sub(left, more).ok_or(Error::TooManyNodes { limit: 0 })?;
                Ok(())
            });
            assert_eq!(stopped, Err(Error::TooManyNodes { limit: 0 }), "{coding:?}");
            assert!(asked <= (1 << 20) + PIECE, "{coding:?}: {asked}");
        }
    }

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked(bytes: Vec<u8>) {
            prop_assert_eq!(unpacked(Coding::Gzip, &packed!(GzEncoder, &bytes)), Ok(bytes.clone()));
            prop_assert_eq!(unpacked(Coding::Deflate, &packed!(ZlibEncoder, &bytes)), Ok(bytes.clone()));
            prop_assert_eq!(unpacked(Coding::Deflate, &packed!(DeflateEncoder, &bytes)), Ok(bytes));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli] {
                let _unpacked = unpacked(coding, &bytes);
            }
        }
    }
}

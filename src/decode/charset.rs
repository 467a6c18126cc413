//! From bytes to text: UTF-8, or the charset that the content type names (by the labels of the WHATWG standard).

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

use super::Error;

/// The charset with this label; UTF-8 where there is none. `us-ascii` is UTF-8 as well: senders say it of either.
pub(super) fn named(label: Option<&str>) -> Result<&'static Encoding, Error> {
    match label.map(str::trim) {
        None | Some("") => Ok(UTF_8),
        Some(ascii) if ascii.eq_ignore_ascii_case("us-ascii") => Ok(UTF_8),
        Some(label) => Encoding::for_label(label.as_bytes()).ok_or(Error::UnknownCharset),
    }
}

/// The text of bytes in a charset; a byte order mark before it says more than the charset and is left out.
pub(super) fn text<'b>(bytes: &'b [u8], charset: &'static Encoding) -> Result<Cow<'b, str>, Error> {
    let (charset, mark) = Encoding::for_bom(bytes).unwrap_or((charset, 0));
    let bytes = bytes.get(mark..).unwrap_or_default();
    if charset == UTF_8 {
        let text = std::str::from_utf8(bytes);
        return text
            .map(Cow::Borrowed)
            .map_err(|error| Error::NotUtf8 { at: mark + error.valid_up_to() });
    }
    charset
        .decode_without_bom_handling_and_without_replacement(bytes)
        .ok_or(Error::NotInCharset { charset: charset.name() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], label: Option<&str>) -> Result<String, Error> {
        text(bytes, named(label)?).map(Cow::into_owned)
    }

    #[test]
    fn bytes_are_read_in_the_charset_they_are_said_to_be_in() {
        for (bytes, label, found) in [
            (&b"caf\xC3\xA9"[..], None, "café"),
            (b"caf\xC3\xA9", Some("UTF-8"), "café"),
            (b"caf\xC3\xA9", Some("us-ascii"), "café"),
            (b"caf\xE9", Some("iso-8859-1"), "café"),
            (b"\x80", Some("windows-1252"), "€"),
            (b"\x83e\x83X\x83g", Some("Shift_JIS"), "テスト"),
            (b"\xEF\xBB\xBFa", Some("iso-8859-1"), "a"),
            (b"\xFF\xFEa\0", None, "a"),
            (b"\0a", Some("utf-16be"), "a"),
        ] {
            assert_eq!(read(bytes, label).as_deref(), Ok(found), "{bytes:?} {label:?}");
        }
    }

    #[test]
    fn what_is_not_in_the_charset_is_refused() {
        assert_eq!(read(b"a\xFF", None), Err(Error::NotUtf8 { at: 1 }));
        assert_eq!(read(b"\xEF\xBB\xBFa\xFF", None), Err(Error::NotUtf8 { at: 4 }));
        assert_eq!(read(b"a", Some("klingon")), Err(Error::UnknownCharset));
        assert_eq!(read(b"\x83", Some("sjis")), Err(Error::NotInCharset { charset: "Shift_JIS" }));
    }
}

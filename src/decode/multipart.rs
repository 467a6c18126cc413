//! `multipart/form-data` (RFC 7578): parts with text as a form's fields; of a file only its name.
//!
//! Written by hand: the crates at hand read streams for servers, and a document needs no more than this. It is strict
//! about what frames the parts (CRLF, every part closed, the last one marked), so that no two readers see different
//! parts.

use encoding_rs::Encoding;

use super::fields::Fields;
use super::media::parameter;
use super::{Error, Limits, charset};
use crate::document::Value;

/// A boundary has 1 to 70 characters (RFC 2046, section 5.1.1).
const LONGEST_BOUNDARY: usize = 70;
/// More headers than this has no part.
const MOST_HEADERS: usize = 32;

/// Reads a body whose content type is `content_type`.
pub(super) fn multipart(
    content_type: &str,
    body: &[u8],
    charset: &'static Encoding,
    limits: &Limits,
) -> Result<Value, Error> {
    let boundary = parameter(content_type, "boundary").unwrap_or_default();
    if boundary.is_empty() || boundary.len() > LONGEST_BOUNDARY {
        return Err(Error::NoBoundary);
    }
    let mut fields = Fields::new(limits);
    let mut reader = Reader { rest: body, delimiter: format!("\r\n--{boundary}"), number: 0 };
    reader.skip_preamble()?;
    while let Some(part) = reader.part()? {
        if reader.number > limits.parts {
            return Err(Error::TooManyParts { limit: limits.parts });
        }
        let number = reader.number;
        let (headers, content) = part;
        let head = Head::read(headers, number)?;
        if let Some(name) = &head.file {
            fields.add(&head.name, name)?;
            continue;
        }
        let charset = match &head.charset {
            Some(label) => charset::named(Some(label))?,
            None => charset,
        };
        fields.add(&head.name, &charset::text(content, charset)?)?;
    }
    Ok(fields.into_document())
}

/// The headers of a part and its content.
type Part<'b> = (&'b [u8], &'b [u8]);

struct Reader<'b> {
    rest: &'b [u8],
    delimiter: String,
    number: usize,
}

impl<'b> Reader<'b> {
    fn flaw(&self, what: &'static str) -> Error {
        Error::Field { what, number: self.number }
    }

    /// Goes to the first boundary, which may stand at the very beginning.
    fn skip_preamble(&mut self) -> Result<(), Error> {
        let first = self.delimiter.as_bytes().get(2..).unwrap_or_default();
        if let Some(rest) = self.rest.strip_prefix(first) {
            self.rest = rest;
            return Ok(());
        }
        let what = "the boundary of the content type does not stand in it";
        self.upto_delimiter().map(drop).ok_or(Error::Syntax { what, line: 1, column: 1 })
    }

    /// What stands before the next boundary, which is passed.
    fn upto_delimiter(&mut self) -> Option<&'b [u8]> {
        let (before, rest) = split_at(self.rest, self.delimiter.as_bytes())?;
        self.rest = rest;
        Some(before)
    }

    /// The headers and the content of the next part; nothing behind the last one.
    fn part(&mut self) -> Result<Option<Part<'b>>, Error> {
        if self.rest.starts_with(b"--") {
            return Ok(None);
        }
        self.number += 1;
        let padding = self.rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let behind = self.rest.get(padding..).and_then(|rest| rest.strip_prefix(b"\r\n"));
        let Some(behind) = behind else {
            return Err(self.flaw("a boundary is not followed by a line's end"));
        };
        // A part without headers begins with the empty line.
        let (headers, content) = match behind.strip_prefix(b"\r\n") {
            Some(content) => (&b""[..], content),
            None => split_at(behind, b"\r\n\r\n")
                .ok_or_else(|| self.flaw("the headers of a part do not end"))?,
        };
        // The line's end before the boundary is the boundary's; an empty content shares it with the headers.
        self.rest = content;
        if let Some(rest) = self.delimiter.as_bytes().get(2..).and_then(|d| content.strip_prefix(d))
        {
            self.rest = rest;
            return Ok(Some((headers, b"")));
        }
        match self.upto_delimiter() {
            Some(content) => Ok(Some((headers, content))),
            None => Err(self.flaw("a part is not closed by the boundary")),
        }
    }
}

/// What stands before and behind the first `needle`.
fn split_at<'b>(bytes: &'b [u8], needle: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let first = *needle.first()?;
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let at = from + rest.iter().position(|byte| *byte == first)?;
        let behind = bytes.get(at..)?.strip_prefix(needle);
        if let Some(behind) = behind {
            return Some((bytes.get(..at)?, behind));
        }
        from = at + 1;
    }
}

/// What the headers of a part say.
struct Head {
    name: String,
    file: Option<String>,
    charset: Option<String>,
}

impl Head {
    fn read(headers: &[u8], number: usize) -> Result<Self, Error> {
        let flaw = |what| Error::Field { what, number };
        let headers = std::str::from_utf8(headers)
            .map_err(|_| flaw("the headers of a part are not UTF-8"))?;
        let (mut disposition, mut charset) = (None, None);
        for (count, line) in headers.split("\r\n").enumerate() {
            if count >= MOST_HEADERS {
                return Err(flaw("a part has more than 32 headers"));
            }
            if line.is_empty() {
                continue;
            }
            let (name, value) =
                line.split_once(':').ok_or_else(|| flaw("a header of a part has no `:`"))?;
            match name.trim().to_ascii_lowercase().as_str() {
                "content-disposition" if disposition.is_some() => {
                    return Err(flaw("a part has two names"));
                }
                "content-disposition" => disposition = Some(value),
                "content-type" => charset = parameter(value, "charset"),
                "content-transfer-encoding"
                    if !["7bit", "8bit", "binary"]
                        .iter()
                        .any(|as_it_is| value.trim().eq_ignore_ascii_case(as_it_is)) =>
                {
                    return Err(flaw("a part is packed: send it as it is"));
                }
                _ => {}
            }
        }
        let disposition = disposition.unwrap_or_default();
        let name = parameter(disposition, "name").ok_or_else(|| {
            flaw("a part has no name: `Content-Disposition: form-data; name=\"…\"`")
        })?;
        let file = parameter(disposition, "filename").or_else(|| {
            // RFC 5987 is not for forms (RFC 7578, section 4.2), but it is sent: the name is the last of three parts.
            let extended = parameter(disposition, "filename*")?;
            Some(super::percent_decoded(extended.rsplit('\'').next().unwrap_or_default()))
        });
        Ok(Self { name, file, charset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::UTF_8;
    use proptest::prelude::*;
    use std::fmt::Write;

    const TYPE: &str = "multipart/form-data; boundary=B";

    fn read(body: &str) -> Result<String, String> {
        multipart(TYPE, body.replace('\n', "\r\n").as_bytes(), UTF_8, &Limits::default())
            .map(|document| serde_json::to_string(&document).unwrap())
            .map_err(|error| error.to_string())
    }

    fn part(head: &str, content: &str) -> String {
        format!("--B\nContent-Disposition: form-data; {head}\n\n{content}\n")
    }

    #[test]
    fn parts_are_fields_and_of_a_file_there_is_its_name() {
        for (body, document) in [
            (part("name=\"a\"", "1") + "--B--", r#"{"a":"1"}"#),
            (part("name=a", "") + "--B--\n", r#"{"a":""}"#),
            ("preamble\n".to_owned() + &part("name=\"a\"", "1") + "--B--\nepilogue", r#"{"a":"1"}"#),
            (part("name=\"a\"", "1") + &part("name=\"a\"", "2") + "--B--", r#"{"a":["1","2"]}"#),
            (part("name=\"a[b]\"", "1") + "--B--", r#"{"a":{"b":"1"}}"#),
            (part("name=\"a\"", "one\n--Bee\n two") + "--B--", ""),
            (part("name=\"a\"", "one\n--C\n two") + "--B--", r#"{"a":"one\r\n--C\r\n two"}"#),
            (part("name=\"cv\"; filename=\"C:\\cv.pdf\"", "%PDF\u{0}") + "--B--", r#"{"cv":"C:\\cv.pdf"}"#),
            (part("name=\"cv\"; filename*=UTF-8''caf%C3%A9.pdf", "x") + "--B--", r#"{"cv":"café.pdf"}"#),
            ("--B--".to_owned(), "{}"),
            ("--B \t\nContent-Disposition: form-data; name=a\nContent-Type: text/plain; charset=utf-8\nX: y\n\n1\n--B--".to_owned(), r#"{"a":"1"}"#),
        ] {
            match document {
                "" => assert!(read(&body).is_err(), "{body}"),
                document => assert_eq!(read(&body).as_deref(), Ok(document), "{body}"),
            }
        }
    }

    #[test]
    fn the_charset_of_a_part_is_its_own_or_the_bodys() {
        let body = b"--B\r\nContent-Disposition: form-data; name=a\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n\xE9\r\n--B--";
        let read = multipart(TYPE, body, UTF_8, &Limits::default());
        assert_eq!(read.unwrap().member("a"), Some(&Value::text("é")));
    }

    #[test]
    fn what_does_not_hold_together_is_refused() {
        for (body, what) in [
            ("", "the boundary of the content type does not stand in it (line 1, column 1)"),
            ("--C--", "the boundary of the content type does not stand in it (line 1, column 1)"),
            (
                "--B\nContent-Disposition: form-data; name=a\n\n1",
                "a part is not closed by the boundary (field or part 1)",
            ),
            (
                "--B\nContent-Disposition: form-data; name=a\n",
                "the headers of a part do not end (field or part 1)",
            ),
            ("--Bx\n\n1\n--B--", "a boundary is not followed by a line's end (field or part 1)"),
            (
                "--B\n\n1\n--B--",
                "a part has no name: `Content-Disposition: form-data; name=\"…\"` (field or part 1)",
            ),
            ("--B\nnonsense\n\n1\n--B--", "a header of a part has no `:` (field or part 1)"),
            (
                "--B\nContent-Disposition: form-data; name=a\nContent-Transfer-Encoding: base64\n\n1\n--B--",
                "a part is packed: send it as it is (field or part 1)",
            ),
        ] {
            assert_eq!(
                read(body).unwrap_err(),
                format!("the body does not parse: {what}"),
                "{body}"
            );
        }
        for content_type in ["multipart/form-data", "multipart/form-data; boundary="] {
            let read = multipart(content_type, b"--B--", UTF_8, &Limits::default());
            assert!(read.unwrap_err().to_string().contains("`boundary`"));
        }
    }

    #[test]
    fn parts_are_bounded() {
        let many = part("name=a", "1").repeat(1_001) + "--B--";
        assert_eq!(read(&many).unwrap_err(), "the body holds more than the limit of 1000 parts");
    }

    proptest! {
        #[test]
        fn fields_read_as_they_were_written(
            fields in prop::collection::btree_map("[a-z \"\\\\é;=]{1,8}", any::<String>(), 0..6),
            boundary in "[A-Za-z0-9'_-]{40,70}",
        ) {
            let mut body = String::new();
            for (name, text) in &fields {
                let name = name.replace('\\', "\\\\").replace('"', "\\\"");
                write!(body, "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n").unwrap();
            }
            write!(body, "--{boundary}--\r\n").unwrap();

            let content_type = format!("multipart/form-data; boundary=\"{boundary}\"");
            let read = multipart(&content_type, body.as_bytes(), UTF_8, &Limits::default());

            let expected = fields.into_iter().map(|(name, text)| (name.into(), Value::text(text.strip_prefix('\u{feff}').unwrap_or(&text))));
            prop_assert_eq!(read, Ok(Value::Object(expected.collect())));
        }

        #[test]
        fn no_bytes_make_it_panic(
            bytes: Vec<u8>,
            parts in r#"(--B|--B--|\r\n|Content-Disposition: form-data; name=a|; filename=|:|"|x){0,30}"#,
        ) {
            let _read = multipart(TYPE, &bytes, UTF_8, &Limits::default());
            let _read = multipart(TYPE, parts.as_bytes(), UTF_8, &Limits::default());
        }
    }
}

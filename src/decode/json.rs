//! JSON (RFC 8259), read into a document that keeps every number as it was written.
//!
//! Written by hand, since no reader at hand does all of this: keep the text of numbers, refuse repeated keys,
//! bound depth and values while reading, and treat every key as a key (`serde_json` with
//! `arbitrary_precision` takes an object whose key is its own marker for a number).

use super::{Error, Limits};
use crate::document::{Members, Value};

/// Reads one JSON value in UTF-8, with or without a byte order mark; nothing but white space may follow it.
pub fn json(bytes: &[u8], limits: &Limits) -> Result<Value, Error> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text =
        std::str::from_utf8(bytes).map_err(|error| Error::NotUtf8 { at: error.valid_up_to() })?;
    json_text(text, 0, &mut 0, limits)
}

/// Reads one JSON value that stands in `level` lists and objects already, beside `nodes` other values; counts its own.
pub(super) fn json_text(
    text: &str,
    level: usize,
    nodes: &mut usize,
    limits: &Limits,
) -> Result<Value, Error> {
    let mut reader = Reader { text, at: 0, nodes: *nodes, limits };
    reader.skip_space();
    if reader.peek().is_none() {
        return Err(reader.flaw("it is empty"));
    }
    let value = reader.value(level)?;
    reader.skip_space();
    if reader.peek().is_some() {
        return Err(reader.flaw("something stands behind the value"));
    }
    *nodes = reader.nodes;
    Ok(value)
}

/// Line and column of a byte, both from 1.
pub(super) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let line = before.split(|byte| *byte == b'\n').count();
    // A byte that continues a character starts with the bits 10.
    let starts = |byte: &&u8| **byte & 0b1100_0000 != 0b1000_0000;
    let column = before.iter().skip(line_start).filter(starts).count() + 1;
    (line, column)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    nodes: usize,
    limits: &'t Limits,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// The text from `start` to here; both always stand between characters.
    fn since(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn flaw(&self, what: &'static str) -> Error {
        let (line, column) = place(self.text, self.at);
        Error::Syntax { what, line, column }
    }

    /// Reads the value that begins here; `level` is how many lists and objects it stands in.
    fn value(&mut self, level: usize) -> Result<Value, Error> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            return Err(Error::TooManyNodes { limit: self.limits.nodes });
        }
        match self.peek() {
            Some(b'{') => self.object(level),
            Some(b'[') => self.list(level),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) => Err(self.flaw("a value is expected")),
            None => Err(self.flaw("it ends where a value is expected")),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Error> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.flaw("a value is expected"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn deeper(&mut self, level: usize) -> Result<(), Error> {
        if level >= self.limits.levels {
            return Err(Error::TooDeep { limit: self.limits.levels });
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    fn list(&mut self, level: usize) -> Result<Value, Error> {
        self.deeper(level)?;
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(level + 1)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::List(items));
            }
            if !self.take(b',') {
                return Err(self.flaw("`,` or `]` is expected in a list"));
            }
            self.skip_space();
        }
    }

    fn object(&mut self, level: usize) -> Result<Value, Error> {
        self.deeper(level)?;
        let mut members = Members::new();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            let key_at = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.flaw("a key in quotes is expected"));
            }
            let key = self.string()?;
            self.skip_space();
            if !self.take(b':') {
                return Err(self.flaw("`:` is expected behind a key"));
            }
            self.skip_space();
            let value = self.value(level + 1)?;
            if members.insert(key, value).is_some() {
                let (line, column) = place(self.text, key_at);
                return Err(Error::RepeatedKey { line, column });
            }
            self.skip_space();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return Err(self.flaw("`,` or `}` is expected in an object"));
            }
            self.skip_space();
        }
    }

    fn digits(&mut self) -> Result<(), Error> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.flaw("a digit is expected")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Value, Error> {
        let start = self.at;
        self.take(b'-');
        if self.take(b'0') {
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.flaw("a number does not begin with `0`"));
            }
        } else {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if !self.take(b'-') {
                self.take(b'+');
            }
            self.digits()?;
        }
        Ok(Value::Number(self.since(start).into()))
    }

    fn string(&mut self) -> Result<Box<str>, Error> {
        self.at += 1;
        let plain = self.plain_text();
        if self.take(b'"') {
            return Ok(plain.into());
        }
        let mut text = plain.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text.into());
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return Err(self.flaw("a control character stands in a text")),
                None => return Err(self.flaw("a text is not closed")),
            }
            text.push_str(self.plain_text());
        }
    }

    /// The text from here to the next quote, escape or control character.
    fn plain_text(&mut self) -> &'t str {
        let start = self.at;
        while matches!(self.peek(), Some(byte) if byte != b'"' && byte != b'\\' && byte >= 0x20) {
            self.at += 1;
        }
        self.since(start)
    }

    fn escape(&mut self) -> Result<char, Error> {
        self.at += 1;
        let escaped = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.flaw("an escape is not known")),
        };
        self.at += 1;
        Ok(escaped)
    }

    /// `\uXXXX`, or two of them where the first is the first half of a pair.
    fn unicode(&mut self) -> Result<char, Error> {
        const HALF: &str = "an escape is half of a character";
        let first = self.hex()?;
        if !(0xD800..0xE000).contains(&first) {
            return char::from_u32(first).ok_or_else(|| self.flaw(HALF));
        }
        if first >= 0xDC00 || !self.take(b'\\') || self.peek() != Some(b'u') {
            return Err(self.flaw(HALF));
        }
        let second = self.hex()?;
        if !(0xDC00..0xE000).contains(&second) {
            return Err(self.flaw(HALF));
        }
        char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00))
            .ok_or_else(|| self.flaw(HALF))
    }

    /// The four digits behind the `u` that stands here.
    fn hex(&mut self) -> Result<u32, Error> {
        self.at += 1;
        let mut number = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.flaw("four hexadecimal digits are expected"));
            };
            number = number * 16 + digit;
            self.at += 1;
        }
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Value, Error> {
        json(text.as_bytes(), &Limits::default())
    }

    #[test]
    fn numbers_keep_every_digit() {
        for number in
            ["0", "-0", "12025550143", "9007199254740993", "1.10", "1e0", "1E+400", "-0.0e-7"]
        {
            assert_eq!(read(number), Ok(Value::Number(number.into())), "{number}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_white_space_around_the_value_are_passed_over() {
        assert_eq!(json(b"\xEF\xBB\xBF \r\n\t[]\n", &Limits::default()), Ok(Value::List(vec![])));
    }

    #[test]
    fn the_marker_of_a_library_is_a_key_like_any_other() {
        let value = read(r#"{"a":{"$serde_json::private::Number":"1"}}"#).unwrap();
        let inner = value.member("a").and_then(|a| a.member("$serde_json::private::Number"));
        assert_eq!(inner, Some(&Value::text("1")));
    }

    #[test]
    fn escapes_become_characters() {
        let value = read(r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00 é""#);
        assert_eq!(value, Ok(Value::text("\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1f600} é")));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_without_its_content() {
        for (body, message) in [
            ("", "it is empty (line 1, column 1)"),
            ("{\n  \"é\": tru\n}", "a value is expected (line 2, column 8)"),
            ("[1,]", "a value is expected (line 1, column 4)"),
            ("[1 2]", "`,` or `]` is expected in a list (line 1, column 4)"),
            ("{\"a\" 1}", "`:` is expected behind a key (line 1, column 6)"),
            ("{\"a\":1,}", "a key in quotes is expected (line 1, column 8)"),
            ("{\"a\":1", "`,` or `}` is expected in an object (line 1, column 7)"),
            ("[", "it ends where a value is expected (line 1, column 2)"),
            ("{} {}", "something stands behind the value (line 1, column 4)"),
            ("01", "a number does not begin with `0` (line 1, column 2)"),
            ("1.", "a digit is expected (line 1, column 3)"),
            ("-", "a digit is expected (line 1, column 2)"),
            ("+1", "a value is expected (line 1, column 1)"),
            ("NaN", "a value is expected (line 1, column 1)"),
            ("\"a", "a text is not closed (line 1, column 3)"),
            ("\"a\nb\"", "a control character stands in a text (line 1, column 3)"),
            ("\"\\x\"", "an escape is not known (line 1, column 3)"),
            ("\"\\u12\"", "four hexadecimal digits are expected (line 1, column 6)"),
            ("\"\\udc00\"", "an escape is half of a character (line 1, column 8)"),
            ("\"\\ud800\\u0041\"", "an escape is half of a character (line 1, column 14)"),
        ] {
            let error = read(body).unwrap_err().to_string();
            assert_eq!(error, format!("the body does not parse: {message}"), "{body:?}");
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_however_it_is_escaped() {
        assert_eq!(
            read("{\"a\":1,\n \"\\u0061\":2}"),
            Err(Error::RepeatedKey { line: 2, column: 2 })
        );
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_refused() {
        assert_eq!(json(b"\"a\xff\"", &Limits::default()), Err(Error::NotUtf8 { at: 2 }));
    }

    #[test]
    fn depth_and_number_of_values_are_bounded() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        let long = |items: usize| format!("[{}1]", "1,".repeat(items - 1));
        assert!(read(&nested(64)).is_ok());
        assert_eq!(read(&nested(65)), Err(Error::TooDeep { limit: 64 }));
        assert_eq!(read(&nested(100_000)), Err(Error::TooDeep { limit: 64 }));
        assert!(read(&long(99_999)).is_ok());
        assert_eq!(read(&long(100_000)), Err(Error::TooManyNodes { limit: 100_000 }));
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(5, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(serde_json::Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..8)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_document_reads_as_it_was_written(value in any_json(), pretty: bool) {
            let written = if pretty {
                serde_json::to_string_pretty(&value)
            } else {
                serde_json::to_string(&value)
            };

            let read = read(&written.unwrap()).unwrap();

            prop_assert_eq!(serde_json::to_value(&read).unwrap(), value);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _read = json(&bytes, &Limits::default());
        }

        #[test]
        fn it_takes_what_the_library_takes_and_nothing_else(
            text in r#"[\[\]{}:, \n"\\u0-9a-f.eE+\-truefalsn]{0,24}"#
        ) {
            let library = serde_json::from_str::<serde_json::Value>(&text);
            match read(&text) {
                Ok(_) => prop_assert!(library.is_ok(), "{text:?}"),
                Err(Error::RepeatedKey { .. }) => {}
                Err(_) => prop_assert!(library.is_err(), "{text:?}"),
            }
        }
    }
}

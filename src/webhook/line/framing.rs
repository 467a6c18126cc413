//! Where a request of HTTP/1 begins and ends, read so strictly that no proxy in front can have read it otherwise.
//!
//! Source of the format: RFC 9112. What it lets a server be lenient about is refused here: a bare LF, a header that
//! goes on in the next line, blanks before a colon, a length given twice, a length beside a transfer coding, and any
//! transfer coding but `chunked`.

use super::chunks::Chunks;

/// The longest head that is taken.
pub(super) const LONGEST_HEAD: usize = 32 << 10;

/// Blank lines before a request line that are passed over; some senders end their bodies with one.
const BLANK_LINES: usize = 2;

/// What makes a request one that two readers could read differently, or none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// A line that does not end in CR LF, or a control character in one.
    Line,
    /// A request line that is none, or a method that asks for something else than an answer.
    RequestLine,
    /// A header without a name, with blanks around it, or that goes on in the next line.
    Header,
    /// The body's length: twice, no number, or beside a transfer coding.
    Length,
    /// A transfer coding that is not `chunked` alone.
    Coding,
    /// A chunk that is none.
    Chunk,
    /// The head is too long.
    TooLong,
}

/// The body behind a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes; none for most requests without a body.
    Length(u64),
    /// In chunks.
    Chunked(Chunks),
}

impl Body {
    /// How many of these bytes belong to the body, which ends there if that is fewer than all or [`Self::is_over`].
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<usize, Flaw> {
        match self {
            Self::Length(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= taken as u64;
                Ok(taken)
            }
            Self::Chunked(chunks) => chunks.take(bytes),
        }
    }

    /// Whether nothing more belongs to it.
    pub(super) const fn is_over(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunks) => chunks.is_over(),
        }
    }
}

/// A head that has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Its bytes, from the request line to the empty line.
    pub(super) length: usize,
    /// What follows it.
    pub(super) body: Body,
}

/// How much of a head has come so far; the bytes themselves are kept elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Coming {
    /// Blank lines that were passed over.
    blank: usize,
    /// How many bytes of the head were looked at before, so that one that comes byte by byte is not read again from
    /// its start each time.
    seen: usize,
}

impl Coming {
    /// How many of these bytes are blank lines before the request line, to be dropped before [`Self::head`] is asked.
    pub(super) fn blank(&mut self, bytes: &[u8]) -> usize {
        if self.seen > 0 {
            return 0;
        }
        let lines = bytes.chunks_exact(2).take_while(|two| *two == b"\r\n");
        let lines = lines.take(BLANK_LINES - self.blank).count();
        self.blank += lines;
        lines * 2
    }

    /// The head that these bytes begin with; nothing as long as its end is missing.
    pub(super) fn head(&mut self, bytes: &[u8]) -> Result<Option<Head>, Flaw> {
        let head = head(bytes, self.seen)?;
        // A CR alone may be half a blank line.
        self.seen = if bytes == b"\r" { 0 } else { bytes.len() };
        Ok(head)
    }
}

/// The head that these bytes begin with, of which so many were looked at before.
fn head(bytes: &[u8], seen: usize) -> Result<Option<Head>, Flaw> {
    let from = seen.saturating_sub(3).min(bytes.len());
    let rest = bytes.get(from..).unwrap_or_default();
    let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") else {
        if bytes.len() >= LONGEST_HEAD {
            return Err(Flaw::TooLong);
        }
        // A head whose lines end in bare LF would never end.
        return if bare_line_end(bytes, from) { Err(Flaw::Line) } else { Ok(None) };
    };
    let length = from + end + 4;
    if length > LONGEST_HEAD {
        return Err(Flaw::TooLong);
    }
    let lines = bytes.get(..length - 4).unwrap_or_default();
    read(lines).map(|body| Some(Head { length, body }))
}

fn bare_line_end(bytes: &[u8], from: usize) -> bool {
    let before = |at: usize| at.checked_sub(1).and_then(|at| bytes.get(at)).copied();
    (from..bytes.len()).any(|at| bytes.get(at) == Some(&b'\n') && before(at) != Some(b'\r'))
}

/// The lines of a head, without the empty one at its end.
fn read(head: &[u8]) -> Result<Body, Flaw> {
    let mut lines = head.split(|byte| *byte == b'\n');
    let request_line = ended(lines.next().unwrap_or_default(), lines.clone().next().is_none())?;
    let old = request_line_of(request_line)?;
    let (mut length, mut chunked) = (None, false);
    while let Some(line) = lines.next() {
        let line = ended(line, lines.clone().next().is_none())?;
        let (name, value) = header(line)?;
        if name.eq_ignore_ascii_case(b"content-length") {
            let read = number(value).ok_or(Flaw::Length)?;
            if length.replace(read).is_some() {
                return Err(Flaw::Length);
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if chunked || old || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Flaw::Coding);
            }
            chunked = true;
        } else if name.eq_ignore_ascii_case(b"upgrade") && value.eq_ignore_ascii_case(b"websocket")
        {
            // What follows would be no HTTP any more.
            return Err(Flaw::RequestLine);
        }
    }
    match (length, chunked) {
        (Some(_), true) => Err(Flaw::Length),
        (None, true) => Ok(Body::Chunked(Chunks::default())),
        (length, false) => Ok(Body::Length(length.unwrap_or_default())),
    }
}

/// A line without its CR; the last one has none, since the end of the head was cut off with it.
fn ended(line: &[u8], last: bool) -> Result<&[u8], Flaw> {
    let line = if last { line } else { line.strip_suffix(b"\r").ok_or(Flaw::Line)? };
    let control = |byte: &u8| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f;
    if line.iter().any(control) { Err(Flaw::Line) } else { Ok(line) }
}

/// Whether the request is one of HTTP/1.0.
fn request_line_of(line: &[u8]) -> Result<bool, Flaw> {
    let mut words = line.split(|byte| *byte == b' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    let (Some(method), Some(target), Some(version), None) = (method, target, version, words.next())
    else {
        return Err(Flaw::RequestLine);
    };
    let names_a_method = !method.is_empty() && method.iter().all(|byte| is_token(*byte));
    if !names_a_method || method == b"CONNECT" || target.is_empty() || target.contains(&b'\t') {
        return Err(Flaw::RequestLine);
    }
    match version {
        b"HTTP/1.1" => Ok(false),
        b"HTTP/1.0" => Ok(true),
        _ => Err(Flaw::RequestLine),
    }
}

fn header(line: &[u8]) -> Result<(&[u8], &[u8]), Flaw> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or(Flaw::Header)?;
    let (name, value) = line.split_at_checked(colon).ok_or(Flaw::Header)?;
    if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
        return Err(Flaw::Header);
    }
    Ok((name, value.get(1..).unwrap_or_default().trim_ascii()))
}

/// RFC 9110, section 5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

fn number(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    if digits { std::str::from_utf8(value).ok()?.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_of(head: &str) -> Result<Option<Head>, Flaw> {
        super::head(head.as_bytes(), 0)
    }

    #[test]
    fn a_head_ends_with_its_empty_line_and_says_what_follows() {
        let plain = "POST /hooks/crm HTTP/1.1\r\nHost: a\r\n";
        for (more, body) in [
            ("\r\n", Body::Length(0)),
            ("Content-Length: 12\r\n\r\nabc", Body::Length(12)),
            ("content-length:0\r\n\r\n", Body::Length(0)),
            ("X:\r\nTransfer-Encoding:\tChunked \r\n\r\n", Body::Chunked(Chunks::default())),
            ("X-Name: J\u{fc}rgen\tM\r\n\r\n", Body::Length(0)),
        ] {
            let text = format!("{plain}{more}");
            let length = text.find("\r\n\r\n").unwrap() + 4;
            assert_eq!(read_of(&text), Ok(Some(Head { length, body })), "{more:?}");
            for cut in 0..length {
                assert_eq!(head(text.as_bytes().get(..cut).unwrap(), 0), Ok(None), "{cut}");
            }
        }
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        let after = |headers: &str| format!("POST /h HTTP/1.1\r\nHost: a\r\n{headers}\r\n\r\n");
        for (text, flaw) in [
            (after("Content-Length: 1\r\nContent-Length: 1"), Flaw::Length),
            (after("Content-Length: 1, 1"), Flaw::Length),
            (after("Content-Length: +1"), Flaw::Length),
            (after("Content-Length: 0x1"), Flaw::Length),
            (after("Content-Length:"), Flaw::Length),
            (after("Content-Length: 99999999999999999999"), Flaw::Length),
            (after("Content-Length: 1\r\nTransfer-Encoding: chunked"), Flaw::Length),
            (after("Transfer-Encoding: chunked\r\nContent-Length: 1"), Flaw::Length),
            (after("Transfer-Encoding: xchunked"), Flaw::Coding),
            (after("Transfer-Encoding: chunked, identity"), Flaw::Coding),
            (after("Transfer-Encoding: gzip, chunked"), Flaw::Coding),
            (after("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), Flaw::Coding),
            (after("Transfer-Encoding:"), Flaw::Coding),
            (after("Transfer-Encoding : chunked"), Flaw::Header),
            (after("Transfer-Encoding\r\n : chunked"), Flaw::Header),
            (after("X: a\r\n b"), Flaw::Header),
            (after("X: a\r\n\tb"), Flaw::Header),
            (after(": a"), Flaw::Header),
            (after("X a"), Flaw::Header),
            (after("X: a\nTransfer-Encoding: chunked"), Flaw::Line),
            (after("X: a\rY: b"), Flaw::Line),
            (after("X: a\0b"), Flaw::Line),
            (after("Upgrade: websocket"), Flaw::RequestLine),
            ("POST /h HTTP/1.1\nHost: a\n\n".to_owned(), Flaw::Line),
            ("POST /h HTTP/1.1\r\nHost: a\n\r\n\r\n".to_owned(), Flaw::Line),
            ("POST  /h HTTP/1.1\r\n\r\n".to_owned(), Flaw::RequestLine),
            ("POST /h HTTP/1.1 \r\n\r\n".to_owned(), Flaw::RequestLine),
            ("POST /h HTTP/2.0\r\n\r\n".to_owned(), Flaw::RequestLine),
            ("POST /h\r\n\r\n".to_owned(), Flaw::RequestLine),
            ("CONNECT a:1 HTTP/1.1\r\n\r\n".to_owned(), Flaw::RequestLine),
            ("P(ST /h HTTP/1.1\r\n\r\n".to_owned(), Flaw::RequestLine),
            (" /h HTTP/1.1\r\n\r\n".to_owned(), Flaw::RequestLine),
            ("GET /h HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), Flaw::Coding),
            ("\x16\x03\x01\x02\x00\x01\r\n\r\n".to_owned(), Flaw::Line),
        ] {
            assert_eq!(read_of(&text), Err(flaw), "{text:?}");
        }
    }

    #[test]
    fn a_head_has_a_longest_length_whether_it_ends_or_not() {
        let long = |filled: usize| format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(filled));

        assert_eq!(read_of(&long(LONGEST_HEAD - 30)), Ok(None));
        assert_eq!(read_of(&long(LONGEST_HEAD)), Err(Flaw::TooLong));
        assert_eq!(read_of(&format!("{}\r\n\r\n", long(LONGEST_HEAD))), Err(Flaw::TooLong));
    }

    #[test]
    fn a_blank_line_or_two_before_a_request_are_passed_over() {
        for (text, bytes) in
            [("GET", 0), ("\r\nGET", 2), ("\r\n\r\n\r\nGET", 4), ("\r", 0), ("", 0)]
        {
            assert_eq!(Coming::default().blank(text.as_bytes()), bytes, "{text:?}");
        }
    }

    /// What a head that comes in pieces of so many bytes is read as: how many bytes of it were dropped, and the rest.
    fn in_pieces(bytes: &[u8], step: usize) -> (usize, Result<Option<Head>, Flaw>) {
        let (mut coming, mut dropped) = (Coming::default(), 0);
        for end in (step..).step_by(step).map(|end| end.min(bytes.len())) {
            dropped += coming.blank(&bytes[dropped..end]);
            let read = coming.head(&bytes[dropped..end]);
            if end == bytes.len() || read != Ok(None) {
                return (dropped, read);
            }
        }
        unreachable!("the last piece ends it")
    }

    #[test]
    fn blank_lines_are_counted_in_whatever_pieces_they_come() {
        for (before, taken) in [
            ("", true),
            ("\r\n", true),
            ("\r\n\r\n", true),
            ("\r\n\r\n\r\n", false),
            ("\r\r\n", false),
            ("\n", false),
        ] {
            let text = format!("{before}GET / HTTP/1.1\r\n\r\n");
            for step in 1..=text.len() {
                let (dropped, read) = in_pieces(text.as_bytes(), step);
                let length = text.len() - before.len();
                let whole = Head { length, body: Body::Length(0) };
                assert_eq!(read.ok(), taken.then_some(Some(whole)), "{text:?} by {step}");
                assert!(!taken || dropped == before.len(), "{text:?} by {step}");
            }
        }
    }

    proptest! {
        #[test]
        fn it_does_not_matter_in_what_pieces_a_head_comes(
            text in "(\r\n){0,3}(GET|POST) /[a-z]{0,9} HTTP/1\\.1\r\n(([A-Za-z-]{1,9}|Content-Length): [a-z0-9]{0,4}\r?\n){0,4}\r\n[a-z\r\n]{0,9}",
            step in 1_usize..80,
        ) {
            let whole = in_pieces(text.as_bytes(), text.len());
            let pieces = in_pieces(text.as_bytes(), step);
            if whole.1.is_err() {
                prop_assert!(pieces.1.is_err());
            } else {
                prop_assert_eq!(pieces, whole);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, seen in 0_usize..70) {
            let taken = head(&bytes, seen);
            if let Ok(Some(head)) = taken {
                prop_assert!(head.length <= bytes.len());
            }
        }
    }
}

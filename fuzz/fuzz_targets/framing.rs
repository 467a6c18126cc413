//! Bytes of a connection, in pieces as long as the first byte says: where its requests begin and end does not depend on
//! the pieces, and the library behind the gate never sees an end elsewhere.
#![no_main]

use std::ops::Range;

use actix_http::ServiceConfig;
use actix_http::h1::{Codec, Message, MessageType};
use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use tokio_util::codec::Decoder;

// The sources themselves: nobody outside of the door has any use for them.
#[path = "../../src/webhook/line/chunks.rs"]
mod chunks;
#[path = "../../src/webhook/line/framing.rs"]
mod framing;

use framing::{Body, Coming, Flaw};

thread_local! {
    /// The library's settings have a clock, which needs a runtime to be made.
    static CONFIG: ServiceConfig = {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime.expect("a runtime"), async { ServiceConfig::default() })
    };
}

/// A request that has come whole.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    head: Range<usize>,
    end: usize,
}

/// What a connection is read as.
#[derive(Debug)]
struct Reading {
    requests: Vec<Request>,
    /// What was handed on of a request that did not come whole.
    begun: Range<usize>,
    flawed: bool,
}

/// Reads as the gate does, when the bytes come in pieces of so many.
fn read(bytes: &[u8], step: usize) -> Reading {
    let mut reading = Reading { requests: Vec::new(), begun: 0..0, flawed: false };
    let mut coming = Coming::default();
    let mut body: Option<Body> = None;
    // Where what is not handed on yet begins, and where the request did.
    let (mut at, mut head) = (0, 0..0);
    let mut arrived = 0;
    while arrived < bytes.len() {
        arrived = (arrived + step).min(bytes.len());
        let outcome: Result<(), Flaw> = loop {
            let Some(this) = &mut body else {
                at += coming.blank(&bytes[at..arrived]);
                match coming.head(&bytes[at..arrived]) {
                    Ok(None) => break Ok(()),
                    Ok(Some(found)) => {
                        assert!(found.length <= framing::LONGEST_HEAD);
                        head = at..at + found.length;
                        at = head.end;
                        reading.begun = head.clone();
                        body = Some(found.body);
                    }
                    Err(flaw) => break Err(flaw),
                }
                continue;
            };
            match this.take(&bytes[at..arrived]) {
                Ok(taken) => at += taken,
                Err(flaw) => break Err(flaw),
            }
            reading.begun.end = at;
            if !this.is_over() {
                assert_eq!(at, arrived, "what belongs to a body is left behind");
                break Ok(());
            }
            reading.requests.push(Request { head: head.clone(), end: at });
            reading.begun = at..at;
            (body, coming) = (None, Coming::default());
        };
        if outcome.is_err() {
            reading.flawed = true;
            break;
        }
    }
    reading
}

/// What the library makes of bytes that are handed on to it.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// It answers 400 and hangs up.
    Refused,
    /// One request with so long a body, and so many bytes left behind it.
    Whole { body: u64, left: usize },
    /// It waits for more.
    Waiting,
}

fn fresh() -> Codec {
    Codec::new(CONFIG.with(ServiceConfig::clone))
}

fn library(codec: &mut Codec, bytes: &[u8]) -> Seen {
    let mut bytes = BytesMut::from(bytes);
    match codec.decode(&mut bytes) {
        Err(_) => return Seen::Refused,
        Ok(Some(Message::Item(_))) => {}
        Ok(_) => return Seen::Waiting,
    }
    let mut body = 0;
    if matches!(codec.message_type(), MessageType::None) {
        return Seen::Whole { body, left: bytes.len() };
    }
    loop {
        match codec.decode(&mut bytes) {
            Err(_) => return Seen::Refused,
            Ok(Some(Message::Chunk(Some(more)))) => body += more.len() as u64,
            Ok(Some(Message::Chunk(None))) => return Seen::Whole { body, left: bytes.len() },
            Ok(Some(Message::Item(_))) => panic!("a request within a request"),
            Ok(None) => return Seen::Waiting,
        }
    }
}

/// Whether another reader has the body in chunks, where it takes the head; it has to end at the same byte.
fn parsed(head: &[u8]) -> Option<bool> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(head) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => panic!("a head that goes on"),
        Err(_) => return None,
    };
    assert_eq!(length, head.len());
    let values = |wanted: &'static str| {
        let is_it = move |own: &&httparse::Header| own.name.eq_ignore_ascii_case(wanted);
        request.headers.iter().filter(is_it).map(|own| own.value).collect::<Vec<_>>()
    };
    // What RFC 9112 has a reader refuse or mend, so that one may have done this and another that.
    match (&values("content-length")[..], &values("transfer-encoding")[..]) {
        ([], []) => Some(false),
        ([length], []) => {
            assert!(length.iter().all(|byte| byte.is_ascii_digit()) && !length.is_empty());
            Some(false)
        }
        ([], [coding]) => {
            assert!(coding.eq_ignore_ascii_case(b"chunked") && request.version == Some(1));
            Some(true)
        }
        several => panic!("a length that can be read in two ways: {several:?}"),
    }
}

/// The length of a body in chunks, as another reader has their sizes.
fn dechunked(mut bytes: &[u8]) -> u64 {
    assert!(bytes.ends_with(b"\r\n\r\n"), "its end is no empty line");
    let mut length = 0;
    loop {
        let size = httparse::parse_chunk_size(bytes).expect("a size that another reader takes");
        let httparse::Status::Complete((line, size)) = size else { panic!("a size that goes on") };
        if size == 0 {
            return length;
        }
        length += size;
        bytes = &bytes[line + usize::try_from(size).expect("it has come") + 2..];
    }
}

fuzz_target!(|data: &[u8]| {
    let [step, bytes @ ..] = data else { return };
    let whole = read(bytes, bytes.len().max(1));
    let pieces = read(bytes, usize::from(*step).max(1));

    assert_eq!(pieces.requests, whole.requests);
    assert_eq!(pieces.flawed, whole.flawed);

    let mut codec = fresh();
    for request in &pieces.requests {
        let body = &bytes[request.head.end..request.end];
        let length = match parsed(&bytes[request.head.clone()]) {
            Some(true) => dechunked(body),
            Some(false) => body.len() as u64,
            None => return,
        };
        match library(&mut codec, &bytes[request.head.start..request.end]) {
            Seen::Refused => return,
            seen => assert_eq!(seen, Seen::Whole { body: length, left: 0 }),
        }
    }
    for begun in [&whole.begun, &pieces.begun] {
        let seen = library(&mut fresh(), &bytes[begun.clone()]);
        assert!(!matches!(seen, Seen::Whole { .. }), "an end where we see none: {seen:?}");
    }
});

//! The forms in which requests and plans are kept. Made by who appends and read by who asks, never by the writer.

use std::cell::RefCell;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use zstd::bulk::Compressor;

use super::cipher::is_sealed;
use crate::contact::PlannedUpdate;
use crate::store::{Error, Request};

/// The form in which this release keeps plans: JSON of [`PlannedUpdate`].
pub(in crate::store) const PLAN_FORM: i64 = 1;

/// A body larger than this is made ready away from the threads that serve.
pub(in crate::store) const LARGE_BODY: usize = 256 << 10;

/// Bodies shorter than this gain nothing.
const WORTH_COMPRESSING: usize = 1024;
const AS_IT_CAME: i64 = 0;
const ZSTD: i64 = 1;

pub(in crate::store) fn plan_bytes(plan: &PlannedUpdate) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(plan)
        .map_err(|error| Error::Failed(format!("an update could not be written: {error}")))
}

/// What is said of what is sealed and cannot be opened.
pub(in crate::store) const UNREADABLE: &str = "what is stored cannot be decrypted: its key is not in `store.encryption_key_file`, or it is damaged";

/// Reads a plan, or says why this release cannot.
pub(in crate::store) fn plan(form: i64, bytes: &[u8]) -> Result<PlannedUpdate, String> {
    if form != PLAN_FORM {
        return Err(format!(
            "the update is kept in form {form}, this release reads form {PLAN_FORM}: run the newer release again"
        ));
    }
    if is_sealed(bytes) {
        return Err(UNREADABLE.to_owned());
    }
    // The parser's own message might name a value of the event.
    serde_json::from_slice(bytes).map_err(|error| {
        format!(
            "the update was written by a newer release: not understood at column {}",
            error.column()
        )
    })
}

/// More of the API's words than this is not kept.
const MOST_WORDS: usize = 1000;

/// What is kept of the API's words.
pub(in crate::store) fn kept_words(words: &str) -> &str {
    match words.char_indices().nth(MOST_WORDS) {
        Some((end, _)) => words.get(..end).unwrap_or_default(),
        None => words,
    }
}

#[derive(Serialize, Deserialize)]
struct Head {
    method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    query: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, String)>,
}

thread_local! {
    /// Making a compressor costs far more than a short body does: it asks the processor what it can, which a virtual
    /// machine has to answer for it.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// The level: higher ones gain nothing on bodies of a few kilobytes.
const LEVEL: i32 = 1;

fn compress(body: &[u8]) -> std::io::Result<Vec<u8>> {
    if body.len() > LARGE_BODY {
        return zstd::bulk::compress(body, LEVEL);
    }
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            none => none.insert(Compressor::new(LEVEL)?),
        };
        compressor.compress(body)
    })
}

/// A request as it is kept: everything but the body as JSON, the body compressed where that makes it smaller.
pub(in crate::store) struct KeptRequest {
    pub(in crate::store) head: Vec<u8>,
    pub(in crate::store) encoding: i64,
    /// The length of the body before it was compressed.
    pub(in crate::store) size: i64,
    pub(in crate::store) body: Bytes,
}

impl KeptRequest {
    pub(in crate::store) fn keep(request: Request) -> Result<Self, Error> {
        let Request { method, content_type, query, headers, body } = request;
        let head = serde_json::to_vec(&Head { method, content_type, query, headers })
            .map_err(|error| Error::Failed(format!("a request could not be written: {error}")))?;
        let size = i64::try_from(body.len()).unwrap_or(i64::MAX);
        if body.len() >= WORTH_COMPRESSING {
            let smaller = compress(&body)
                .map_err(|error| Error::Failed(format!("a body was not compressed: {error}")))?;
            if smaller.len() < body.len() {
                return Ok(Self { head, encoding: ZSTD, size, body: smaller.into() });
            }
        }
        Ok(Self { head, encoding: AS_IT_CAME, size, body })
    }

    pub(in crate::store) fn request(self) -> Result<Request, Error> {
        let damaged = |what: &str| Error::Failed(format!("a stored request is damaged: {what}"));
        let Head { method, content_type, query, headers } =
            serde_json::from_slice(&self.head).map_err(|_| damaged("its head"))?;
        let body = match self.encoding {
            AS_IT_CAME => self.body,
            ZSTD => {
                let size = usize::try_from(self.size).map_err(|_| damaged("its size"))?;
                let body = zstd::bulk::decompress(&self.body, size);
                body.map_err(|_| damaged("its body"))?.into()
            }
            _ => return Err(damaged("its body is in a form of a newer release")),
        };
        Ok(Request { method, content_type, query, headers, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_request_comes_back_as_it_was_kept(
            body in proptest::collection::vec(any::<u8>(), 0..300), repeats in 0_usize..20,
            content_type: Option<String>, query: String,
            headers: Vec<(String, String)>,
        ) {
            let request = Request {
                method: "POST".to_owned(), content_type, query, headers,
                body: body.repeat(repeats).into(),
            };

            let kept = KeptRequest::keep(request.clone()).unwrap();

            prop_assert!(kept.body.len() <= request.body.len());
            prop_assert_eq!(kept.request().unwrap(), request);
        }
    }

    #[test]
    fn a_plan_of_another_form_is_not_guessed_at() {
        let bytes = br#"{"target":{"who":{"mobile":"12025550143"}},"update":{"name":"Ann"}}"#;

        assert!(plan(PLAN_FORM, bytes).is_ok());
        assert!(plan(PLAN_FORM + 1, bytes).unwrap_err().contains("form 2"));
        assert!(plan(PLAN_FORM, br#"{"target":{"who":{"telepathy":"x"}}}"#).is_err());
    }
}

//! A request as verification sees it: the head, the body before and after inflating, and what stands inside it.

use std::cell::OnceCell;

use bytes::Bytes;

use super::pointer::{Pointer, text_of};
use crate::decode::{self, query_pairs};
use crate::document::Value;
use crate::webhook::head::{Differing, Head, only};

/// A body as it was sent and as it is after inflating: the same bytes for most.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'b> {
    /// The bytes that arrived.
    pub as_sent: &'b [u8],
    /// The bytes after one layer of compression was taken off.
    pub inflated: &'b [u8],
}

impl<'b> From<&'b [u8]> for Payload<'b> {
    fn from(body: &'b [u8]) -> Self {
        Self { as_sent: body, inflated: body }
    }
}

impl<'b, const N: usize> From<&'b [u8; N]> for Payload<'b> {
    fn from(body: &'b [u8; N]) -> Self {
        body.as_slice().into()
    }
}

impl<'b> From<&'b Vec<u8>> for Payload<'b> {
    fn from(body: &'b Vec<u8>) -> Self {
        body.as_slice().into()
    }
}

impl<'b> From<&'b Bytes> for Payload<'b> {
    fn from(body: &'b Bytes) -> Self {
        (&**body).into()
    }
}

/// A request that is being held against a scheme.
pub(super) struct Asked<'r> {
    pub(super) head: &'r Head,
    pub(super) payload: Payload<'r>,
    document: OnceCell<Option<Value>>,
}

impl<'r> Asked<'r> {
    pub(super) fn new(head: &'r Head, payload: Payload<'r>) -> Self {
        Self { head, payload, document: OnceCell::new() }
    }

    /// The body as JSON; nothing where it is none. Duplicate keys are none, so that two readers cannot disagree.
    pub(super) fn document(&self) -> Option<&Value> {
        let read = || decode::json(self.payload.inflated, &decode::Limits::default()).ok();
        self.document.get_or_init(read).as_ref()
    }

    /// Whether the content type says that the body is a form.
    pub(super) fn is_form(&self) -> bool {
        let content_type = self.head.headers.first("content-type").unwrap_or_default();
        let media = content_type.split(';').next().unwrap_or_default().trim();
        media.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }

    /// The fields of a form, in order.
    pub(super) fn form(&self) -> Vec<(String, String)> {
        match std::str::from_utf8(self.payload.inflated) {
            Ok(text) => query_pairs(text).collect(),
            Err(_) => Vec::new(),
        }
    }

    /// The texts that a pointer selects in the body, a form's field where it is a form.
    pub(super) fn texts(&self, pointer: &Pointer) -> Vec<String> {
        if self.is_form()
            && let Some(name) = pointer.as_name()
        {
            let fields = self.form().into_iter().filter(|(own, _)| own == name);
            return fields.map(|(_, value)| value).collect();
        }
        let selected = self.document().map(|document| pointer.select(document));
        selected.unwrap_or_default().into_iter().map(text_of).collect()
    }

    /// The one value of a parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Result<Option<String>, Differing> {
        let values = query_pairs(&self.head.query).filter(|(own, _)| own == name);
        only(values.map(|(_, value)| value))
    }
}

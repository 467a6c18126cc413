//! A request as both sets are to see it.

use jiff::Timestamp;
use serde::Serialize;

use super::Found;
use crate::cli::test::Files;
use crate::decode;
use crate::mapping::testing::Outside;
use crate::mapping::{Input, PlannedEvent, Set};

/// A request that came in, or could.
pub(super) struct Incoming {
    /// The file, or the event's id.
    pub(super) name: String,
    pub(super) source: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) query: String,
    pub(super) content_type: Option<String>,
    pub(super) body: Vec<u8>,
    pub(super) received_at: Timestamp,
    /// Which event of the request is meant; all of them where that is not said.
    pub(super) item: Option<usize>,
}

/// An event that could not be read, and why.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Unreadable {
    pub(super) event: String,
    pub(super) source: String,
    /// Why the old set cannot read it.
    pub(super) before: Option<String>,
    /// Why the new set cannot read it.
    pub(super) after: Option<String>,
}

impl Unreadable {
    /// Whether only one of the sets cannot.
    pub(super) const fn is_one_sided(&self) -> bool {
        self.before.is_some() != self.after.is_some()
    }
}

impl Incoming {
    /// Adds what both sets make of it.
    pub(super) fn compare(&self, old: &Set, new: &Set, found: &mut Found) {
        let (before, after) = (self.planned(old), self.planned(new));
        if before.is_err() || after.is_err() {
            found.unreadable.push(Unreadable {
                event: self.name.clone(),
                source: self.source.clone(),
                before: before.as_ref().err().cloned(),
                after: after.as_ref().err().cloned(),
            });
            if before.is_err() && after.is_err() {
                return;
            }
        }
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        let (mut was, mut is) = (before.as_slice(), after.as_slice());
        if let Some(item) = self.item {
            if was.len() == is.len() {
                was = was.get(item..=item).unwrap_or_default();
                is = is.get(item..=item).unwrap_or_default();
            } else if item > 0 {
                // The request is split otherwise: the first of its events stands for all of them.
                return;
            }
        }
        found.comparison.add(&self.source, &self.name, was, is);
    }

    /// What a set makes of it; nothing where it does not have the source.
    fn planned(&self, set: &Set) -> Result<Vec<PlannedEvent>, String> {
        let Some(source) = set.get(&self.source) else { return Ok(Vec::new()) };
        let content_type = self.content_type.as_deref();
        let document = Files::beside(source).decode(source, content_type, &self.body)?;
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Ok(source.plan(&Input {
            document: &document,
            headers: &decode::headers(headers),
            query: &decode::query(&self.query),
            received_at: self.received_at,
        }))
    }
}

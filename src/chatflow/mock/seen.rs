//! The requests the mock has seen.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

/// As many requests as are remembered; the oldest go first.
const MOST: usize = 200_000;

/// A request to the API as the mock saw it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeenRequest {
    /// Its place in the order of everything that happened: arrivals, effects and answers are counted alike.
    pub at: u64,
    /// When it was answered, on the same count; nothing while it is not, or if it never was. Two requests were in
    /// progress together where one came between the other's `at` and `answered_at`.
    pub answered_at: Option<u64>,
    /// `GET`, `PUT`, …
    pub method: String,
    /// The path below the base URL, such as `/contacts/65f0…`.
    pub path: String,
    /// The query as it was sent, without `?`.
    pub query: String,
    /// The body as JSON; a text where it was none; null where there was none.
    pub body: Value,
    /// The status it was answered with; nothing where the connection was cut instead.
    pub status: Option<u16>,
    /// When the API did what was asked, whatever became of the answer, on the same count; nothing where it did not.
    pub took_effect_at: Option<u64>,
}

/// The log of requests.
pub(super) struct Seen {
    log: Option<Mutex<VecDeque<SeenRequest>>>,
    count: AtomicU64,
    changed: watch::Sender<u64>,
}

impl Seen {
    pub(super) fn new(record: bool) -> Self {
        Self {
            log: record.then(Mutex::default),
            count: AtomicU64::new(0),
            changed: watch::Sender::new(0),
        }
    }

    fn log(&self) -> Option<MutexGuard<'_, VecDeque<SeenRequest>>> {
        Some(self.log.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A request came; its place is what it is answered under.
    pub(super) fn arrived(
        &self,
        method: &str,
        path: &str,
        query: &str,
        body: &[u8],
    ) -> Option<u64> {
        let read = |body: &[u8]| {
            serde_json::from_slice(body)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
        };
        let mut log = self.log()?;
        let at = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        if log.len() == MOST {
            log.pop_front();
        }
        log.push_back(SeenRequest {
            at,
            answered_at: None,
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            body: if body.is_empty() { Value::Null } else { read(body) },
            status: None,
            took_effect_at: None,
        });
        drop(log);
        self.changed.send_modify(|changes| *changes += 1);
        Some(at)
    }

    /// It is about to be answered.
    pub(super) fn answered(&self, at: u64, status: Option<u16>) {
        let Some(mut log) = self.log() else { return };
        let now = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(request) = log.iter_mut().rev().find(|request| request.at == at) {
            request.answered_at = Some(now);
            request.status = status;
        }
        drop(log);
        self.changed.send_modify(|changes| *changes += 1);
    }

    /// What it asks has been done.
    pub(super) fn took_effect(&self, at: u64) {
        let Some(mut log) = self.log() else { return };
        let now = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(request) = log.iter_mut().rev().find(|request| request.at == at) {
            request.took_effect_at = Some(now);
        }
    }

    pub(super) fn all(&self) -> Vec<SeenRequest> {
        self.log().map(|log| log.iter().cloned().collect()).unwrap_or_default()
    }

    pub(super) fn after(&self, at: u64) -> Vec<SeenRequest> {
        let Some(log) = self.log() else { return Vec::new() };
        log.iter().filter(|request| request.at > at).cloned().collect()
    }

    pub(super) fn forget(&self) {
        if let Some(mut log) = self.log() {
            log.clear();
        }
    }

    /// Waits until they are enough.
    pub(super) async fn until(&self, enough: impl Fn(&[SeenRequest]) -> bool) -> Vec<SeenRequest> {
        let mut changes = self.changed.subscribe();
        loop {
            if let Some(mut log) = self.log()
                && enough(log.make_contiguous())
            {
                return log.iter().cloned().collect();
            }
            if changes.changed().await.is_err() {
                return self.all();
            }
        }
    }
}

//! Refused requests, kept for a while so that `verify` can say what is wrong with them.
//!
//! Only where `server.keep_rejected` asks for it: they hold signatures, tokens and bodies. In memory alone, gone with
//! the process, and bounded: of each source and reason the last few, all of them together a few MiB.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::head::Head;
use super::refusal::Refusal;
use crate::clock::SharedClock;

/// Requests that are kept of one source and reason, so that a flood of one kind leaves the others.
const MOST_ALIKE: usize = 20;
/// Bytes that all of them may take up.
const MOST_BYTES: usize = 8 << 20;
/// A longer body is kept as far as this.
const LONGEST_BODY: usize = 256 << 10;

/// A request that was refused, as it was sent.
#[derive(Debug, Clone, Serialize)]
pub struct Rejected {
    /// Its name in this list.
    pub id: u64,
    /// When it was refused.
    pub at: Timestamp,
    /// The source that it was for.
    pub source: Box<str>,
    /// Why, in the log's word.
    pub reason: &'static str,
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub target: String,
    /// The address of the client.
    pub client: Option<IpAddr>,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body, as far as it was read and is kept; as base64 in JSON.
    #[serde(serialize_with = "as_base64")]
    pub body: Bytes,
    /// How much of the body was read.
    pub body_bytes: usize,
}

fn as_base64<S: Serializer>(body: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&STANDARD.encode(body))
}

/// The requests that are kept.
pub struct RejectedList {
    keep: Duration,
    clock: SharedClock,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    last_id: u64,
    bytes: usize,
    requests: VecDeque<Rejected>,
}

impl Rejected {
    fn size(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len() + 64);
        self.body.len() + self.target.len() + headers.sum::<usize>() + 256
    }
}

impl RejectedList {
    /// Keeps requests for so long; not at all where that is 0.
    pub(super) fn new(keep: Duration, clock: SharedClock) -> Self {
        Self { keep, clock, kept: Mutex::default() }
    }

    /// Keeps a request that could be looked into; `body` is what was read of it.
    pub(super) fn add(&self, source: &str, refusal: &Refusal, head: &Head, body: &Bytes) {
        if self.keep.is_zero() || !refusal.is_worth_a_look() {
            return;
        }
        let query = if head.query.is_empty() { "" } else { "?" };
        let request = Rejected {
            id: 0,
            at: self.clock.now(),
            source: source.into(),
            reason: refusal.reason(),
            method: head.method.clone(),
            target: format!("{}{query}{}", head.path, head.query),
            client: head.client,
            headers: head.headers.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            // A copy: a slice would keep the whole of a large body.
            body: Bytes::copy_from_slice(body.get(..LONGEST_BODY).unwrap_or(body)),
            body_bytes: body.len(),
        };
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).add(request);
    }

    /// Throws away what was kept for long enough.
    pub(super) fn forget_old(&self) {
        let Ok(now) = i64::try_from(self.keep.as_secs()) else { return };
        let oldest = self.clock.now().as_second().saturating_sub(now);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while kept.requests.front().is_some_and(|first| first.at.as_second() < oldest) {
            kept.remove(0);
        }
    }

    /// All of them, youngest first.
    pub fn list(&self) -> Vec<Rejected> {
        self.forget_old();
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.requests.iter().rev().cloned().collect()
    }

    /// Whether any are kept at all.
    pub const fn is_on(&self) -> bool {
        !self.keep.is_zero()
    }
}

impl Kept {
    fn add(&mut self, request: Rejected) {
        let alike =
            |other: &Rejected| other.source == request.source && other.reason == request.reason;
        if self.requests.iter().filter(|other| alike(other)).count() >= MOST_ALIKE
            && let Some(oldest) = self.requests.iter().position(alike)
        {
            self.remove(oldest);
        }
        self.last_id += 1;
        self.bytes += request.size();
        self.requests.push_back(Rejected { id: self.last_id, ..request });
        while self.bytes > MOST_BYTES {
            self.remove(0);
        }
    }

    fn remove(&mut self, place: usize) {
        if let Some(removed) = self.requests.remove(place) {
            self.bytes -= removed.size();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::verify::Reason;
    use super::*;
    use crate::clock::ManualClock;

    const HOUR: Duration = Duration::from_hours(1);

    fn mismatch() -> Refusal {
        Refusal::Unverified(Reason::SignatureMismatch)
    }

    fn missing() -> Refusal {
        Refusal::Unverified(Reason::SignatureMissing)
    }

    #[test]
    fn a_flood_of_one_kind_drives_out_its_own() {
        let list = RejectedList::new(HOUR, ManualClock::at(Timestamp::UNIX_EPOCH));
        list.add("a", &mismatch(), &Head::default(), &Bytes::from_static(b"the one"));
        for _ in 0..1000 {
            list.add("a", &missing(), &Head::default(), &Bytes::new());
        }

        let kept = list.list();

        assert_eq!(kept.len(), MOST_ALIKE + 1);
        assert_eq!((kept[0].id, kept[MOST_ALIKE].id), (1001, 1));
        assert_eq!(kept[MOST_ALIKE].body, "the one");
    }

    #[test]
    fn all_together_they_are_bounded_and_a_long_body_is_cut() {
        let list = RejectedList::new(HOUR, ManualClock::at(Timestamp::UNIX_EPOCH));
        let body = Bytes::from(vec![b'x'; 1 << 20]);
        for number in 0..100 {
            list.add(&format!("s{number}"), &mismatch(), &Head::default(), &body);
        }

        let kept = list.list();

        assert_eq!((kept[0].body.len(), kept[0].body_bytes), (LONGEST_BODY, 1 << 20));
        let bytes: usize = kept.iter().map(Rejected::size).sum();
        assert!(bytes <= MOST_BYTES && kept.len() > 20, "{} of {bytes}", kept.len());
        assert_eq!(list.kept.lock().unwrap().bytes, bytes);
    }

    #[test]
    fn they_go_when_their_time_is_over_and_none_are_kept_unless_asked_for() {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let list = RejectedList::new(HOUR, Arc::clone(&clock) as _);
        list.add("a", &mismatch(), &Head::default(), &Bytes::new());
        clock.advance(HOUR / 2);
        list.add("a", &mismatch(), &Head::default(), &Bytes::new());
        list.add("a", &Refusal::UnknownSource, &Head::default(), &Bytes::new());
        assert_eq!(list.list().len(), 2);

        clock.advance(HOUR / 2 + Duration::from_secs(1));
        assert_eq!(list.list().len(), 1);

        let off = RejectedList::new(Duration::ZERO, clock);
        off.add("a", &mismatch(), &Head::default(), &Bytes::new());
        assert!(!off.is_on() && off.list().is_empty());
    }

    use std::sync::Arc;
}

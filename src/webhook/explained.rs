//! Finding out why a request was not believed: for the log, off the request's path, and seldom.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::doors::Door;
use super::head::Head;
use super::verify::Payload;

/// At most once in so long for one source: whoever floods it learns nothing and costs nothing.
const SELDOM: Duration = Duration::from_secs(30);

/// A larger body is not looked at: it would be hashed in every way that is known.
const LARGEST: usize = 256 << 10;

/// When something may be done again.
#[derive(Debug, Default)]
pub(super) struct Allowance(AtomicU64);

impl Allowance {
    /// Whether it is time again; the next time is some time later then.
    fn take(&self, now: Duration) -> bool {
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let seldom = u64::try_from(SELDOM.as_millis()).unwrap_or(u64::MAX);
        let again = |next: u64| (next <= now).then(|| now.saturating_add(seldom));
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, again).is_ok()
    }
}

/// Has the reason logged, unless that was done a moment ago.
pub(super) fn later(
    door: &Arc<Door>,
    head: &Head,
    body: &Bytes,
    now: Timestamp,
    monotonic: Duration,
    tasks: &TaskTracker,
) {
    if body.len() > LARGEST || !door.explained.take(monotonic) {
        return;
    }
    let (door, head, body) = (Arc::clone(door), head.clone(), body.clone());
    tasks.spawn_blocking(move || {
        let Ok(verifier) = &door.verifier else { return };
        let source = &door.source.name;
        let findings = verifier.diagnose(&head, Payload::from(&body), now).findings;
        let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
        warn!(%source, findings = findings.join("; "), "why a request was not believed");
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_seldom_time_again() {
        let allowance = Allowance::default();
        for (second, may) in [(1, true), (2, false), (30, false), (31, true), (32, false)] {
            assert_eq!(allowance.take(Duration::from_secs(second)), may, "{second}");
        }
    }
}

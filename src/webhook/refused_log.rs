//! What is logged of refusals: the first of its kind at once, the others together, once a second.
//!
//! Whoever floods us writes two lines a second for each source and reason; the metrics count every request.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::info;

use super::intake::Intake;

/// How often the others are told of.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// How many refusals were not logged, by source and reason.
#[derive(Debug, Default)]
pub(super) struct RefusedLog(Mutex<HashMap<Box<str>, HashMap<&'static str, u64>>>);

/// Refusals that were not logged one by one.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Others {
    source: Box<str>,
    reason: &'static str,
    count: u64,
}

impl RefusedLog {
    /// Whether a refusal is the first of its kind, so that it is logged; else it is counted.
    pub(super) fn is_first(&self, source: &str, reason: &'static str) -> bool {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(reasons) = kinds.get_mut(source) else {
            kinds.insert(source.into(), HashMap::from([(reason, 0)]));
            return true;
        };
        match reasons.get_mut(reason) {
            Some(count) => {
                *count += 1;
                false
            }
            None => reasons.insert(reason, 0).is_none(),
        }
    }

    /// Those that were counted; a kind of which there were none is forgotten, so that its next one is the first.
    fn take_others(&self) -> Vec<Others> {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut others = Vec::new();
        kinds.retain(|source, reasons| {
            reasons.retain(|&reason, count| {
                let count = mem::take(count);
                if count > 0 {
                    others.push(Others { source: source.clone(), reason, count });
                }
                count > 0
            });
            !reasons.is_empty()
        });
        others
    }
}

impl Intake {
    /// Keeps house until told to stop: logs the count of refusals that were not logged, throws away refused requests
    /// that were kept for long enough, and measures how fast the store empties.
    pub async fn keep_house(self: Arc<Self>, stop: CancellationToken) {
        let mut goes_on = true;
        while goes_on {
            tokio::select! {
                () = stop.cancelled() => goes_on = false,
                () = tokio::time::sleep(TELL_EVERY) => {}
            }
            for Others { source, reason, count } in self.refused_log().take_others() {
                info!(%source, reason, suppressed = count, "more requests refused like the last");
            }
            self.rejected().forget_old();
            self.drain().measure(self.metrics(), TELL_EVERY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_kind_is_logged_and_the_others_are_counted() {
        let log = RefusedLog::default();
        let firsts = [("a", "auth"), ("a", "auth"), ("a", "timeout"), ("b", "auth"), ("a", "auth")]
            .map(|(source, reason)| log.is_first(source, reason));
        assert_eq!(firsts, [true, false, true, true, false]);

        let others = [Others { source: "a".into(), reason: "auth", count: 2 }];
        assert_eq!(log.take_others(), others);
        assert!(!log.is_first("a", "auth"), "the flood goes on");
        assert!(log.is_first("b", "auth"), "it was over");
        assert_eq!(log.take_others().len(), 1);
        assert_eq!(log.take_others(), []);
        assert!(log.is_first("a", "auth"));
    }
}

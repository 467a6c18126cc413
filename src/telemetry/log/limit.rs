//! What an outage or a stranger can repeat fills no log: of warnings and errors from one place of the program only the
//! first ones of an interval are written, and the others are counted.
//!
//! Lines at `info` and below are one for each event or attempt and are not limited; refused requests, which a stranger
//! can send as many of as he likes, are counted together by the door itself (`webhook::refused_log`).

use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

/// Lines from one place that are written in an interval.
const MOST: u32 = 20;
/// The interval.
const INTERVAL: Duration = Duration::from_secs(10);
/// The target of the line that tells how many were not written.
const TARGET: &str = "chatflow_bridge::suppressed";

/// What has come from each place of the program.
#[derive(Default)]
pub(super) struct Limits(Mutex<HashMap<Identifier, Interval>>);

/// What has come from one place in its interval.
struct Interval {
    since: Instant,
    written: u32,
    suppressed: u64,
    level: Level,
    /// The message of the first line that was not written.
    message: String,
}

/// Lines of one place that were not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suppressed {
    level: Level,
    message: String,
    count: u64,
}

impl Limits {
    /// Whether a line may be written; else it is counted.
    pub(super) fn lets_pass(&self, event: &Event<'_>, now: Instant) -> bool {
        let about = event.metadata();
        if *about.level() > Level::WARN || about.target() == TARGET {
            return true;
        }
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.entry(about.callsite()).or_insert_with(|| Interval {
            since: now,
            written: 0,
            suppressed: 0,
            level: *about.level(),
            message: String::new(),
        });
        if now.saturating_duration_since(place.since) >= INTERVAL && place.suppressed == 0 {
            (place.since, place.written) = (now, 0);
        }
        if place.written < MOST {
            place.written += 1;
            return true;
        }
        if place.suppressed == 0 {
            event.record(&mut Message(&mut place.message));
        }
        place.suppressed += 1;
        false
    }

    /// What was not written in the intervals that are over, or in any: a new one begins.
    pub(super) fn take(&self, now: Option<Instant>) -> Vec<Suppressed> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |place: &Interval| {
            now.is_none_or(|now| now.saturating_duration_since(place.since) >= INTERVAL)
        };
        let mut all = Vec::new();
        for place in places.values_mut().filter(|place| place.suppressed > 0 && is_over(place)) {
            all.push(Suppressed {
                level: place.level,
                message: mem::take(&mut place.message),
                count: mem::take(&mut place.suppressed),
            });
            place.since = now.unwrap_or(place.since);
            place.written = 0;
        }
        all
    }

    /// Logs what was not written.
    pub(super) fn tell(&self, now: Option<Instant>) {
        for Suppressed { level, message, count } in self.take(now) {
            if level == Level::ERROR {
                tracing::error!(target: TARGET, like = message, suppressed = count, "more lines like the last");
            } else {
                tracing::warn!(target: TARGET, like = message, suppressed = count, "more lines like the last");
            }
        }
    }
}

/// Takes the message out of an event; messages are constant, so that it holds nothing else.
struct Message<'m>(&'m mut String);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            *self.0 = format!("{value:?}");
        }
    }
}

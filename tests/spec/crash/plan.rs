//! When the process is killed, and what goes wrong at the API: all of it made of the seed.

use std::time::Duration;

use chatflow_bridge::chatflow::mock::Fault;

use super::audit::TOKEN;
use super::chance::Chance;

/// How the bridge is set in a life: little patience, so that much happens in a short time. Now and then one sends each
/// update by itself, after one that was killed while it merged.
pub(super) fn settings(life: usize) -> [(&'static str, &'static str); 5] {
    [
        ("BRIDGE_ADMIN__TOKEN", TOKEN),
        ("BRIDGE_CHATFLOW__TIMEOUT", "2s"),
        ("BRIDGE_DELIVERY__COALESCE", if life % 4 == 2 { "false" } else { "true" }),
        ("BRIDGE_DELIVERY__RETRY__LONGEST_DELAY", "500ms"),
        ("BRIDGE_DELIVERY__RETRY__LONGEST_RETRY_AFTER", "200ms"),
    ]
}

/// How late an answer is that comes late: later than the bridge waits, and earlier than the contact has rested.
const LATE: Duration = Duration::from_millis(2500);

/// When a life of the process ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kill {
    /// So long after the start, whether it listens by then or not.
    Starting(Duration),
    /// After so many events were answered.
    Accepted(usize),
    /// After the API was asked so often.
    Asked(u64),
    /// So long after it listened.
    After(Duration),
}

/// One kill for each life.
pub(super) fn kills(seed: u64, lives: usize) -> Vec<Kill> {
    let mut chance = Chance::new(seed ^ 0x4b11_1b11);
    (0..lives)
        .map(|life| match chance.below(6) {
            _ if life % 6 == 4 => Kill::Starting(Duration::from_millis(chance.below(500))),
            0..3 => Kill::Accepted(chance.between(1, 150)),
            3 | 4 => Kill::Asked(1 + chance.below(400)),
            _ => Kill::After(Duration::from_millis(chance.below(900))),
        })
        .collect()
}

/// What goes wrong at the API, now and then.
pub(super) fn faults(seed: u64) -> Vec<Fault> {
    let mut chance = Chance::new(seed ^ 0xfa_017);
    let mut every = |nth: u64| nth + chance.below(nth / 4 + 1);
    vec![
        Fault::status(500).on("PUT").every(every(23)),
        Fault::status_retry_after(429, "1").on("PUT").every(every(400)),
        Fault::reset().on("PUT").every(every(41)),
        Fault::reset().applied().on("PUT").every(every(53)),
        Fault::cut_off().applied().on("PUT").every(every(67)),
        Fault::status(502).applied().on("PUT").every(every(61)),
        Fault::delay(LATE).applied().on("PUT").every(every(500)),
        Fault::says_failure().on("PUT").every(every(71)),
        Fault::not_json().applied().on("PUT").every(every(83)),
        Fault::status(503).on("GET").every(every(19)),
        Fault::reset().on("GET").every(every(29)),
        Fault::status(500).on("POST").every(every(5)),
        Fault::reset().applied().on("POST").every(every(3)),
        Fault::delay(LATE).applied().on("POST").every(every(13)),
    ]
}

//! When the process is killed, and what goes wrong at the API: all of it made of the seed.

use std::time::Duration;

use chatflow_bridge::chatflow::mock::Fault;

use super::audit::TOKEN;
use super::chance::Chance;
use super::event::DISLIKED;
use super::load::AfterDead;

/// How the bridge is set in a life: little patience and little kept, so that much happens in a short time. Now and then
/// one sends each update by itself, after one that was killed while it merged.
pub(super) fn settings(life: usize, after_dead: AfterDead) -> [(&'static str, &'static str); 8] {
    let after_dead = match after_dead {
        AfterDead::Continue => "continue",
        AfterDead::Block => "block",
    };
    [
        ("BRIDGE_DELIVERY__AFTER_DEAD", after_dead),
        ("BRIDGE_STORE__RETENTION__DELIVERED", "1s"),
        ("BRIDGE_STORE__RETENTION__IGNORED", "1s"),
        ("BRIDGE_ADMIN__TOKEN", TOKEN),
        ("BRIDGE_CHATFLOW__TIMEOUT", "2s"),
        ("BRIDGE_DELIVERY__COALESCE", if life % 4 == 2 { "false" } else { "true" }),
        ("BRIDGE_DELIVERY__RETRY__LONGEST_DELAY", "500ms"),
        ("BRIDGE_DELIVERY__RETRY__LONGEST_RETRY_AFTER", "200ms"),
    ]
}

/// How late an answer is that comes late: later than the bridge waits, and earlier than the contact has rested.
const LATE: Duration = Duration::from_millis(2500);

/// As many requests in a row are refused as if the key were wrong, of whatever kind they are.
const KEY_REFUSED: u64 = 25;

/// Whether the API refuses the key for a while from the beginning of this life on.
pub(super) fn refuses_the_key(life: usize) -> Option<Fault> {
    (life % 7 == 3).then(|| Fault::status(401).times(KEY_REFUSED))
}

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
        // First of all: nothing of such a body ever takes effect.
        Fault::status(403).on("PUT").containing(DISLIKED),
        // Each costs five seconds at least where it was not the first within a minute.
        Fault::status(401).on("PUT").every(every(251)).times(2),
        Fault::status(500).on("PUT").every(every(23)),
        Fault::status_retry_after(429, "1").on("PUT").every(every(400)),
        Fault::reset().on("PUT").every(every(41)),
        Fault::reset().applied().on("PUT").every(every(53)),
        Fault::cut_off().applied().on("PUT").every(every(67)),
        Fault::status(502).applied().on("PUT").every(every(61)),
        Fault::delay(LATE).applied().on("PUT").every(every(500)),
        Fault::default().landing_after(LATE).on("PUT").every(every(450)),
        Fault::says_failure().on("PUT").every(every(71)),
        Fault::not_json().applied().on("PUT").every(every(83)),
        Fault::status(503).on("GET").every(every(19)),
        Fault::reset().on("GET").every(every(29)),
        Fault::status(500).on("POST").every(every(5)),
        Fault::reset().applied().on("POST").every(every(3)),
        Fault::delay(LATE).applied().on("POST").every(every(13)),
    ]
}

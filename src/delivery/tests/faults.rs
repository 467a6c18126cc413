//! What faults of the API cost: requests, dead letters, and the time until all is well again. The figures are those
//! of the table in `docs/operations.md`; `cargo test --lib faults -- --nocapture` prints them.

#![expect(clippy::print_stdout, reason = "the table is for people")]

use std::sync::atomic::{AtomicU64, Ordering};

use super::api::contact;
use super::*;
use crate::chatflow::Failure;

/// As many contacts have an update waiting when the fault begins; more come while it lasts, one every 12 s.
const CONTACTS: usize = 1_000;

const SETTINGS: Setup = Setup { failing: None, lasts: 600 };

/// A fault: the updates that meet it (without it every request does), and how long it lasts in seconds.
struct Setup {
    failing: Option<fn(&ContactId, &ContactUpdate) -> bool>,
    lasts: u64,
}

/// What it cost.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// Requests of every kind while it lasted, and the most in one minute after the first.
    requests: usize,
    most_in_a_minute: usize,
    delivered: usize,
    dead: usize,
    /// Updates that were delivered while it lasted.
    meanwhile: usize,
    /// From the end of the fault until nothing waited.
    recovered_after: u64,
}

fn target(number: usize) -> Target {
    let id = ContactId::try_from(format!("65f0c0ffee01234567{number:06x}")).unwrap();
    Target { who: Who::Id(id), on_missing: OnMissing::Dead }
}

/// Chance that differs from call to call and not from run to run.
fn chance() -> Chance {
    let state = AtomicU64::new(7);
    Arc::new(move || {
        let next = state.load(Ordering::Relaxed).wrapping_mul(6_364_136_223_846_793_005) + 1;
        state.store(next, Ordering::Relaxed);
        f64::from(u32::try_from(next >> 33).unwrap()) / f64::from(1_u32 << 31)
    })
}

impl Rig {
    /// Lets everything go on until nothing more is asked.
    async fn calm(&self) {
        loop {
            let before = (self.api.asked_times(), self.store.ended_times());
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            if (self.api.asked_times(), self.store.ended_times()) == before {
                return;
            }
        }
    }
}

/// Has every request fail so, the probes too.
fn everything(api: &FakeApi, failure: Option<&Failure>) {
    for kind in ["PUT", "FIND", "POST", "PROBE"] {
        api.always_fails(kind, failure.cloned());
    }
}

async fn cost(setup: Setup, failure: Failure) -> Cost {
    let rig = Rig::with_chance(&DeliverySettings::default(), &ContactSettings::default(), chance());
    let mut updates = 0;
    for number in 0..CONTACTS {
        let target = target(number);
        let Who::Id(id) = &target.who else { continue };
        rig.api.has(contact(id, ""));
        rig.update(&target, "a").await;
        updates += 1;
    }
    match setup.failing {
        Some(holds) => rig.api.fails_where(holds, Some(failure)),
        None => everything(&rig.api, Some(&failure)),
    }
    let mut most_in_a_minute = 0;
    let mut at_the_minute = 0;
    let step = setup.lasts / 600;
    for second in (0..setup.lasts).step_by(usize::try_from(step).unwrap()) {
        if second.is_multiple_of(12) {
            rig.update(&target(usize::try_from(second).unwrap() % CONTACTS), "b").await;
            updates += 1;
        }
        rig.calm().await;
        rig.clock.advance(seconds(step));
        if (second + step).is_multiple_of(60) {
            let asked = rig.api.asked_times();
            if second >= 60 {
                most_in_a_minute = most_in_a_minute.max(asked - at_the_minute);
            }
            at_the_minute = asked;
        }
    }
    rig.calm().await;
    let (requests, meanwhile) = (rig.api.asked_times(), rig.delivered());

    everything(&rig.api, None);
    if setup.failing.is_some() {
        rig.api.fails_where(|_, _| false, None);
    }
    let mut recovered_after = 0;
    rig.calm().await;
    while rig.store.waits() {
        assert!(recovered_after < 7_200, "it does not recover: {:?}", rig.pauses.reasons());
        rig.clock.advance(seconds(1));
        recovered_after += 1;
        rig.calm().await;
    }

    let (delivered, dead) = (rig.delivered(), rig.store.dead());
    assert_eq!(delivered + dead, updates, "nothing is lost");
    Cost { requests, most_in_a_minute, delivered, dead, meanwhile, recovered_after }
}

fn show(name: &str, cost: &Cost) {
    println!(
        "| {name} | {} | {} | {} | {} | {} | {} s |",
        cost.requests,
        cost.most_in_a_minute,
        cost.meanwhile,
        cost.delivered,
        cost.dead,
        cost.recovered_after
    );
}

fn is_one(id: &ContactId, _: &ContactUpdate) -> bool {
    id.as_str().ends_with("000007")
}

fn answered_after(status: u16, retry_after: u64) -> Failure {
    let retry_after = Some(seconds(retry_after));
    Failure::Answered { status, words: String::new(), retry_after }
}

#[tokio::test]
async fn no_fault_of_the_api_makes_a_storm_or_loses_an_update() {
    let not_connected = Failure::NotConnected("`api`: connection refused".to_owned());
    let broken = Failure::Broken("it ended too early".to_owned());
    // Name, setup, failure; the most requests while it lasts and in a minute of it, dead letters, seconds to recover.
    let faults = [
        ("down for an hour", Setup { lasts: 3_600, ..SETTINGS }, not_connected, (200, 5, 0, 120)),
        ("429 without `Retry-After`, 10 minutes", SETTINGS, answered(429), (80, 5, 0, 120)),
        (
            "429 with `Retry-After: 30`, 10 minutes",
            SETTINGS,
            answered_after(429, 30),
            (200, 40, 0, 120),
        ),
        (
            "500 for one contact, an hour",
            Setup { failing: Some(is_one), lasts: 3_600 },
            answered(500),
            (1_400, 20, 0, 900),
        ),
        ("answers cut off in the middle, 10 minutes", SETTINGS, broken, (80, 5, 0, 120)),
        ("answers after the timeout, 10 minutes", SETTINGS, Failure::TimedOut, (80, 5, 0, 120)),
        ("401 for 10 minutes", SETTINGS, answered(401), (60, 5, 0, 60)),
        (
            "403 for one body, 10 minutes",
            Setup { failing: Some(is_one), ..SETTINGS },
            answered(403),
            (1_080, 10, 1, 0),
        ),
        (
            "400 for everything, an hour",
            Setup { failing: Some(|_, _| true), lasts: 3_600 },
            answered(400),
            (110, 2, 0, 700),
        ),
        (
            "200 with a page in HTML for everything, 10 minutes",
            SETTINGS,
            Failure::Unclear { status: 200, words: "it is not JSON".to_owned() },
            (80, 5, 0, 120),
        ),
    ];
    println!(
        "| fault | requests | in a minute | delivered meanwhile | delivered | dead | recovered after |"
    );
    for (name, setup, failure, (requests, in_a_minute, dead, seconds)) in faults {
        let cost = cost(setup, failure).await;

        show(name, &cost);
        assert!(cost.requests <= requests, "{name}: {cost:?}");
        assert!(cost.most_in_a_minute <= in_a_minute, "{name}: {cost:?}");
        assert_eq!(cost.dead, dead, "{name}: {cost:?}");
        assert!(cost.recovered_after <= seconds, "{name}: {cost:?}");
    }
}

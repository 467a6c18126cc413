//! A machine whose clock is set, forward or back, while the bridge runs and while it does not.

use std::sync::Arc;
use std::time::Duration;

use chatflow_bridge::chatflow::mock::{Fault, Seed};
use jiff::SignedDuration;

use crate::harness::{Bridge, lead};
use crate::order::steps;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const YEARS: SignedDuration = SignedDuration::from_hours(3 * 365 * 24);

/// A bridge in which an update was put off for a while, and another of the same contact waits behind it.
async fn waiting() -> Bridge {
    let bridge = Bridge::start().await;
    for mobile in ["12025550143", "12025550144"] {
        bridge.chatflow.add_contact(Seed::with_mobile(mobile));
    }
    // Until it is put off: chance may have it tried again at once.
    bridge.chatflow.faults().add(Fault::status(500).on("PUT"));
    bridge.post("crm", &lead("1", "12025550143", 1)).await.expect("accepted");
    bridge.until(|numbers| numbers.scheduled == 1).await;
    bridge.chatflow.faults().clear();
    bridge.post("crm", &lead("2", "12025550143", 2)).await.expect("accepted");
    bridge
}

/// Whatever the clock says: who comes is served at once, a repeat is known, and what was put off goes when its time
/// has gone by, in order.
async fn goes_on(bridge: Bridge, case: &str) {
    let another = lead("3", "12025550144", 3);
    bridge.post("crm", &another).await.expect("accepted");
    bridge.post("crm", &another).await.expect("duplicate");
    bridge.until(|numbers| numbers.delivered >= 1).await;

    let mut seconds = 0;
    while bridge.numbers().await.delivered < 3 {
        assert!(seconds < 60, "{case}: {:?}", bridge.numbers().await);
        bridge.clock.advance(Duration::from_secs(5));
        seconds += 5;
        bridge.drain().await;
    }
    let mut seen: Vec<_> = steps(&bridge.puts()).into_values().collect();
    seen.sort();
    assert_eq!(seen, [vec![1, 2], vec![3]], "{case}");
    bridge.end().await;
}

#[tokio::test]
async fn a_clock_that_is_set_while_it_runs_neither_hurries_nor_holds_up_what_waits() {
    for by in [HOUR, -HOUR, YEARS, -YEARS] {
        let bridge = waiting().await;

        bridge.clock.set(by);

        // It is looked for in vain by those who would send it before its time.
        bridge.drain().await;
        assert_eq!(bridge.numbers().await.scheduled, 2, "{by:#}");
        goes_on(bridge, &format!("{by:#}")).await;
    }
}

#[tokio::test]
async fn a_clock_that_was_set_while_nothing_ran_holds_nothing_up() {
    for by in [HOUR, -HOUR, YEARS, -YEARS] {
        let bridge = waiting().await;
        let clock = Arc::clone(&bridge.clock);

        let bridge = bridge.restart_after(|_| clock.set(by)).await;

        goes_on(bridge, &format!("{by:#}")).await;
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_while_it_ran_holds_nothing_up_after_a_restart() {
    for by in [-HOUR, -YEARS] {
        let bridge = waiting().await;
        bridge.clock.set(by);

        let bridge = bridge.restart().await;

        goes_on(bridge, &format!("{by:#}")).await;
    }
}

//! A machine whose clock is set, forward or back, while the bridge runs and while it does not.

use std::time::Duration;

use chatflow_bridge::chatflow::mock::{Fault, Seed};
use jiff::SignedDuration;

use crate::harness::{Bridge, lead};

const FIRST: &str = "12025550143";
const SECOND: &str = "12025550144";

/// One that is put off for a second, behind it another of the same contact, and one of another contact.
async fn waiting() -> Bridge {
    let bridge = Bridge::start().await;
    for mobile in [FIRST, SECOND] {
        bridge.chatflow.add_contact(Seed::with_mobile(mobile));
    }
    bridge.chatflow.faults().add(Fault::status(500).on("PUT").times(1));
    bridge.post("crm", &lead("1", FIRST, 1)).await.expect("accepted");
    bridge.until(|numbers| numbers.scheduled == 1).await;
    bridge.post("crm", &lead("2", FIRST, 2)).await.expect("accepted");
    bridge
}

/// The steps that contacts were given, in order.
fn steps(bridge: &Bridge) -> Vec<String> {
    let puts = bridge.puts().into_iter();
    puts.map(|put| put.body["attributes"].to_string()).collect()
}

const YEARS: SignedDuration = SignedDuration::from_hours(24 * 365 * 3);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

#[tokio::test]
async fn a_clock_that_is_set_neither_hurries_nor_holds_up_what_waits() {
    for by in [HOUR, -HOUR, YEARS, -YEARS] {
        for restarted in [false, true] {
            let mut bridge = waiting().await;
            if restarted {
                let clock = std::sync::Arc::clone(&bridge.clock);
                bridge = bridge.restart_after(|_| clock.set(by)).await;
            } else {
                bridge.clock.set(by);
            }

            // Whoever comes now is served at once.
            bridge.post("crm", &lead("3", SECOND, 3)).await.expect("accepted");
            bridge.until(|numbers| numbers.delivered >= 1).await;
            // A repeat is known.
            bridge.post("crm", &lead("3", SECOND, 3)).await.expect("duplicate");
            println!("{by:?} {restarted} {:?}", bridge.numbers().await);

            // What was put off goes when its time has gone by, and not after years.
            let mut minutes = 0;
            while bridge.numbers().await.delivered < 3 {
                bridge.clock.advance(Duration::from_secs(10));
                bridge.drain().await;
                minutes += 1;
                assert!(minutes < 12, "{by:?} {restarted} {:?}", bridge.numbers().await);
            }
            println!("{:?}", steps(&bridge));
            bridge.end().await;
        }
    }
}

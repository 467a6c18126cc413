//! What merging saves: one contact has a hundred updates waiting.

use std::time::{Duration, Instant};

use crate::process::{self, Bridge};
use crate::table::Table;
use crate::{backlog, delivery};

/// So many contacts, each with so many updates: enough to take a while.
const CONTACTS: u64 = 100;
const UPDATES: u64 = 100;

/// How long the API takes to answer.
const ANSWERS_AFTER: &str = "20ms";

pub(crate) fn measure(table: &mut Table) {
    let (apart, alone) = drain("false");
    let (together, merged) = drain("true");
    table.row(
        "requests saved, 100 waiting for each contact",
        &format!("{:.0} times fewer", apart / together),
        "report",
        &format!(
            "{apart:.0} requests in {:.2} s without `delivery.coalesce`, {together:.0} in {:.2} s with it",
            alone.as_secs_f64(),
            merged.as_secs_f64()
        ),
    );
}

/// The requests that it takes to deliver all, and how long.
fn drain(coalesce: &str) -> (f64, Duration) {
    let (_api, url) = process::mock(ANSWERS_AFTER);
    let folder = process::folder();
    backlog::fill_lanes(folder.path(), CONTACTS * UPDATES, CONTACTS);
    let settings = [("BRIDGE_DELIVERY__COALESCE", coalesce)];
    let bridge = Bridge::start_in(folder.path(), &url, 16, &settings);
    let begun = Instant::now();
    delivery::wait_for(&bridge, CONTACTS * UPDATES);
    let took = begun.elapsed();
    (bridge.metric("delivery_attempts_total{operation=\"update\",outcome=\"ok\"}"), took)
}

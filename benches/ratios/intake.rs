//! Durable intake against a handler that stores nothing.

use std::time::Duration;

use crate::table::{Table, median};
use crate::{bare, disk, load, process};

const ROUNDS: usize = 5;
const TIME: Duration = Duration::from_secs(4);

pub(crate) fn measure(table: &mut Table) {
    for connections in [64, 256] {
        let (mut bare, mut bridge) = (Vec::new(), Vec::new());
        let (mut p99, mut syncs, mut sync_p99s) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (middle, slowest) = disk::sync_times(300);
            syncs.push(middle.as_secs_f64());
            sync_p99s.push(slowest.as_secs_f64());
            let (baseline, address) = bare::start();
            bare.push(load::post(address, "/hooks/crm", connections, TIME, event).rate);
            drop(baseline);
            let folder = process::folder();
            let (_api, url) = process::refusing();
            let running = process::Bridge::start(folder.path(), &url, 16);
            let outcome = load::post(running.hooks, "/hooks/crm", connections, TIME, event);
            assert_eq!(outcome.refused, 0, "every webhook is accepted");
            bridge.push(outcome.rate);
            p99.push(outcome.p99.as_secs_f64());
        }
        let (bare, bridge, sync) = (median(bare), median(bridge), median(syncs));
        let (p99, sync_p99) = (median(p99), median(sync_p99s));
        #[expect(clippy::cast_precision_loss, reason = "a few connections")]
        let ceiling = connections as f64 / sync;
        let (ratio, budget) = if sync <= 0.001 {
            (bridge / bare, "≥ 0.5 of bare")
        } else {
            (bridge / ceiling, "≥ 0.7 of connections ÷ sync")
        };
        table.row(
            &format!("durable intake, {connections} connections"),
            &format!("{ratio:.2}"),
            budget,
            &format!(
                "{bridge:.0}/s; bare {bare:.0}/s ({:.2}); write + fdatasync {:.2} ms",
                bridge / bare,
                sync * 1e3
            ),
        );
        table.row(
            &format!("intake p99, {connections} connections"),
            &format!("{:.1}", p99 / sync_p99),
            "≤ 10 × raw p99",
            &format!("{:.1} ms; raw {:.1} ms", p99 * 1e3, sync_p99 * 1e3),
        );
    }
}

/// An event of about 700 bytes, its id and its contact its own.
pub(crate) fn event(number: u64) -> String {
    format!(
        r#"{{"id":"evt_{number}","kind":"lead","contact":"{number:024x}","plan":"gold","person":{{"name":"Asha Rao","city":"Pune","phone":"+12025550143","email":"asha.rao@example.com"}},"note":"{}"}}"#,
        "It is a long way from the form to the contact. ".repeat(10)
    )
}

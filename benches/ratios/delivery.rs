//! Delivery against the same client sending the same bodies from memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chatflow_bridge::chatflow::{ChatflowSettings, Client, install_tls};
use chatflow_bridge::contact::{ContactId, ContactUpdate};
use chatflow_bridge::secret::Secret;
use chatflow_bridge::telemetry::metrics::Metrics;
use futures_util::stream::{self, StreamExt};

use crate::table::{Table, median};
use crate::{backlog, intake, load, process};

const CONCURRENCY: usize = 64;
const UPDATES: u64 = 100_000;
const ROUNDS: usize = 3;

pub(crate) fn measure(table: &mut Table) {
    for (name, delay, count, budget) in [
        ("delivery, API answers at once", "0", UPDATES, "≥ 0.6"),
        ("delivery, API answers after 20 ms", "20ms", UPDATES / 4, "≥ 0.95"),
    ] {
        let (mut bare, mut bridge) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (api, url) = process::mock(delay);
            bare.push(from_memory(&url, count));
            bridge.push(from_the_store(&url, count));
            drop(api);
        }
        let (bare, bridge) = (median(bare), median(bridge));
        table.row(
            name,
            &format!("{:.2}", bridge / bare),
            budget,
            &format!("{bridge:.0}/s; client alone {bare:.0}/s"),
        );
    }
    both(table);
}

/// Updates in a second that the client alone sends.
fn from_memory(url: &str, count: u64) -> f64 {
    install_tls();
    let settings =
        ChatflowSettings { base_url: url.parse().unwrap(), ..ChatflowSettings::default() };
    let metrics = Arc::new(Metrics::new().unwrap());
    let client = Client::new(&settings, &Secret::new("bench-key"), CONCURRENCY, metrics).unwrap();
    let update = ContactUpdate { name: Some("Asha Rao".to_owned()), ..ContactUpdate::default() };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let begun = Instant::now();
    runtime.block_on(async {
        stream::iter(0..count)
            .map(|number| {
                let (client, update) = (client.clone(), update.clone());
                let id = ContactId::try_from(format!("{number:024x}")).unwrap();
                #[expect(clippy::disallowed_methods, reason = "a benchmark has no tracker")]
                tokio::spawn(async move { client.update(&id, &update).await.unwrap() })
            })
            .buffer_unordered(CONCURRENCY)
            .for_each(|_| async {})
            .await;
    });
    per_second(count, begun.elapsed())
}

/// Updates in a second that a bridge delivers from its store.
fn from_the_store(url: &str, count: u64) -> f64 {
    let folder = process::folder();
    backlog::fill(folder.path(), count);
    let bridge = process::Bridge::start(folder.path(), url, CONCURRENCY);
    let begun = Instant::now();
    wait_for(&bridge, count);
    per_second(count, begun.elapsed())
}

/// Intake and delivery at once, as shares of what each gives alone in the same run.
fn both(table: &mut Table) {
    let time = Duration::from_secs(5);
    let (api, url) = process::mock("0");
    let folder = process::folder();
    let (refusing, refused) = process::refusing();
    let alone = process::Bridge::start(folder.path(), &refused, CONCURRENCY);
    let accepted_alone = load::post(alone.hooks, "/hooks/crm", 64, time, intake::event).rate;
    drop((alone, refusing));
    let delivered_alone = from_the_store(&url, UPDATES / 2);
    let folder = process::folder();
    let bridge = process::Bridge::start(folder.path(), &url, CONCURRENCY);
    let begun = Instant::now();
    let accepted = load::post(bridge.hooks, "/hooks/crm", 64, time, intake::event).rate;
    let delivered = bridge.metric("updates_finished_total{outcome=\"delivered\"}");
    let delivered = delivered / begun.elapsed().as_secs_f64();
    drop(api);
    table.row(
        "both at once, shares of alone",
        &format!("{:.2} and {:.2}", accepted / accepted_alone, delivered / delivered_alone),
        "report",
        &format!("{accepted:.0}/s accepted, {delivered:.0}/s delivered"),
    );
}

pub(crate) fn wait_for(bridge: &process::Bridge, count: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a count of updates")]
    let wanted = count as f64;
    let begun = Instant::now();
    while bridge.metric("updates_finished_total{outcome=\"delivered\"}") < wanted {
        assert!(begun.elapsed() < Duration::from_mins(5), "not all was delivered");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

fn per_second(count: u64, time: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count of updates")]
    let count = count as f64;
    count / time.as_secs_f64()
}

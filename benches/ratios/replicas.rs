//! What several processes on one PostgreSQL give, beside one on SQLite; all on this machine, database and senders too.

#[expect(dead_code, clippy::panic, reason = "shared with the tests, which use the rest and end so")]
#[path = "../../tests/support/postgres.rs"]
mod postgres;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chatflow_bridge::clock::SystemClock;
use chatflow_bridge::store::postgres::{Address, Place, PostgresStore};
use chatflow_bridge::store::settings::StoreSettings;
use chatflow_bridge::store::{AfterDead, End, Store, Wanted};
use chatflow_bridge::telemetry::metrics::Metrics;

use self::postgres::{Database, Server};
use crate::process::{self, Bridge};
use crate::table::Table;
use crate::{backlog, intake, load};

const CONNECTIONS: usize = 64;
const TIME: Duration = Duration::from_secs(6);
/// Updates that are delivered from a store that is filled before.
const UPDATES: u64 = 40_000;
const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;
/// So many runs are claimed at once where a backlog is worked off without an API.
const AT_ONCE: usize = 256;

/// Prints the table; nothing where PostgreSQL is not installed.
pub(crate) fn print() {
    let Some(server) = Server::start() else { return };
    let mut table = Table::default();
    rates(&server, &mut table);
    backlogs(&server, &mut table);
    println!("{table}");
}

fn rates(server: &Server, table: &mut Table) {
    let sqlite = (accepted(1, None), delivered(1, None));
    table.row("SQLite, one process", "1", "", &told(sqlite));
    for processes in [1, 2, 4] {
        eprintln!("measuring {processes} on PostgreSQL …");
        let of = |database: &Database<'_>| database.url();
        let database = server.database();
        let accepted = accepted(processes, Some(&of(&database)));
        let database = server.database();
        fill(&of(&database), UPDATES);
        let delivered = delivered(processes, Some(&of(&database)));
        table.row(
            &format!("PostgreSQL, processes: {processes}"),
            &format!("{:.2} and {:.2}", accepted / sqlite.0, delivered / sqlite.1),
            "report",
            &told((accepted, delivered)),
        );
    }
}

fn told((accepted, delivered): (f64, f64)) -> String {
    format!("{accepted:.0}/s accepted, {delivered:.0}/s delivered")
}

fn start(processes: usize, api: &str, url: Option<&str>) -> Vec<(tempfile::TempDir, Bridge)> {
    let one = |_| {
        let folder = process::folder();
        let store = url.map(|url| ("BRIDGE_STORE__URL", url));
        let more: Vec<_> = store.into_iter().collect();
        let bridge = Bridge::start_in(folder.path(), api, 64, &more);
        (folder, bridge)
    };
    (0..processes).map(one).collect()
}

/// Webhooks taken in a second, while nothing is delivered.
fn accepted(processes: usize, url: Option<&str>) -> f64 {
    let (_api, refusing) = process::refusing();
    let bridges = start(processes, &refusing, url);
    let hooks: Vec<SocketAddr> = bridges.iter().map(|(_, bridge)| bridge.hooks).collect();
    let senders: Vec<_> = (0_u64..)
        .zip(hooks)
        .map(|(number, hooks)| {
            let body = [intake::event, second, third, fourth][usize::try_from(number).unwrap()];
            std::thread::spawn(move || {
                load::post(hooks, "/hooks/crm", CONNECTIONS / processes, TIME, body).rate
            })
        })
        .collect();
    senders.into_iter().map(|sender| sender.join().unwrap()).sum()
}

// Each sender has events of its own.
fn second(number: u64) -> String {
    intake::event(number + (1 << 40))
}

fn third(number: u64) -> String {
    intake::event(number + (2 << 40))
}

fn fourth(number: u64) -> String {
    intake::event(number + (3 << 40))
}

/// Updates delivered in a second from a store that is filled.
fn delivered(processes: usize, url: Option<&str>) -> f64 {
    let (_api, api) = process::mock("0");
    let folder = process::folder();
    let more: Vec<_> = url.map(|url| ("BRIDGE_STORE__URL", url)).into_iter().collect();
    if url.is_none() {
        backlog::fill(folder.path(), UPDATES);
    }
    let begun = Instant::now();
    let bridges: Vec<_> =
        (0..processes).map(|_| Bridge::start_in(folder.path(), &api, 64, &more)).collect();
    let finished = || -> f64 {
        let of = |bridge: &Bridge| bridge.metric("updates_finished_total{outcome=\"delivered\"}");
        bridges.iter().map(of).sum()
    };
    #[expect(clippy::cast_precision_loss, reason = "a count of updates")]
    let wanted = UPDATES as f64;
    while finished() < wanted {
        assert!(begun.elapsed() < Duration::from_mins(5), "not all was delivered");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    wanted / begun.elapsed().as_secs_f64()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

async fn open(url: &str) -> Arc<PostgresStore> {
    let place = Place::new(url.parse::<Address>().unwrap());
    let metrics = Arc::new(Metrics::new().unwrap());
    let settings = StoreSettings::default();
    PostgresStore::open(&place, &settings, Arc::new(SystemClock), metrics).await.unwrap()
}

fn fill(url: &str, count: u64) {
    runtime().block_on(async {
        let store: Arc<dyn Store> = open(url).await;
        backlog::fill_store(&store, count, count).await;
        store.close().await;
    });
}

/// What a claim costs beside few and beside many, and what is left of the tables after a million deliveries.
fn backlogs(server: &Server, table: &mut Table) {
    let (few, many) = (server.database(), server.database());
    fill(&few.url(), FEW);
    let begun = Instant::now();
    fill(&many.url(), MANY);
    eprintln!("  filled a million in {:.0} s", begun.elapsed().as_secs_f64());
    runtime().block_on(async {
        let (beside_few, beside_many) = (open(&few.url()).await, open(&many.url()).await);
        let (mut low, mut high) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            low.push(backlog::claim_from(&*beside_few).await);
            high.push(backlog::claim_from(&*beside_many).await);
        }
        let (low, high) = (crate::table::median(low), crate::table::median(high));
        table.row(
            "claim on PostgreSQL, 1,000,000 waiting ÷ 1,000",
            &format!("{:.2}", high / low),
            "≤ 1.3",
            &format!("{:.0} µs and {:.0} µs", high * 1e6, low * 1e6),
        );
        let before = sizes(&many);
        let begun = Instant::now();
        work_off(&*beside_many).await;
        let took = begun.elapsed();
        let after = sizes(&many);
        table.row(
            "a million deliveries on PostgreSQL",
            &format!("{:.2}", after.0 / before.0),
            "report",
            &format!(
                "tables and indexes {:.0} → {:.0} MiB, of them `lane` {:.0} → {:.0} MiB, {} dead rows left, in {:.0} s",
                before.0, after.0, before.1, after.1, after.2, took.as_secs_f64()
            ),
        );
        beside_few.close().await;
        beside_many.close().await;
    });
}

/// Records everything that waits as delivered.
async fn work_off(store: &dyn Store) {
    let mut left = MANY;
    while left > 0 {
        let runs = store.claim(Wanted { runs: AT_ONCE, merging: false }).await.unwrap();
        let claims = runs.into_iter().flat_map(|run| run.updates);
        let ends: Vec<_> = claims.map(|claim| (claim.lent, End::Delivered)).collect();
        left = left.saturating_sub(u64::try_from(ends.len()).unwrap());
        store.record(ends, AfterDead::Continue).await.unwrap();
    }
}

/// All that the store takes, what `lane` takes of it (both in MiB), and dead rows that no vacuum has seen to.
fn sizes(database: &Database<'_>) -> (f64, f64, String) {
    let ask = |sql: &str| database.execute(sql).trim().to_owned();
    let mib = |sql: &str| ask(sql).parse::<f64>().unwrap() / f64::from(1 << 20);
    let all = mib(
        "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'chatflow_bridge'::regnamespace",
    );
    let lane = mib("SELECT pg_total_relation_size('chatflow_bridge.lane')");
    let dead = ask(
        "SELECT coalesce(sum(n_dead_tup), 0) FROM pg_stat_user_tables WHERE schemaname = 'chatflow_bridge'",
    );
    (all, lane, dead)
}

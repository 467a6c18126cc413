//! What a backlog costs: claims, memory, start.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chatflow_bridge::clock::SystemClock;
use chatflow_bridge::contact::{ContactId, ContactUpdate, OnMissing, PlannedUpdate, Target, Who};
use chatflow_bridge::event::SourceName;
use chatflow_bridge::store::settings::StoreSettings;
use chatflow_bridge::store::sqlite::SqliteStore;
use chatflow_bridge::store::{
    AfterDead, Dedupe, End, NewEvent, NewState, NewUpdate, Request, Store, Wanted,
};
use chatflow_bridge::telemetry::metrics::Metrics;
use futures_util::stream::{self, StreamExt};

use crate::intake;
use crate::process::{self, Bridge};
use crate::table::{Table, median};

const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;
const CLAIMS: usize = 200;

pub(crate) fn measure(table: &mut Table) {
    let (few, many) = (process::folder(), process::folder());
    fill(few.path(), FEW);
    let begun = Instant::now();
    fill(many.path(), MANY);
    eprintln!("  filled a million in {:.0} s", begun.elapsed().as_secs_f64());

    let (mut with_few, mut with_many) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        with_few.push(claim(few.path()));
        with_many.push(claim(many.path()));
    }
    let (with_few, with_many) = (median(with_few), median(with_many));
    table.row(
        "claim, 1,000,000 waiting ÷ 1,000",
        &format!("{:.2}", with_many / with_few),
        "≤ 1.3",
        &format!(
            "{:.0} µs and {:.0} µs a claim of one and its record",
            with_many * 1e6,
            with_few * 1e6
        ),
    );

    let (_api, url) = process::refusing();
    let (mut starts, mut heavy_starts, mut resident) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..5 {
        let empty = process::folder();
        starts.push(first_answer(empty.path(), &url).0);
        let (time, memory) = first_answer(many.path(), &url);
        heavy_starts.push(time);
        resident.push(memory);
    }
    let ms = |times: Vec<f64>| format!("{:.0} ms", median(times) * 1e3);
    table.row("start to first 2xx, empty store", &ms(starts), "≤ 100 ms", "");
    table.row("start to first 2xx, 1,000,000 waiting", &ms(heavy_starts), "≤ 500 ms", "");
    table.row(
        "resident, 1,000,000 waiting",
        &format!("{:.0} MiB", median(resident)),
        "≤ 64 MiB",
        "",
    );
}

/// Starts a bridge and posts until it is answered: seconds since the start, and resident memory then.
fn first_answer(folder: &Path, url: &str) -> (f64, f64) {
    let begun = Instant::now();
    let bridge = Bridge::start(folder, url, 16);
    assert!(post_one(&bridge), "the first webhook is taken");
    let time = begun.elapsed().as_secs_f64();
    // Delivery has begun and was refused: what it holds counts too.
    while bridge.metric("paused{reason=\"unauthorized\"}") < 1.0 {
        std::thread::park_timeout(Duration::from_millis(20));
    }
    (time, bridge.resident())
}

/// Posts one event; whether it was taken.
fn post_one(bridge: &Bridge) -> bool {
    use std::io::{Read, Write};
    let body = intake::event(u64::MAX / 2);
    let mut line = std::net::TcpStream::connect(bridge.hooks).unwrap();
    write!(
        line,
        "POST /hooks/crm HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    line.read_to_string(&mut answer).unwrap();
    answer.starts_with("HTTP/1.1 200")
}

fn open(folder: &Path) -> Arc<SqliteStore> {
    SqliteStore::open(
        &folder.join("chatflow-bridge.db"),
        &StoreSettings::default(),
        Arc::new(SystemClock),
        Arc::new(Metrics::new().unwrap()),
    )
    .unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Seconds that a claim of one update and its record take, the median of many.
fn claim(folder: &Path) -> f64 {
    let store = open(folder);
    runtime().block_on(async {
        let time = claim_from(&*store).await;
        store.close().await;
        time
    })
}

/// The same for an open store.
pub(crate) async fn claim_from(store: &dyn Store) -> f64 {
    let mut times = Vec::new();
    for _ in 0..CLAIMS {
        let begun = Instant::now();
        let runs = store.claim(Wanted { runs: 1, merging: true }).await.unwrap();
        times.push(begun.elapsed().as_secs_f64());
        for claim in runs.into_iter().flat_map(|run| run.updates) {
            let ends = vec![(claim.lent, End::GivenBack { after: Duration::ZERO })];
            store.record(ends, AfterDead::Continue).await.unwrap();
        }
    }
    median(times)
}

/// Fills a store with so many updates of as many contacts.
pub(crate) fn fill(folder: &Path, count: u64) {
    fill_lanes(folder, count, count);
}

/// Fills a store with so many updates of so many contacts by turns.
pub(crate) fn fill_lanes(folder: &Path, count: u64, contacts: u64) {
    let store = open(folder);
    runtime().block_on(async {
        let store: Arc<dyn Store> = store;
        fill_store(&store, count, contacts).await;
        store.close().await;
    });
}

/// The same for an open store.
pub(crate) async fn fill_store(store: &Arc<dyn Store>, count: u64, contacts: u64) {
    let source = SourceName::try_from("crm").unwrap();
    stream::iter(0..count)
        .map(|number| {
            let (request, event) = sample(&source, number, number % contacts);
            let store = Arc::clone(store);
            async move { store.append(request, vec![event]).await.unwrap() }
        })
        .buffer_unordered(256)
        .for_each(|_| async {})
        .await;
}

fn sample(source: &SourceName, number: u64, contact: u64) -> (Request, NewEvent) {
    let id = ContactId::try_from(format!("{contact:024x}")).unwrap();
    let update = ContactUpdate { name: Some("Asha Rao".to_owned()), ..ContactUpdate::default() };
    let target = Target { who: Who::Id(id), on_missing: OnMissing::Dead };
    let request = Request {
        method: "POST".to_owned(),
        content_type: Some("application/json".to_owned()),
        body: intake::event(number).into(),
        ..Request::default()
    };
    let event = NewEvent {
        source: source.clone(),
        item: 0,
        dedupe: Some(Dedupe { id: format!("evt_{number}"), window: Duration::from_hours(24 * 7) }),
        event_type: None,
        occurred_at: None,
        trace: None,
        control: false,
        updates: vec![NewUpdate {
            rule: "lead".into(),
            item: 0,
            state: NewState::Waiting(Box::new(PlannedUpdate::new(target, update))),
        }],
    };
    (request, event)
}

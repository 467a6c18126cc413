//! Between the store in a file and the mock API: everything but the time is real.

use std::collections::HashMap;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::chatflow::mock::{Fault, MockChatflow, MockOptions, Seed, SeenRequest};
use crate::chatflow::{ChatflowSettings, Client};
use crate::secret::Secret;
use crate::store::{Numbers, Page, SqliteStore, StoreSettings, UpdateFilter, UpdateRow};
use crate::units::{ByteSize, Span};

const KEY: &str = "key-of-the-test";

struct Bridge {
    mock: MockChatflow,
    clock: Arc<ManualClock>,
    store: Arc<SqliteStore>,
    pauses: Arc<Pauses>,
    stop: CancellationToken,
    running: JoinSet<()>,
    _folder: TempDir,
}

impl Bridge {
    fn start() -> Self {
        Self::before(MockOptions { api_key: Some(KEY.to_owned()), ..MockOptions::default() })
    }

    fn before(options: MockOptions) -> Self {
        let mock = MockChatflow::start(options).unwrap();
        let clock = ManualClock::at(Timestamp::from_second(1_700_000_000).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let settings = StoreSettings { min_free: ByteSize(0), ..StoreSettings::default() };
        let shared: SharedClock = Arc::<ManualClock>::clone(&clock);
        let metrics = Arc::new(Metrics::new().unwrap());
        let file = folder.path().join("store.db");
        let store = SqliteStore::open(&file, &settings, shared, metrics).unwrap();
        let (pauses, stop, running) = deliver(&mock, &clock, &store);
        Self { mock, clock, store, pauses, stop, running, _folder: folder }
    }

    async fn update(&self, target: &Target, name: &str) {
        self.plan(naming(target, name)).await;
    }

    async fn plan(&self, planned: PlannedUpdate) {
        self.store.append(Request::default(), vec![event(planned)]).await.unwrap();
    }

    /// Waits until the numbers are so; the clock goes on by `step` meanwhile, however often it takes.
    async fn until(&self, step: Duration, holds: impl Fn(&Numbers) -> bool) -> Numbers {
        for _ in 0..4_000 {
            let numbers = self.store.numbers().await.unwrap();
            if holds(&numbers) {
                return numbers;
            }
            self.clock.advance(step);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it never came so: {:?}", self.store.numbers().await);
    }

    async fn delivered(&self, count: u64) {
        self.until(seconds(1), |numbers| numbers.delivered == count).await;
    }

    async fn updates(&self, state: &str) -> Vec<UpdateRow> {
        let filter = UpdateFilter { state: Some(state.to_owned()), source: None };
        self.store.updates(&filter, Page { most: 100, before: None }).await.unwrap()
    }

    /// Stops delivery and starts another one on the same store.
    async fn restart_delivery(&mut self) {
        self.stop.cancel();
        self.running.join_next().await.unwrap().unwrap();
        (self.pauses, self.stop, self.running) = deliver(&self.mock, &self.clock, &self.store);
    }

    /// The names that were set for a contact, in the order of the requests that were answered 200.
    fn names(&self, last: u8) -> Vec<String> {
        let path = format!("/contacts/{}", id(last).as_str());
        let puts = self.mock.requests().into_iter();
        let puts =
            puts.filter(|put| put.method == "PUT" && put.path == path && put.status == Some(200));
        puts.map(|put| put.body["name"].as_str().unwrap().to_owned()).collect()
    }
}

fn deliver(
    mock: &MockChatflow,
    clock: &Arc<ManualClock>,
    store: &Arc<SqliteStore>,
) -> (Arc<Pauses>, CancellationToken, JoinSet<()>) {
    let metrics = Arc::new(Metrics::new().unwrap());
    let settings = ChatflowSettings {
        base_url: mock.base_url().parse().unwrap(),
        timeout: Span(seconds(30)),
        ..ChatflowSettings::default()
    };
    let client = Client::new(&settings, &Secret::new(KEY), 16, Arc::clone(&metrics)).unwrap();
    let delivery = DeliverySettings { coalesce: false, ..DeliverySettings::default() };
    let policy = Policy::new(&delivery, &ContactSettings::default(), settings.timeout.0);
    let delivery = Delivery::new(
        Arc::<SqliteStore>::clone(store),
        Arc::new(client),
        policy.unwrap(),
        Arc::<ManualClock>::clone(clock),
        metrics,
    );
    let (pauses, stop) = (delivery.pauses(), CancellationToken::new());
    let mut running = JoinSet::new();
    running.spawn(delivery.run(stop.clone()));
    (pauses, stop, running)
}

fn overlap(requests: &[SeenRequest]) -> bool {
    let mut by_contact: HashMap<&str, Vec<(u64, u64)>> = HashMap::new();
    for put in requests.iter().filter(|request| request.method == "PUT") {
        let times = (put.at, put.answered_at.unwrap_or(put.at));
        by_contact.entry(&put.path).or_default().push(times);
    }
    let overlap = |times: Vec<(u64, u64)>| times.windows(2).any(|pair| pair[1].0 < pair[0].1);
    by_contact.into_values().any(overlap)
}

#[tokio::test]
async fn order_holds_in_each_lane_whatever_fails() {
    let bridge = Bridge::start();
    for last in 0..8 {
        let mobile = format!("1202555010{last}");
        bridge.mock.add_contact(Seed::with_mobile(&mobile).with_id(id(last)));
    }
    bridge.mock.faults().add(Fault::status(500).on("PUT").every(5));
    bridge.mock.faults().add(Fault::reset().on("PUT").every(7));
    bridge.mock.faults().add(Fault::cut_off().on("PUT").every(11).applied());
    let names: Vec<_> = (0..10).map(|number| format!("name {number}")).collect();
    for name in &names {
        for last in 0..8 {
            bridge.update(&by_id(last), name).await;
        }
    }

    bridge.delivered(80).await;

    for last in 0..8 {
        let mut sent = bridge.names(last);
        sent.dedup();
        assert_eq!(sent, names, "contact {last}");
    }
    assert!(!overlap(&bridge.mock.requests()));
}

#[tokio::test]
async fn a_refused_key_loses_nothing_and_a_good_one_goes_on() {
    let bridge = Bridge::start();
    bridge.mock.set_key(Some("another"));
    for last in 0..5 {
        let mobile = format!("1202555010{last}");
        bridge.mock.add_contact(Seed::with_mobile(&mobile).with_id(id(last)));
        bridge.update(&by_id(last), "Ann").await;
    }

    bridge.pauses.begun().await;
    bridge.until(Duration::ZERO, |numbers| numbers.ready == 5).await;
    let waiting = bridge.updates("waiting").await;
    assert!(waiting.iter().all(|update| update.attempts == 0), "{waiting:?}");
    bridge.mock.set_key(Some(KEY));
    bridge.pauses.poke();

    bridge.delivered(5).await;
    assert!(!bridge.pauses.is_paused());
}

#[tokio::test]
async fn what_the_api_asks_for_holds_everybody_up() {
    let bridge = Bridge::start();
    for last in 0..3 {
        let mobile = format!("1202555010{last}");
        bridge.mock.add_contact(Seed::with_mobile(&mobile).with_id(id(last)));
    }
    bridge.mock.faults().add(Fault::status_retry_after(429, "100").on("PUT").times(1));
    bridge.update(&by_id(0), "a").await;
    bridge.until(Duration::ZERO, |numbers| numbers.scheduled == 1).await;
    bridge.update(&by_id(1), "b").await;
    bridge.update(&by_id(2), "c").await;

    bridge.clock.advance(seconds(99));
    bridge.until(Duration::ZERO, |numbers| numbers.ready == 2).await;
    assert_eq!(bridge.mock.requests().len(), 1);

    bridge.delivered(3).await;
}

#[tokio::test]
async fn what_the_api_refuses_is_dead_with_its_words() {
    let bridge = Bridge::start();
    bridge.mock.add_contact(Seed::with_mobile("12025550100").with_id(id(1)));
    let body = json!({"status": "error", "message": "Tag does not exist"});
    bridge.mock.faults().add(Fault::status_with(422, body).on("PUT").times(1));
    bridge.update(&by_id(1), "a").await;
    bridge.update(&by_id(1), "b").await;

    bridge.until(Duration::ZERO, |numbers| numbers.dead == 1 && numbers.delivered == 1).await;

    let [dead] = &bridge.updates("dead").await[..] else { panic!("one is dead") };
    assert_eq!(dead.reason.as_deref(), Some("refused"));
    assert_eq!(dead.status, Some(422));
    assert_eq!(dead.detail.as_deref(), Some("Tag does not exist"));
}

#[tokio::test]
async fn one_contact_under_three_keys_gets_one_request_at_a_time() {
    let bridge = Bridge::before(MockOptions {
        delay: Duration::from_millis(3),
        workers: 2,
        ..MockOptions::default()
    });
    let ann = Seed::with_mobile("12025550143").with("email", "ann@example.com").with_id(id(1));
    bridge.mock.add_contact(ann);
    let targets = [
        by_id(1),
        by_mobile("12025550143", OnMissing::Dead),
        by_email("ann@example.com", OnMissing::Create),
    ];
    for number in 0..10 {
        for target in &targets {
            bridge.update(target, &number.to_string()).await;
        }
    }

    bridge.delivered(30).await;

    assert!(!overlap(&bridge.mock.requests()));
    assert_eq!(bridge.mock.contacts().len(), 1);
}

#[tokio::test]
async fn a_contact_that_is_missing_is_created_once_without_consent() {
    let bridge = Bridge::start();
    for name in ["a", "b", "c"] {
        bridge.update(&by_mobile("12025550143", OnMissing::Create), name).await;
    }
    let by_email = by_email("ann@example.com", OnMissing::Create);
    let mobile = Some(mobile("12025550143"));
    bridge
        .plan(PlannedUpdate::new(
            by_email,
            ContactUpdate { mobile, ..naming(&by_id(1), "d").update },
        ))
        .await;

    bridge.delivered(4).await;

    let [ann] = &bridge.mock.contacts()[..] else { panic!("one contact") };
    assert!(!ann.optin);
    let created = bridge.mock.requests().into_iter().filter(|seen| seen.method == "POST");
    assert!(created.count() <= 2);
}

#[tokio::test]
async fn stopped_in_the_middle_it_goes_on_after_the_next_start() {
    let mut bridge =
        Bridge::before(MockOptions { delay: Duration::from_millis(2), ..MockOptions::default() });
    for last in 0..20 {
        let mobile = format!("120255501{last:02}");
        bridge.mock.add_contact(Seed::with_mobile(&mobile).with_id(id(last)));
    }
    for name in ["a", "b", "c", "d", "e"] {
        for last in 0..20 {
            bridge.update(&by_id(last), name).await;
        }
    }

    let mut delivered = 0;
    while delivered < 100 {
        let more = bridge.until(Duration::ZERO, |numbers| numbers.delivered > delivered).await;
        bridge.stop.cancel();
        delivered = more.delivered;
        bridge.restart_delivery().await;
    }

    for last in 0..20 {
        assert_eq!(bridge.names(last), ["a", "b", "c", "d", "e"], "contact {last}");
    }
    assert_eq!(bridge.store.numbers().await.unwrap().in_flight, 0);
}

//! Delivery as a whole, between a store and an API that do as they are told, on a clock that stands still.

mod api;
mod circuit;
mod faults;
mod merging;
mod order;
mod pausing;
mod real;
mod replicas;
mod resolver;
mod resolving;
mod retrying;
mod stopping;
mod store;
mod storm;
mod withdrawing;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::api::FakeApi;
use self::store::FakeStore;
use super::retry::Chance;
use super::{ContactSettings, Delivery, DeliverySettings, PauseReason, Pauses, Peers, Policy};
use crate::chatflow::Failure;
use crate::clock::{ManualClock, SharedClock};
use crate::contact::{ContactId, ContactUpdate, Mobile, OnMissing, PlannedUpdate, Target, Who};
use crate::event::SourceName;
use crate::store::{End, NewEvent, NewState, NewUpdate, Request, Store as _};
use crate::telemetry::metrics::Metrics;

const TIMEOUT: Duration = Duration::from_secs(10);

/// A delivery that runs. The tests have one thread, so that letting every task go on as far as it can is a matter
/// of giving way often enough.
struct Rig {
    clock: Arc<ManualClock>,
    api: Arc<FakeApi>,
    store: Arc<FakeStore>,
    metrics: Arc<Metrics>,
    pauses: Arc<Pauses>,
    peers: Option<Arc<Peers>>,
    stop: CancellationToken,
    running: JoinSet<()>,
}

impl Rig {
    /// Each update in a request of its own.
    fn start() -> Self {
        Self::with(
            &DeliverySettings { coalesce: false, ..DeliverySettings::default() },
            &ContactSettings::default(),
        )
    }

    /// What waits for one contact in one request.
    fn merging() -> Self {
        Self::with(&DeliverySettings::default(), &ContactSettings::default())
    }

    fn with(delivery: &DeliverySettings, contact: &ContactSettings) -> Self {
        Self::with_chance(delivery, contact, Arc::new(|| 1.0))
    }

    fn with_chance(delivery: &DeliverySettings, contact: &ContactSettings, chance: Chance) -> Self {
        let clock = ManualClock::at(Timestamp::from_second(1_000_000).unwrap());
        let api = Arc::new(FakeApi::new());
        let store = Arc::new(FakeStore::new(Arc::clone(&clock)));
        Self::on(&clock, &api, &store, delivery, contact, |delivery| delivery.with_chance(chance))
    }

    /// The process is killed, and another one goes on with the same store, each update in a request of its own.
    fn killed(self) -> Self {
        let Self { clock, api, store, running, stop, .. } = self;
        stop.cancel();
        drop(running);
        store.reclaim();
        let delivery = DeliverySettings { coalesce: false, ..DeliverySettings::default() };
        let contact = ContactSettings::default();
        let chance: Chance = Arc::new(|| 1.0);
        Self::on(&clock, &api, &store, &delivery, &contact, |delivery| delivery.with_chance(chance))
    }

    fn on(
        clock: &Arc<ManualClock>,
        api: &Arc<FakeApi>,
        store: &Arc<FakeStore>,
        delivery: &DeliverySettings,
        contact: &ContactSettings,
        more: impl FnOnce(Delivery) -> Delivery,
    ) -> Self {
        let shared: SharedClock = Arc::<ManualClock>::clone(clock);
        let (clock, api, store) = (Arc::clone(clock), Arc::clone(api), Arc::clone(store));
        let metrics = Arc::new(Metrics::new().unwrap());
        let delivery = more(Delivery::new(
            Arc::<FakeStore>::clone(&store),
            Arc::<FakeApi>::clone(&api),
            Policy::new(delivery, contact, TIMEOUT).unwrap(),
            shared,
            Arc::clone(&metrics),
        ));
        let (pauses, peers) = (delivery.pauses(), delivery.peers());
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        running.spawn(delivery.run(stop.clone()));
        Self { clock, api, store, metrics, pauses, peers, stop, running }
    }

    /// An update for this contact that sets this name.
    async fn update(&self, target: &Target, name: &str) {
        self.plan(naming(target, name)).await;
    }

    async fn plan(&self, planned: PlannedUpdate) {
        self.store.append(Request::default(), vec![event(planned)]).await.unwrap();
    }

    /// Lets every task go on as far as it can.
    async fn settle(&self) {
        for _ in 0..500 {
            tokio::task::yield_now().await;
        }
    }

    async fn pass(&self, time: Duration) {
        self.settle().await;
        self.clock.advance(time);
        self.settle().await;
    }

    fn names_put(&self) -> Vec<String> {
        self.api.asked_of("PUT")
    }

    fn ends(&self) -> Vec<End> {
        self.store.ends().into_iter().map(|(_, end)| end).collect()
    }

    fn counted(&self, line: &str) -> bool {
        self.metrics.page().unwrap().contains(&format!("chatflow_bridge_{line}\n"))
    }

    async fn stopped(mut self) {
        self.stop.cancel();
        self.running.join_next().await.unwrap().unwrap();
    }
}

/// Keys of a store in memory.
pub(super) fn keys() -> super::cache::Keys {
    let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
    super::cache::Keys::new(Arc::new(FakeStore::new(clock)))
}

fn naming(target: &Target, name: &str) -> PlannedUpdate {
    let update = ContactUpdate { name: Some(name.to_owned()), ..ContactUpdate::default() };
    PlannedUpdate::new(target.clone(), update)
}

fn event(planned: PlannedUpdate) -> NewEvent {
    NewEvent {
        source: SourceName::try_from("crm").unwrap(),
        item: 0,
        dedupe: None,
        event_type: None,
        occurred_at: None,
        trace: None,
        control: false,
        updates: vec![NewUpdate {
            rule: "rule".into(),
            item: 0,
            state: NewState::Waiting(Box::new(planned)),
        }],
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn id(last: u8) -> ContactId {
    ContactId::try_from(format!("65f0c0ffee0123456789ab{last:02x}")).unwrap()
}

fn by_id(last: u8) -> Target {
    Target { who: Who::Id(id(last)), on_missing: OnMissing::Dead }
}

fn mobile(digits: &str) -> Mobile {
    Mobile::try_from(digits.to_owned()).unwrap()
}

fn by_mobile(digits: &str, on_missing: OnMissing) -> Target {
    Target { who: Who::Mobile(mobile(digits)), on_missing }
}

fn by_email(value: &str, on_missing: OnMissing) -> Target {
    let who = Who::Attribute { name: "email".to_owned(), value: value.to_owned() };
    Target { who, on_missing }
}

fn answered(status: u16) -> Failure {
    Failure::Answered { status, words: format!("words of {status}"), retry_after: None }
}

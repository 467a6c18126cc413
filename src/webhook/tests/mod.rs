//! The door from outside: requests in, answers out, over a store in memory.

mod answers;
mod log;
mod refusals;
mod sources;
mod wire;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::App;
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use tokio_util::task::TaskTracker;

use super::head::{Head, Headers};
use super::verify::{SecretSource, sign};
use super::*;
use crate::clock::{Clock, ManualClock, SharedClock};
use crate::contact::{
    ContactUpdate, HeldReason, Mobile, OnMissing, PlannedUpdate, SkippedReason, Target, Who,
};
use crate::event::{EventId, SourceName};
use crate::mapping::{Decision, Held, Planned, PlannedEvent, Set, Source};
use crate::store::{
    AfterDead, End, Error, EventFilter, EventRow, Joined, Lane, Lent, NewEvent, NewState,
    NewUpdate, Numbers, Page, Receipt, Request, Run, Store, StoredEvent, UpdateFilter, UpdateRow,
    Wanted,
};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::trace::Tracer;

/// A store in memory that only takes in.
#[derive(Default)]
struct Shelf {
    kept: Mutex<Vec<(Request, NewEvent)>>,
    seen: Mutex<HashMap<String, EventId>>,
    fails: Mutex<Option<Error>>,
    adopted: Mutex<HashMap<String, String>>,
}

#[async_trait]
impl Store for Shelf {
    async fn append(&self, request: Request, events: Vec<NewEvent>) -> Result<Vec<Receipt>, Error> {
        if let Some(error) = self.fails.lock().unwrap().clone() {
            return Err(error);
        }
        let (mut kept, mut seen) = (self.kept.lock().unwrap(), self.seen.lock().unwrap());
        let mut keep = |event: NewEvent| {
            let id = EventId(i64::try_from(kept.len()).unwrap() + 1);
            if let Some(dedupe) = &event.dedupe
                && let Some(first) = seen.insert(dedupe.id.clone(), id)
            {
                seen.insert(dedupe.id.clone(), first);
                return Receipt::Duplicate { first, differs: true, idle: false };
            }
            kept.push((request.clone(), event));
            Receipt::Stored(id)
        };
        Ok(events.into_iter().map(&mut keep).collect())
    }

    async fn remap(&self, _event: EventId, _updates: Vec<NewUpdate>) -> Result<bool, Error> {
        Ok(false)
    }

    async fn claim(&self, _wanted: Wanted) -> Result<Vec<Run>, Error> {
        std::future::pending().await
    }

    async fn record(&self, _: Vec<(Lent, End)>, _: AfterDead) -> Result<bool, Error> {
        Ok(false)
    }

    async fn revive(
        &self,
        _: &[crate::event::UpdateId],
    ) -> Result<Vec<crate::event::UpdateId>, Error> {
        Ok(Vec::new())
    }

    async fn refusals(&self, _: Duration) -> Result<Vec<crate::store::Refused>, Error> {
        Ok(Vec::new())
    }

    fn lane_of(&self, _who: &crate::contact::Who) -> Lane {
        Lane(0)
    }

    async fn join(&self, _run: Vec<Lent>, _lane: Lane) -> Result<Joined, Error> {
        Ok(Joined::Lapsed)
    }

    async fn marked(&self, _update: crate::event::UpdateId) -> Result<crate::store::Marked, Error> {
        Ok(crate::store::Marked::default())
    }

    async fn numbers(&self) -> Result<Numbers, Error> {
        Ok(Numbers::default())
    }

    async fn events(&self, _filter: &EventFilter, _page: Page) -> Result<Vec<EventRow>, Error> {
        Ok(Vec::new())
    }

    async fn updates(&self, _filter: &UpdateFilter, _page: Page) -> Result<Vec<UpdateRow>, Error> {
        Ok(Vec::new())
    }

    async fn event(&self, _id: EventId) -> Result<Option<StoredEvent>, Error> {
        Ok(None)
    }

    async fn keep_mappings(&self, _: Vec<(String, String)>) -> Result<(), Error> {
        Ok(())
    }

    async fn kept_mappings(&self) -> Result<Vec<(String, String)>, Error> {
        Ok(Vec::new())
    }

    async fn adopt_secret(&self, source: &SourceName, secret: &str) -> Result<String, Error> {
        let mut adopted = self.adopted.lock().unwrap();
        Ok(adopted.entry(source.to_string()).or_insert_with(|| secret.to_owned()).clone())
    }

    async fn adopted_secret(&self, source: &SourceName) -> Result<Option<String>, Error> {
        Ok(self.adopted.lock().unwrap().get(source.as_str()).cloned())
    }

    async fn forget_secret(&self, source: &SourceName) -> Result<bool, Error> {
        Ok(self.adopted.lock().unwrap().remove(source.as_str()).is_some())
    }

    async fn check_writable(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn close(&self) {}
}

/// The one secret there is.
struct OneSecret;

impl SecretSource for OneSecret {
    fn variable(&self, name: &str) -> Option<String> {
        (name == "SECRET").then(|| "a-good-secret".to_owned())
    }

    fn file(&self, _path: &Path) -> std::io::Result<String> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

/// A source with one rule that never matches and reads headers.
fn source(name: &str, verify: &str) -> Arc<Source> {
    let text = format!(
        "source: {name}
verify:
  {}
event: {{ id: none, dedupe_window: 1h }}
rules:
  - name: new-lead
    when:
      any:
        - $headers['x-topic']: never
        - $headers['x-hub-signature-256']: never
        - $headers['x-token']: never
    contact: {{ mobile: $.mobile }}
    update: {{ name: $.name }}
",
        verify.replace('\n', "\n  ")
    );
    let read = Set::read(vec![(format!("{name}.yaml"), text)]);
    let set = read.set.unwrap_or_else(|| panic!("the mapping is right: {:?}", read.reports));
    let source = Arc::clone(set.get(name).unwrap());
    drop(set);
    let mut source = Arc::into_inner(source).unwrap();
    source.headers.extend(["authorization", "cookie"].map(str::to_owned));
    Arc::new(source)
}

const NOW: i64 = 1_795_435_200;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

/// An intake with one source of each kind.
struct House {
    intake: Arc<Intake>,
    store: Arc<Shelf>,
    metrics: Arc<Metrics>,
    tasks: TaskTracker,
}

impl House {
    fn new() -> Self {
        Self::with(IntakeSettings::default(), ManualClock::at(now()))
    }

    fn with(settings: IntakeSettings, clock: SharedClock) -> Self {
        let store = Arc::<Shelf>::default();
        let metrics = Arc::new(Metrics::new().unwrap());
        let tasks = TaskTracker::new();
        let shared: Arc<dyn Store> = Arc::clone(&store) as _;
        let intake = Intake::new(
            shared,
            clock,
            Arc::clone(&metrics),
            settings,
            tasks.clone(),
            Tracer::off(),
        );
        let house = Self { intake, store, metrics, tasks };
        house.install(&[
            ("open", "none"),
            ("github", "{ preset: github, secret: env:SECRET }"),
            ("path", "token: { in: path, secret: env:SECRET }"),
            ("query", "token: { in: query, secret: env:SECRET }"),
            ("header", "token: { in: header, name: X-Token, secret: env:SECRET }"),
            ("closed", "{ preset: github, secret: env:NONE }"),
        ]);
        house
    }

    fn install(&self, sources: &[(&str, &str)]) {
        let sources = sources.iter().map(|(name, verify)| source(name, verify));
        self.intake.install(Doors::build(sources, &OneSecret, &self.metrics).unwrap());
    }

    async fn call(&self, request: TestRequest) -> ServiceResponse {
        let app = App::new().configure(route::configure(Arc::clone(&self.intake)));
        call_service(&init_service(app).await, request.to_request()).await
    }

    fn page_has(&self, line: &str) -> bool {
        self.metrics.page().unwrap().lines().any(|own| own == format!("chatflow_bridge_{line}"))
    }

    async fn keep(&self, planned: Vec<PlannedEvent>) -> Json {
        let doors = self.intake.doors();
        let request = Request { body: Bytes::from_static(b"{}"), ..Request::default() };
        let answer =
            self.intake.keep(&doors.by_name["open"], request, planned, Instant::now()).await;
        serde_json::to_value(answer.unwrap()).unwrap()
    }
}

fn post(uri: &str) -> TestRequest {
    TestRequest::with_uri(uri).method(Method::POST)
}

fn json_post(uri: &str, body: &'static str) -> TestRequest {
    post(uri).insert_header(("Content-Type", "application/json")).set_payload(body)
}

fn event(decisions: Vec<Decision>) -> PlannedEvent {
    let planned = decisions.into_iter().map(|decision| Planned {
        rule: "new-lead".into(),
        item: 0,
        decision,
    });
    PlannedEvent {
        id: None,
        event_type: None,
        occurred_at: None,
        control: false,
        planned: planned.collect(),
    }
}

fn update() -> Decision {
    let mobile = Mobile::try_from("12025550143".to_owned()).unwrap();
    let target = Target { who: Who::Mobile(mobile), on_missing: OnMissing::Dead };
    Decision::Update(Box::new(PlannedUpdate::new(target, ContactUpdate::default())))
}

fn held() -> Decision {
    Decision::Held(Held::new(HeldReason::Phone, "no phone number"))
}

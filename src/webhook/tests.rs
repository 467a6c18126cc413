//! The door from outside: requests in, answers out, over a store in memory.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, HttpServer};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::task::TaskTracker;

use super::head::{Head, Headers};
use super::verify::{SecretSource, sign};
use super::*;
use crate::clock::{Clock, ManualClock, SharedClock};
use crate::contact::{
    ContactUpdate, HeldReason, Mobile, OnMissing, PlannedUpdate, SkippedReason, Target, Who,
};
use crate::event::{EventId, SourceName};
use crate::mapping::syntax::Node;
use crate::mapping::{Decision, Held, Planned, PlannedEvent, Source};
use crate::store::{
    Claim, End, Error, EventFilter, EventRow, Lent, NewEvent, NewState, Numbers, Page, Receipt,
    Request, Store, StoredEvent, UpdateFilter, UpdateRow,
};
use crate::telemetry::metrics::Metrics;
use crate::units::{ByteSize, Span};

/// A store in memory that only takes in.
#[derive(Default)]
struct Shelf {
    kept: Mutex<Vec<(Request, NewEvent)>>,
    seen: Mutex<HashMap<String, EventId>>,
    fails: Mutex<Option<Error>>,
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
                return Receipt::Duplicate { first, differs: true };
            }
            kept.push((request.clone(), event));
            Receipt::Stored(id)
        };
        Ok(events.into_iter().map(&mut keep).collect())
    }

    async fn claim(&self, _most: usize) -> Result<Vec<Claim>, Error> {
        std::future::pending().await
    }

    async fn record(&self, _lent: Lent, _end: End) -> Result<bool, Error> {
        Ok(false)
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

fn source(name: &str, verify: &str) -> Arc<Source> {
    Arc::new(Source {
        name: SourceName::try_from(name).unwrap(),
        file: format!("{name}.yaml"),
        verify: Some(Node::read(verify).unwrap()),
        dedupe_window: Duration::from_hours(1),
        rules: vec!["new-lead".into()],
        headers: ["x-topic", "x-hub-signature-256", "x-token", "authorization", "cookie"]
            .map(str::to_owned)
            .to_vec(),
    })
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
        let intake = Intake::new(shared, clock, Arc::clone(&metrics), settings, tasks.clone());
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
    Decision::Update(Box::new(PlannedUpdate { target, update: ContactUpdate::default() }))
}

fn held() -> Decision {
    Decision::Held(Held::new(HeldReason::Phone, "no phone number"))
}

#[actix_web::test]
async fn the_answer_says_what_became_of_the_events() {
    let skipped = || Decision::Skipped(SkippedReason::NoContact);
    let control = || PlannedEvent { control: true, ..event(vec![]) };
    let one = |status, updates, held| json!({"event_id": "0000000000001", "status": status, "updates": updates, "held": held});
    for (planned, answer) in [
        (vec![event(vec![update(), held(), update()])], one("accepted", 2, 1)),
        (vec![event(vec![skipped(), held()])], one("held", 0, 1)),
        (vec![event(vec![Decision::NoEffect, skipped()])], one("skipped", 0, 0)),
        (vec![event(vec![Decision::NoEffect])], one("ignored", 0, 0)),
        (vec![event(vec![])], one("ignored", 0, 0)),
        (vec![control()], one("control", 0, 0)),
        (vec![], json!({"status": "ignored", "events": []})),
        (
            vec![control(), event(vec![held()])],
            json!({"status": "held", "events": [
                {"event_id": "0000000000001", "status": "control", "updates": 0, "held": 0},
                {"event_id": "0000000000002", "status": "held", "updates": 0, "held": 1},
            ]}),
        ),
    ] {
        assert_eq!(House::new().keep(planned.clone()).await, answer, "{planned:?}");
    }
}

#[actix_web::test]
async fn a_repeat_gets_the_id_of_the_first() {
    let house = House::new();
    let event = || PlannedEvent { id: Some("evt_1".to_owned()), ..event(vec![update()]) };

    let first = house.keep(vec![event()]).await;
    let again = house.keep(vec![event()]).await;

    assert_eq!(again, json!({"event_id": first["event_id"], "status": "duplicate"}));
    assert!(house.page_has(r#"duplicates_differ_total{source="open"} 1"#));
    assert!(house.page_has(r#"updates_enqueued_total{rule="new-lead",source="open"} 1"#));
}

#[actix_web::test]
async fn what_the_rules_planned_is_stored_without_what_has_no_effect() {
    let house = House::new();
    let planned = PlannedEvent {
        id: Some("evt_1".to_owned()),
        event_type: Some("lead".to_owned()),
        occurred_at: Some(now()),
        ..event(vec![Decision::NoEffect, held(), update()])
    };

    house.keep(vec![event(vec![]), planned]).await;

    let kept = house.store.kept.lock().unwrap();
    let (_, stored) = &kept[1];
    assert_eq!((stored.source.as_str(), stored.item), ("open", 1));
    assert_eq!(stored.dedupe.as_ref().unwrap().id, "evt_1");
    assert_eq!(stored.dedupe.as_ref().unwrap().window, Duration::from_hours(1));
    assert_eq!((stored.event_type.as_deref(), stored.occurred_at), (Some("lead"), Some(now())));
    assert_eq!(stored.updates.len(), 2);
    assert!(matches!(&stored.updates[0].state, NewState::Held { reason: HeldReason::Phone, .. }));
    assert!(matches!(&stored.updates[1].state, NewState::Waiting(_)));
    for line in [
        r#"rule_matches_total{rule="new-lead",source="open"} 1"#,
        r#"rule_misses_total{source="open"} 1"#,
        r#"mapping_errors_total{reason="phone",rule="new-lead",source="open"} 1"#,
        r#"dead_letters_total{reason="phone"} 1"#,
    ] {
        assert!(house.page_has(line), "{line}");
    }
}

#[actix_web::test]
async fn a_request_that_is_turned_away_gets_its_problem() {
    let good = [("x-hub-signature-256", {
        let credentials = sign("github", "a-good-secret", &Head::default(), b"{}", now());
        credentials.unwrap().headers.pop().unwrap().1
    })];
    let unsigned: [(&str, String); 0] = [];
    let header = |name: &'static str, value: &str| [(name, value.to_owned())];
    for (method, uri, headers, body, status, kind) in [
        ("POST", "/hooks/nobody", &unsigned[..], "{}", 404, "unknown-source"),
        ("POST", "/hooks/Open", &unsigned, "{}", 404, "unknown-source"),
        ("POST", "/hooks", &unsigned, "{}", 404, "unknown-source"),
        ("GET", "/", &unsigned, "", 404, "unknown-source"),
        ("GET", "/metrics", &unsigned, "", 404, "unknown-source"),
        ("POST", "/hooks/open/a-good-secret", &unsigned, "{}", 404, "unknown-source"),
        ("POST", "/hooks/open/", &unsigned, "{}", 404, "unknown-source"),
        ("GET", "/hooks/open", &unsigned, "", 405, "method-not-allowed"),
        ("PUT", "/hooks/closed", &unsigned, "{}", 405, "method-not-allowed"),
        ("POST", "/hooks/closed", &good, "{}", 503, "not-ready"),
        ("POST", "/hooks/github", &unsigned, "{}", 401, "unverified"),
        ("POST", "/hooks/github", &good, "[]", 401, "unverified"),
        ("POST", "/hooks/path", &unsigned, "{}", 401, "unverified"),
        ("POST", "/hooks/path/wrong", &unsigned, "{}", 401, "unverified"),
        ("POST", "/hooks/query?token=wrong", &unsigned, "{}", 401, "unverified"),
        ("POST", "/hooks/header", &header("x-token", "wrong"), "{}", 401, "unverified"),
        ("POST", "/hooks/open", &header("content-length", "1048577"), "{}", 413, "too-large"),
        (
            "POST",
            "/hooks/open",
            &header("content-encoding", "gzip"),
            "{}",
            415,
            "unsupported-content",
        ),
        (
            "POST",
            "/hooks/open",
            &header("content-type", "image/png"),
            "{}",
            415,
            "unsupported-content",
        ),
        ("POST", "/hooks/open", &unsigned, r#"{"a":1,"a":2}"#, 400, "bad-body"),
        ("POST", "/hooks/open", &unsigned, "[1", 400, "bad-body"),
    ] {
        let house = House::new();
        // The payload first: it sets a length of its own.
        let mut request =
            TestRequest::with_uri(uri).method(method.parse().unwrap()).set_payload(body);
        for (name, value) in headers {
            request = request.insert_header((*name, value.as_str()));
        }
        let case = format!("{method} {uri} {headers:?} {body}");

        let response = house.call(request).await;

        assert_eq!(response.status(), status, "{case}");
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("content-type"), Some("application/problem+json"), "{case}");
        assert_eq!(header("allow"), (status == 405).then_some("POST"), "{case}");
        assert_eq!(header("retry-after"), (status == 503).then_some("10"), "{case}");
        let problem: Json = serde_json::from_slice(&read_body(response).await).unwrap();
        assert_eq!(problem["type"], format!("/problems/{kind}"), "{case}");
        assert_eq!(problem["status"], status, "{case}");
        assert!(house.store.kept.lock().unwrap().is_empty(), "{case}");
    }
}

#[actix_web::test]
async fn who_is_not_believed_is_not_told_why() {
    let house = House::new();
    let mut told = Vec::new();
    for request in [
        json_post("/hooks/github", "{}"),
        json_post("/hooks/github", "{}").insert_header(("X-Hub-Signature-256", "sha256=00")),
        json_post("/hooks/path/wrong", "{}"),
        json_post("/hooks/query", "{}"),
    ] {
        told.push(read_body(house.call(request).await).await);
    }
    assert!(told.iter().all(|body| *body == told[0]), "{told:?}");
    for reason in ["signature_missing", "signature_mismatch"] {
        let line = format!(r#"intake_rejections_total{{reason="{reason}",source="github"}} 1"#);
        assert!(house.page_has(&line), "{line}");
    }
}

#[actix_web::test]
async fn who_is_believed_is_answered_200() {
    let credentials = sign("github", "a-good-secret", &Head::default(), b"{}", now()).unwrap();
    let (name, value) = credentials.headers[0].clone();
    for request in [
        json_post("/hooks/open", "{}"),
        post("/hooks/open").set_payload("{}"),
        json_post("/hooks/github", "{}").insert_header((name.as_str(), value.as_str())),
        json_post("/hooks/path/a-good-secret", "{}"),
        json_post("/hooks/path/a%2Dgood%2dsecret", "{}"),
        json_post("/hooks/query?x=1&token=a-good-secret", "{}"),
        json_post("/hooks/header", "{}").insert_header(("X-Token", "a-good-secret")),
        json_post("/hooks/open", "{}").insert_header(("Content-Encoding", "identity")),
    ] {
        let house = House::new();
        let response = house.call(request).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers().get("content-type").unwrap(), "application/json");
    }
}

#[actix_web::test]
async fn what_the_store_cannot_keep_is_asked_for_again() {
    for (error, outcome, reason) in [
        (Error::Full("x".to_owned()), "shed", "store_full"),
        (Error::Busy, "shed", "store_busy"),
        (Error::Failed("x".to_owned()), "error", "store_failed"),
        (Error::Closed, "error", "store_failed"),
    ] {
        let house = House::new();
        *house.store.fails.lock().unwrap() = Some(error);
        let doors = house.intake.doors();
        let planned = vec![event(vec![update()])];

        let refusal = house
            .intake
            .keep(&doors.by_name["open"], Request::default(), planned, Instant::now())
            .await
            .unwrap_err();

        assert_eq!((refusal.outcome(), refusal.reason()), (outcome, reason));
        let problem = crate::problem::Problem::from(&refusal);
        assert_eq!((problem.status, problem.retry_after), (503, Some(10)));
        assert!(!problem.detail.unwrap().contains('x'), "the cause is for the log");
    }
}

#[actix_web::test]
async fn only_what_rules_read_is_kept_and_never_a_credential() {
    let house = House::new();
    let doors = house.intake.doors();
    let headers: Headers = [
        ("X-Topic", "orders"),
        ("X-Topic", "again"),
        ("X-Hub-Signature-256", "sha256=00"),
        ("X-Token", "marker"),
        ("Authorization", "marker"),
        ("Cookie", "marker"),
        ("User-Agent", "curl"),
    ]
    .into_iter()
    .collect();
    let head = Head { headers, ..Head::default() };
    let kept = |name: &str| {
        let kept = doors.by_name[name].kept_headers(&head);
        kept.into_iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
    };

    assert_eq!(kept("github"), ["x-topic: orders", "x-topic: again", "x-token: marker"]);
    assert_eq!(
        kept("header"),
        ["x-topic: orders", "x-topic: again", "x-hub-signature-256: sha256=00"]
    );
}

#[actix_web::test]
async fn every_series_is_there_from_the_start_and_the_gauges_go_with_their_source() {
    let house = House::new();
    for line in [
        r#"intake_requests_total{outcome="accepted",source="open"} 0"#,
        r#"intake_requests_total{outcome="shed",source="open"} 0"#,
        r#"intake_requests_total{outcome="rejected",source="unknown"} 0"#,
        r#"intake_rejections_total{reason="timestamp_skew",source="github"} 0"#,
        r#"rule_matches_total{rule="new-lead",source="open"} 0"#,
        r#"mapping_errors_total{reason="several",rule="new-lead",source="open"} 0"#,
        r#"source_up{source="open"} 1"#,
        r#"source_up{source="closed"} 0"#,
        r#"mappings_rules{source="open"} 1"#,
    ] {
        assert!(house.page_has(line), "{line}");
    }
    house.call(json_post("/hooks/nobody", "{}")).await;
    assert!(
        house.page_has(r#"intake_rejections_total{reason="unknown_source",source="unknown"} 1"#)
    );

    house.install(&[("other", "none")]);

    assert!(house.page_has(r#"source_up{source="other"} 1"#));
    assert!(!house.metrics.page().unwrap().contains(r#"source_up{source="open"}"#));
    assert_eq!(house.call(json_post("/hooks/open", "{}")).await.status(), 404);
    assert_eq!(house.call(json_post("/hooks/other", "{}")).await.status(), 200);
}

#[test]
fn a_set_with_a_verify_that_cannot_be_read_is_refused_as_a_whole() {
    let metrics = Metrics::new().unwrap();
    let silent = Source { verify: None, ..Arc::into_inner(source("silent", "none")).unwrap() };
    let sources = [source("good", "none"), source("bad", "{ preset: gihub }"), Arc::new(silent)];

    let flaws = Doors::build(sources, &OneSecret, &metrics).err().unwrap();

    let named: Vec<_> = flaws.iter().map(|flaw| flaw.source.name.as_str()).collect();
    assert_eq!(named, ["bad", "silent"]);
    assert_eq!(flaws[1].problems[0].message, "`verify` is missing here");
}

#[actix_web::test]
async fn who_hangs_up_after_the_last_byte_is_taken_in_all_the_same() {
    let house = House::new();
    let head = Head { method: "POST".to_owned(), ..Head::default() };
    let mut body = stream::iter([Ok::<_, ()>(Bytes::from_static(b"{}"))]);
    {
        let receiving = house.intake.receive("open", head.clone(), &mut body);
        tokio::pin!(receiving);
        assert!(futures_util::poll!(receiving.as_mut()).is_pending());
    }
    house.tasks.close();
    house.tasks.wait().await;
    assert!(house.page_has(r#"intake_requests_total{outcome="ignored",source="open"} 1"#));

    let mut stuck = stream::pending::<Result<Bytes, ()>>();
    {
        let receiving = house.intake.receive("open", head, &mut stuck);
        tokio::pin!(receiving);
        assert!(futures_util::poll!(receiving.as_mut()).is_pending());
    }
    assert!(house.page_has(r#"intake_rejections_total{reason="bad_body",source="open"} 1"#));
    assert!(house.page_has("intake_in_flight_requests 0"));
}

/// A clock that is broken once it is told to be.
struct BrokenClock(AtomicBool);

impl Clock for BrokenClock {
    fn now(&self) -> Timestamp {
        assert!(!self.0.load(Ordering::Relaxed), "the clock is broken");
        now()
    }

    fn on_jump(&self, _moved: Box<dyn Fn() + Send + Sync>) {}

    fn jumps(&self) -> Option<Arc<tokio::sync::Notify>> {
        None
    }
}

#[actix_web::test]
async fn a_panic_is_answered_500_and_counted() {
    let clock = Arc::new(BrokenClock(AtomicBool::new(true)));
    let house = House::with(IntakeSettings::default(), Arc::clone(&clock) as _);

    assert_eq!(house.call(json_post("/hooks/open", "{}")).await.status(), 500);
    clock.0.store(false, Ordering::Relaxed);
    assert_eq!(house.call(json_post("/hooks/open", "{}")).await.status(), 200);

    assert!(house.page_has("panics_total 1"));
    assert!(house.page_has(r#"intake_requests_total{outcome="error",source="open"} 1"#));
}

/// Sends raw bytes to a server of its own, then the same piece until the connection ends; gives what came back.
async fn talk(house: &House, head: &str, piece: &str) -> String {
    let intake = Arc::clone(&house.intake);
    let app = move || App::new().configure(route::configure(Arc::clone(&intake)));
    let server = HttpServer::new(app).workers(1).disable_signals().on_connect(keep_line);
    let server = server.bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);

    let (mut reading, mut writing) = TcpStream::connect(address).await.unwrap().into_split();
    writing.write_all(head.as_bytes()).await.unwrap();
    let (head_and_piece, mut answer) = (piece.to_owned(), Vec::new());
    let sending = async {
        while !head_and_piece.is_empty()
            && writing.write_all(head_and_piece.as_bytes()).await.is_ok()
        {
            tokio::task::yield_now().await;
        }
        std::future::pending::<()>().await;
    };
    let receiving = async {
        // A reset behind the answer is an end too.
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = reading.read(&mut buffer).await {
            answer.extend_from_slice(&buffer[..count]);
        }
    };
    tokio::select! {
        () = receiving => {}
        () = sending => {}
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("the connection did not end"),
    }
    handle.stop(false).await;
    running.await.unwrap().unwrap();
    String::from_utf8(answer).unwrap()
}

#[actix_web::test]
async fn a_body_of_chunks_that_does_not_end_is_refused_and_cut() {
    let settings = IntakeSettings { max_body: ByteSize(10_000), ..IntakeSettings::default() };
    let house = House::with(settings, ManualClock::at(now()));
    let head = "POST /hooks/open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));

    let answer = talk(&house, head, &chunk).await;

    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(answer.contains("limit of 10000"), "{answer}");
    assert!(house.page_has(r#"intake_rejections_total{reason="body_too_large",source="open"} 1"#));
}

#[actix_web::test]
async fn a_body_that_does_not_come_in_time_is_refused_and_cut() {
    let request_timeout = Span(Duration::from_millis(50));
    let settings = IntakeSettings { request_timeout, ..IntakeSettings::default() };
    let house = House::with(settings, ManualClock::at(now()));
    let head = "POST /hooks/open HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{";

    let answer = talk(&house, head, "").await;

    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
}

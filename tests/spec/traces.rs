//! Traces: one of each event, from the request that brought it to the one that delivered it.

use std::collections::BTreeSet;
use std::time::Duration;

use chatflow_bridge::chatflow::mock::Fault;
use serde_json::json;

use crate::harness::{Bridge, Builder, CRM, Collector, PATIENCE, Span, lead};

const MOBILE: &str = "12025550143";
const SENDERS: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn traced(collector: &Collector) -> Builder {
    Bridge::with_mapping("crm", CRM).with_setting("telemetry.otlp_endpoint", &collector.endpoint())
}

fn named<'s>(spans: &'s [Span], name: &str) -> Vec<&'s Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

fn has(spans: &[Span], name: &str) -> bool {
    !named(spans, name).is_empty()
}

fn names(spans: &[Span]) -> BTreeSet<&str> {
    spans.iter().map(|span| &*span.name).collect()
}

#[tokio::test]
async fn one_trace_shows_the_way_of_an_event_from_its_request_to_the_one_that_delivers_it() {
    let collector = Collector::start();
    let bridge = traced(&collector).start().await;

    let answer = bridge.post("crm", &lead("1", MOBILE, 1)).await;
    let event_id = answer.expect("accepted");
    bridge.drain().await;

    let spans = collector.until(|spans| has(spans, "deliver")).await;
    assert_eq!(
        names(&spans),
        BTreeSet::from([
            "POST /hooks/{source}",
            "receive",
            "verify",
            "decode",
            "map",
            "store",
            "deliver",
            "resolve",
            "GET /contacts",
            "POST /contacts",
            "wait for a turn",
            "PUT /contacts/{id}",
            "record",
        ])
    );
    let intake = named(&spans, "POST /hooks/{source}")[0];
    let deliver = named(&spans, "deliver")[0];
    assert!(spans.iter().all(|span| span.trace == intake.trace), "one trace: {spans:#?}");
    assert_eq!((&*intake.parent, &deliver.parent), ("", &intake.id));
    assert_eq!((intake.kind, deliver.kind), (2, 5), "server, consumer");
    for (span, name, value) in [
        (intake, "source", "crm"),
        (intake, "outcome", "accepted"),
        (intake, "event_id", &*event_id),
        (deliver, "source", "crm"),
        (deliver, "outcome", "delivered"),
        (deliver, "event_id", &*event_id),
        (deliver, "update", "lead/0"),
        (deliver, "attempt", "1"),
    ] {
        assert_eq!(span.attributes[name], value, "{name} of {}", span.name);
    }
    for (parent, steps) in [
        (intake, &["receive", "verify", "decode", "map", "store"][..]),
        (deliver, &["resolve", "PUT /contacts/{id}", "record"]),
        (named(&spans, "resolve")[0], &["GET /contacts", "POST /contacts"]),
    ] {
        for step in steps {
            let step = named(&spans, step)[0];
            assert_eq!(step.parent, parent.id, "{} belongs to {}", step.name, parent.name);
            assert!(parent.from <= step.from && step.to <= parent.to, "{} lies within", step.name);
        }
    }
    let documented = include_str!("../../docs/traces.md");
    for word in spans.iter().flat_map(|span| span.attributes.keys().chain([&span.name])) {
        assert!(documented.contains(&format!("`{word}`")), "docs/traces.md has `{word}`");
    }
    let ids: BTreeSet<_> = spans.iter().map(|span| &span.id).collect();
    assert_eq!(ids.len(), spans.len(), "each has an id of its own");
    bridge.end().await;
}

#[tokio::test]
async fn a_trace_goes_on_after_a_restart() {
    let collector = Collector::start();
    let bridge = traced(&collector).start().await;
    bridge.change("/api/pause", &json!({})).await.expect_status(200);
    bridge.post("crm", &lead("1", MOBILE, 1)).await.expect("accepted");

    let bridge = bridge.restart().await;
    assert!(has(&collector.spans(), "store"), "a stop hands over what there is");
    assert!(!has(&collector.spans(), "deliver"), "delivery is paused");
    bridge.change("/api/resume", &json!({})).await.expect_status(200);
    bridge.drain().await;

    let spans = collector.until(|spans| has(spans, "deliver")).await;
    let intake = named(&spans, "POST /hooks/{source}")[0];
    let deliver = named(&spans, "deliver")[0];
    assert_eq!((&deliver.trace, &deliver.parent), (&intake.trace, &intake.id));
    bridge.end().await;
}

#[tokio::test]
async fn a_senders_traceparent_counts_only_where_the_source_trusts_it() {
    let collector = Collector::start();
    let trusting = CRM.replace("source: crm\n", "source: shop\ntrust_traceparent: true\n");
    let bridge = traced(&collector).and_mapping("shop", &trusting).start().await;
    let json = ("content-type", "application/json");
    let not_kept = SENDERS.replace("-01", "-00");

    for (source, id, header) in
        [("crm", "1", SENDERS), ("shop", "2", SENDERS), ("shop", "3", &*not_kept)]
    {
        let body = lead(id, MOBILE, 1).to_string();
        bridge.send(source, &[json, ("traceparent", header)], body).await.expect("accepted");
        bridge.drain().await;
    }
    bridge.end().await;

    let spans = collector.spans();
    let intake = named(&spans, "POST /hooks/{source}");
    let of = |source: &str| {
        intake.iter().filter(|span| span.attributes["source"] == source).collect::<Vec<_>>()
    };
    let (crm, shop) = (of("crm"), of("shop"));
    let senders: Vec<_> = SENDERS.split('-').collect();
    assert_eq!((crm.len(), shop.len()), (1, 1), "what its sender does not keep is not kept");
    assert_ne!(crm[0].trace, senders[1]);
    assert_eq!((&*shop[0].trace, &*shop[0].parent), (senders[1], senders[2]));
    let deliveries = named(&spans, "deliver");
    assert!(deliveries.iter().any(|span| span.trace == senders[1]), "{spans:#?}");
}

#[tokio::test]
async fn what_failed_says_so_and_a_request_for_several_events_points_to_each() {
    let collector = Collector::start();
    let bridge = traced(&collector).start().await;
    bridge.change("/api/pause", &json!({})).await.expect_status(200);
    for (id, step) in [("1", 1), ("2", 2), ("3", 3)] {
        bridge.post("crm", &lead(id, MOBILE, step)).await.expect("accepted");
    }
    bridge.chatflow.faults().add(Fault::status(503).times(1));
    bridge.change("/api/resume", &json!({})).await.expect_status(200);
    bridge.until(|numbers| numbers.ready == 0 && numbers.in_flight == 0).await;
    bridge.clock.advance(Duration::from_mins(15));
    bridge.drain().await;

    let is_done = |spans: &[Span]| {
        named(spans, "deliver").iter().any(|span| span.attributes["outcome"] == "delivered")
    };
    let spans = collector.until(is_done).await;
    let failed = named(&spans, "GET /contacts").into_iter().find(|span| span.is_failed).unwrap();
    assert_eq!(failed.attributes["outcome"], "server_error");
    assert_eq!(failed.attributes["http.response.status_code"], "503");
    let deliveries = named(&spans, "deliver");
    assert!(deliveries.iter().any(|span| span.is_failed && span.attributes["outcome"] == "again"));
    let all: BTreeSet<_> =
        named(&spans, "POST /hooks/{source}").iter().map(|span| &span.trace).collect();
    assert_eq!(all.len(), 3);
    let merged = deliveries.iter().find(|span| span.attributes["updates"] == "3").unwrap();
    let shown: BTreeSet<_> = merged.links.iter().chain([&merged.trace]).collect();
    assert_eq!(shown, all, "its own trace, and those it points to");
    bridge.end().await;
}

#[tokio::test]
async fn who_is_not_believed_leaves_no_trace() {
    let collector = Collector::start();
    let closed = CRM
        .replace("source: crm\n", "source: shop\n")
        .replace("verify: none", "verify: { token: { in: header, name: X-Token, secret: env:T } }");
    let bridge =
        traced(&collector).and_mapping("shop", &closed).with_variable("T", "token").start().await;
    let json = ("content-type", "application/json");

    let body = lead("1", MOBILE, 1).to_string();
    for _ in 0..20 {
        let answer = bridge.send("shop", &[json, ("x-token", "wrong")], body.clone()).await;
        answer.expect_status(401);
        bridge.send("nobody", &[json], body.clone()).await.expect_status(404);
    }
    bridge.send("shop", &[json, ("x-token", "token")], "{".to_owned()).await.expect_status(400);
    bridge.send("shop", &[json, ("x-token", "token")], body).await.expect("accepted");
    bridge.drain().await;
    bridge.end().await;

    let spans = collector.spans();
    let intake = named(&spans, "POST /hooks/{source}");
    let outcomes: Vec<_> = intake.iter().map(|span| &*span.attributes["outcome"]).collect();
    assert_eq!(outcomes, ["rejected", "accepted"]);
    assert_eq!(intake[0].attributes["reason"], "bad_body");
    assert!(!intake[0].is_failed, "the fault is the sender's");
}

#[tokio::test]
async fn a_collector_that_is_down_slows_nothing_and_what_it_misses_is_counted() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", nobody.local_addr().unwrap());
    let bridge = Bridge::with_mapping("crm", CRM)
        .with_setting("telemetry.otlp_endpoint", &endpoint)
        .with_setting("server.shutdown_grace", "2s")
        .start()
        .await;

    // Enough for the queue to fill while nobody answers.
    let ignored = json!({ "kind": "other" });
    let begun = std::time::Instant::now();
    while bridge.metric("trace_spans_total{outcome=\"dropped\"}").await < 1.0 {
        assert!(begun.elapsed() < 2 * PATIENCE, "the queue is full at last");
        let posts = (0..200).map(|_| bridge.post("crm", &ignored));
        for answer in futures_util::future::join_all(posts).await {
            answer.expect("ignored");
        }
    }
    bridge.post("crm", &lead("1", MOBILE, 1)).await.expect("accepted");
    bridge.drain().await;

    assert_eq!(bridge.puts().len(), 1, "delivery goes on");
    bridge.end().await;
}

#[tokio::test]
async fn what_a_collector_does_not_take_now_it_is_given_again_and_what_it_refuses_is_counted() {
    let collector = Collector::start();
    let bridge = traced(&collector).start().await;

    collector.answer_with(&[503]);
    bridge.post("crm", &json!({ "kind": "other" })).await.expect("ignored");
    let spans = collector.until(|spans| !spans.is_empty()).await;
    bridge.until_metric("trace_spans_total{outcome=\"sent\"}", 6.0).await;
    assert_eq!(spans.len(), 6);

    collector.answer_with(&[400]);
    bridge.post("crm", &json!({ "kind": "other" })).await.expect("ignored");
    bridge.until_metric("trace_spans_total{outcome=\"refused\"}", 6.0).await;
    assert_eq!(collector.spans().len(), 6);
    bridge.end().await;
}

#[tokio::test]
async fn a_share_of_the_traces_is_kept_whole() {
    let collector = Collector::start();
    for (ratio, kept) in [("0", 0..=0), ("0.5", 2..=38), ("1", 40..=40)] {
        let before = collector.spans().len();
        let bridge = traced(&collector).with_setting("telemetry.sample_ratio", ratio).start().await;
        for id in 0..40 {
            bridge.post("crm", &lead(&id.to_string(), MOBILE, 1)).await.expect("accepted");
        }
        bridge.drain().await;
        bridge.end().await;

        let spans = collector.spans().split_off(before);
        let traces = |name| -> BTreeSet<_> {
            named(&spans, name).into_iter().map(|span| span.trace.clone()).collect()
        };
        let taken_in = traces("POST /hooks/{source}");
        assert!(kept.contains(&taken_in.len()), "{} at {ratio}", taken_in.len());
        let deliveries = named(&spans, "deliver").into_iter();
        let delivered: BTreeSet<_> =
            deliveries.flat_map(|span| span.links.iter().chain([&span.trace]).cloned()).collect();
        assert_eq!(delivered, taken_in, "at {ratio}");
    }
}

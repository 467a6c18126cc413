//! Neither people nor secrets get into the log, the metrics, the spans and the answers.

use chatflow_bridge::chatflow::mock::{Fault, MockChatflow, MockOptions};
use serde_json::json;

use crate::harness::{Child, Collector, PATIENCE, Span, client};

const MAPPING: &str = "
trust_traceparent: true
verify: { token: { in: query, name: t, secret: env:CRM_TOKEN } }
event: { id: $.id }
rules:
  - name: person
    contact:
      first_of:
        - mobile: $.mobile | phone(e164)
        - attribute: { name: email, value: $.email }
      on_missing: create
    update: { name: $.name, attributes: { city: $.city } }
";

#[tokio::test]
async fn markers_of_people_and_secrets_stay_inside() {
    let chatflow = MockChatflow::start(MockOptions {
        api_key: Some("marker-api-key".to_owned()),
        ..MockOptions::default()
    })
    .unwrap();
    for fault in [Fault::status(500), Fault::reset(), Fault::status(400), Fault::not_json()] {
        chatflow.faults().add(fault.times(1));
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mappings")).unwrap();
    std::fs::write(folder.path().join("mappings/crm.yaml"), MAPPING).unwrap();
    let collector = Collector::start();
    let child = Child::serve_with(
        folder.path(),
        &chatflow.base_url(),
        &[
            ("CRM_TOKEN", "marker-token"),
            ("BRIDGE_CHATFLOW__API_KEY", "marker-api-key"),
            ("BRIDGE_TELEMETRY__OTLP_ENDPOINT", &collector.endpoint()),
            ("BRIDGE_LOG__LEVEL", "debug,hyper=info,h2=info,mio=info,actix_http=info"),
        ],
    );
    let http = client();
    let mut said = String::new();
    for (n, (token, body)) in [
        ("marker-token", json!({"id": "marker-id-1", "mobile": "12025550143", "name": "Marker Person", "city": "Markerville"})),
        ("marker-token", json!({"id": "marker-id-2", "email": "marker@example.com", "name": "Marker Two"})),
        ("marker-token", json!({"id": "marker-id-3", "mobile": "marker-no-number"})),
        ("marker-wrong", json!({"id": "marker-id-4"})),
        ("marker-token", json!({"id": "marker-id-5", "mobile": "12025550143", "name": "Marker Person", "city": "Markerville"})),
    ]
    .into_iter()
    .enumerate()
    {
        let url = format!("http://{}/hooks/crm?t={token}&n=marker-query", child.hooks);
        let answer = http.post(url).header("content-type", "application/json").header("authorization", "Bearer marker-header").header("traceparent", if n == 1 { "marker" } else { "" }).header("tracestate", "marker=1").body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), if n == 3 { 401 } else { 200 });
        said += &answer.text().await.unwrap();
    }
    chatflow
        .wait_for(|seen| seen.iter().any(|r| r.method == "PUT" && r.status == Some(200)), PATIENCE)
        .await
        .unwrap_or_else(|| {
            panic!("it is delivered in the end: {:#?}\n{}", chatflow.requests(), child.log())
        });
    said += &http
        .get(format!("http://{}/metrics", child.metrics))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    said += &http
        .get(format!("http://{}/readyz", child.metrics))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let delivered = |span: &Span| span.attributes.get("outcome").is_some_and(|o| o == "delivered");
    collector.until(|spans| spans.iter().any(delivered)).await;
    let spans = collector.text();
    for name in ["POST /hooks/{source}", "PUT /contacts/{id}", "GET /contacts", "POST /contacts"] {
        assert!(spans.contains(name), "there are spans of {name}: {spans}");
    }
    said += &spans;
    said += &child.log();

    assert!(said.contains("\"source\":\"crm\""), "there is a log: {said}");
    for marker in ["marker", "Marker", "2025550143", "%40example"] {
        let place = said
            .find(marker)
            .map(|at| said.get(at.saturating_sub(200)..at + 40).unwrap_or("").to_owned());
        assert_eq!(place, None, "`{marker}` got out");
    }
}

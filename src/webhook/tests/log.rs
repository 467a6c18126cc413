//! What an operator reads of a request, and what nobody does.

use std::io::Write;

use super::*;

/// A log in memory.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[actix_web::test]
async fn a_line_names_source_and_reason_and_nothing_of_the_request() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // With a single subscriber around, a line that another test reaches first would be taken for unwanted.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);
    let house = House::new();

    let requests = [
        json_post("/hooks/marker-source", "{}"),
        json_post("/hooks/path/marker-token?a=marker", r#"{"name":"marker-person"}"#),
        json_post("/hooks/query?token=marker", "{}"),
        json_post("/hooks/github", "{}").insert_header(("X-Hub-Signature-256", "sha256=marker")),
        json_post("/hooks/open?a=marker", r#"{"marker":"marker","marker":1}"#),
        json_post("/hooks/open?a=marker", r#"{"name":"marker-person"}"#),
        json_post("/hooks/open", "{}").insert_header(("Content-Type", "marker/marker")),
    ];
    for request in requests {
        house.call(request).await;
    }
    let planned = PlannedEvent { id: Some("marker".to_owned()), ..event(vec![update(), held()]) };
    house.keep(vec![planned]).await;

    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(!text.contains("marker"), "{text}");
    let read: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = |message: &str, source: &str| {
        let of = |line: &&Json| line["message"] == message && line["source"] == source;
        read.iter().find(of).unwrap_or_else(|| panic!("{message} {source}: {text}"))
    };
    let taken = read.iter().find(|line| line["outcome"] == "accepted").unwrap();
    assert_eq!((&taken["message"], &taken["source"]), (&json!("event taken in"), &json!("open")));
    assert_eq!(taken["event_id"], "0000000000002");
    assert_eq!(taken["outcome"], "accepted");
    assert_eq!((&taken["updates"], &taken["held"]), (&json!(1), &json!(1)));
    assert!(taken["elapsed_ms"].is_u64());
    assert_eq!(line("request refused", "github")["reason"], "signature_mismatch");
    assert_eq!(line("request refused", "path")["reason"], "auth");
    assert_eq!(line("request refused", "open")["reason"], "bad_body");
    assert_eq!(line("request refused", "unknown")["reason"], "unknown_source");
    line("a source is closed until what it lacks is there", "closed");
}

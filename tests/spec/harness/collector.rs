//! A collector that takes OTLP over HTTP and keeps what it is given.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::Value;

use super::PATIENCE;

/// A span as the collector was given it.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) kind: u64,
    pub(crate) is_failed: bool,
    pub(crate) attributes: BTreeMap<String, String>,
    /// The traces that it points to.
    pub(crate) links: Vec<String>,
    /// In nanoseconds since 1970.
    pub(crate) from: u64,
    pub(crate) to: u64,
}

#[derive(Default)]
struct Seen {
    /// Bodies, as they came.
    bodies: Vec<String>,
    /// What it answers next, else 200.
    statuses: Vec<u16>,
}

/// It listens until the test process ends.
pub(crate) struct Collector {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Seen>>::default();
        let kept = Arc::clone(&seen);
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || serve(connection, &kept));
            }
        });
        Self { address, seen }
    }

    /// What `telemetry.otlp_endpoint` is to be.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Has it answer its next requests with these statuses, the last one first.
    pub(crate) fn answer_with(&self, statuses: &[u16]) {
        self.seen.lock().unwrap().statuses = statuses.to_vec();
    }

    /// Everything that it was given, as it came.
    pub(crate) fn text(&self) -> String {
        self.seen.lock().unwrap().bodies.join("\n")
    }

    /// The spans that it took.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let bodies = self.seen.lock().unwrap().bodies.clone();
        bodies.iter().flat_map(|body| spans_of(&serde_json::from_str(body).unwrap())).collect()
    }

    /// Waits until its spans are as wanted, and gives them.
    pub(crate) async fn until(&self, wanted: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let begun = Instant::now();
        loop {
            let spans = self.spans();
            if wanted(&spans) {
                return spans;
            }
            assert!(begun.elapsed() < PATIENCE, "the spans do not come: {spans:#?}");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

/// Answers requests of one connection until it ends.
fn serve(connection: TcpStream, seen: &Mutex<Seen>) {
    let mut lines = BufReader::new(connection.try_clone().unwrap());
    let mut answers = connection;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if lines.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        if lines.read_exact(&mut body).is_err() {
            return;
        }
        let right = head.starts_with("post /v1/traces http/1.1\r\n")
            && head.contains("content-type: application/json\r\n");
        let status = {
            let mut seen = seen.lock().unwrap();
            let status = if right { seen.statuses.pop().unwrap_or(200) } else { 404 };
            if status == 200 {
                seen.bodies.push(String::from_utf8(body).unwrap());
            }
            status
        };
        let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 2\r\n\r\n{{}}");
        if answers.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn spans_of(request: &Value) -> Vec<Span> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let resources = list(&request["resourceSpans"]);
    let scopes = resources.iter().flat_map(|resource| list(&resource["scopeSpans"]));
    scopes.flat_map(|scope| list(&scope["spans"])).map(|span| span_of(&span)).collect()
}

fn span_of(span: &Value) -> Span {
    let text = |name: &str| span[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| span[name].as_str().unwrap().parse().unwrap();
    let attribute = |attribute: &Value| {
        let value = &attribute["value"];
        let value = value["stringValue"].as_str().or_else(|| value["intValue"].as_str());
        (attribute["key"].as_str().unwrap().to_owned(), value.unwrap().to_owned())
    };
    let links = span["links"].as_array().into_iter().flatten();
    Span {
        trace: text("traceId"),
        id: text("spanId"),
        parent: text("parentSpanId"),
        name: text("name"),
        kind: span["kind"].as_u64().unwrap(),
        is_failed: span["status"]["code"] == 2,
        attributes: span["attributes"].as_array().unwrap().iter().map(attribute).collect(),
        links: links.map(|link| link["traceId"].as_str().unwrap().to_owned()).collect(),
        from: number("startTimeUnixNano"),
        to: number("endTimeUnixNano"),
    }
}

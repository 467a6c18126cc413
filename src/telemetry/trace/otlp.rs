//! Spans as OTLP writes them over HTTP: `ExportTraceServiceRequest` in JSON.
//!
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>: ids are hex, 64-bit numbers are texts, enums
//! are numbers.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::span::{Kind, Span, Value};

/// `STATUS_CODE_ERROR`.
const FAILED: u32 = 2;

/// Who sends spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resource {
    /// `service.instance.id`: the name of the host, in Kubernetes of the pod.
    pub(super) instance: String,
}

/// The body of the request that hands these spans over.
pub(super) fn request(resource: &Resource, spans: &[Span]) -> Json {
    let version = env!("CARGO_PKG_VERSION");
    let about = [
        ("service.name", Value::from("chatflow-bridge")),
        ("service.version", Value::from(version)),
        ("service.instance.id", Value::from(&*resource.instance)),
    ];
    json!({ "resourceSpans": [{
        "resource": { "attributes": attributes(&about) },
        "scopeSpans": [{
            "scope": { "name": "chatflow-bridge", "version": version },
            "spans": spans.iter().map(span).collect::<Vec<_>>(),
        }],
    }] })
}

fn span(span: &Span) -> Json {
    let mut written = json!({
        "traceId": span.trace.to_string(),
        "spanId": span.id.to_string(),
        "name": span.name,
        "kind": kind(span.kind),
        "startTimeUnixNano": nanoseconds(span.from),
        "endTimeUnixNano": nanoseconds(span.to),
        "attributes": attributes(&span.attributes),
        "status": if span.failed { json!({ "code": FAILED }) } else { json!({}) },
    });
    if let Some(written) = written.as_object_mut() {
        if let Some(parent) = span.parent {
            written.insert("parentSpanId".to_owned(), parent.to_string().into());
        }
        if !span.links.is_empty() {
            let link = |link: &super::TraceContext| json!({ "traceId": link.trace.to_string(), "spanId": link.span.to_string() });
            written.insert("links".to_owned(), span.links.iter().map(link).collect());
        }
    }
    written
}

const fn kind(kind: Kind) -> u32 {
    match kind {
        Kind::Internal => 1,
        Kind::Server => 2,
        Kind::Client => 3,
        Kind::Consumer => 5,
    }
}

fn nanoseconds(at: Timestamp) -> String {
    at.as_nanosecond().to_string()
}

fn attributes(attributes: &[(&'static str, Value)]) -> Json {
    let attribute = |(name, value): &(&'static str, Value)| {
        let value = match value {
            Value::Text(text) => json!({ "stringValue": text }),
            Value::Whole(number) => json!({ "intValue": number.to_string() }),
        };
        json!({ "key": name, "value": value })
    };
    attributes.iter().map(attribute).collect()
}

/// How many spans a collector did not take though it answered 200; `partialSuccess.rejectedSpans` of its answer.
pub(super) fn rejected(answer: &[u8]) -> u64 {
    let answer: Json = serde_json::from_slice(answer).unwrap_or_default();
    let rejected = &answer["partialSuccess"]["rejectedSpans"];
    let number = rejected.as_u64().or_else(|| rejected.as_str()?.parse().ok());
    number.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::trace::TraceContext;

    #[test]
    fn a_span_is_written_as_collectors_read_it() {
        let context = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = TraceContext::from_header(context).unwrap();
        let span = Span {
            trace: context.trace,
            id: context.span,
            parent: Some(context.span),
            kind: Kind::Client,
            name: "PUT /contacts/{id}",
            from: Timestamp::from_nanosecond(1_700_000_000_000_000_001).unwrap(),
            to: Timestamp::from_nanosecond(1_700_000_000_000_000_002).unwrap(),
            attributes: vec![("source", "crm".into()), ("status", 200_u16.into())],
            failed: true,
            links: vec![context],
        };

        let written = request(&Resource { instance: "host".to_owned() }, &[span]);

        assert_eq!(
            written["resourceSpans"][0]["scopeSpans"][0]["spans"],
            json!([{
                "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
                "spanId": "00f067aa0ba902b7",
                "name": "PUT /contacts/{id}",
                "kind": 3,
                "startTimeUnixNano": "1700000000000000001",
                "endTimeUnixNano": "1700000000000000002",
                "attributes": [
                    { "key": "source", "value": { "stringValue": "crm" } },
                    { "key": "status", "value": { "intValue": "200" } },
                ],
                "status": { "code": 2 },
                "parentSpanId": "00f067aa0ba902b7",
                "links": [{
                    "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
                    "spanId": "00f067aa0ba902b7",
                }],
            }])
        );
        let about = &written["resourceSpans"][0]["resource"]["attributes"];
        assert_eq!(about[0]["value"]["stringValue"], "chatflow-bridge");
    }

    #[test]
    fn what_a_collector_did_not_take_is_read_however_it_writes_numbers() {
        for (answer, count) in [
            (r#"{"partialSuccess":{"rejectedSpans":"3"}}"#, 3),
            (r#"{"partialSuccess":{"rejectedSpans":4}}"#, 4),
            (r#"{"partialSuccess":{}}"#, 0),
            ("{}", 0),
            ("", 0),
            ("no JSON", 0),
        ] {
            assert_eq!(rejected(answer.as_bytes()), count, "{answer}");
        }
    }
}

//! From the bytes that senders send to what the API is told.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use serde_json::json;

use crate::harness::{Answer, Bridge};

fn kept(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/bodies/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

/// A mapping without verification and with these lines; a rule that names the contact at the end.
fn mapping(lines: &str, mobile: &str, name: &str) -> String {
    format!(
        "verify: none\ncountry: US\n{lines}\nrules:\n  - name: lead\n    \
         contact: {{ mobile: '{mobile} | phone', on_missing: create }}\n    update: {{ name: '{name}' }}\n"
    )
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn each_senders_body_is_posted_as_it_sends_it_and_a_contact_comes_of_it() {
    let jotform = "multipart/form-data; boundary=------------------------b6726c32637fdf4e";
    let notification = "$.Envelope.Body.notifications.Notification[*]";
    for (file, content_type, lines, mobile, name, number, found) in [
        (
            "activecampaign-contact-tag-added.form",
            FORM,
            "event: { id: none }",
            "$.contact.phone",
            "$.contact.first_name",
            "12025550134",
            "Robert",
        ),
        (
            "elementor-form-advanced.form",
            FORM,
            "event: { id: none }",
            "$.fields.field_6f8642e.value",
            "$.fields.name.value",
            "34655500133",
            "Lucía Gómez",
        ),
        (
            "elementor-form-simple.form",
            FORM,
            "event: { id: none }",
            "$[\"Teléfono\"]",
            "$.Name",
            "34655500133",
            "Lucía Gómez",
        ),
        (
            "jotform-submission.multipart",
            jotform,
            "event: { id: $.submissionID }\nbody: { parse_json: [rawRequest] }",
            "$.rawRequest.q5_phoneNumber.full",
            "$.rawRequest.q3_fullName.first",
            "12025550177",
            "Ravi",
        ),
        (
            "mailchimp-subscribe.form",
            "application/x-www-form-urlencoded; charset=UTF-8",
            "event: { id: none }",
            "$.data.merges.PHONE",
            "$.data.merges.FNAME",
            "12025550199",
            "Sofia",
        ),
        (
            "salesforce-outbound-contact-batch.xml",
            "text/xml; charset=utf-8",
            &format!(
                "event: {{ id: $.Id }}\nbody: {{ each: '{notification}', always_arrays: [Notification] }}"
            ),
            "$.sObject.MobilePhone",
            "$.sObject.FirstName",
            "12025550171",
            "Liam",
        ),
        (
            "zapier-webhooks-post-form.form",
            "application/x-www-form-urlencoded; charset=utf-8",
            "event: { id: none }",
            "$.phone",
            "$.name",
            "12025550190",
            "Tom Hale",
        ),
        (
            "zoho-workflow-webhook-form.form",
            "application/x-www-form-urlencoded;charset=UTF-8",
            "event: { id: none }",
            "$.Mobile",
            "$[\"First Name\"]",
            "33655500144",
            "Amélie",
        ),
    ] {
        let bridge = Bridge::with_mapping("s", &mapping(lines, mobile, name)).start().await;

        let answer = bridge.send("s", &[("content-type", content_type)], kept(file)).await;

        answer.expect("accepted");
        bridge.drain().await;
        assert_eq!(bridge.chatflow.contact_by_mobile(number).unwrap().name, found, "{file}");
        bridge.end().await;
    }
}

#[tokio::test]
async fn the_other_forms_of_senders_are_taken_and_what_is_no_form_is_refused() {
    let lines = "event: { id: none }\nbody: { parse_json: [payload] }";
    let mapping = mapping(lines, "$.nobody", "$.payload.issue.user.login");
    let bridge = Bridge::with_mapping("s", &mapping).start().await;
    for (file, status) in [
        ("github-issues-opened-form.form", 200),
        ("slack-slash-command.form", 200),
        ("mailchimp-unsubscribe.form", 200),
        ("mailchimp-upemail.form", 200),
        ("woocommerce-ping.form", 200),
        ("cal-com-custom-template-mislabelled.form", 400),
    ] {
        let answer = bridge.send("s", &[("content-type", FORM)], kept(file)).await;
        assert_eq!(answer.status, status, "{file} {answer:?}");
    }
    let rejected = "intake_rejections_total{reason=\"bad_body\",source=\"s\"}";
    assert!((bridge.metric(rejected).await - 1.0).abs() < f64::EPSILON);
    bridge.end().await;
}

#[tokio::test]
async fn each_notification_of_salesforce_is_an_event_and_the_answer_is_its_ack() {
    let ack = r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:out="http://soap.sforce.com/2005/09/outbound"><soapenv:Header/><soapenv:Body><out:notificationsResponse><out:Ack>true</out:Ack></out:notificationsResponse></soapenv:Body></soapenv:Envelope>"#;
    let lines = format!(
        "event: {{ id: $.Id }}\n\
         body: {{ each: '$.Envelope.Body.notifications.Notification[*]', always_arrays: [Notification] }}\n\
         respond:\n  content_type: text/xml\n  body: '{ack}'"
    );
    let mapping = mapping(&lines, "$.sObject.MobilePhone", "$.sObject.FirstName");
    let bridge = Bridge::with_mapping("salesforce", &mapping).start().await;
    let headers = [("content-type", "text/xml; charset=utf-8")];
    let both = kept("salesforce-outbound-contact-batch.xml");
    let text = String::from_utf8(both.clone()).unwrap();
    let (before, notifications) = text.split_once("   <Notification>").unwrap();
    let (_, second) = notifications.split_once("   <Notification>").unwrap();
    let one = format!("{before}   <Notification>{second}");

    // Taken, seen before, and the second of the two alone.
    for body in [both.clone(), both, one.into_bytes()] {
        let answer = bridge.send("salesforce", &headers, body).await;

        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("text/xml"));
        assert_eq!(answer.text, ack);
    }
    let refused = bridge.send("salesforce", &headers, "<a>").await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));

    let numbers = bridge.numbers().await;
    assert_eq!((numbers.events_received, numbers.events_duplicate), (5, 3));
    bridge.drain().await;
    bridge.end().await;
}

#[tokio::test]
async fn a_source_can_answer_with_a_status_of_its_own() {
    for (respond, status, content_type, starts) in [
        ("{ status: 202 }", 202, Some("application/json"), "{\"event_id\":"),
        ("{ status: 204 }", 204, None, ""),
        ("{ body: ok }", 200, Some("text/plain; charset=utf-8"), "ok"),
    ] {
        let lines = format!("event: {{ id: none }}\nrespond: {respond}");
        let bridge = Bridge::with_mapping("s", &mapping(&lines, "$.a", "$.b")).start().await;

        let answer = bridge.post("s", &json!({})).await;

        assert_eq!((answer.status, answer.header("content-type")), (status, content_type));
        assert!(answer.text.starts_with(starts), "{answer:?}");
        bridge.end().await;
    }
}

/// Node's `zlib.brotliCompressSync` of eight mebibytes of zeros.
const BROTLI_BOMB: &str = "9bffff7ff82700e2b14020f7fe0f";

macro_rules! packed {
    ($encoder:ident, $bytes:expr) => {{
        let mut encoder = $encoder::new(Vec::new(), Compression::best());
        encoder.write_all($bytes).unwrap();
        encoder.finish().unwrap()
    }};
}

#[tokio::test]
async fn a_packed_body_is_taken_under_the_same_limit_and_its_signature_is_over_what_it_holds() {
    use chatflow_bridge::clock::Clock;
    use chatflow_bridge::webhook::head::Head;
    use chatflow_bridge::webhook::verify::sign;
    let text = mapping("event: { id: none }", "$.m", "$.n")
        .replace("verify: none", "verify: { preset: github, secret: env:S }");
    let bridge = Bridge::with_mapping("s", &text).with_variable("S", "a-good-secret").start().await;
    let body = br#"{"m":"12025550143","n":"Ann"}"#;
    let bomb = vec![b' '; 2 << 20];
    let send = async |coding: &str, packed: Vec<u8>, signed: &[u8]| -> Answer {
        let head = Head { method: "POST".to_owned(), ..Head::default() };
        let signed = sign("github", "a-good-secret", &head, signed, bridge.clock.now()).unwrap();
        let mut headers = vec![("content-type", "application/json"), ("content-encoding", coding)];
        headers.extend(signed.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        bridge.send("s", &headers, packed).await
    };

    for (coding, packed) in [
        ("gzip", packed!(GzEncoder, body)),
        ("x-gzip", packed!(GzEncoder, body)),
        ("deflate", packed!(ZlibEncoder, body)),
        ("deflate", packed!(DeflateEncoder, body)),
        ("identity", body.to_vec()),
    ] {
        send(coding, packed, body).await.expect("accepted");
    }
    for (coding, packed, status, detail) in [
        (
            "gzip",
            packed!(GzEncoder, &bomb),
            413,
            "limit of 1MiB (`server.max_body`) once it is inflated",
        ),
        ("br", hex::decode(BROTLI_BOMB).unwrap(), 413, "once it is inflated"),
        ("gzip", body.to_vec(), 400, "not the gzip"),
        ("br", body.to_vec(), 400, "not the br"),
        ("zstd", body.to_vec(), 415, "`gzip`, `deflate`, `br`"),
        ("gzip, gzip", packed!(GzEncoder, body), 415, "one of them"),
    ] {
        let answer = send(coding, packed, body).await;
        assert_eq!(answer.status, status, "{coding} {answer:?}");
        let found = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(found.contains(detail), "{coding}: {found}");
    }
    let packed = packed!(GzEncoder, body);
    assert_eq!(send("gzip", packed.clone(), &packed).await.status, 401, "not over what was sent");
    bridge.drain().await;
    bridge.end().await;
}

#[tokio::test]
async fn every_limit_is_refused_by_its_name() {
    let lines =
        |format: &str| format!("event: {{ id: none }}\nbody: {{ format: {format}, max: 4MiB }}");
    let bridge = Bridge::with_mapping("json", &mapping(&lines("json"), "$.a", "$.b"))
        .and_mapping("form", &mapping(&lines("form"), "$.a", "$.b"))
        .and_mapping("xml", &mapping(&lines("xml"), "$.a", "$.b"))
        .and_mapping("multipart", &mapping(&lines("multipart"), "$.a", "$.b"))
        .and_mapping("huge", &mapping("event: { id: none }\nbody: { max: 1GiB }", "$.a", "$.b"))
        .with_setting("server.max_body_ceiling", "5MiB")
        .start()
        .await;
    let part = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n";
    for (source, body, status, detail) in [
        ("json", "[".repeat(65), 400, "limit of 64 levels"),
        ("json", format!("[{}1]", "1,".repeat(100_000)), 400, "limit of 100000 values"),
        ("json", " ".repeat((4 << 20) + 1), 413, "limit of 4MiB (`body.max`)"),
        ("huge", " ".repeat((5 << 20) + 1), 413, "limit of 5MiB (`server.max_body_ceiling`)"),
        ("form", "a=1&".repeat(10_001), 400, "limit of 10000 keys"),
        ("form", format!("a{}=1", "[b]".repeat(64)), 400, "limit of 64 levels"),
        ("xml", "<a>".repeat(65), 400, "limit of 64 levels"),
        ("xml", format!("<a>{}</a>", "<b/>".repeat(100_000)), 400, "limit of 100000 values"),
        ("multipart", part.repeat(1_001) + "--B--", 400, "limit of 1000 parts"),
    ] {
        let headers = [("content-type", "x/y; boundary=B")];
        let answer = bridge.send(source, &headers, body).await;
        assert_eq!(answer.status, status, "{source} {detail} {answer:?}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(detail), "{answer:?}");
    }
    let large = format!("{{\"b\":\"{}\"}}", "x".repeat(3 << 20));
    bridge.send("json", &[("content-type", "application/json")], large).await.expect("skipped");
    bridge.end().await;
}

#[tokio::test]
async fn lines_of_json_and_batches_of_cloudevents_are_events_each_with_its_own_answer() {
    let lines = "event: { id: $.id }\nbody: { each: '$[*]' }";
    let bridge = Bridge::with_mapping("s", &mapping(lines, "$.data.m", "$.data.n")).start().await;
    let event = |id: &str, mobile: &str| json!({"id": id, "data": {"m": mobile, "n": "Ann"}});

    let ndjson = format!("{}\n{}\n", event("1", "12025550143"), event("2", "none"));
    let first = bridge.send("s", &[("content-type", "application/x-ndjson")], ndjson).await;
    let batch = json!([event("1", "12025550143"), event("3", "12025550144")]).to_string();
    let headers = [("content-type", "application/cloudevents-batch+json; charset=utf-8")];
    let second = bridge.send("s", &headers, batch).await;
    let headers = [("content-type", "application/cloudevents+json")];
    let third = bridge.send("s", &headers, event("4", "12025550145").to_string()).await;

    let words = |answer: &Answer| -> Vec<String> {
        let events = answer.json()["events"].as_array().unwrap().clone();
        events.iter().map(|event| event["status"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (first.expect("accepted"), words(&first)),
        (String::new(), vec!["accepted".into(), "held".into()])
    );
    assert_eq!(
        (second.expect("accepted"), words(&second)),
        (String::new(), vec!["duplicate".into(), "accepted".into()])
    );
    third.expect("accepted");
    bridge.drain().await;
    bridge.end().await;
}

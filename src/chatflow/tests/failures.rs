//! Each way a call can fail.

use super::*;
use crate::chatflow::Failure;
use crate::chatflow::mock::{Fault, Seed};
use serde_json::json;

/// An update that meets one fault, on a connection that was used before.
async fn update_meeting(fault: Fault) -> Failure {
    let mock = mock();
    let ann = mock.add_contact(Seed::with_mobile("12025550143"));
    let client = client(&mock);
    client.probe().await.unwrap();
    mock.faults().add(fault);
    client.update(&ann, &update(json!({"name": "Ann"}))).await.unwrap_err()
}

fn answered(status: u16, words: &str, retry_after: Option<u64>) -> Failure {
    let retry_after = retry_after.map(Duration::from_secs);
    Failure::Answered { status, words: words.to_owned(), retry_after }
}

#[tokio::test]
async fn every_status_but_2xx_is_an_answer_with_the_apis_words() {
    for (fault, failure, label) in [
        (
            Fault::status_with(400, json!({"success": false, "error": "no tag 'x'"})),
            answered(400, "no tag 'x'", None),
            "rejected",
        ),
        (
            Fault::status_with(422, json!({"status": "error", "message": "mobile 919812345678"})),
            answered(422, "mobile [number]", None),
            "rejected",
        ),
        (Fault::status(401), answered(401, "told to fail", None), "unauthorized"),
        (Fault::status(402), answered(402, "told to fail", None), "unauthorized"),
        (Fault::status(403), answered(403, "told to fail", None), "rejected"),
        (Fault::status(404), answered(404, "told to fail", None), "not_found"),
        (Fault::status(408), answered(408, "told to fail", None), "server_error"),
        (
            Fault::status_retry_after(429, "7"),
            answered(429, "told to fail", Some(7)),
            "rate_limited",
        ),
        (
            Fault::status_retry_after(429, "soon"),
            answered(429, "told to fail", None),
            "rate_limited",
        ),
        (
            Fault::status_retry_after(503, "Tue, 24 Nov 1970 10:00:00 GMT"),
            answered(503, "told to fail", Some(0)),
            "server_error",
        ),
        (Fault::status(501), answered(501, "told to fail", None), "server_error"),
        (
            Fault::status_with(302, json!({})),
            answered(302, "JSON without `error` or `message`", None),
            "rejected",
        ),
        (
            Fault::status_with(500, json!("x".repeat(2 << 20))),
            answered(500, "without a word", None),
            "server_error",
        ),
    ] {
        let met = update_meeting(fault.clone()).await;
        assert_eq!(met, failure, "{fault:?}");
        assert_eq!(met.label(), label, "{fault:?}");
    }
}

#[tokio::test]
async fn a_2xx_that_is_no_success_is_unclear() {
    for (fault, words) in [
        (Fault::says_failure(), "it says failure: told to fail"),
        (
            Fault::status_with(200, json!({"status": "error", "message": "no"})),
            "it says failure: no",
        ),
        (Fault::not_json(), "it is not JSON"),
        (
            Fault::status_with(200, json!({"status": "success", "data": {}})),
            "`data` is no contact with an `_id` of 24 hexadecimal digits",
        ),
        (
            Fault::status_with(200, json!({"data": {"_id": "7"}})),
            "`data` is no contact with an `_id` of 24 hexadecimal digits",
        ),
        (
            Fault::status_with(201, json!({"data": {"_id": "000000000000000000000000"}})),
            "`data` is another contact than the one asked for",
        ),
    ] {
        match update_meeting(fault.clone()).await {
            Failure::Unclear { status: 200 | 201, words: said } => assert_eq!(said, words),
            other => panic!("{fault:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn an_answer_that_ends_too_early_is_told_from_one_that_never_began() {
    assert_eq!(update_meeting(Fault::reset()).await, Failure::Reset);
    assert_eq!(
        update_meeting(Fault::cut_off()).await,
        Failure::Broken("it ended too early".to_owned())
    );
    assert_eq!(
        update_meeting(Fault::status_with(200, json!("x".repeat(2 << 20)))).await,
        Failure::Broken("it is larger than 1 MiB".to_owned())
    );
}

#[tokio::test]
async fn a_request_whose_answer_is_lost_has_taken_effect() {
    let mock = mock();
    let ann = mock.add_contact(Seed::with_mobile("12025550143"));
    mock.faults().add(Fault::reset().on("PUT").applied().times(1));
    let client = client(&mock);
    let change = update(json!({"name": "Ann"}));

    assert_eq!(client.update(&ann, &change).await, Err(Failure::Reset));
    assert_eq!(mock.contact(&ann).unwrap().name, "Ann");
    assert!(client.update(&ann, &change).await.is_ok(), "on a fresh connection");

    let statuses: Vec<_> = mock.requests().iter().map(|seen| seen.status).collect();
    assert_eq!(statuses, [None, Some(200)]);
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_told_from_no_connection() {
    let mock = mock();
    mock.faults().add(Fault::delay(Duration::from_mins(1)));
    let base = mock.base_url();
    let impatient =
        ChatflowSettings { timeout: Span(Duration::from_millis(200)), ..settings(&base) };
    let metrics = Arc::new(Metrics::new().unwrap());
    let impatient = Client::new(&impatient, &Secret::new(KEY), 1, metrics).unwrap();
    assert_eq!(impatient.probe().await, Err(Failure::TimedOut));

    let patient = client(&mock);
    let host = mock.address();
    mock.stop().await;
    assert_eq!(
        patient.find_by_mobile(&mobile("12025550143")).await,
        Err(Failure::NotConnected(format!("`{host}`: connection refused")))
    );
}

#[tokio::test]
async fn a_peer_that_speaks_no_tls_is_not_connected_to() {
    let mock = mock();
    let secure = settings(&format!("https://{}", mock.address()));

    match client_with(&secure, &Arc::new(Metrics::new().unwrap())).probe().await {
        Err(Failure::NotConnected(why)) => assert!(why.contains("TLS failed"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn no_failure_shows_whom_it_was_about() {
    let faults = [
        Fault::status_with(400, json!({"error": "GET /contacts/?mobile=12025550143 failed"})),
        Fault::status_with(200, json!({"success": false, "error": "+1 202 555 0143"})),
        Fault::status_with(200, json!({"data": {"contacts": [{"mobile": "12025550143"}]}})),
        Fault::reset(),
        Fault::cut_off(),
        Fault::not_json(),
    ];
    for fault in faults {
        let mock = mock();
        mock.faults().add(fault);
        let failure = client(&mock).find_by_mobile(&mobile("12025550143")).await.unwrap_err();
        let shown = format!("{failure} {failure:?}");
        assert!(!shown.contains("2025550143") && !shown.contains("0143"), "{shown}");
        assert!(!shown.contains("127.0.0.1"), "{shown}");
    }
}

//! What a sender is told of what was not taken in.

use super::*;

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
            &header("content-encoding", "zstd"),
            "{}",
            415,
            "unsupported-content",
        ),
        (
            "POST",
            "/hooks/open",
            &header("content-encoding", "gzip, br"),
            "{}",
            415,
            "unsupported-content",
        ),
        ("POST", "/hooks/open", &header("content-encoding", "gzip"), "{}", 400, "bad-body"),
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

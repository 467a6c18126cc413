//! Requests that a proxy in front could read otherwise than we do.

use super::*;

/// A request that must not be seen, behind one that hides it.
fn hidden() -> String {
    request("POST /hooks/crm", &lead("hidden", "12025550143", 0).to_string())
}

#[actix_web::test]
async fn what_could_be_read_in_two_ways_is_answered_400_and_ended() {
    let (bridge, hidden) = (bridge_with_patience("2s").start().await, hidden());
    let posted = |headers: &str| {
        format!("POST /hooks/crm HTTP/1.1\r\nHost: a\r\n{headers}\r\n\r\n0\r\n\r\n{hidden}")
    };
    for (name, said) in [
        ("a length beside chunks", posted("Content-Length: 5\r\nTransfer-Encoding: chunked")),
        ("chunks beside a length", posted("Transfer-Encoding: chunked\r\nContent-Length: 5")),
        ("two lengths", posted("Content-Length: 5\r\nContent-Length: 6")),
        ("the same length twice", posted("Content-Length: 5\r\nContent-Length: 5")),
        ("a list of lengths", posted("Content-Length: 5, 5")),
        ("a length with a sign", posted("Content-Length: +5")),
        ("another coding", posted("Transfer-Encoding: xchunked")),
        ("two codings", posted("Transfer-Encoding: chunked, identity")),
        ("a coding twice", posted("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity")),
        ("a blank before the colon", posted("Transfer-Encoding : chunked")),
        ("a header in two lines", posted("X: a\r\n Transfer-Encoding: chunked")),
        ("a bare LF in a header", posted("X: a\nTransfer-Encoding: chunked")),
        ("a bare CR in a header", posted("X: a\rTransfer-Encoding: chunked")),
        ("a NUL in a header", posted("X: a\0b")),
        ("bare LF everywhere", format!("POST /hooks/crm HTTP/1.1\nHost: a\n\n{hidden}")),
        ("chunks in HTTP/1.0", posted("Transfer-Encoding: chunked").replace("1.1", "1.0")),
        ("an upgrade", posted("Connection: Upgrade\r\nUpgrade: websocket")),
        ("a tunnel", format!("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n{hidden}")),
        ("no host", "POST /hooks/crm HTTP/1.1\r\nContent-Length: 0\r\n\r\n".to_owned()),
        ("two hosts", posted("Host: b\r\nContent-Length: 5")),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        ("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03\r\n\r\n".to_owned()),
        ("a huge header", posted(&format!("X: {}\r\nContent-Length: 0", "a".repeat(100_000)))),
        ("huge headers", posted(&"X-A: a\r\n".repeat(10_000))),
        ("many headers", posted(&format!("{}Content-Length: 0", "X: a\r\n".repeat(200)))),
        ("a huge target", format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(100_000))),
    ] {
        let mut wire = Wire::to(&bridge).await;
        // It may be ended before all is said, and the answer with it.
        wire.say(&said).await;
        let heard = wire.hear_to_the_end().await;
        assert!(matches!(statuses(&heard)[..], ["400" | "431"] | []), "{name}: {heard}");
    }
    honest_senders_are_answered(&bridge).await;

    assert!(bridge.metric("intake_connections_ended_total{reason=\"malformed\"}").await > 20.0);
    let accepted =
        bridge.metric("intake_requests_total{outcome=\"accepted\",source=\"crm\"}").await;
    assert!((accepted - 5.0).abs() < 0.1, "{accepted}");
    bridge.end().await;
}

#[actix_web::test]
async fn chunks_that_are_none_break_the_body_off() {
    let (bridge, hidden) = (bridge_with_patience("2s").start().await, hidden());
    for chunks in [
        "5 \r\nhello\r\n0\r\n\r\n",
        "0x2\r\n{}\r\n0\r\n\r\n",
        "2\n{}\n0\n\n",
        "2\r\n{}0\r\n\r\n",
        "fffffffffffffffff\r\n{}",
        "-2\r\n{}\r\n0\r\n\r\n",
    ] {
        let head = "POST /hooks/crm HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut wire = Wire::to(&bridge).await;
        wire.say(format!("{head}{chunks}{hidden}")).await;
        let heard = wire.hear_to_the_end().await;
        assert!(matches!(statuses(&heard)[..], ["400"] | []), "{chunks:?}: {heard}");
    }
    assert!(bridge.updates("delivered").await.is_empty());
    bridge.end().await;
}

#[actix_web::test]
async fn what_senders_do_send_is_taken() {
    let bridge = bridge_with_patience("5s").start().await;
    let body = r#"{"mobile":"12025550143"}"#;
    let post = |headers: &str, body: &str| {
        format!("POST /hooks/crm HTTP/1.1\r\nHost: a\r\n{headers}\r\n\r\n{body}")
    };
    let chunked = format!("{:x};n=v\r\n{body}\r\n0\r\nDigest: x\r\n\r\n", body.len());
    let length = format!("Content-Length: {}", body.len());
    for (name, said) in [
        ("chunks with an extension and a trailer", post("Transfer-Encoding: Chunked", &chunked)),
        ("a blank line before", format!("\r\n{}", post(&length, body))),
        ("a header of bytes", post(&format!("X-Name: J\u{fc}rgen\r\n{length}"), body)),
        ("an empty header", post(&format!("X-Empty:\r\n{length}"), body)),
        ("no blank behind the colon", post(&length.replace(' ', ""), body)),
        ("an absolute target", post(&length, body).replace("/hooks", "http://a/hooks")),
        ("an upgrade that need not be", post(&format!("Upgrade: h2c\r\n{length}"), body)),
        ("HTTP/1.0", post(&length, body).replace("HTTP/1.1", "HTTP/1.0")),
    ] {
        let mut wire = Wire::to(&bridge).await;
        wire.say(&said).await;
        wire.fall_silent().await;
        let heard = wire.hear_to_the_end().await.replace("HTTP/1.0", "HTTP/1.1");
        assert_eq!(statuses(&heard), ["200"], "{name}: {heard}");
    }
    let mut wire = Wire::to(&bridge).await;
    wire.say(post(&format!("Expect: 100-continue\r\n{length}"), "")).await;
    assert_eq!(statuses(&wire.hear_answers(1).await), ["100"]);
    wire.say(body).await;
    assert_eq!(statuses(&wire.hear_answers(1).await), ["200"]);
    bridge.end().await;
}

//! Senders that send slowly, only half, or do not read.

use super::*;

#[actix_web::test]
async fn a_head_that_comes_slowly_is_answered_408_and_ended() {
    let bridge = bridge_with_patience("300ms").start().await;
    let mut wires = Vec::new();
    for _ in 0..50 {
        let mut wire = Wire::to(&bridge).await;
        wire.say("POST /hooks/crm HTTP/1.1\r\nHost: a\r\nX-Slow: ").await;
        wires.push(wire);
    }
    honest_senders_are_answered(&bridge).await;

    for mut wire in wires {
        let heard = wire.hear_to_the_end().await;
        assert!(heard.starts_with("HTTP/1.1 408 "), "{heard:?}");
    }
    bridge.end().await;
}

#[actix_web::test]
async fn the_next_head_may_not_come_slowly_either() {
    let bridge = bridge_with_patience("300ms").start().await;
    let mut wire = Wire::to(&bridge).await;
    wire.say(request("POST /hooks/crm", "{}")).await;
    wire.hear_answers(1).await;

    let begun = Instant::now();
    let drip = async {
        while wire.0.try_write(b"X").is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, drip).await.expect("it is ended");

    assert!(begun.elapsed() < Duration::from_secs(9), "it took {:?}", begun.elapsed());
    bridge.end().await;
}

#[actix_web::test]
async fn a_body_that_comes_slowly_is_answered_408_and_ended() {
    let bridge = bridge_with_patience("300ms").start().await;
    let mut wires = Vec::new();
    for framing in ["Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n9\r\n{"] {
        for _ in 0..25 {
            let mut wire = Wire::to(&bridge).await;
            wire.say(format!("POST /hooks/crm HTTP/1.1\r\nHost: a\r\n{framing}")).await;
            wires.push(wire);
        }
    }
    honest_senders_are_answered(&bridge).await;

    for mut wire in wires {
        let heard = wire.hear_to_the_end().await;
        assert!(
            heard.starts_with("HTTP/1.1 408 ") && heard.contains("connection: close"),
            "{heard}"
        );
    }
    bridge.end().await;
}

#[actix_web::test]
async fn a_body_that_does_not_end_is_refused_at_its_limit_and_cut() {
    let bridge = bridge_with_patience("5s").with_setting("server.max_body", "10000").start().await;
    let (mut reading, mut writing) =
        TcpStream::connect(bridge.addresses().hooks).await.unwrap().into_split();
    let head = "POST /hooks/crm HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));
    writing.write_all(head.as_bytes()).await.unwrap();

    let sending = async {
        while writing.write_all(chunk.as_bytes()).await.is_ok() {
            tokio::task::yield_now().await;
        }
        std::future::pending::<()>().await;
    };
    let mut heard = Vec::new();
    let hearing = async {
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = reading.read(&mut piece).await {
            heard.extend_from_slice(&piece[..count]);
        }
    };
    tokio::select! {
        () = hearing => {}
        () = sending => {}
        () = tokio::time::sleep(PATIENCE) => panic!("the connection did not end"),
    }

    let heard = String::from_utf8(heard).unwrap();
    assert!(heard.starts_with("HTTP/1.1 413 ") && heard.contains("limit of 10000"), "{heard}");
    assert!(heard.contains("connection: close"), "{heard}");
    bridge.end().await;
}

#[actix_web::test]
async fn a_sender_that_ends_its_half_has_said_all_it_has_to_say() {
    let bridge = bridge_with_patience("10s").start().await;
    let whole = request("POST /hooks/crm", "{}");
    let cut = |length: usize| whole.chars().take(length).collect::<String>();
    for (said, answers) in [
        (whole.clone(), &["200"][..]),
        (cut(30), &[]),
        (cut(0), &[]),
        (cut(whole.len() - 1), &["400"]),
    ] {
        let begun = Instant::now();
        let mut wire = Wire::to(&bridge).await;
        wire.say(&said).await;
        wire.fall_silent().await;

        assert_eq!(statuses(&wire.hear_to_the_end().await), answers, "{said:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{said:?}");
    }
    bridge.end().await;
}

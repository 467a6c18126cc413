//! Senders that do not wait for answers, or never read them.

use super::*;

#[actix_web::test]
async fn what_is_sent_ahead_is_answered_in_order() {
    let bridge = bridge_with_patience("10s").start().await;
    let mut wire = Wire::to(&bridge).await;
    let lines = ["POST /hooks/crm", "GET /hooks/crm", "POST /hooks/nobody"];
    let bodies = [r#"{"mobile":"12025550143"}"#, "", ""];
    let all: String = lines
        .iter()
        .zip(bodies)
        .cycle()
        .take(300)
        .map(|(line, body)| request(line, body))
        .collect();

    assert!(wire.say(&all).await);

    let heard = wire.hear_answers(300).await;
    assert_eq!(statuses(&heard), ["200", "405", "404"].repeat(100));
    bridge.end().await;
}

#[actix_web::test]
async fn a_connection_serves_on_after_every_answer_that_left_nothing_unread() {
    let bridge = bridge_with_patience("10s").start().await;
    let mut wire = Wire::to(&bridge).await;
    for (line, body, status) in [
        ("POST /hooks/crm", "{}", "200"),
        ("GET /hooks/crm", "", "405"),
        ("POST /hooks/crm", "{", "400"),
        ("POST /hooks/nobody", "", "404"),
        ("POST /hooks/crm", "{}", "200"),
        // Nobody reads the body of a request to nobody.
        ("POST /hooks/nobody", "{}", "404"),
    ] {
        wire.say(request(line, body)).await;
        assert_eq!(statuses(&wire.hear_answers(1).await), [status], "{line} {body}");
    }
    assert_eq!(wire.hear_to_the_end().await.matches("HTTP/1.1").count(), 0);
    bridge.end().await;
}

#[actix_web::test]
async fn who_never_reads_its_answers_is_hung_up_on() {
    let bridge = bridge_with_patience("500ms").start().await;
    let mut wires = Vec::new();
    for _ in 0..5 {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        wires.push(Wire(socket.connect(bridge.addresses().hooks).await.unwrap()));
    }
    let asked = request("GET /hooks/crm", "").repeat(500);

    let flood = wires.iter_mut().map(|wire| {
        let asked = &asked;
        async move { while wire.say(asked).await {} }
    });
    let flood = tokio::time::timeout(PATIENCE, futures_util::future::join_all(flood));
    let (flooded, ()) = tokio::join!(flood, honest_senders_are_answered(&bridge));

    flooded.expect("each is hung up on");
    let ended = bridge.metric("intake_connections_ended_total{reason=\"not_reading\"}").await;
    assert!(ended >= 1.0, "{ended}");
    bridge.end().await;
}

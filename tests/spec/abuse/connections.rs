//! Connections that nothing comes over.

use super::*;

#[actix_web::test]
async fn connections_that_wait_give_way_to_others_and_are_never_more_than_there_may_be() {
    const MOST: usize = 600;
    let bridge = bridge_with_patience("1m")
        .with_setting("server.max_connections", &MOST.to_string())
        .start()
        .await;
    let mut idle = Vec::new();
    for _ in 0..MOST - 100 {
        idle.push(Wire::to(&bridge).await);
    }
    honest_senders_are_answered(&bridge).await;
    assert!(!idle[0].is_over());

    for _ in 0..MOST {
        idle.push(Wire::to(&bridge).await);
    }
    honest_senders_are_answered(&bridge).await;

    let open = bridge.metric("intake_connections").await;
    assert!(open <= 600.0, "{open} are open");
    let begun = Instant::now();
    while idle.iter().filter(|wire| !wire.is_over()).count() > MOST {
        assert!(begun.elapsed() < PATIENCE, "those that were sent away are not gone");
        tokio::task::yield_now().await;
    }
    assert!(idle[0].is_over(), "the oldest goes first");
    assert!(!idle.last().unwrap().is_over());
    assert!(bridge.metric("intake_connections_ended_total{reason=\"made_room\"}").await >= 500.0);
    drop(idle);
    bridge.end().await;
}

#[actix_web::test]
async fn a_sender_that_comes_again_and_again_keeps_its_connection_among_idle_ones() {
    let bridge =
        bridge_with_patience("1m").with_setting("server.max_connections", "20").start().await;
    let mut sender = Wire::to(&bridge).await;
    let mut idle = Vec::new();

    for number in 0..100 {
        idle.push(Wire::to(&bridge).await);
        if number % 10 == 0 {
            let event = lead(&format!("e{number}"), "12025550143", number);
            assert!(sender.say(request("POST /hooks/crm", &event.to_string())).await);
            assert_eq!(statuses(&sender.hear_answers(1).await), ["200"]);
        }
    }

    bridge.end().await;
}

#[actix_web::test]
async fn a_connection_that_nothing_comes_over_is_ended() {
    let bridge = bridge_with_patience("200ms").start().await;
    let mut silent = Wire::to(&bridge).await;

    assert_eq!(silent.hear_to_the_end().await, "");

    assert!(bridge.metric("intake_connections_ended_total{reason=\"silent\"}").await >= 1.0);
    bridge.end().await;
}

#[actix_web::test]
async fn a_stop_does_not_wait_for_connections_that_wait() {
    let bridge = bridge_with_patience("1m").start().await;
    let mut silent = Wire::to(&bridge).await;
    let mut kept = Wire::to(&bridge).await;
    kept.say(request("POST /hooks/crm", "{}")).await;
    kept.hear_answers(1).await;

    let begun = Instant::now();
    bridge.end().await;

    assert!(begun.elapsed() < Duration::from_secs(4), "it took {:?}", begun.elapsed());
    assert_eq!(silent.hear_to_the_end().await, "");
}

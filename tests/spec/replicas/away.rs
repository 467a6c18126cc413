//! The database goes away and comes back.

use super::*;
use crate::harness::lead;

/// Senders wait no longer than this for an answer.
const DEADLINE: Duration = Duration::from_secs(10);

async fn is_ready(bridge: &Child) -> bool {
    let url = format!("http://{}/readyz", bridge.metrics);
    client().get(url).send().await.unwrap().status() == StatusCode::OK
}

#[tokio::test]
async fn while_the_database_is_away_senders_are_told_to_come_again_and_all_goes_on_by_itself() {
    // Others share the other server.
    let Some(server) = Server::start() else { return };
    let (database, folder, chatflow) = (server.database(), folder(), mock(Duration::ZERO));
    let bridge = bridge(folder.path(), &chatflow, &database.url());
    post(&bridge, &lead("evt_0", "12025550100", 0)).await;
    until_sent(&chatflow, 1).await;
    let mut sent = 1;

    for (name, go, come) in [
        ("stopped", Server::stop as fn(&Server), Server::start_again as fn(&Server)),
        ("crashed", Server::crash, Server::start_again),
        ("frozen", Server::freeze, Server::thaw),
    ] {
        go(&server);
        let asked = Instant::now();
        let (status, said) = post(&bridge, &lead(&format!("evt_{name}"), "12025550101", 1)).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{name}: {said}");
        assert!(asked.elapsed() < DEADLINE, "{name}: {:?}", asked.elapsed());
        until("readiness goes off", async || !is_ready(&bridge).await).await;

        come(&server);
        until("senders are taken again", async || {
            let event = lead(&format!("evt_{name}_after"), "12025550102", 2);
            post(&bridge, &event).await.0 == StatusCode::OK
        })
        .await;
        // The one that was refused may have been stored all the same, which nobody knew.
        sent += 1;
        until_sent(&chatflow, sent).await;
        until("it is ready again", async || is_ready(&bridge).await).await;
        sent = chatflow.requests().iter().filter(|one| is_sent(one)).count();
    }

    let audit = ask(&bridge, "/api/audit").await;
    assert_eq!(audit["holds"], true, "{audit}");
}

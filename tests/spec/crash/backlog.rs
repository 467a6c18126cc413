//! A backlog that was accepted while the API was down, delivered by processes that are killed one after the other.

use std::collections::HashMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use chatflow_bridge::chatflow::mock::{MockChatflow, MockOptions};
use serde_json::{Value, json};

use super::audit::{Audit, Expected, TOKEN};
use super::chance::Chance;
use super::check::{self, Seen, counter};
use super::event::Way;
use crate::harness::{Answer, Child, KEY, client};

const MAPPING: &str = r"
source: bulk
verify: none
event: { id: $.id }
rules:
  - name: people
    for_each: $.people[*]
    contact: { id: $item.id }
    update: { attributes: { by_id: $item.step } }
tests:
  - { name: nothing, body: { people: [] }, expect: ignored }
";

const SETTINGS: [(&str, &str); 1] = [("BRIDGE_ADMIN__TOKEN", TOKEN)];
/// Updates of each contact.
const STEPS: usize = 5;
/// People in one event.
const A_BATCH: usize = 100;
/// How long the last process may go on without an update coming to its end.
const PATIENCE: Duration = Duration::from_mins(2);

/// So many updates wait; so many times the process that delivers them is killed.
pub(super) async fn kills_lose_nothing(seed: u64, updates: usize, kills: usize) {
    let people = updates / STEPS;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mappings")).unwrap();
    std::fs::write(folder.path().join("mappings/bulk.yaml"), MAPPING).unwrap();
    let events = accept(folder.path(), people).await;

    let chatflow = MockChatflow::start(MockOptions {
        api_key: Some(KEY.to_owned()),
        create_unknown: true,
        delay: Duration::from_millis(1),
        ..MockOptions::default()
    })
    .unwrap();
    let mut chance = Chance::new(seed);
    let mut lives: Vec<Seen> = Vec::new();
    for _ in 0..kills {
        let asked = chatflow.served();
        let enough = 1 + chance.below(people as u64 / kills as u64);
        let child = Child::serve_with(folder.path(), &chatflow.base_url(), &SETTINGS);
        let begun = Instant::now();
        while chatflow.served() - asked < enough && begun.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        child.kill();
        lives.push(chatflow.requests());
        chatflow.forget_requests();
    }
    let child = Child::serve_with(folder.path(), &chatflow.base_url(), &SETTINGS);
    let mut wrong = Vec::new();
    let audit = Audit::when_done(&child, &client(), PATIENCE).await;
    let updates = people * STEPS;
    let expected = Expected { events, updates, refused: 0, are_put_away: false };
    audit.check(&expected, &mut wrong);
    assert_eq!(child.terminate(), Some(0));
    lives.push(chatflow.requests());

    let effects = check::effects(&lives);
    check::order(&effects, &mut wrong);
    check::one_at_a_time(&lives, &mut wrong);
    assert_eq!(wrong, Vec::<String>::new(), "seed {seed}");
    assert_eq!(effects.len(), people, "every contact was updated");
    let mut last = HashMap::new();
    for (path, puts) in &effects {
        last.insert(*path, puts.last().and_then(|(_, put)| counter(put, Way::Id.counter())));
    }
    assert!(last.values().all(|step| *step == Some(STEPS)), "each to its last update");
}

/// Accepts the backlog while nothing answers at the API's address; gives the number of events.
async fn accept(folder: &std::path::Path, people: usize) -> usize {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let child = Child::serve_with(folder, &format!("http://{nobody}/api/v1"), &SETTINGS);
    let (http, url) = (client(), format!("http://{}/hooks/bulk", child.hooks));
    let ids: Vec<_> = (0..people).map(|person| format!("65f0beef{person:016x}")).collect();
    let mut events = 0;
    for step in 1..=STEPS {
        for batch in ids.chunks(A_BATCH) {
            events += 1;
            let people: Vec<Value> =
                batch.iter().map(|id| json!({"id": id, "step": step.to_string()})).collect();
            let body = json!({"id": events.to_string(), "people": people}).to_string();
            let request = http.post(&url).header("content-type", "application/json").body(body);
            Answer::of(request.send().await.unwrap()).await.expect("accepted");
        }
    }
    child.kill();
    events
}

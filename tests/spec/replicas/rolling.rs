//! The replicas are replaced one by one, as a rolling update does, while senders go on.

use std::path::Path;
use std::time::Duration;

use chatflow_bridge::chatflow::mock::{MockChatflow, MockOptions, SeenRequest};

use super::load::{Load, Sent, contact};
use super::postgres::Server;
use super::service::Service;
use crate::harness::{CRM, Child, KEY, PATIENCE};
use crate::order::steps;

const SENDERS: usize = 12;

/// So many events are taken before, between and after what is done to the replicas.
const ENOUGH: usize = 20 * SENDERS;

/// How long a replica goes on once it is told to stop: the Service has to hear of it.
const DRAIN: (&str, &str) = ("BRIDGE_SERVER__DRAIN_DELAY", "1s");

struct World {
    folder: tempfile::TempDir,
    chatflow: MockChatflow,
    service: Service,
}

impl World {
    async fn new() -> Self {
        let chatflow = MockChatflow::start(MockOptions {
            api_key: Some(KEY.to_owned()),
            delay: Duration::from_millis(2),
            ..MockOptions::default()
        })
        .unwrap();
        for sender in 0..SENDERS {
            chatflow.add_contact(contact(sender));
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("mappings")).unwrap();
        std::fs::write(folder.path().join("mappings/crm.yaml"), CRM).unwrap();
        Self { folder, chatflow, service: Service::start().await }
    }

    async fn starts(&self, store: &str) -> Child {
        let (folder, base_url) = (self.folder.path().to_owned(), self.chatflow.base_url());
        let store = store.to_owned();
        let child = tokio::task::spawn_blocking(move || serve(&folder, &base_url, &store));
        let child = child.await.unwrap();
        self.service.add(&child);
        child
    }

    async fn stops(&self, child: Child) {
        let hooks = child.hooks.clone();
        let code = tokio::task::spawn_blocking(move || child.terminate()).await.unwrap();
        assert_eq!(code, Some(0));
        self.service.remove(&hooks);
    }

    /// How many of those that were taken have not reached their contact; those that have are in order.
    async fn lost(&self, sent: &[Sent]) -> usize {
        // The last of each contact is there: what was before it is there too, or never will be.
        let all_ended = |seen: &[SeenRequest]| {
            let steps = steps(seen);
            let ended = |sender: &Sent| steps.get(&sender.path)?.last().copied();
            sent.iter().all(|sender| ended(sender) == sender.taken.last().copied())
        };
        self.chatflow.wait_for(all_ended, PATIENCE).await.expect("all is delivered");
        let steps = steps(&self.chatflow.requests());
        let mut lost = 0;
        for sender in sent {
            let reached = &steps[&sender.path];
            assert!(reached.is_sorted(), "{}: in order", sender.path);
            lost += sender.taken.iter().filter(|step| !reached.contains(step)).count();
        }
        lost
    }
}

fn serve(folder: &Path, base_url: &str, store: &str) -> Child {
    let variables = [DRAIN, ("BRIDGE_STORE__URL", store), ("BRIDGE_DELIVERY__COALESCE", "false")];
    Child::serve_with(folder, base_url, &variables)
}

#[expect(clippy::print_stdout, reason = "the figures are what is asked for")]
fn report(what: &str, sent: &[Sent], lost: usize) {
    let taken: usize = sent.iter().map(|sender| sender.taken.len()).sum();
    let refused: usize = sent.iter().map(|sender| sender.refused.len()).sum();
    let gap = sent.iter().map(|sender| sender.gap).max().unwrap_or_default();
    let requests = taken + refused;
    println!(
        "{what}: {requests} requests, {refused} not answered 2xx, {lost} lost, longest gap {gap:.1?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_one_webhook_is_refused_or_lost_while_replicas_are_replaced() {
    let Some(server) = Server::shared() else { return };
    let database = server.database();
    let store = database.url();
    let world = World::new().await;
    let mut replicas = vec![world.starts(&store).await, world.starts(&store).await];
    world.service.has_ready(2).await;
    let load = Load::begin(&world.service.address, SENDERS);

    load.takes(ENOUGH).await;
    for _ in 0..2 {
        replicas.push(world.starts(&store).await);
        world.service.has_ready(3).await;
        world.stops(replicas.remove(0)).await;
        load.takes(ENOUGH).await;
    }
    let sent = load.end().await;
    let lost = world.lost(&sent).await;

    report("two replicas replaced on PostgreSQL", &sent, lost);
    let refused: Vec<_> = sent.iter().flat_map(|sender| &sender.refused).collect();
    assert_eq!((refused.len(), lost), (0, 0), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_a_restart_is_a_gap_and_nothing_taken_is_lost() {
    let world = World::new().await;
    let store = format!("sqlite:{}", world.folder.path().join("bridge.db").display());
    let child = world.starts(&store).await;
    world.service.has_ready(1).await;
    let load = Load::begin(&world.service.address, SENDERS);
    load.takes(ENOUGH).await;

    world.stops(child).await;
    let _again = world.starts(&store).await;
    world.service.has_ready(1).await;
    load.takes(ENOUGH).await;
    let sent = load.end().await;
    let lost = world.lost(&sent).await;

    report("a restart on SQLite", &sent, lost);
    assert_eq!(lost, 0);
    assert!(sent.iter().any(|sender| !sender.refused.is_empty()), "there was a gap");
}

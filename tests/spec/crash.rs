//! The program itself, killed with SIGKILL under load and started again: what was answered 2xx reaches its contact,
//! in order, none missing.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chatflow_bridge::chatflow::mock::{Fault, MockChatflow, MockOptions, Seed};

use crate::harness::{CRM, Child, KEY, client, lead};
use crate::order::steps;

const ROUNDS: u64 = 10;
const PEOPLE: usize = 24;
/// Events that each person's sender gives at most in one round.
const A_ROUND: usize = 40;

/// A sender that gives one person's events one after the other, each until it is answered 2xx.
async fn send(
    person: usize,
    url: String,
    from: usize,
    over: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
) -> usize {
    let http = client();
    let mut accepted = from;
    while !over.load(Ordering::SeqCst) && accepted < from + A_ROUND {
        let step = accepted + 1;
        let event = lead(&format!("{person}-{step}"), &mobile(person), step);
        let request =
            http.post(&url).header("content-type", "application/json").body(event.to_string());
        // An answer that is not 2xx, or none: the sender gives the same event again, later.
        match request.send().await {
            Ok(answer) if answer.status() == 200 => {
                accepted = step;
                done.fetch_add(1, Ordering::SeqCst);
            }
            Ok(_) | Err(_) if over.load(Ordering::SeqCst) => break,
            Ok(_) | Err(_) => tokio::task::yield_now().await,
        }
    }
    accepted
}

fn mobile(person: usize) -> String {
    format!("120255501{person:02}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_kills_under_load_lose_nothing_and_keep_the_order() {
    let chatflow = MockChatflow::start(MockOptions {
        api_key: Some(KEY.to_owned()),
        ..MockOptions::default()
    })
    .unwrap();
    for person in (0..PEOPLE).step_by(2) {
        chatflow.add_contact(Seed::with_mobile(&mobile(person)));
    }
    chatflow.faults().add(Fault::status(503).on("PUT").every(17));
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mappings")).unwrap();
    std::fs::write(folder.path().join("mappings/crm.yaml"), CRM).unwrap();

    let mut accepted = [0_usize; PEOPLE];
    let mut chance = 0x9e37_79b9_u64;
    for _ in 0..ROUNDS {
        let child = serve(folder.path(), &chatflow);
        let url = format!("http://{}/hooks/crm", child.hooks);
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let senders: Vec<_> = (0..PEOPLE)
            .map(|person| {
                let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
                #[expect(clippy::disallowed_methods, reason = "a test has no tracker")]
                tokio::spawn(send(person, url.clone(), accepted[person], stop, done))
            })
            .collect();
        chance =
            chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let enough = 50 + usize::try_from(chance >> 56).unwrap();
        let begun = Instant::now();
        while done.load(Ordering::SeqCst) < enough && begun.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        child.kill();
        stop.store(true, Ordering::SeqCst);
        for (person, sender) in senders.into_iter().enumerate() {
            accepted[person] = sender.await.unwrap();
        }
    }
    let total: usize = accepted.iter().sum();
    assert!(total > 500, "there was a load: {total}");

    let child = serve(folder.path(), &chatflow);
    let finished = |seen: &HashMap<String, usize>| {
        (0..PEOPLE)
            .all(|person| seen.get(&mobile(person)).copied().unwrap_or(0) >= accepted[person])
    };
    let begun = Instant::now();
    while !finished(&last_steps(&chatflow)) {
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "not all was delivered: {accepted:?} {:?}",
            last_steps(&chatflow)
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    child.kill();

    let puts: Vec<_> = chatflow.requests().into_iter().filter(|r| r.method == "PUT").collect();
    let taken = steps(&puts);
    for (person, accepted) in accepted.into_iter().enumerate() {
        let contact = chatflow.contact_by_mobile(&mobile(person)).expect("the contact is there");
        let steps = &taken[&format!("/contacts/{}", contact.id.as_str())];
        // A repeat is allowed, of what was in flight when the process was killed; a step back is not.
        let mut once = steps.clone();
        once.dedup();
        assert!(once.windows(2).all(|two| two[0] < two[1]), "in order: {steps:?}");
        // The sender may have been killed between our commit and its answer: one event more can be stored.
        assert!(once.len() >= accepted && once.len() <= accepted + 1);
        assert_eq!(once, (1..=once.len()).collect::<Vec<_>>(), "none is missing");
    }
}

/// Each update in a request of its own, so that none can be missing unseen.
fn serve(folder: &Path, chatflow: &MockChatflow) -> Child {
    Child::serve_with(folder, &chatflow.base_url(), &[("BRIDGE_DELIVERY__COALESCE", "false")])
}

/// The step that each person's contact has now.
fn last_steps(chatflow: &MockChatflow) -> HashMap<String, usize> {
    chatflow
        .contacts()
        .into_iter()
        .filter_map(|contact| Some((contact.mobile, contact.attributes.get("step")?.parse().ok()?)))
        .collect()
}

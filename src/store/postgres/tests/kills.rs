//! Connections that are cut at any moment, under load, with two processes: nothing is lost and every lane keeps its
//! order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use tokio_util::sync::CancellationToken;

use super::*;
use crate::store::{AfterDead, End, Receipt, Wanted};

const LANES: u16 = 8;
const EACH: u16 = 40;

/// What both processes have sent.
#[derive(Default)]
struct Sent {
    /// Of each contact, in order.
    names: Mutex<BTreeMap<String, Vec<u32>>>,
    in_flight: Mutex<BTreeSet<i64>>,
}

/// Sends what is due as delivery would, until it is told to stop.
async fn deliver(store: Arc<PostgresStore>, sent: Arc<Sent>, stop: CancellationToken) {
    loop {
        let claimed = tokio::select! {
            () = stop.cancelled() => return,
            claimed = store.claim(Wanted { runs: 3, merging: true }) => claimed,
        };
        let Ok(runs) = claimed else { continue };
        for run in runs {
            assert!(sent.in_flight.lock().unwrap().insert(run.lane.0), "two at once for a lane");
            for claim in &run.updates {
                let name = claim.planned.update.name.clone().unwrap();
                let (contact, number) = name.split_once('-').unwrap();
                let mut names = sent.names.lock().unwrap();
                names.entry(contact.to_owned()).or_default().push(number.parse().unwrap());
            }
            tokio::task::yield_now().await;
            sent.in_flight.lock().unwrap().remove(&run.lane.0);
            let ends: Vec<_> =
                run.updates.iter().map(|claim| (claim.lent, End::Delivered)).collect();
            while store.record(ends.clone(), AfterDead::Continue).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

/// Posts the events of some contacts in order, each until it is answered.
async fn post(store: Arc<PostgresStore>, contacts: Vec<u16>) {
    for number in 0..EACH {
        for contact in &contacts {
            let name = format!("{contact}-{number}");
            loop {
                match store.append(request(), vec![keyed(*contact, &name)]).await {
                    Ok(receipts) => {
                        assert!(matches!(
                            receipts[0],
                            Receipt::Stored(_) | Receipt::Duplicate { .. }
                        ));
                        break;
                    }
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_lose_nothing_and_break_no_order() {
    if is_left_out() {
        return;
    }
    let (place, clock) = (place(), clock());
    let stores = [
        open(&place, &roomy(), &clock).await.unwrap(),
        open(&place, &roomy(), &clock).await.unwrap(),
    ];
    let sent = Arc::new(Sent::default());
    let stop = CancellationToken::new();
    let tasks = tokio_util::task::TaskTracker::new();
    let mut delivering = Vec::new();
    for store in &stores {
        let all = deliver(Arc::clone(store), Arc::clone(&sent), stop.clone());
        delivering.push(tasks.spawn(all));
    }
    let posting: Vec<_> = (0..LANES)
        .map(|lane| tasks.spawn(post(Arc::clone(&stores[usize::from(lane % 2)]), vec![lane])))
        .collect();

    // Every connection that is in the middle of something in these tables, again and again.
    let schema = &place.address.schema;
    let cut = format!(
        "SELECT count(pg_terminate_backend(l.pid)) FROM (SELECT DISTINCT pid FROM pg_locks \
         WHERE pid <> pg_backend_pid() AND relation IN (SELECT oid FROM pg_class \
         WHERE relnamespace = '{schema}'::regnamespace)) l"
    );
    let mut cuts = 0;
    while posting.iter().any(|posting| !posting.is_finished()) || cuts < 20 {
        let killed = tokio::task::spawn_blocking({
            let cut = cut.clone();
            move || database().execute(&cut).parse::<u32>().unwrap()
        });
        cuts += killed.await.unwrap();
        if posting.iter().all(tokio::task::JoinHandle::is_finished) {
            break;
        }
    }
    for posting in posting {
        posting.await.unwrap();
    }
    let all = u64::from(LANES) * u64::from(EACH);
    let begun = std::time::Instant::now();
    loop {
        match stores[0].numbers().await {
            Ok(numbers) if numbers.delivered == all => break,
            numbers => assert!(begun.elapsed() < Duration::from_mins(1), "{numbers:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    for delivering in delivering {
        delivering.await.unwrap();
    }

    assert!(cuts >= 5, "only {cuts} connections were cut");
    let names = std::mem::take(&mut *sent.names.lock().unwrap());
    let each: Vec<u32> = (0..u32::from(EACH)).collect();
    for (contact, numbers) in &names {
        assert_eq!(*numbers, each, "contact {contact}");
    }
    assert_eq!(names.len(), usize::from(LANES));
    let numbers = stores[1].numbers().await.unwrap();
    assert_eq!((numbers.updates_planned, numbers.imbalance()), (all, 0), "{numbers:?}");
}

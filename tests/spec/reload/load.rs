//! Reloads under load: each event is planned by one set.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chatflow_bridge::settings::reload::Outcome;

use super::{event_of, following, hash, until, value_of, writing};
use crate::harness::Bridge;

/// Posts until told to stop; what was answered.
async fn post_until(bridge: &Bridge, done: &AtomicBool) -> Vec<String> {
    let mut ids = Vec::new();
    while !done.load(Ordering::Relaxed) {
        ids.push(bridge.post("crm", &event_of(ids.len())).await.expect("accepted"));
    }
    ids
}

/// Every stored event was planned by one set, and no request to the API mixes two.
async fn assert_each_by_one_set(bridge: &Bridge, ids: &[String]) {
    let mut met = BTreeSet::new();
    for id in ids {
        let rules = bridge.stored_rules(id).await;
        let values: BTreeSet<_> = rules.iter().map(|rule| value_of(rule)).collect();
        assert_eq!((rules.len(), values.len()), (2, 1), "{rules:?}");
        met.extend(values);
    }
    assert_eq!(met, BTreeSet::from(["one".to_owned(), "two".to_owned()]), "both were met");
    bridge.drain().await;
    let puts = bridge.puts();
    assert_eq!(puts.len(), ids.len() * 2);
    for put in puts {
        let sent = put.body.to_string();
        assert!(sent.contains("one") != sent.contains("two"), "{sent}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_reloads_under_load_give_no_wrong_answer() {
    let bridge = following().await;
    let done = Arc::new(AtomicBool::new(false));
    let reloads = async {
        for n in 0..1000 {
            let value = if n % 2 == 0 { "two" } else { "one" };
            let files = vec![("crm.yaml".to_owned(), writing(value))];
            assert_eq!(bridge.live().offer(files).await, Outcome::Taken);
        }
        done.store(true, Ordering::Relaxed);
    };

    let ((), first, second) =
        tokio::join!(reloads, post_until(&bridge, &done), post_until(&bridge, &done));

    assert_each_by_one_set(&bridge, &[first, second].concat()).await;
    bridge.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tens_of_reloads_through_the_folder_under_load_give_no_wrong_answer() {
    let bridge = following().await;
    let done = Arc::new(AtomicBool::new(false));
    let reloads = async {
        for n in 0..20 {
            let (value, before) = (if n % 2 == 0 { "two" } else { "one" }, hash(&bridge).await);
            std::fs::write(bridge.mappings().join("crm.yaml"), writing(value)).unwrap();
            until(value, async || hash(&bridge).await != before).await;
        }
        done.store(true, Ordering::Relaxed);
    };

    let ((), ids) = tokio::join!(reloads, post_until(&bridge, &done));

    assert_each_by_one_set(&bridge, &ids).await;
    bridge.end().await;
}

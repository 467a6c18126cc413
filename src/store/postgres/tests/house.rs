//! What is done by one process for all.

use super::*;
use crate::store::{EventFilter, Letters, Page};

#[tokio::test]
async fn two_processes_delete_what_has_come_of_age_once() {
    if is_left_out() {
        return;
    }
    let (place, clock) = (place(), clock());
    let metrics = [(); 2].map(|()| Arc::new(Metrics::new().unwrap()));
    let mut stores = Vec::new();
    for metrics in &metrics {
        let (clock, metrics) = (Arc::clone(&clock) as SharedClock, Arc::clone(metrics));
        stores.push(PostgresStore::open(&place, &roomy(), clock, metrics).await.unwrap());
    }
    for n in 0..250 {
        let ignored = NewEvent { updates: Vec::new(), ..keyed(n, &format!("evt_{n}")) };
        stores[usize::from(n) % 2].append(request(), vec![ignored]).await.unwrap();
    }
    execute(&place, "INSERT INTO holder VALUES (1000, 0, 'gone long ago')");

    clock.advance(Duration::from_hours(24 * 8));
    until(&place, "SELECT count(*) FROM event", "0").await;

    let deleted = |metrics: &Arc<Metrics>| {
        metrics.retention_deleted_total.with_label_values(&["ignored", "age"]).get()
    };
    assert_eq!(metrics.iter().map(deleted).sum::<u64>(), 250);
    let page = Page { most: 10, before: None };
    assert_eq!(stores[0].events(&EventFilter::default(), page).await.unwrap(), []);
    let audit = stores[1].audit().await.unwrap();
    assert!(audit.iter().all(|balance| balance.off() == 0), "{audit:?}");
    let numbers = stores[0].numbers().await.unwrap();
    assert_eq!((numbers.events_ignored, numbers.imbalance()), (250, 0));
    until(&place, "SELECT count(*) FROM seen", "0").await;
}

#[tokio::test]
async fn a_new_key_seals_while_it_runs_and_the_store_is_not_opened_without_it() {
    if is_left_out() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let (old, new) = ("11".repeat(32), "22".repeat(32));
    std::fs::write(&file, &old).unwrap();
    let settings = StoreSettings { encryption_key_file: Some(file.clone()), ..roomy() };
    let (place, clock) = (place(), clock());
    let store = open(&place, &settings, &clock).await.unwrap();
    store.append(request(), vec![event(1, "old")]).await.unwrap();

    std::fs::write(&file, format!("{new}\n{old}")).unwrap();
    until(
        &place,
        "SELECT array_length(regexp_split_to_array(convert_from(bytes, 'UTF8'), ' '), 1) \
        FROM meta WHERE name = 'sealed_with'",
        "2",
    )
    .await;
    store.append(request(), vec![event(2, "new")]).await.unwrap();

    let keys = "SELECT count(DISTINCT substr(body, 2, 8)) FROM plan";
    assert_eq!(execute(&place, keys), "2", "each is sealed with the key of its time");
    store.close().await;
    std::fs::write(&file, &new).unwrap();
    let refused = open(&place, &settings, &clock).await.err().unwrap().to_string();
    assert!(refused.contains("put that key back"), "{refused}");
    let refused = open(&place, &roomy(), &clock).await.err().unwrap().to_string();
    assert!(refused.contains("store.encryption_key_file"), "{refused}");
}

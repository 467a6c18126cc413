//! Many who look for one contact at once, without delivery around them.

use futures_util::future::join_all;

use super::super::outbound::Outbound;
use super::super::outcome::Found;
use super::super::resolve::{Resolver, Unresolved};
use super::super::tally::Tally;
use super::api::contact;
use super::*;

const ANN: &str = "12025550143";

struct Looking {
    clock: Arc<ManualClock>,
    api: Arc<FakeApi>,
    resolver: Resolver,
}

fn looking() -> Looking {
    let clock = ManualClock::at(Timestamp::from_second(1_000_000).unwrap());
    let shared: SharedClock = Arc::<ManualClock>::clone(&clock);
    let metrics = Arc::new(Metrics::new().unwrap());
    let policy = Policy::new(&DeliverySettings::default(), &ContactSettings::default(), TIMEOUT);
    let policy = policy.unwrap();
    let api = Arc::new(FakeApi::new());
    let tally = Arc::new(Tally::new(Arc::clone(&metrics)));
    let outbound = Outbound::new(
        Arc::<FakeApi>::clone(&api),
        Arc::new(Pauses::new(Arc::clone(&shared), Arc::clone(&metrics))),
        None,
        &policy,
        Arc::clone(&shared),
        Arc::clone(&tally),
        CancellationToken::new(),
    );
    let store = Arc::new(FakeStore::new(Arc::clone(&clock)));
    let resolver = Resolver::new(store, &policy, Arc::new(outbound), shared, tally);
    Looking { clock, api, resolver }
}

#[tokio::test]
async fn one_look_up_serves_all_who_look_for_one_key_at_once() {
    let Looking { api, resolver, .. } = looking();
    api.has(contact(&id(1), ANN));
    let planned = naming(&by_mobile(ANN, OnMissing::Dead), "a");

    let found = join_all((0..20).map(|_| resolver.resolve(&planned, false))).await;

    assert!(found.iter().all(|found| found.as_ref().unwrap().0 == id(1)));
    let looked_up = found.iter().filter(|found| found.as_ref().unwrap().1 == Found::LookedUp);
    assert_eq!(looked_up.count(), 1);
    assert_eq!(api.asked(), [format!("FIND {ANN}")]);
}

#[tokio::test]
async fn a_contact_that_is_not_there_is_not_asked_for_again_at_once() {
    let Looking { clock, api, resolver } = looking();
    let planned = naming(&by_mobile(ANN, OnMissing::Dead), "a");

    for looked_up in [1, 2] {
        let missing = join_all((0..20).map(|_| resolver.resolve(&planned, false))).await;
        assert!(missing.iter().all(|found| matches!(found, Err(Unresolved::Missing))));
        assert_eq!(api.asked_of("FIND").len(), looked_up);
        clock.advance(seconds(2));
    }
    api.has(contact(&id(1), ANN));

    assert_eq!(resolver.resolve(&planned, false).await.unwrap().0, id(1));
}

#[tokio::test]
async fn all_who_would_create_one_contact_at_once_create_one() {
    let Looking { api, resolver, .. } = looking();
    let creating = |value: &str| {
        let mut planned = naming(&by_email(value, OnMissing::Create), "a");
        planned.update.mobile = Some(mobile(ANN));
        planned
    };
    let by_number = naming(&by_mobile(ANN, OnMissing::Create), "a");
    let all: Vec<_> = ["a@x.example", "b@x.example", "a@x.example"].map(creating).to_vec();

    let found =
        join_all(all.iter().chain([&by_number, &by_number]).map(|p| resolver.resolve(p, false)));

    let ids: Vec<_> = found.await.into_iter().map(|found| found.unwrap().0).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(api.asked_of("POST").len(), 1);
}

#[tokio::test]
async fn a_look_up_that_fails_is_nothing_to_remember() {
    let Looking { api, resolver, .. } = looking();
    api.has(contact(&id(1), ANN));
    api.fails("FIND", [answered(500)]);
    let planned = naming(&by_mobile(ANN, OnMissing::Dead), "a");

    assert!(matches!(resolver.resolve(&planned, false).await, Err(Unresolved::Failed(..))));
    assert_eq!(resolver.resolve(&planned, false).await.unwrap().0, id(1));
}

//! What comes in.

use futures_util::future::join_all;

use super::*;
use crate::contact::{HeldReason, SkippedReason};
use crate::store::Error;

pub(crate) async fn what_was_answered_is_there_after_a_restart(backend: impl Backend) {
    let ids = store(&**backend.store(), vec![event(vec![update(1, "a"), update(2, "b")])]).await;

    let backend = backend.reopened().await;

    let claims = claim(&**backend.store(), 9).await;
    assert_eq!(names(&claims), ["a", "b"]);
    assert!(claims.iter().all(|claim| claim.lent.update.event == ids[0]));
    let next = store(&**backend.store(), vec![event(vec![])]).await;
    assert!(next[0] > ids[0], "ids go on growing");
}

pub(crate) async fn of_fifty_at_once_with_one_key_one_is_stored_and_the_others_get_its_id(
    backend: impl Backend,
) {
    let appends = (0..50).map(|_| backend.store().append(request(), vec![keyed("evt_1")]));

    let receipts: Vec<_> = join_all(appends).await.into_iter().map(|one| one.unwrap()[0]).collect();

    let stored: Vec<_> = receipts
        .iter()
        .filter_map(|receipt| match receipt {
            Receipt::Stored(id) => Some(*id),
            Receipt::Duplicate { .. } => None,
        })
        .collect();
    assert_eq!(stored.len(), 1);
    let repeat = Receipt::Duplicate { first: stored[0], differs: false, idle: false };
    assert_eq!(receipts.iter().filter(|receipt| **receipt == repeat).count(), 49);
    let numbers = backend.store().numbers().await.unwrap();
    assert_eq!((numbers.events_received, numbers.events_duplicate), (50, 49));
    assert_eq!(numbers.updates_planned, 1);
}

pub(crate) async fn a_key_is_known_over_a_restart_and_free_again_after_its_window(
    backend: impl Backend,
) {
    let first = store(&**backend.store(), vec![keyed("evt_1")]).await[0];
    let repeat = vec![Receipt::Duplicate { first, differs: false, idle: false }];

    let backend = backend.reopened().await;

    backend.clock().advance(WINDOW.saturating_sub(SECOND));
    let again = backend.store().append(request(), vec![keyed("evt_1")]).await.unwrap();
    assert_eq!(again, repeat);
    backend.clock().advance(SECOND);
    let second = store(&**backend.store(), vec![keyed("evt_1")]).await[0];
    assert_ne!(second, first);
    let again = backend.store().append(request(), vec![keyed("evt_1")]).await.unwrap();
    assert_eq!(again, [Receipt::Duplicate { first: second, differs: false, idle: false }]);
}

pub(crate) async fn a_key_counts_for_its_own_source(backend: impl Backend) {
    store(&**backend.store(), vec![keyed("evt_1")]).await;

    store(&**backend.store(), vec![NewEvent { source: source("shop"), ..keyed("evt_1") }]).await;
}

pub(crate) async fn a_key_twice_in_one_request_is_a_repeat_of_the_first(backend: impl Backend) {
    let events = vec![keyed("evt_1"), keyed("evt_2"), keyed("evt_1")];

    let receipts = backend.store().append(request(), events).await.unwrap();

    let Receipt::Stored(first) = receipts[0] else { panic!("{receipts:?}") };
    assert!(matches!(receipts[1], Receipt::Stored(_)));
    assert_eq!(receipts[2], Receipt::Duplicate { first, differs: false, idle: false });
}

pub(crate) async fn a_repeat_that_plans_something_else_is_told_apart(backend: impl Backend) {
    let first = store(&**backend.store(), vec![keyed("evt_1")]).await[0];
    let other = NewEvent { updates: vec![update(1, "other")], ..keyed("evt_1") };

    let receipts = backend.store().append(request(), vec![other, keyed("evt_1")]).await.unwrap();

    let repeat = |differs| Receipt::Duplicate { first, differs, idle: false };
    assert_eq!(receipts, [repeat(true), repeat(false)]);
}

pub(crate) async fn many_keys_later_each_is_still_known(backend: impl Backend) {
    let mut ids = Vec::new();
    for part in 0..40 {
        let events = (0..20).map(|n| keyed(&format!("evt_{part}_{n}"))).collect();
        ids.extend(store(&**backend.store(), events).await);
    }

    let backend = backend.reopened().await;

    for part in 0..40 {
        let events = (0..20).map(|n| keyed(&format!("evt_{part}_{n}"))).collect();
        let repeats = backend.store().append(request(), events).await.unwrap();
        let expected = ids.iter().skip(part * 20).take(20);
        let expected =
            expected.map(|first| Receipt::Duplicate { first: *first, differs: false, idle: false });
        assert_eq!(repeats, expected.collect::<Vec<_>>());
    }
}

pub(crate) async fn a_failed_commit_leaves_nothing_behind(backend: impl Backend) {
    let noise = (0_u32..30_000).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes());
    let large = Request { body: noise.collect::<Vec<u8>>().into(), ..request() };
    store(&**backend.store(), vec![event(vec![update(1, "first")])]).await;
    let before = backend.store().numbers().await.unwrap();
    backend.fill_the_disk().await;

    let events = vec![keyed("evt_1"), NewEvent { source: source("new"), ..keyed("evt_1") }];
    let failed = backend.store().append(large.clone(), events.clone()).await;

    assert!(matches!(failed, Err(Error::Full(_))), "{failed:?}");
    assert_eq!(backend.store().numbers().await.unwrap(), before);
    backend.mend_the_disk().await;
    let receipts = loop {
        match backend.store().append(large.clone(), events.clone()).await {
            Ok(receipts) => break receipts,
            Err(error) => assert!(matches!(error, Error::Full(_)), "{error}"),
        }
        tokio::task::yield_now().await;
    };
    assert!(receipts.iter().all(|receipt| matches!(receipt, Receipt::Stored(_))), "{receipts:?}");
    // The lane is still busy with what came before the failure.
    let first = claim(&**backend.store(), 9).await;
    assert_eq!(names(&first), ["first"]);
    record(&**backend.store(), first[0].lent, End::Delivered).await;
    assert_eq!(names(&claim(&**backend.store(), 9).await), ["keyed"]);
}

pub(crate) async fn past_the_most_that_may_wait_only_repeats_are_answered_and_delivery_goes_on<
    B: Backend,
>(
    _: B,
) {
    let backend = B::with(StoreSettings { max_waiting: 2, ..roomy() }).await;
    let both = vec![event(vec![update(1, "a")]), keyed("evt_1")];
    let first = store(&**backend.store(), both).await[1];

    let refused = backend.store().append(request(), vec![keyed("evt_2")]).await;

    assert!(matches!(refused, Err(Error::Full(_))), "{refused:?}");
    let mixed = backend.store().append(request(), vec![keyed("evt_1"), keyed("evt_2")]).await;
    assert!(matches!(mixed, Err(Error::Full(_))), "{mixed:?}");
    let repeat = backend.store().append(request(), vec![keyed("evt_1")]).await.unwrap();
    assert_eq!(repeat, [Receipt::Duplicate { first, differs: false, idle: false }]);
    store(&**backend.store(), vec![event(vec![])]).await;
    record(&**backend.store(), claim_one(&**backend.store()).await.lent, End::Delivered).await;
    store(&**backend.store(), vec![keyed("evt_2")]).await;
    assert_balance(&backend.store().numbers().await.unwrap());
}

pub(crate) async fn past_its_size_or_on_a_full_disk_a_store_takes_nothing_new<B: Backend>(_: B) {
    for limits in B::without_room() {
        let backend = B::with(limits).await;

        let refused = backend.store().append(request(), vec![keyed("evt_1")]).await;

        assert!(matches!(refused, Err(Error::Full(_))), "{refused:?}");
        let check = backend.store().check_writable().await;
        assert!(matches!(check, Err(Error::Full(_))), "{check:?}");
        assert_eq!(backend.store().numbers().await.unwrap().events_received, 0);
    }
}

/// The same event, held by the rule.
fn held_event(id: &str) -> NewEvent {
    NewEvent { updates: vec![held()], ..keyed(id) }
}

fn held() -> NewUpdate {
    let state = NewState::Held { reason: HeldReason::Phone, detail: "no phone number".to_owned() };
    NewUpdate { state, ..update(1, "held") }
}

async fn idle(backend: &impl Backend, id: &str) -> bool {
    let receipts = backend.store().append(request(), vec![keyed(id)]).await.unwrap();
    match receipts.as_slice() {
        [Receipt::Duplicate { idle, .. }] => *idle,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn an_event_of_which_nothing_has_come_is_mapped_again_under_its_own_id(
    backend: impl Backend,
) {
    let ignored = NewEvent { updates: vec![], ..keyed("evt_1") };
    let ids = store(&**backend.store(), vec![ignored, held_event("evt_2")]).await;
    for (id, key) in ids.iter().zip(["evt_1", "evt_2"]) {
        assert!(idle(&backend, key).await, "{key}");
        let updates = vec![update(1, key), held()];

        assert!(backend.store().remap(*id, updates).await.unwrap());

        assert!(!idle(&backend, key).await, "{key}");
        assert!(!backend.store().remap(*id, vec![update(1, "later")]).await.unwrap());
        let stored = backend.store().event(*id).await.unwrap().unwrap();
        assert_eq!((stored.event.outcome, stored.event.updates), ("taken", 2));
        let states: Vec<_> = stored.updates.iter().map(|update| update.state).collect();
        assert_eq!(states, ["waiting", "held"]);
        assert_eq!(stored.request, request());
    }
    let backend = backend.reopened().await;
    let numbers = backend.store().numbers().await.unwrap();
    assert_balance(&numbers);
    assert_eq!((numbers.events_taken, numbers.events_ignored), (2, 0));
    assert_eq!((numbers.ready + numbers.scheduled, numbers.held), (2, 2));
    for key in ["evt_1", "evt_2"] {
        let claim = claim_one(&**backend.store()).await;
        assert_eq!(name(&claim), key);
        record(&**backend.store(), claim.lent, End::Delivered).await;
    }
}

pub(crate) async fn an_event_of_which_something_has_come_is_not_mapped_again(
    backend: impl Backend,
) {
    let skipped =
        || NewUpdate { state: NewState::Skipped(SkippedReason::NoContact), ..update(1, "skipped") };
    let control = NewEvent { control: true, updates: vec![], ..keyed("control") };
    let waiting = keyed("waiting");
    let partly = NewEvent { updates: vec![held(), skipped()], ..keyed("partly") };
    let ids = store(&**backend.store(), vec![control, waiting, partly]).await;
    let before = backend.store().numbers().await.unwrap();

    for id in &ids {
        assert!(!backend.store().remap(*id, vec![update(2, "again")]).await.unwrap(), "{id}");
    }

    assert_eq!(backend.store().numbers().await.unwrap(), before);
    for key in ["control", "waiting", "partly"] {
        assert!(!idle(&backend, key).await, "{key}");
    }
    record(&**backend.store(), claim_one(&**backend.store()).await.lent, End::Delivered).await;
    assert!(!backend.store().remap(ids[1], vec![update(2, "again")]).await.unwrap());
    assert!(!backend.store().remap(EventId(99), vec![]).await.unwrap());
}

pub(crate) async fn an_event_that_is_mapped_again_keeps_its_place_in_its_lane(
    backend: impl Backend,
) {
    let first = store(&**backend.store(), vec![held_event("evt_1")]).await[0];
    store(&**backend.store(), vec![event(vec![update(1, "second")])]).await;
    store(&**backend.store(), vec![event(vec![update(1, "third")])]).await;
    let second = claim_one(&**backend.store()).await;

    assert!(backend.store().remap(first, vec![update(1, "first")]).await.unwrap());

    lends_nothing(&**backend.store()).await;
    record(&**backend.store(), second.lent, End::Delivered).await;
    let next = claim_one(&**backend.store()).await;
    assert_eq!(name(&next), "first");
    record(&**backend.store(), next.lent, End::Delivered).await;
    assert_eq!(name(&claim_one(&**backend.store()).await), "third");
    assert_balance(&backend.store().numbers().await.unwrap());
}

pub(crate) async fn of_many_who_map_an_event_again_at_once_one_does(backend: impl Backend) {
    let first = store(&**backend.store(), vec![held_event("evt_1")]).await[0];

    let again = (0..20).map(|_| backend.store().remap(first, vec![update(1, "again")]));
    let done = join_all(again).await.into_iter().filter(|done| *done.as_ref().unwrap()).count();

    assert_eq!(done, 1);
    assert_eq!(backend.store().numbers().await.unwrap().updates_planned, 1);
}

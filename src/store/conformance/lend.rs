//! What is lent, and what comes back.

use super::*;
use crate::contact::{DeadReason, SkippedReason};
use crate::telemetry::trace::TraceContext;

pub(crate) async fn a_claim_has_all_that_delivery_needs(backend: impl Backend) {
    let planned = NewUpdate { item: 3, ..update(1, "a") };
    let id = store(&**backend.store(), vec![event(vec![planned.clone()])]).await[0];
    backend.clock().advance(5 * SECOND);

    let claim = claim_one(&**backend.store()).await;

    assert_eq!((claim.lent.update.event, claim.lent.update.place), (id, 0));
    assert_eq!((claim.source, &*claim.rule, claim.item), (source("crm"), "lead", 3));
    assert_eq!((claim.attempt, claim.age, claim.failing_for), (1, 5 * SECOND, None));
    assert_eq!(NewState::Waiting(Box::new(claim.planned)), planned.state);
}

pub(crate) async fn the_trace_of_an_event_comes_with_its_claims_also_after_a_restart(
    backend: impl Backend,
) {
    let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let trace = TraceContext::from_header(header);
    let traced = NewEvent { trace, ..event(vec![update(1, "a"), update(1, "b")]) };
    store(&**backend.store(), vec![traced, event(vec![update(2, "c")])]).await;
    let backend = backend.reopened().await;

    let runs = claim_runs(&**backend.store(), Wanted { runs: 9, merging: true }).await;
    let claims = runs.into_iter().flat_map(|run| run.updates);
    let lent: Vec<_> = claims.map(|claim| (name(&claim).to_owned(), claim.trace)).collect();

    let expected = [("a", trace), ("b", trace), ("c", None)];
    assert_eq!(lent, expected.map(|(name, trace)| (name.to_owned(), trace)));
}

pub(crate) async fn a_lane_lends_one_at_a_time_the_oldest_first(backend: impl Backend) {
    store(&**backend.store(), vec![event(vec![update(1, "a"), update(1, "b")])]).await;
    store(&**backend.store(), vec![event(vec![update(1, "c")])]).await;

    for expected in ["a", "b", "c"] {
        let claims = claim(&**backend.store(), 9).await;
        assert_eq!(names(&claims), [expected]);
        lends_nothing(&**backend.store()).await;
        record(&**backend.store(), claims[0].lent, End::Delivered).await;
    }
    lends_nothing(&**backend.store()).await;
}

pub(crate) async fn lanes_are_lent_side_by_side_and_nothing_twice(backend: impl Backend) {
    let all: Vec<_> = (0..20).map(|n| format!("{n:02}")).collect();
    for (contact, name) in (0..).zip(&all) {
        store(&**backend.store(), vec![event(vec![update(contact, name)])]).await;
        backend.clock().advance(SECOND);
    }

    let (some, others) = tokio::join!(claim(&**backend.store(), 5), claim(&**backend.store(), 5));
    let rest = claim(&**backend.store(), 99).await;

    assert_eq!((some.len(), others.len(), rest.len()), (5, 5, 10));
    assert_eq!(names(&[some, others, rest].concat()), all, "the oldest first");
}

pub(crate) async fn a_follower_is_due_when_its_head_is_done_and_not_before(backend: impl Backend) {
    let ends = [
        End::Delivered,
        End::Skipped(SkippedReason::ContactMissing),
        End::Dead(DeadReason::Refused, trouble()),
    ];
    for end in ends {
        store(&**backend.store(), vec![event(vec![update(1, "head"), update(1, "next")])]).await;
        let head = claim_one(&**backend.store()).await;
        assert_eq!(name(&head), "head");
        record(&**backend.store(), head.lent, again(SECOND)).await;
        lends_nothing(&**backend.store()).await;
        backend.clock().advance(SECOND);
        let head = claim_one(&**backend.store()).await;
        lends_nothing(&**backend.store()).await;

        record(&**backend.store(), head.lent, end).await;

        let next = claim_one(&**backend.store()).await;
        assert_eq!((name(&next), next.attempt), ("next", 1));
        record(&**backend.store(), next.lent, End::Delivered).await;
        lends_nothing(&**backend.store()).await;
    }
}

pub(crate) async fn a_retry_keeps_its_place_and_counts_its_attempts(backend: impl Backend) {
    store(&**backend.store(), vec![event(vec![update(1, "a"), update(1, "b")])]).await;

    for (attempt, failing_for) in [(1, None), (2, Some(60)), (3, Some(120))] {
        let claim = claim_one(&**backend.store()).await;
        assert_eq!((name(&claim), claim.attempt), ("a", attempt));
        assert_eq!(claim.failing_for, failing_for.map(Duration::from_secs));
        record(&**backend.store(), claim.lent, again(60 * SECOND)).await;
        backend.clock().advance(59 * SECOND);
        lends_nothing(&**backend.store()).await;
        backend.clock().advance(SECOND);
    }
    let backend = backend.reopened().await;

    let claim = claim_one(&**backend.store()).await;
    assert_eq!((name(&claim), claim.attempt), ("a", 4));
    assert_eq!(claim.failing_for, Some(180 * SECOND));
}

pub(crate) async fn what_is_given_back_counts_no_attempt(backend: impl Backend) {
    store(&**backend.store(), vec![event(vec![update(1, "a"), update(1, "b")])]).await;

    for after in [Duration::ZERO, 10 * SECOND] {
        let claim = claim_one(&**backend.store()).await;
        assert_eq!((name(&claim), claim.attempt, claim.failing_for), ("a", 1, None));
        record(&**backend.store(), claim.lent, End::GivenBack { after }).await;
    }

    lends_nothing(&**backend.store()).await;
    backend.clock().advance(10 * SECOND);
    let claim = claim_one(&**backend.store()).await;
    assert_eq!((name(&claim), claim.attempt), ("a", 1));
}

pub(crate) async fn a_fence_that_is_no_longer_in_force_changes_nothing(backend: impl Backend) {
    store(&**backend.store(), vec![event(vec![update(1, "a"), update(1, "b")])]).await;
    let first = claim_one(&**backend.store()).await.lent;
    record(&**backend.store(), first, again(Duration::ZERO)).await;
    let backend = backend.reopened().await;
    let second = claim_one(&**backend.store()).await.lent;
    let backend = backend.reopened().await;
    let third = claim_one(&**backend.store()).await.lent;
    let before = backend.store().numbers().await.unwrap();

    for stale in [first, second] {
        assert_ne!(stale.fence, third.fence);
        for end in [End::Delivered, again(SECOND), End::GivenBack { after: SECOND }] {
            let ends = vec![(stale, end)];
            assert!(!backend.store().record(ends, AfterDead::Continue).await.unwrap());
        }
    }

    assert_eq!(backend.store().numbers().await.unwrap(), before);
    lends_nothing(&**backend.store()).await;
    record(&**backend.store(), third, End::Delivered).await;
    let ends = vec![(third, End::Delivered)];
    assert!(!backend.store().record(ends, AfterDead::Continue).await.unwrap(), "only once");
    assert_eq!(name(&claim_one(&**backend.store()).await), "b");
}

pub(crate) async fn a_claim_waits_until_something_is_due(backend: impl Backend) {
    let waiting = backend.store().claim(ONE);
    tokio::pin!(waiting);
    assert!(poll!(waiting.as_mut()).is_pending());

    store(&**backend.store(), vec![event(vec![update(1, "a")])]).await;

    let claim = alone(waiting.await.unwrap().remove(0));
    record(&**backend.store(), claim.lent, again(60 * SECOND)).await;
    let waiting = backend.store().claim(ONE);
    tokio::pin!(waiting);
    assert!(poll!(waiting.as_mut()).is_pending());
    store(&**backend.store(), vec![event(vec![])]).await;
    assert!(poll!(waiting.as_mut()).is_pending());
    backend.clock().advance(60 * SECOND);
    assert_eq!(name(&waiting.await.unwrap()[0].updates[0]), "a");
}

pub(crate) async fn a_claim_that_is_dropped_gives_back_what_it_would_have_lent(
    backend: impl Backend,
) {
    {
        let before_it_is_due = backend.store().claim(ONE);
        tokio::pin!(before_it_is_due);
        assert!(poll!(before_it_is_due.as_mut()).is_pending());
    }
    {
        let when_it_is_lent = backend.store().claim(ONE);
        tokio::pin!(when_it_is_lent);
        assert!(poll!(when_it_is_lent.as_mut()).is_pending());
        store(&**backend.store(), vec![event(vec![update(1, "a")])]).await;
        backend.store().check_writable().await.unwrap();
    }

    let claim = claim_one(&**backend.store()).await;

    assert_eq!((name(&claim), claim.attempt), ("a", 1));
}

pub(crate) async fn what_was_lent_is_due_again_after_a_restart_and_its_attempt_counts(
    backend: impl Backend,
) {
    store(&**backend.store(), vec![event(vec![update(1, "a"), update(1, "b")])]).await;
    claim_one(&**backend.store()).await;

    let backend = backend.reopened().await;

    let claim = claim_one(&**backend.store()).await;
    assert_eq!((name(&claim), claim.attempt), ("a", 2));
    lends_nothing(&**backend.store()).await;
}

pub(crate) async fn what_may_have_landed_in_one_request_goes_again_in_one_though_merging_is_off_since(
    backend: impl Backend,
) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "a"), update(1, "b")])]).await;
    let merged = to.claim(Wanted { runs: 1, merging: true }).await.unwrap();
    assert_eq!(names(&merged[0].updates), ["a", "b"]);
    store(to, vec![event(vec![update(1, "c")])]).await;

    let backend = backend.reopened().await;

    let to = &**backend.store();
    let again = to.claim(ONE).await.unwrap();
    assert_eq!(names(&again[0].updates), ["a", "b"]);
    let lent = again[0].updates.iter().map(|claim| (claim.lent, End::Delivered)).collect();
    assert!(to.record(lent, AfterDead::Continue).await.unwrap());
    assert_eq!(name(&claim_one(to).await), "c");
}

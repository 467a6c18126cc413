//! What is lent together, and what becomes of its parts.

use super::*;
use crate::contact::DeadReason;
use crate::event::UpdateId;
use crate::store::letters::{Change, Sends};

const MERGED: Wanted = Wanted { runs: 9, merging: true };

/// The one run that is due, of all that can go together.
async fn claim_run(store: &impl Store) -> Run {
    let mut runs = claim_runs(store, MERGED).await;
    assert_eq!(runs.len(), 1);
    runs.remove(0)
}

/// Records these ends of the first of a run.
async fn record_run(store: &impl Store, run: &Run, ends: impl IntoIterator<Item = End>) {
    let lents = run.updates.iter().map(|claim| claim.lent);
    let ends = lents.zip(ends).collect();
    assert!(store.record(ends, AfterDead::Continue).await.unwrap(), "the fence is in force");
}

/// The end of what may have reached the API.
fn may_have_landed(after: Duration) -> End {
    End::Again { after, trouble: trouble(), may_have_landed: true }
}

/// An update of contact number `contact` that gives or withdraws consent.
fn consent(contact: u16, optin: bool) -> NewUpdate {
    let NewUpdate { rule, item, state } = update(contact, "consent");
    let NewState::Waiting(planned) = state else { unreachable!() };
    let update = ContactUpdate { optin: Some(optin), ..planned.update };
    let planned = PlannedUpdate { update, ..*planned };
    NewUpdate { rule, item, state: NewState::Waiting(Box::new(planned)) }
}

pub(crate) async fn what_one_request_can_carry_is_lent_together(backend: impl Backend) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "a"), update(2, "x"), update(1, "b")])]).await;
    store(to, vec![event(vec![update(1, "c")])]).await;

    let runs = claim_runs(to, MERGED).await;

    let lent: Vec<_> = runs.iter().map(|run| names(&run.updates)).collect();
    assert_eq!(lent, [vec!["a", "b", "c"], vec!["x"]]);
    assert!(runs[0].updates.iter().all(|claim| claim.attempt == 1));
    record_run(to, &runs[0], vec![End::Delivered; 3]).await;
    lends_nothing(to).await;
    let numbers = to.numbers().await.unwrap();
    assert_eq!((numbers.delivered, numbers.in_flight), (3, 1));
    assert_balance(&numbers);
}

pub(crate) async fn without_merging_each_update_is_a_run(backend: impl Backend) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "a"), update(1, "b")])]).await;

    for expected in ["a", "b"] {
        let claim = claim_one(to).await;
        assert_eq!(name(&claim), expected);
        record(to, claim.lent, End::Delivered).await;
    }
}

pub(crate) async fn what_must_not_be_merged_ends_a_run(backend: impl Backend) {
    let to = &**backend.store();
    let row = [update(1, "a"), update(1, "b"), consent(1, false), update(1, "c")];
    store(to, vec![event(row.to_vec())]).await;

    for expected in [vec!["a", "b"], vec!["consent"], vec!["c"]] {
        let run = claim_run(to).await;
        assert_eq!(names(&run.updates), expected);
        lends_nothing(to).await;
        record_run(to, &run, vec![End::Delivered; expected.len()]).await;
    }
}

pub(crate) async fn no_run_is_longer_than_a_hundred(backend: impl Backend) {
    let to = &**backend.store();
    let row = (0..150).map(|n| update(1, &format!("{n:03}"))).collect();
    store(to, vec![event(row)]).await;

    for count in [100, 50] {
        let run = claim_run(to).await;
        assert_eq!(run.updates.len(), count);
        record_run(to, &run, vec![End::Delivered; count]).await;
    }
    lends_nothing(to).await;
}

pub(crate) async fn a_lane_waits_until_all_of_a_run_is_recorded(backend: impl Backend) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "a"), update(1, "b"), update(1, "c")])]).await;
    let run = claim_run(to).await;
    store(to, vec![event(vec![update(1, "d")])]).await;

    let lent: Vec<_> = run.updates.iter().map(|claim| claim.lent).collect();
    record(to, lent[0], End::Delivered).await;
    lends_nothing(to).await;
    record(to, lent[1], End::Dead(DeadReason::Refused, trouble())).await;
    lends_nothing(to).await;
    record(to, lent[2], End::GivenBack { after: 5 * SECOND }).await;
    lends_nothing(to).await;
    backend.clock().advance(5 * SECOND);

    let run = claim_run(to).await;
    assert_eq!(names(&run.updates), ["c", "d"]);
    assert_eq!(run.updates[0].attempt, 1, "no attempt was counted");
    let numbers = to.numbers().await.unwrap();
    assert_eq!((numbers.delivered, numbers.dead, numbers.in_flight), (1, 1, 2));
    assert_balance(&numbers);
}

pub(crate) async fn what_is_put_off_of_a_run_keeps_its_place(backend: impl Backend) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "a"), update(1, "b")])]).await;
    let run = claim_run(to).await;

    let back = End::GivenBack { after: Duration::ZERO };
    record_run(to, &run, [again(10 * SECOND), back]).await;
    lends_nothing(to).await;
    backend.clock().advance(10 * SECOND);

    let run = claim_run(to).await;
    let attempts: Vec<_> = run.updates.iter().map(|claim| (name(claim), claim.attempt)).collect();
    assert_eq!(attempts, [("a", 2), ("b", 1)]);
    assert_eq!(run.updates[0].failing_for, Some(10 * SECOND));
    assert_eq!(run.updates[1].failing_for, None);
}

pub(crate) async fn a_fence_that_has_lapsed_changes_nothing_of_a_run(backend: impl Backend) {
    store(&**backend.store(), vec![event(vec![update(1, "a"), update(1, "b")])]).await;
    let run = claim_run(&**backend.store()).await;
    let backend = backend.reopened().await;
    let again = claim_run(&**backend.store()).await;

    let ends = run.updates.iter().map(|claim| (claim.lent, End::Delivered)).collect();
    let recorded = backend.store().record(ends, AfterDead::Continue).await.unwrap();

    assert!(!recorded);
    assert_eq!(backend.store().numbers().await.unwrap().in_flight, 2);
    record_run(&**backend.store(), &again, vec![End::Delivered; 2]).await;
}

pub(crate) async fn what_may_have_landed_goes_again_as_it_was(backend: impl Backend) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "a"), update(1, "b")])]).await;
    let run = claim_run(to).await;
    record_run(to, &run, vec![may_have_landed(Duration::ZERO); 2]).await;
    store(to, vec![event(vec![update(1, "c")])]).await;

    // What fails afterwards says nothing about the first time.
    for _ in 0..2 {
        let run = claim_run(to).await;
        assert_eq!(names(&run.updates), ["a", "b"]);
        record_run(to, &run, vec![again(Duration::ZERO); 2]).await;
    }
    let run = claim_run(to).await;
    record_run(to, &run, vec![End::Delivered; 2]).await;
    assert_eq!(names(&claim_run(to).await.updates), ["c"]);
}

pub(crate) async fn nothing_joins_one_update_that_may_have_landed(backend: impl Backend) {
    for end in [may_have_landed(Duration::ZERO), again(Duration::ZERO)] {
        let to = &**backend.store();
        let joins = end == again(Duration::ZERO);
        store(to, vec![event(vec![update(1, "a")])]).await;
        let run = claim_run(to).await;
        record_run(to, &run, [end]).await;
        store(to, vec![event(vec![update(1, "b")])]).await;

        let run = claim_run(to).await;
        assert_eq!(names(&run.updates).len(), if joins { 2 } else { 1 });
        record_run(to, &run, vec![End::Delivered; 2]).await;
        if !joins {
            let run = claim_run(to).await;
            record_run(to, &run, [End::Delivered]).await;
        }
        lends_nothing(to).await;
    }
}

pub(crate) async fn what_was_lent_together_goes_together_after_a_crash(backend: impl Backend) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "a"), update(1, "b"), update(1, "c")])]).await;
    let run = claim_run(to).await;
    record_run(to, &run, [End::Delivered]).await;
    store(to, vec![event(vec![update(1, "d")])]).await;

    let backend = backend.reopened().await;
    let to = &**backend.store();

    let run = claim_run(to).await;
    let attempts: Vec<_> = run.updates.iter().map(|claim| (name(claim), claim.attempt)).collect();
    assert_eq!(attempts, [("b", 2), ("c", 2)]);
    record_run(to, &run, vec![End::Delivered; 2]).await;
    assert_eq!(names(&claim_run(to).await.updates), ["d"]);
}

pub(crate) async fn a_run_that_nobody_takes_comes_back_whole(backend: impl Backend) {
    let to = &**backend.store();
    {
        let claim = to.claim(MERGED);
        tokio::pin!(claim);
        assert!(poll!(claim.as_mut()).is_pending());
        store(to, vec![event(vec![update(1, "a"), update(1, "b")])]).await;
        to.check_writable().await.unwrap();
    }

    let run = claim_run(to).await;

    let attempts: Vec<_> = run.updates.iter().map(|claim| (name(claim), claim.attempt)).collect();
    assert_eq!(attempts, [("a", 1), ("b", 1)]);
}

pub(crate) async fn a_dead_update_blocks_its_lane_and_a_withdrawal_passes(backend: impl Backend) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "a"), update(1, "b"), update(2, "x")])]).await;
    let mut claims = claim(to, 2).await;
    let dead = vec![(claims.remove(0).lent, End::Dead(DeadReason::Refused, trouble()))];
    assert!(to.record(dead, AfterDead::Block).await.unwrap());
    record(to, claims.remove(0).lent, End::Delivered).await;
    lends_nothing(to).await;

    let backend = backend.reopened().await;
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "c"), consent(1, false), consent(1, true)])]).await;

    let run = claim_run(to).await;
    assert_eq!(names(&run.updates), ["consent"]);
    record_run(to, &run, [again(SECOND)]).await;
    lends_nothing(to).await;
    backend.clock().advance(SECOND);
    let run = claim_run(to).await;
    assert_eq!((names(&run.updates), run.updates[0].attempt), (vec!["consent"], 2));
    record_run(to, &run, [End::Delivered]).await;
    lends_nothing(to).await;
    let numbers = to.numbers().await.unwrap();
    assert_eq!((numbers.scheduled, numbers.dead, numbers.delivered), (3, 1, 2));
    assert_balance(&numbers);
}

pub(crate) async fn a_blocked_lane_goes_on_when_what_blocks_it_is_replayed_or_goes(
    backend: impl Backend,
) {
    type Made = fn(UpdateId) -> Change;
    let changes: [(Made, &[&str]); 3] = [
        (|update| Change::Replay { update, sends: Sends::Whole }, &["a", "b"]),
        (Change::Discard, &["b"]),
        (|update| Change::Purge(update.event), &["b"]),
    ];
    for (change, goes_on) in changes {
        let to = &**backend.store();
        store(to, vec![event(vec![update(1, "a")]), event(vec![update(1, "b")])]).await;
        let lent = claim_one(to).await.lent;
        let dead = vec![(lent, End::Dead(DeadReason::Refused, trouble()))];
        assert!(to.record(dead, AfterDead::Block).await.unwrap());
        lends_nothing(to).await;

        to.change(vec![change(lent.update)], EventId(i64::MAX >> 16)).await.unwrap();

        for expected in goes_on {
            let claim = claim_one(to).await;
            assert_eq!(name(&claim), *expected);
            record(to, claim.lent, End::Delivered).await;
        }
        lends_nothing(to).await;
    }
}

pub(crate) async fn a_withdrawal_that_waits_already_passes_when_its_lane_is_blocked(
    backend: impl Backend,
) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "a"), update(1, "b"), consent(1, false)])]).await;
    let lent = claim_one(to).await.lent;

    let dead = vec![(lent, End::Dead(DeadReason::Refused, trouble()))];
    assert!(to.record(dead, AfterDead::Block).await.unwrap());

    assert_eq!(names(&claim_run(to).await.updates), ["consent"]);
    lends_nothing(to).await;
}

pub(crate) async fn the_oldest_withdrawal_that_is_not_delivered_is_told(backend: impl Backend) {
    let to = &**backend.store();
    let oldest = async || to.numbers().await.unwrap().oldest_withdrawal_seconds;
    store(to, vec![event(vec![update(1, "a")])]).await;
    backend.clock().advance(SECOND);
    assert_eq!(oldest().await, 0);
    store(to, vec![event(vec![consent(2, false)])]).await;
    store(to, vec![event(vec![consent(3, true)])]).await;
    backend.clock().advance(30 * SECOND);
    assert_eq!(oldest().await, 30);

    let withdrawal = claim(to, 9).await.remove(1);
    assert_eq!(oldest().await, 30);
    record(to, withdrawal.lent, End::Dead(DeadReason::Refused, trouble())).await;
    assert_eq!(oldest().await, 30, "it is not delivered");

    store(to, vec![event(vec![consent(4, false)])]).await;
    let withdrawal = claim_one(to).await;
    record(to, withdrawal.lent, End::Delivered).await;
    assert_eq!(oldest().await, 30);
}

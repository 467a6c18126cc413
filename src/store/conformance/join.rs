//! Lanes that turn out to be one contact's.

use super::*;
use crate::contact::{ContactId, DeadReason};
use crate::store::letters::Change;

fn contact(last: u8) -> ContactId {
    ContactId::try_from(format!("65f0c0ffee0123456789ab{last:02x}")).unwrap()
}

/// An update that names its contact by its id.
fn by_id(last: u8, name: &str) -> NewUpdate {
    let update = ContactUpdate { name: Some(name.to_owned()), ..ContactUpdate::default() };
    let target = Target { who: Who::Id(contact(last)), on_missing: OnMissing::Dead };
    let planned = Box::new(PlannedUpdate::new(target, update));
    NewUpdate { rule: "lead".into(), item: 0, state: NewState::Waiting(planned) }
}

fn mobile(number: u16) -> Mobile {
    Mobile::try_from(format!("1202555{number:05}")).unwrap()
}

/// Says that what the claim was lent for is this contact.
async fn join(store: &impl Store, claims: &[Claim], last: u8) -> Joined {
    let lane = store.lane_of(&Who::Id(contact(last)));
    store.join(claims.iter().map(|claim| claim.lent).collect(), lane).await.unwrap()
}

/// One after the other, what is due is delivered.
async fn delivers(store: &impl Store, expected: &[&str]) {
    for expected in expected {
        let claim = claim_one(store).await;
        assert_eq!(name(&claim), *expected);
        record(store, claim.lent, End::Delivered).await;
    }
    lends_nothing(store).await;
}

pub(crate) async fn what_comes_under_a_known_key_waits_in_its_contacts_lane(backend: impl Backend) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "k1")])]).await;
    let k1 = claim_runs(to, ONE).await.remove(0);
    assert_eq!(k1.lane, to.lane_of(&Who::Mobile(mobile(1))));

    assert_eq!(join(to, &k1.updates, 1).await, Joined::First);
    assert_eq!(join(to, &k1.updates, 1).await, Joined::First, "it is there already");
    store(to, vec![event(vec![by_id(1, "x2"), update(1, "k3"), by_id(1, "x4")])]).await;
    store(to, vec![event(vec![by_id(2, "other")])]).await;

    let other = claim_one(to).await;
    assert_eq!(name(&other), "other");
    lends_nothing(to).await;
    record(to, k1.updates[0].lent, again(SECOND)).await;
    let backend = backend.reopened().await;
    backend.clock().advance(SECOND);
    let to = &**backend.store();
    let lent = claim_runs(to, Wanted { runs: 9, merging: false }).await;
    let lent: Vec<_> = lent.into_iter().map(|run| (run.lane, alone(run))).collect();
    assert_eq!(lent.len(), 2);
    assert_eq!((lent[0].0, name(&lent[0].1)), (to.lane_of(&Who::Id(contact(1))), "k1"));
    record(to, lent[0].1.lent, End::Delivered).await;
    delivers(to, &["x2", "k3", "x4"]).await;
}

pub(crate) async fn an_alias_is_known_after_a_restart(backend: impl Backend) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "k1")])]).await;
    let k1 = claim_one(to).await;
    assert_eq!(join(to, std::slice::from_ref(&k1), 1).await, Joined::First);
    record(to, k1.lent, End::Delivered).await;

    let backend = backend.reopened().await;

    let to = &**backend.store();
    store(to, vec![event(vec![by_id(1, "x2"), update(1, "k3")])]).await;
    delivers(to, &["x2", "k3"]).await;
}

pub(crate) async fn who_joins_waits_for_what_is_in_flight(backend: impl Backend) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "k1"), by_id(1, "x2"), update(1, "k3")])]).await;
    let claims = claim(to, 9).await;
    assert_eq!(names(&claims), ["k1", "x2"]);

    assert_eq!(join(to, &claims[..1], 1).await, Joined::Behind);

    lends_nothing(to).await;
    let ends = vec![(claims[0].lent, End::Delivered)];
    assert!(!to.record(ends, AfterDead::Continue).await.unwrap(), "it is lent no more");
    record(to, claims[1].lent, End::Delivered).await;
    let k1 = claim_one(to).await;
    assert_eq!((name(&k1), k1.attempt), ("k1", 1), "no attempt was counted");
    record(to, k1.lent, End::Delivered).await;
    delivers(to, &["k3"]).await;
}

pub(crate) async fn who_joins_waits_for_an_older_one_that_is_put_off(backend: impl Backend) {
    let to = &**backend.store();
    store(to, vec![event(vec![by_id(1, "x1"), update(1, "k2")])]).await;
    let claims = claim(to, 9).await;
    record(to, claims[0].lent, again(60 * SECOND)).await;

    assert_eq!(join(to, &claims[1..], 1).await, Joined::Behind);

    lends_nothing(to).await;
    backend.clock().advance(60 * SECOND);
    delivers(to, &["x1", "k2"]).await;
}

pub(crate) async fn the_oldest_of_both_lanes_goes_first(backend: impl Backend) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "k1")])]).await;
    let k1 = claim_one(to).await;
    store(to, vec![event(vec![by_id(1, "x2"), update(1, "k3"), by_id(1, "x4")])]).await;

    assert_eq!(join(to, std::slice::from_ref(&k1), 1).await, Joined::Behind);

    delivers(to, &["k1", "x2", "k3", "x4"]).await;
}

pub(crate) async fn a_run_joins_as_a_whole(backend: impl Backend) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "k1"), update(1, "k2"), update(1, "k3")])]).await;
    let run = claim_runs(to, Wanted { runs: 9, merging: true }).await.remove(0);
    record(to, run.updates[0].lent, End::Delivered).await;

    assert_eq!(join(to, &run.updates[1..], 1).await, Joined::First);
    store(to, vec![event(vec![by_id(1, "x4")])]).await;

    lends_nothing(to).await;
    record(to, run.updates[1].lent, End::Delivered).await;
    lends_nothing(to).await;
    record(to, run.updates[2].lent, End::GivenBack { after: Duration::ZERO }).await;
    delivers(to, &["k3", "x4"]).await;
}

pub(crate) async fn what_waits_under_two_keys_is_not_lent_together(backend: impl Backend) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "k1"), by_id(1, "x2"), by_id(1, "x3")])]).await;
    let claims = claim(to, 9).await;
    assert_eq!(join(to, &claims[..1], 1).await, Joined::Behind);
    record(to, claims[1].lent, End::GivenBack { after: Duration::ZERO }).await;

    for expected in [vec!["k1"], vec!["x2", "x3"]] {
        let run = claim_runs(to, Wanted { runs: 9, merging: true }).await.remove(0);
        assert_eq!(names(&run.updates), expected);
        let lent = run.updates.iter().map(|claim| (claim.lent, End::Delivered)).collect();
        assert!(to.record(lent, AfterDead::Continue).await.unwrap());
    }
}

pub(crate) async fn what_may_have_landed_goes_again_as_it_was_though_others_have_come_between(
    backend: impl Backend,
) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "k1"), update(2, "j2"), update(1, "k3")])]).await;
    let mut runs = claim_runs(to, Wanted { runs: 9, merging: true }).await;
    let (other, run) = (runs.pop().unwrap().updates, runs.pop().unwrap().updates);
    assert_eq!((names(&run), names(&other)), (vec!["k1", "k3"], vec!["j2"]));
    assert_eq!(join(to, &run, 1).await, Joined::First);
    assert_eq!(join(to, &other, 1).await, Joined::Behind);
    let after = Duration::ZERO;
    let again = End::Again { after, trouble: trouble(), may_have_landed: true };
    let ends = run.iter().map(|claim| (claim.lent, again.clone())).collect();
    assert!(to.record(ends, AfterDead::Continue).await.unwrap());

    for expected in [vec!["k1", "k3"], vec!["j2"]] {
        let run = claim_runs(to, Wanted { runs: 9, merging: true }).await.remove(0);
        assert_eq!(names(&run.updates), expected);
        let lent = run.updates.iter().map(|claim| (claim.lent, End::Delivered)).collect();
        assert!(to.record(lent, AfterDead::Continue).await.unwrap());
    }
}

pub(crate) async fn a_key_that_means_another_contact_takes_its_own_along(backend: impl Backend) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "k1")])]).await;
    let k1 = claim_one(to).await;
    assert_eq!(join(to, std::slice::from_ref(&k1), 1).await, Joined::First);
    store(to, vec![event(vec![by_id(1, "x2"), update(1, "k3"), update(1, "k4"), by_id(1, "x5")])])
        .await;
    record(to, k1.lent, End::Delivered).await;
    delivers_first(to, "x2").await;
    let k3 = claim_one(to).await;

    assert_eq!(join(to, std::slice::from_ref(&k3), 2).await, Joined::First);

    let x5 = claim_one(to).await;
    assert_eq!(name(&x5), "x5", "the first contact's lane goes on");
    store(to, vec![event(vec![by_id(2, "y6"), update(1, "k7")])]).await;
    lends_nothing(to).await;
    record(to, k3.lent, End::Delivered).await;
    delivers(to, &["k4", "y6", "k7"]).await;
}

/// What is due first is delivered.
async fn delivers_first(store: &impl Store, expected: &str) {
    let claim = claim_one(store).await;
    assert_eq!(name(&claim), expected);
    record(store, claim.lent, End::Delivered).await;
}

pub(crate) async fn a_key_that_means_nobody_waits_by_itself_again(backend: impl Backend) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "k1")])]).await;
    let k1 = claim_one(to).await;
    assert_eq!(join(to, std::slice::from_ref(&k1), 1).await, Joined::First);
    store(to, vec![event(vec![update(1, "k2"), by_id(1, "x3")])]).await;

    let own = to.lane_of(&Who::Mobile(mobile(1)));
    assert_eq!(to.join(vec![k1.lent], own).await.unwrap(), Joined::First);
    record(to, k1.lent, again(60 * SECOND)).await;

    delivers(to, &["x3"]).await;
    store(to, vec![event(vec![update(1, "k4"), by_id(1, "x5")])]).await;
    delivers(to, &["x5"]).await;
    backend.clock().advance(60 * SECOND);
    delivers(to, &["k1", "k2", "k4"]).await;
}

pub(crate) async fn who_is_no_longer_lent_joins_nothing(backend: impl Backend) {
    let to = &**backend.store();
    store(to, vec![event(vec![update(1, "k1")])]).await;
    let k1 = claim_one(to).await;
    record(to, k1.lent, again(Duration::ZERO)).await;

    assert_eq!(join(to, std::slice::from_ref(&k1), 1).await, Joined::Lapsed);

    store(to, vec![event(vec![by_id(1, "x2")])]).await;
    assert_eq!(names(&claim(to, 9).await), ["k1", "x2"], "two lanes still");
}

pub(crate) async fn a_lane_that_is_blocked_blocks_the_one_it_joins(backend: impl Backend) {
    let to = &**backend.store();
    let mut withdrawal = update(1, "k2");
    if let NewState::Waiting(planned) = &mut withdrawal.state {
        planned.update.optin = Some(false);
    }
    store(to, vec![event(vec![update(1, "k1"), withdrawal, update(1, "k3")])]).await;
    let dead = End::Dead(DeadReason::Refused, trouble());
    let k1 = claim_one(to).await;
    assert!(to.record(vec![(k1.lent, dead)], AfterDead::Block).await.unwrap());
    let k2 = claim_one(to).await;

    assert_eq!(join(to, std::slice::from_ref(&k2), 1).await, Joined::First);
    store(to, vec![event(vec![by_id(1, "x4")])]).await;

    record(to, k2.lent, End::Delivered).await;
    lends_nothing(to).await;
    assert_eq!(to.numbers().await.unwrap().scheduled, 2);
    let discard = vec![Change::Discard(k1.lent.update)];
    to.change(discard, EventId(i64::MAX >> 16)).await.unwrap();
    delivers(to, &["k3", "x4"]).await;
}

pub(crate) async fn what_comes_under_a_new_key_waits_for_the_update_that_gives_it(
    backend: impl Backend,
) {
    let to = &**backend.store();
    let mut moves = update(1, "k1");
    if let NewState::Waiting(planned) = &mut moves.state {
        planned.update.mobile = Some(mobile(2));
    }
    store(to, vec![event(vec![moves, update(2, "n2"), update(3, "other")])]).await;

    let claims = claim(to, 9).await;
    assert_eq!(names(&claims), ["k1", "other"]);
    assert_eq!(join(to, &claims[..1], 1).await, Joined::First);
    store(to, vec![event(vec![by_id(1, "x3"), update(2, "n4")])]).await;
    lends_nothing(to).await;
    record(to, claims[0].lent, End::Delivered).await;
    delivers(to, &["n2", "x3", "n4"]).await;
}

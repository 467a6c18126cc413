//! What is dead and is to wait again.

use super::*;
use crate::contact::DeadReason;
use crate::event::UpdateId;

/// Claims the one update that is due, and has it die.
async fn dies(store: &impl Store) -> Lent {
    let claim = claim_one(store).await;
    record(store, claim.lent, End::Dead(DeadReason::Refused, trouble())).await;
    claim.lent
}

pub(crate) async fn what_is_revived_waits_at_its_old_place_as_if_it_had_not_been_tried(
    backend: impl Backend,
) {
    let updates = vec![update(1, "a"), update(1, "b"), update(1, "c")];
    store(&**backend.store(), vec![event(updates)]).await;
    let claim = claim_one(&**backend.store()).await;
    record(&**backend.store(), claim.lent, again(SECOND)).await;
    backend.clock().advance(SECOND);
    let a = dies(&**backend.store()).await.update;
    let b = dies(&**backend.store()).await.update;

    assert_eq!(backend.store().revive(&[b, a]).await.unwrap(), [b, a]);

    let numbers = backend.store().numbers().await.unwrap();
    assert_eq!((numbers.dead, numbers.ready + numbers.scheduled), (0, 3));
    assert_balance(&numbers);
    let backend = backend.reopened().await;
    for (expected, attempt) in [("a", 2), ("b", 1), ("c", 1)] {
        let claim = claim_one(&**backend.store()).await;
        assert_eq!((name(&claim), claim.attempt), (expected, attempt));
        assert_eq!(claim.failing_for, None);
        lends_nothing(&**backend.store()).await;
        record(&**backend.store(), claim.lent, End::Delivered).await;
    }
    lends_nothing(&**backend.store()).await;
    assert_balance(&backend.store().numbers().await.unwrap());
}

pub(crate) async fn what_is_revived_waits_behind_what_is_lent_and_before_the_rest(
    backend: impl Backend,
) {
    let updates = vec![update(1, "a"), update(1, "b"), update(1, "c")];
    store(&**backend.store(), vec![event(updates)]).await;
    let a = dies(&**backend.store()).await.update;
    let b = claim_one(&**backend.store()).await;

    assert_eq!(backend.store().revive(&[a]).await.unwrap(), [a]);

    lends_nothing(&**backend.store()).await;
    record(&**backend.store(), b.lent, End::GivenBack { after: Duration::ZERO }).await;
    for expected in ["a", "b", "c"] {
        let claim = claim_one(&**backend.store()).await;
        assert_eq!(name(&claim), expected);
        record(&**backend.store(), claim.lent, End::Delivered).await;
    }
}

pub(crate) async fn only_what_is_dead_is_revived(backend: impl Backend) {
    let updates = (1..=4).map(|contact| update(contact, "a")).collect();
    let event = store(&**backend.store(), vec![event(updates)]).await[0];
    let claims = claim(&**backend.store(), 2).await;
    record(&**backend.store(), claims[0].lent, End::Delivered).await;
    let before = backend.store().numbers().await.unwrap();

    let all: Vec<_> = (0..9).map(|place| UpdateId { event, place }).collect();
    assert_eq!(backend.store().revive(&all).await.unwrap(), []);

    assert_eq!(backend.store().numbers().await.unwrap(), before);
    record(&**backend.store(), claims[1].lent, End::Delivered).await;
}

pub(crate) async fn what_was_refused_since_the_last_delivery_is_told_over_a_restart(
    backend: impl Backend,
) {
    let updates = (1..=6).map(|contact| update(contact, "a")).collect();
    let event = store(&**backend.store(), vec![event(updates)]).await[0];
    let ends = [
        End::Dead(DeadReason::Refused, trouble()),
        End::Delivered,
        End::Dead(DeadReason::Refused, trouble()),
        End::Dead(DeadReason::GaveUp, trouble()),
        End::Dead(DeadReason::Refused, Trouble { status: None, words: "unsayable".to_owned() }),
        End::Dead(DeadReason::NotFound, Trouble { status: Some(404), words: String::new() }),
    ];
    for (claim, end) in claim(&**backend.store(), 6).await.into_iter().zip(ends) {
        record(&**backend.store(), claim.lent, end).await;
        backend.clock().advance(SECOND);
    }

    let backend = backend.reopened().await;

    let told = backend.store().refusals(9 * SECOND).await.unwrap();
    let whom = |contact: u16| {
        let mobile = Mobile::try_from(format!("1202555{contact:05}")).unwrap();
        backend.store().lane_of(&Who::Mobile(mobile))
    };
    let places: Vec<_> = told.iter().map(|one| (one.update, one.whom, one.status)).collect();
    let at = |place| UpdateId { event, place };
    assert_eq!(places, [(at(2), whom(3), 503), (at(5), whom(6), 404)]);
    assert_eq!(told[1].ago, SECOND);
    assert_eq!(backend.store().refusals(2 * SECOND).await.unwrap(), told[1..]);
}

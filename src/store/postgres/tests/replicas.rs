//! Several processes on one database.

use std::time::Duration;

use futures_util::future::join_all;

use super::*;
use crate::store::conformance::{ONE, claim};
use crate::store::{AfterDead, Claim, End, Receipt, Wanted};

async fn pair() -> (Place, Arc<PostgresStore>, Arc<PostgresStore>) {
    let (place, clock) = (place(), clock());
    let one = open(&place, &roomy(), &clock).await.unwrap();
    let other = open(&place, &roomy(), &clock).await.unwrap();
    (place, one, other)
}

fn name(claim: &Claim) -> &str {
    claim.planned.update.name.as_deref().unwrap()
}

#[tokio::test]
async fn of_fifty_with_one_key_one_is_stored_whichever_process_they_come_to() {
    if is_left_out() {
        return;
    }
    let (_, one, other) = pair().await;
    for round in 0..4 {
        let id = format!("evt_{round}");
        let appends = (0..50).map(|n| {
            let to = if n % 2 == 0 { &one } else { &other };
            to.append(request(), vec![keyed(n, &id)])
        });

        let receipts: Vec<_> =
            join_all(appends).await.into_iter().map(|one| one.unwrap()[0]).collect();

        let stored = receipts.iter().filter_map(|receipt| match receipt {
            Receipt::Stored(id) => Some(*id),
            Receipt::Duplicate { .. } => None,
        });
        let stored: Vec<_> = stored.collect();
        assert_eq!(stored.len(), 1, "{receipts:?}");
        for receipt in receipts {
            let first = match receipt {
                Receipt::Stored(first) | Receipt::Duplicate { first, .. } => first,
            };
            assert_eq!(first, stored[0]);
        }
    }
    let numbers = one.numbers().await.unwrap();
    assert_eq!((numbers.events_received, numbers.events_duplicate), (200, 196));
    assert_eq!((numbers.updates_planned, numbers.imbalance()), (4, 0));
}

#[tokio::test]
async fn a_lane_is_lent_to_one_process_at_a_time() {
    if is_left_out() {
        return;
    }
    let (place, one, other) = pair().await;
    for n in 0..3 {
        one.append(request(), vec![event(1, &format!("{n}"))]).await.unwrap();
    }

    for n in 0..3 {
        let (from, by) = if n % 2 == 0 { (&one, &other) } else { (&other, &one) };
        let lent = claim(&**from, 1).await;
        assert_eq!(name(&lent[0]), format!("{n}"));
        let nothing = tokio::time::timeout(Duration::from_millis(50), by.claim(ONE)).await;
        assert!(nothing.is_err(), "the lane is lent");
        until(&place, "SELECT sum(lent) FROM lane", "1").await;
        assert!(
            from.record(vec![(lent[0].lent, End::Delivered)], AfterDead::Continue).await.unwrap()
        );
    }
}

#[tokio::test]
async fn one_process_wakes_the_other() {
    if is_left_out() {
        return;
    }
    let (place, one, other) = pair().await;
    let waits = other.claim(ONE);
    tokio::pin!(waits);
    assert!(futures_util::poll!(waits.as_mut()).is_pending());
    // Both have to listen before anybody can be heard.
    until(
        &place,
        "SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN ' || current_schema()",
        "2",
    )
    .await;

    one.append(request(), vec![event(1, "a")]).await.unwrap();

    let lent = tokio::time::timeout(Duration::from_secs(20), waits).await.unwrap().unwrap();
    assert_eq!(name(&lent[0].updates[0]), "a");
}

#[tokio::test]
async fn what_a_process_held_that_has_gone_is_lent_again_and_its_fence_changes_nothing() {
    if is_left_out() {
        return;
    }
    let (place, gone, other) = pair().await;
    gone.append(request(), vec![event(1, "a")]).await.unwrap();
    gone.append(request(), vec![event(1, "b")]).await.unwrap();
    let lent = gone.claim(Wanted { runs: 1, merging: true }).await.unwrap().remove(0);
    assert_eq!(lent.updates.len(), 2);
    other.append(request(), vec![event(1, "c")]).await.unwrap();

    // It says nothing more, and its time runs out.
    gone.core.closing.cancel();
    execute(&place, &format!("UPDATE holder SET until = 0 WHERE id = {}", gone.core.holder.id()));
    other.core.give_up_lapsed().await.unwrap();

    let again = other.claim(Wanted { runs: 1, merging: true }).await.unwrap().remove(0);
    let attempts: Vec<_> = again.updates.iter().map(|claim| (name(claim), claim.attempt)).collect();
    assert_eq!(attempts, [("a", 2), ("b", 2)], "what was sent together goes together");
    for end in [End::Delivered, End::GivenBack { after: Duration::ZERO }] {
        let ends = lent.updates.iter().map(|claim| (claim.lent, end.clone())).collect();
        assert!(!gone.record(ends, AfterDead::Continue).await.unwrap());
    }
    let numbers = other.numbers().await.unwrap();
    assert_eq!((numbers.in_flight, numbers.delivered), (2, 0));
    let ends = again.updates.iter().map(|claim| (claim.lent, End::Delivered)).collect();
    assert!(other.record(ends, AfterDead::Continue).await.unwrap());
}

#[tokio::test]
async fn a_process_that_was_given_up_holds_what_it_claims_under_a_new_number() {
    if is_left_out() {
        return;
    }
    let (place, slow, other) = pair().await;
    slow.append(request(), vec![event(1, "a")]).await.unwrap();
    let lent = claim(&*slow, 1).await.remove(0).lent;
    assert!(slow.sure_for(lent.fence).is_some_and(|sure| sure > Duration::from_secs(10)));
    let before = slow.core.holder.id();
    execute(&place, &format!("UPDATE holder SET until = 0 WHERE id = {before}"));
    other.core.give_up_lapsed().await.unwrap();

    slow.check_writable().await.unwrap();

    assert_ne!(slow.core.holder.id(), before);
    assert_eq!(slow.sure_for(lent.fence), Some(Duration::ZERO));
    let again = claim(&*slow, 1).await.remove(0);
    assert_eq!((name(&again), again.attempt), ("a", 2));
    assert!(slow.sure_for(again.lent.fence).is_some_and(|sure| !sure.is_zero()));
}

/// Whoever waits for a lane has drawn no number yet: otherwise an older one could come into the lane after a younger
/// one was delivered.
#[tokio::test]
async fn numbers_are_drawn_only_while_their_lane_is_locked() {
    if is_left_out() {
        return;
    }
    let (place, one, other) = pair().await;
    one.append(request(), vec![event(1, "first")]).await.unwrap();
    let transaction = one.core.pool.begin().await.unwrap();
    let lock = transaction.run(transaction.batch("SELECT FROM lane FOR UPDATE")).await;
    assert!(lock.is_ok());

    let waits = tokio_util::task::TaskTracker::new().spawn({
        let one = Arc::clone(&one);
        async move { one.append(request(), vec![event(1, "second")]).await }
    });
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                   AND query LIKE 'INSERT INTO lane%' AND datname = current_database()";
    until(&place, waiting, "1").await;
    let Receipt::Stored(overtakes) =
        other.append(request(), vec![event(2, "other")]).await.unwrap()[0]
    else {
        panic!("it is new")
    };
    drop(transaction);

    let Receipt::Stored(waited) = waits.await.unwrap().unwrap()[0] else { panic!("it is new") };
    assert!(waited > overtakes, "{waited} was drawn before {overtakes}");
}

#[tokio::test]
async fn what_postgresql_cannot_hold_is_kept_or_fails_alone() {
    if is_left_out() {
        return;
    }
    let (_, one, _) = pair().await;
    let mut odd = keyed(1, "nul\0byte");
    odd.event_type = Some("a\0b".to_owned());
    let mut impossible = event(2, "never");
    impossible.updates[0].rule = "a\0rule".into();

    let (kept, failed, other) = futures_util::join!(
        one.append(request(), vec![odd]),
        one.append(request(), vec![impossible]),
        one.append(request(), vec![event(3, "other")]),
    );

    assert!(matches!(kept.unwrap()[0], Receipt::Stored(_)));
    assert!(matches!(failed, Err(Error::Failed(_))), "{failed:?}");
    assert!(matches!(other.unwrap()[0], Receipt::Stored(_)));
    let claims = claim(&*one, 9).await;
    assert_eq!(claims.iter().map(name).collect::<Vec<_>>(), ["nul\0byte", "other"]);
}

#[tokio::test]
async fn what_was_lent_is_lent_again_where_the_names_in_it_cannot_be_read() {
    if is_left_out() {
        return;
    }
    let (place, one, other) = pair().await;
    one.append(request(), vec![event(1, "first")]).await.unwrap();
    // The other process has not met the names yet, and asks for them once the claim is committed.
    execute(&place, "ALTER TABLE name RENAME TO away");
    let claiming = claim(&*other, 1);
    tokio::pin!(claiming);
    let is_lent = "SELECT lent FROM lane";
    tokio::select! {
        _ = &mut claiming => panic!("there are no names to be read"),
        () = until(&place, is_lent, "1") => {}
    }

    execute(&place, "ALTER TABLE away RENAME TO name");

    let claims = tokio::time::timeout(Duration::from_secs(30), claiming).await.unwrap();
    assert_eq!((name(&claims[0]), claims[0].attempt), ("first", 1));
}

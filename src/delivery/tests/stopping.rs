use super::api::contact;
use super::*;
use crate::store;

#[tokio::test]
async fn to_stop_finishes_what_is_in_flight_and_gives_back_the_rest() {
    let rig = Rig::with(
        &DeliverySettings { concurrency: 2, ..DeliverySettings::default() },
        &ContactSettings::default(),
    );
    for last in 0..6 {
        rig.api.has(contact(&id(last), ""));
        rig.update(&by_id(last), "a").await;
    }
    rig.api.holds_answers(true);
    rig.settle().await;
    assert_eq!(rig.store.waiting(), [(1, true); 6]);

    rig.stop.cancel();
    rig.settle().await;
    assert_eq!(rig.store.waiting().iter().filter(|(attempts, _)| *attempts == 0).count(), 4);
    rig.api.holds_answers(false);
    let store = Arc::clone(&rig.store);
    rig.stopped().await;

    assert_eq!(store.waiting(), [(0, false); 4]);
    assert_eq!(store.ends().iter().filter(|(_, end)| *end == End::Delivered).count(), 2);
}

#[tokio::test]
async fn to_stop_waits_for_no_rest_no_gate_and_no_pause() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), ""));
    rig.api.fails("PUT", [Failure::TimedOut]);
    rig.api.always_fails("PUT", Some(answered(401)));
    rig.api.always_fails("PROBE", Some(answered(401)));
    rig.update(&by_id(1), "a").await;
    rig.update(&by_id(2), "a").await;
    rig.settle().await;

    rig.stopped().await;
}

#[tokio::test]
async fn a_store_that_fails_is_asked_again_and_nothing_is_lost() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), ""));
    rig.api.has(contact(&id(2), ""));
    rig.settle().await;
    let failed = || store::Error::Failed("no luck".to_owned());
    rig.store.fails([failed(), failed(), failed()]);
    rig.update(&by_id(1), "a").await;
    rig.update(&by_id(2), "a").await;
    rig.settle().await;
    assert_eq!(rig.api.asked(), [""; 0]);

    for _ in 0..3 {
        rig.pass(seconds(1)).await;
    }

    assert_eq!(rig.ends(), [End::Delivered, End::Delivered]);
    assert_eq!(rig.names_put().len(), 2);
}

#[tokio::test]
async fn a_store_that_cannot_record_is_asked_until_it_can_and_the_request_is_not_repeated() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), ""));
    rig.api.holds_answers(true);
    rig.update(&by_id(1), "a").await;
    rig.settle().await;
    rig.store.fails([store::Error::Full("no room".to_owned()), store::Error::Busy]);
    rig.update(&by_id(1), "b").await;

    rig.api.holds_answers(false);
    for _ in 0..5 {
        rig.pass(seconds(1)).await;
    }

    assert_eq!(rig.names_put(), ["ab01 a", "ab01 b"]);
    assert_eq!(rig.ends(), [End::Delivered, End::Delivered]);
}

#[tokio::test]
async fn a_bug_in_one_update_does_not_end_delivery_and_the_update_is_kept() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), ""));
    rig.api.has(contact(&id(2), ""));
    rig.api.panics_on("bad");
    rig.update(&by_id(1), "bad").await;
    rig.update(&by_id(2), "good").await;

    rig.settle().await;

    assert_eq!(rig.names_put(), ["ab02 good"]);
    assert_eq!(rig.store.waiting(), [(0, false)]);
    assert!(rig.counted("panics_total 1"));
}

#[tokio::test]
async fn an_update_held_for_too_long_is_given_back_unsent() {
    let settings = DeliverySettings { concurrency: 1, ..DeliverySettings::default() };
    let rig = Rig::with(&settings, &ContactSettings::default());
    rig.api.has(contact(&id(1), "12025550143"));
    rig.api.has(contact(&id(2), "12025550144"));
    rig.api.holds_answers(true);
    rig.update(&by_id(1), "first").await;
    rig.update(&by_id(2), "second").await;
    rig.settle().await;

    rig.clock.advance(Duration::from_mins(6));
    rig.api.holds_answers(false);
    rig.settle().await;

    let given_back = End::GivenBack { after: Duration::ZERO };
    assert!(rig.ends().contains(&given_back));
    assert_eq!(rig.ends().iter().filter(|end| **end == End::Delivered).count(), 2);
    assert_eq!(rig.api.most_open().0, 1);
}

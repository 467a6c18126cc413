use super::super::PauseReason;
use super::api::contact;
use super::*;

#[tokio::test]
async fn a_refused_key_pauses_delivery_counts_no_attempt_and_loses_nothing() {
    let rig = Rig::start();
    for last in 0..5 {
        rig.api.has(contact(&id(last), ""));
    }
    rig.api.always_fails("PUT", Some(answered(401)));
    rig.api.always_fails("PROBE", Some(answered(401)));
    for last in 0..5 {
        rig.update(&by_id(last), "a").await;
    }

    rig.pass(seconds(3_600)).await;

    assert_eq!(rig.pauses.reasons(), [PauseReason::Unauthorized]);
    assert!(rig.counted("paused{reason=\"unauthorized\"} 1"));
    assert!(rig.counted("paused{reason=\"operator\"} 0"));
    assert_eq!(rig.store.waiting(), [(0, false); 5]);
    assert!(rig.names_put().len() <= 5);

    rig.api.always_fails("PUT", None);
    rig.api.always_fails("PROBE", None);
    rig.pauses.poke();
    rig.settle().await;

    assert_eq!(rig.pauses.reasons(), []);
    assert_eq!(rig.ends().iter().filter(|end| **end == End::Delivered).count(), 5);
    assert!(rig.counted("paused{reason=\"unauthorized\"} 0"));
}

#[tokio::test]
async fn a_refused_key_is_tried_at_once_after_5_seconds_and_then_ever_more_rarely() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), ""));
    rig.api.fails("PUT", [answered(402)]);
    rig.api.always_fails("PROBE", Some(answered(402)));
    rig.update(&by_id(1), "a").await;
    rig.settle().await;
    let probes = || rig.api.asked_of("PROBE").len();
    assert_eq!(probes(), 1);

    for (number, wait) in (1..).zip([5, 10, 20, 40, 60, 60]) {
        rig.pass(seconds(wait - 1)).await;
        assert_eq!(probes(), number, "before {wait} s");
        rig.pass(seconds(1)).await;
        assert_eq!(probes(), number + 1, "after {wait} s");
    }
    rig.api.always_fails("PROBE", None);
    rig.pass(seconds(60)).await;

    assert_eq!(rig.ends().last(), Some(&End::Delivered));
}

#[tokio::test]
async fn a_key_that_is_good_for_the_probe_alone_makes_no_storm() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), ""));
    rig.api.always_fails("PUT", Some(answered(401)));
    rig.update(&by_id(1), "a").await;

    for _ in 0..600 {
        rig.pass(seconds(1)).await;
    }

    assert!(rig.names_put().len() < 20, "{} requests", rig.names_put().len());
    assert_eq!(rig.store.waiting(), [(0, false)]);
}

#[tokio::test]
async fn a_403_is_the_updates_fault_when_the_key_is_good_and_else_the_keys() {
    for (probe, dead) in [(None, true), (Some(answered(403)), false), (Some(answered(401)), false)]
    {
        let rig = Rig::start();
        rig.api.has(contact(&id(1), ""));
        rig.api.fails("PUT", [answered(403)]);
        rig.api.always_fails("PROBE", probe);
        rig.update(&by_id(1), "a").await;

        rig.settle().await;

        assert_eq!(rig.pauses.is_paused(), !dead);
        assert_eq!(rig.counted("dead_letters_total{reason=\"forbidden\"} 1"), dead);
        assert_eq!(rig.store.waiting().len(), usize::from(!dead));
    }
}

#[tokio::test]
async fn what_a_person_paused_a_person_resumes() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), ""));
    rig.settle().await;
    rig.pauses.pause(PauseReason::Operator);
    rig.settle().await;
    rig.update(&by_id(1), "a").await;

    rig.pass(seconds(3_600)).await;
    assert_eq!(rig.api.asked(), [""; 0]);
    rig.pauses.resume(PauseReason::Operator);
    rig.settle().await;

    assert_eq!(rig.names_put(), ["ab01 a"]);
}

#[tokio::test]
async fn time_in_a_pause_gives_nothing_up() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), ""));
    rig.api.fails("PUT", [answered(500)]);
    rig.update(&by_id(1), "a").await;
    rig.settle().await;
    rig.pauses.pause(PauseReason::Operator);
    rig.pass(Duration::from_hours(100)).await;
    rig.api.fails("PUT", [answered(500)]);
    rig.pauses.resume(PauseReason::Operator);

    rig.settle().await;
    rig.pass(seconds(2)).await;

    assert_eq!(rig.names_put().len(), 3);
    assert_eq!(rig.ends().last(), Some(&End::Delivered));
}

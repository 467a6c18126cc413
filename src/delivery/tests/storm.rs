//! A storm of refusals: nearly every update is refused for good.

use super::super::PauseReason;
use super::api::contact;
use super::*;

/// Contacts and an update for each.
async fn contacts(rig: &Rig, count: usize) {
    for n in 0..count {
        let id = ContactId::try_from(format!("65f0c0ffee01234567{n:06x}")).unwrap();
        rig.api.has(contact(&id, ""));
        rig.update(&Target { who: Who::Id(id), on_missing: OnMissing::Dead }, "a").await;
    }
}

fn delivered(rig: &Rig) -> usize {
    rig.ends().iter().filter(|end| **end == End::Delivered).count()
}

#[tokio::test]
async fn an_api_that_refuses_everything_gets_few_requests_and_kills_nothing() {
    for (status, count) in [(400, 10_000), (422, 200)] {
        let rig = Rig::start();
        rig.api.always_fails("PUT", Some(answered(status)));
        contacts(&rig, count).await;

        for _ in 0..60 {
            rig.pass(Duration::from_mins(1)).await;
        }
        assert_eq!(rig.pauses.reasons(), [PauseReason::Refusals]);
        assert!(rig.counted("paused{reason=\"refusals\"} 1"));
        let sent = rig.names_put().len();
        assert!((60..=100).contains(&sent), "{sent} requests in an hour");
        assert_eq!(rig.store.dead(), 0);
        assert!(rig.store.waiting().iter().all(|(attempts, _)| *attempts == 0));

        rig.api.always_fails("PUT", None);
        rig.pass(Duration::from_mins(1)).await;
        for _ in 0..20 {
            rig.pass(Duration::from_mins(1)).await;
        }

        assert_eq!(rig.pauses.reasons(), []);
        assert_eq!((delivered(&rig), rig.store.dead()), (count, 0));
        assert!(rig.counted("paused{reason=\"refusals\"} 0"));
    }
}

#[tokio::test]
async fn an_address_that_is_wrong_is_a_storm_and_contacts_that_are_gone_are_none() {
    for (probe, is_storm) in [(Some(answered(404)), true), (None, false)] {
        let rig = Rig::start();
        rig.api.always_fails("PROBE", probe);
        for last in 0..40 {
            rig.update(&by_id(last), "a").await;
        }

        rig.pass(seconds(10)).await;

        assert_eq!(rig.pauses.is_paused_for(PauseReason::Refusals), is_storm);
        assert_eq!(rig.store.dead(), if is_storm { 0 } else { 40 });
    }
}

#[tokio::test]
async fn refusals_of_a_few_contacts_or_between_successes_are_no_storm() {
    let rig = Rig::start();
    for last in 0..5 {
        rig.api.has(contact(&id(last), ""));
    }
    rig.api.always_fails("PUT", Some(answered(400)));
    for n in 0..100 {
        rig.update(&by_id(n % 5), "a").await;
    }
    rig.settle().await;

    assert_eq!(rig.pauses.reasons(), []);
    assert_eq!(rig.store.dead(), 100);
}

#[tokio::test]
async fn a_resume_by_hand_lets_some_through_and_is_taken_back_where_they_are_refused() {
    let rig = Rig::start();
    rig.api.always_fails("PUT", Some(answered(400)));
    contacts(&rig, 100).await;
    rig.settle().await;
    let before = rig.names_put().len();

    rig.pauses.resume_by_hand();
    rig.settle().await;
    rig.pass(seconds(5)).await;

    assert_eq!(rig.pauses.reasons(), [PauseReason::Refusals]);
    let sent = rig.names_put().len() - before;
    assert!((20..=36).contains(&sent), "{sent} requests");
    assert_eq!(rig.store.dead(), 0);
}

#[tokio::test]
async fn a_trial_is_another_contacts_each_time_and_one_success_resumes() {
    let rig = Rig::start();
    rig.api.always_fails("PUT", Some(answered(400)));
    contacts(&rig, 100).await;
    rig.settle().await;
    let before = rig.names_put().len();
    for _ in 0..5 {
        rig.pass(Duration::from_mins(1)).await;
    }
    let mut tried = rig.names_put().split_off(before);
    assert_eq!(tried.len(), 5);
    tried.dedup();
    assert_eq!(tried.len(), 5, "{tried:?}");

    rig.api.always_fails("PUT", None);
    rig.api.fails("PUT", [answered(400)]);
    rig.pass(Duration::from_mins(1)).await;
    assert_eq!(rig.pauses.reasons(), [PauseReason::Refusals], "one more was refused");
    rig.pass(Duration::from_mins(1)).await;
    rig.settle().await;
    assert_eq!(rig.pauses.reasons(), []);
}

#[tokio::test]
async fn no_trial_is_made_while_there_is_another_reason_to_pause() {
    let rig = Rig::start();
    rig.api.always_fails("PUT", Some(answered(400)));
    contacts(&rig, 100).await;
    rig.settle().await;
    rig.pauses.pause(PauseReason::Operator);
    let before = rig.api.asked().len();

    rig.pass(Duration::from_mins(10)).await;

    assert_eq!(rig.api.asked().len(), before);
}

#[tokio::test]
async fn a_store_that_fails_is_asked_again_until_what_was_refused_waits() {
    let rig = Rig::start();
    rig.api.always_fails("PUT", Some(answered(400)));
    contacts(&rig, 100).await;
    rig.store.fails_to_revive(2);

    for _ in 0..10 {
        rig.pass(seconds(1)).await;
    }

    assert_eq!(rig.pauses.reasons(), [PauseReason::Refusals]);
    assert_eq!((rig.store.dead(), rig.store.waiting().len()), (0, 100));
}

#[tokio::test]
async fn a_storm_that_a_kill_cuts_short_leaves_no_dead_letter() {
    for is_mended in [true, false] {
        let rig = Rig::start();
        rig.api.always_fails("PUT", Some(answered(400)));
        contacts(&rig, 100).await;
        // What was refused before it was known as a storm is dead when the process is killed.
        rig.store.fails_to_revive(u32::MAX);
        rig.settle().await;
        assert_eq!(rig.store.dead(), 19);
        if is_mended {
            rig.api.always_fails("PUT", None);
        }

        let rig = rig.killed();
        rig.settle().await;
        rig.pass(seconds(20)).await;

        assert_eq!(rig.store.dead(), 0, "mended: {is_mended}");
        let paused: &[PauseReason] = if is_mended { &[] } else { &[PauseReason::Refusals] };
        assert_eq!(rig.pauses.reasons(), paused);
        assert_eq!(rig.store.waiting().len(), if is_mended { 0 } else { 100 });
    }
}

#[tokio::test]
async fn dead_letters_of_before_a_start_stay_where_they_were_no_storm() {
    let rig = Rig::start();
    rig.api.always_fails("PUT", Some(answered(400)));
    contacts(&rig, 18).await;
    rig.settle().await;

    let rig = rig.killed();
    rig.settle().await;

    assert_eq!((rig.store.dead(), rig.store.waiting().len()), (18, 0));
    // They count on.
    let before = rig.names_put().len();
    for n in 18..60 {
        rig.update(&by_id(n), "a").await;
    }
    rig.pass(seconds(20)).await;
    assert_eq!(rig.pauses.reasons(), [PauseReason::Refusals]);
    assert!(rig.names_put().len() - before < 20);
    assert_eq!(rig.store.dead(), 0);
}

#[tokio::test]
async fn a_stop_in_a_storm_waits_for_nothing() {
    let rig = Rig::start();
    rig.api.always_fails("PUT", Some(answered(400)));
    contacts(&rig, 100).await;
    rig.settle().await;
    assert_eq!(rig.pauses.reasons(), [PauseReason::Refusals]);

    rig.stopped().await;
}

use super::api::contact;
use super::*;
use crate::chatflow::Contact;
use crate::contact::{AttributeChange, DeadReason, SkippedReason};
use crate::store::Trouble;

const ANN: &str = "12025550143";
const BOB: &str = "12025550199";

fn with_email(last: u8, number: &str, email: &str) -> Contact {
    let attributes = [("email".to_owned(), email.to_owned())];
    Contact { attributes: Some(attributes.into_iter().collect()), ..contact(&id(last), number) }
}

#[tokio::test]
async fn one_look_up_serves_many_updates_until_it_expires() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), ANN));
    for name in ["a", "b", "c"] {
        rig.update(&by_mobile(ANN, OnMissing::Dead), name).await;
    }
    rig.settle().await;
    assert_eq!(rig.api.asked_of("FIND"), [ANN]);
    assert!(rig.counted("contact_resolutions_total{outcome=\"lookup\"} 1"));
    assert!(rig.counted("contact_resolutions_total{outcome=\"cache\"} 2"));

    rig.pass(Duration::from_mins(10)).await;
    rig.update(&by_mobile(ANN, OnMissing::Dead), "d").await;
    rig.settle().await;

    assert_eq!(rig.api.asked_of("FIND"), [ANN, ANN]);
    assert_eq!(rig.names_put(), ["ab01 a", "ab01 b", "ab01 c", "ab01 d"]);
}

#[tokio::test]
async fn two_contacts_that_answer_to_one_key_are_ambiguous() {
    let rig = Rig::start();
    rig.api.has(with_email(1, ANN, "ann@example.com"));
    rig.api.has(with_email(2, "12025550144", "ann@example.com"));
    rig.update(&by_email("ann@example.com", OnMissing::Create), "a").await;

    rig.settle().await;

    assert!(matches!(rig.ends()[..], [End::Dead(DeadReason::Ambiguous, _)]));
    assert!(rig.counted("contact_resolutions_total{outcome=\"ambiguous\"} 1"));
}

#[tokio::test]
async fn a_contact_that_is_not_there_is_looked_for_a_while_and_may_still_come() {
    for appears in [true, false] {
        let rig = Rig::start();
        rig.update(&by_mobile(ANN, OnMissing::Dead), "a").await;
        for _ in 0..14 {
            rig.pass(Duration::from_mins(1)).await;
        }
        assert!(rig.ends().iter().all(|end| matches!(end, End::Again { .. })));
        if appears {
            rig.api.has(contact(&id(1), ANN));
        }
        for _ in 0..2 {
            rig.pass(Duration::from_mins(1)).await;
        }

        let last = rig.ends().pop();
        if appears {
            assert_eq!(last, Some(End::Delivered));
        } else {
            let words = "no contact answers to this key".to_owned();
            let trouble = Trouble { status: None, words };
            assert_eq!(last, Some(End::Dead(DeadReason::ContactMissing, trouble)));
        }
        assert!(rig.api.asked_of("FIND").len() < 20);
    }
}

#[tokio::test]
async fn what_waits_behind_a_contact_that_never_came_does_not_wait_all_over_again() {
    let rig = Rig::start();
    for name in ["a", "b", "c"] {
        rig.update(&by_mobile(ANN, OnMissing::Skip), name).await;
    }

    for _ in 0..17 {
        rig.pass(Duration::from_mins(1)).await;
    }

    let skipped = End::Skipped(SkippedReason::ContactMissing);
    assert_eq!(rig.ends().iter().filter(|end| **end == skipped).count(), 3);
}

#[tokio::test]
async fn a_new_event_gets_its_own_time_though_its_key_has_led_nowhere_before() {
    let rig = Rig::start();
    rig.update(&by_mobile(ANN, OnMissing::Skip), "old").await;
    for _ in 0..16 {
        rig.pass(Duration::from_mins(1)).await;
    }
    let skipped = End::Skipped(SkippedReason::ContactMissing);
    assert_eq!(rig.ends().last(), Some(&skipped));

    rig.update(&by_mobile(ANN, OnMissing::Skip), "new").await;
    rig.pass(Duration::from_mins(5)).await;
    rig.api.has(contact(&id(1), ANN));
    rig.pass(Duration::from_mins(10)).await;

    assert_eq!(rig.ends().last(), Some(&End::Delivered));
}

#[tokio::test]
async fn an_outage_is_no_time_in_which_a_contact_was_looked_for() {
    let rig = Rig::start();
    rig.api.always_fails("FIND", Some(answered(500)));
    rig.update(&by_mobile(ANN, OnMissing::Dead), "a").await;
    for _ in 0..4 {
        rig.pass(Duration::from_mins(15)).await;
    }
    rig.api.always_fails("FIND", None);
    rig.pass(Duration::from_mins(15)).await;
    assert!(matches!(rig.ends().last(), Some(End::Again { .. })));

    rig.api.has(contact(&id(1), ANN));
    rig.pass(Duration::from_mins(15)).await;

    assert_eq!(rig.ends().last(), Some(&End::Delivered));
}

#[tokio::test]
async fn a_missing_contact_is_created_with_consent_said_and_then_updated() {
    for (optin, said) in [(None, false), (Some(true), true), (Some(false), false)] {
        let rig = Rig::start();
        let update =
            ContactUpdate { name: Some("Ann".to_owned()), optin, ..ContactUpdate::default() };
        rig.plan(PlannedUpdate::new(by_mobile(ANN, OnMissing::Create), update)).await;
        rig.update(&by_mobile(ANN, OnMissing::Create), "Ann B.").await;

        rig.settle().await;

        let created = format!("POST {ANN} optin={said}");
        let asked = [&format!("FIND {ANN}"), &created, "PUT 0000 Ann", "PUT 0000 Ann B."];
        assert_eq!(rig.api.asked(), asked);
        assert!(rig.counted("contact_resolutions_total{outcome=\"created\"} 1"));
    }
}

#[tokio::test]
async fn one_person_under_two_keys_is_created_once() {
    let rig = Rig::start();
    let by_email = PlannedUpdate::new(
        by_email("ann@example.com", OnMissing::Create),
        ContactUpdate { mobile: Some(mobile(ANN)), ..ContactUpdate::default() },
    );
    rig.plan(by_email).await;
    rig.update(&by_mobile(ANN, OnMissing::Create), "Ann").await;

    rig.settle().await;

    assert_eq!(rig.api.asked_of("POST").len(), 1);
    assert_eq!(rig.ends(), [End::Delivered, End::Delivered]);
}

#[tokio::test]
async fn a_contact_that_exists_under_the_number_is_taken_where_none_has_the_attribute() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), ANN));
    let planned = PlannedUpdate::new(
        by_email("ann@example.com", OnMissing::Create),
        ContactUpdate {
            name: Some("Ann".to_owned()),
            mobile: Some(mobile(ANN)),
            ..ContactUpdate::default()
        },
    );
    rig.plan(planned).await;

    rig.settle().await;

    let email = "email=ann@example.com";
    assert_eq!(rig.api.asked_of("FIND"), [email, email, ANN]);
    assert_eq!(rig.names_put(), ["ab01 Ann"]);
}

#[tokio::test]
async fn without_a_number_nothing_is_created() {
    let rig = Rig::start();
    rig.update(&by_email("ann@example.com", OnMissing::Create), "a").await;

    rig.settle().await;

    assert_eq!(rig.ends(), [End::Skipped(SkippedReason::NoMobileToCreate)]);
    assert_eq!(rig.api.asked_of("POST"), [""; 0]);
}

#[tokio::test]
async fn a_remembered_id_that_is_gone_is_looked_up_again_once() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), ANN));
    rig.update(&by_mobile(ANN, OnMissing::Dead), "a").await;
    rig.settle().await;
    rig.api.has_no_more(&id(1));
    rig.api.has(contact(&id(2), ANN));

    rig.update(&by_mobile(ANN, OnMissing::Dead), "b").await;
    rig.settle().await;

    assert_eq!(rig.api.asked_of("FIND").len(), 2);
    assert_eq!(rig.names_put(), ["ab01 a", "ab01 b", "ab02 b"]);
    assert_eq!(rig.ends(), [End::Delivered, End::Delivered]);
}

#[tokio::test]
async fn an_id_that_does_not_exist_is_dead_or_skipped_as_the_rule_says() {
    let words = "Contact not found".to_owned();
    let dead = End::Dead(DeadReason::NotFound, Trouble { status: Some(404), words });
    for (on_missing, end) in [
        (OnMissing::Dead, dead.clone()),
        (OnMissing::Create, dead),
        (OnMissing::Skip, End::Skipped(SkippedReason::ContactMissing)),
    ] {
        let rig = Rig::start();
        rig.update(&Target { on_missing, ..by_id(1) }, "a").await;

        rig.settle().await;

        assert_eq!(rig.ends(), [end], "{on_missing:?}");
    }
}

#[tokio::test]
async fn an_update_that_changes_a_key_makes_what_was_remembered_of_it_forgotten() {
    let rig = Rig::start();
    rig.api.has(with_email(1, ANN, "ann@example.com"));
    rig.update(&by_email("ann@example.com", OnMissing::Dead), "a").await;
    rig.update(&by_mobile(ANN, OnMissing::Dead), "b").await;
    rig.settle().await;

    let mut update =
        ContactUpdate { mobile: Some(mobile("12025550199")), ..ContactUpdate::default() };
    let email = AttributeChange::Set("ann@example.org".to_owned());
    update.attributes.insert("email".to_owned(), email);
    rig.plan(PlannedUpdate::new(by_mobile(ANN, OnMissing::Dead), update)).await;
    rig.settle().await;
    rig.api.has(contact(&id(2), ANN));
    rig.update(&by_mobile(ANN, OnMissing::Dead), "the new owner").await;
    rig.update(&by_email("ann@example.org", OnMissing::Dead), "still Ann").await;
    rig.settle().await;

    let sent = rig.names_put();
    assert!(sent.contains(&"ab02 the new owner".to_owned()), "{sent:?}");
    assert!(sent.contains(&"ab01 still Ann".to_owned()), "{sent:?}");
}

#[tokio::test]
async fn an_update_that_may_have_changed_the_key_finds_its_contact_under_the_new_one() {
    for on_missing in [OnMissing::Dead, OnMissing::Create] {
        let rig = Rig::start();
        rig.api.has(contact(&id(1), ANN));
        rig.api.fails("PUT", [Failure::TimedOut]);
        let update = ContactUpdate { mobile: Some(mobile(BOB)), ..ContactUpdate::default() };
        rig.plan(PlannedUpdate::new(by_mobile(ANN, on_missing), update)).await;
        rig.settle().await;
        // It has landed, and who delivers now knows nothing of the contact.
        rig.api.has_no_more(&id(1));
        rig.api.has(contact(&id(1), BOB));
        let rig = rig.killed();

        rig.pass(seconds(60)).await;

        assert_eq!(rig.api.asked_of("FIND").last(), Some(&BOB.to_owned()), "{on_missing:?}");
        assert_eq!(rig.ends().last(), Some(&End::Delivered), "{on_missing:?}");
        assert_eq!(rig.api.asked_of("POST"), [""; 0]);
    }
}

#[tokio::test]
async fn an_update_that_was_never_sent_is_not_for_who_has_the_new_key_by_chance() {
    let rig = Rig::start();
    rig.api.has(contact(&id(2), BOB));
    let update = ContactUpdate { mobile: Some(mobile(BOB)), ..ContactUpdate::default() };
    rig.plan(PlannedUpdate::new(by_mobile(ANN, OnMissing::Dead), update)).await;

    rig.pass(seconds(60)).await;

    assert_eq!(rig.names_put(), [""; 0]);
    assert!(!rig.api.asked_of("FIND").contains(&BOB.to_owned()));
}

#[tokio::test]
async fn an_update_in_which_nothing_is_left_to_say_is_delivered_without_a_request() {
    let rig = Rig::start();
    rig.plan(PlannedUpdate::new(by_id(1), ContactUpdate::default())).await;

    rig.settle().await;

    assert_eq!(rig.ends(), [End::Delivered]);
    assert_eq!(rig.api.asked(), [""; 0]);
}

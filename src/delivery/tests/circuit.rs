//! The circuit breaker, and what answers confirm.

use super::super::PauseReason;
use super::api::contact;
use super::*;
use crate::chatflow::Contact;
use crate::contact::AttributeChange;

/// So many contacts with an update each.
async fn with_contacts(contacts: u8) -> Rig {
    let rig = Rig::start();
    for last in 0..contacts {
        rig.api.has(contact(&id(last), ""));
        rig.update(&by_id(last), "a").await;
    }
    rig
}

#[tokio::test]
async fn while_the_api_is_down_one_probe_at_a_time_is_sent_and_no_attempt_is_counted() {
    let rig = Rig::start();
    rig.api.always_fails("PUT", Some(answered(500)));
    rig.api.always_fails("PROBE", Some(answered(500)));
    for last in 0..200 {
        rig.api.has(contact(&id(last), ""));
        rig.update(&by_id(last), "a").await;
    }
    rig.settle().await;
    assert_eq!(rig.pauses.reasons(), [PauseReason::CircuitOpen]);
    assert!(rig.counted("paused{reason=\"circuit_open\"} 1"));
    assert!(rig.counted("circuit_state{state=\"open\"} 1"));
    assert!(rig.counted("circuit_state{state=\"closed\"} 0"));
    let before = rig.names_put().len();
    assert!((20..=36).contains(&before), "{before} requests");

    for _ in 0..60 {
        rig.pass(Duration::from_mins(1)).await;
    }
    assert_eq!(rig.names_put().len(), before, "nothing but probes is sent");
    let probes = rig.api.asked_of("PROBE").len();
    assert!((50..=64).contains(&probes), "{probes} probes in an hour");
    let attempts: u32 = rig.store.waiting().iter().map(|(attempts, _)| attempts).sum();
    assert_eq!(attempts as usize, before);

    rig.api.always_fails("PUT", None);
    rig.api.always_fails("PROBE", None);
    for _ in 0..3 {
        rig.pass(Duration::from_mins(1)).await;
    }

    assert_eq!(rig.pauses.reasons(), []);
    assert!(rig.counted("circuit_state{state=\"closed\"} 1"));
    assert!(rig.counted("circuit_transitions_total{to=\"closed\"} 1"));
    assert!(rig.counted(&format!("circuit_transitions_total{{to=\"half_open\"}} {}", probes + 1)));
    assert!(rig.store.waiting().is_empty());
    assert_eq!(rig.ends().iter().filter(|end| **end == End::Delivered).count(), 200);
}

#[tokio::test]
async fn the_first_trial_is_after_5_seconds_and_never_before_the_time_the_api_asked_for() {
    for (retry_after, first) in [(None, 5), (Some(seconds(100)), 110)] {
        let rig = Rig::start();
        let failure = Failure::Answered { status: 503, words: String::new(), retry_after };
        rig.api.always_fails("PUT", Some(failure));
        for last in 0..40 {
            rig.api.has(contact(&id(last), ""));
            rig.update(&by_id(last), "a").await;
        }
        rig.api.holds_answers(true);
        rig.settle().await;
        rig.api.holds_answers(false);
        rig.settle().await;
        while !rig.pauses.is_paused_for(PauseReason::CircuitOpen) {
            rig.pass(seconds(110)).await;
            rig.pass(seconds(1)).await;
        }
        rig.api.always_fails("PUT", None);

        rig.pass(seconds(first - 2)).await;
        assert_eq!(rig.api.asked_of("PROBE").len(), 0, "{retry_after:?}");
        rig.pass(seconds(2)).await;

        assert_eq!(rig.api.asked_of("PROBE").len(), 1, "{retry_after:?}");
        assert_eq!(rig.pauses.reasons(), []);
    }
}

#[tokio::test]
async fn one_contact_that_fails_stops_nobody() {
    let rig = with_contacts(3).await;
    rig.settle().await;
    rig.api.always_fails("PUT", Some(answered(500)));
    rig.update(&by_id(0), "b").await;
    for _ in 0..100 {
        rig.pass(Duration::from_mins(15)).await;
    }

    assert!(rig.names_put().len() > 100);
    assert_eq!(rig.pauses.reasons(), []);
}

#[tokio::test]
async fn an_api_that_answers_probes_and_no_updates_gets_few_requests() {
    let rig = Rig::start();
    rig.api.always_fails("PUT", Some(answered(500)));
    for last in 0..250 {
        rig.api.has(contact(&id(last), ""));
        rig.update(&by_id(last), "a").await;
    }

    for _ in 0..600 {
        rig.pass(seconds(1)).await;
    }

    let sent = rig.names_put().len();
    assert!(sent < 600, "{sent} requests in ten minutes");
    assert_eq!(rig.store.waiting().len(), 250);
}

#[tokio::test]
async fn what_a_person_resumes_is_tried_and_paused_again_where_it_is_no_better() {
    let rig = Rig::start();
    rig.api.always_fails("PUT", Some(answered(500)));
    rig.api.always_fails("PROBE", Some(answered(500)));
    for last in 0..100 {
        rig.api.has(contact(&id(last), ""));
        rig.update(&by_id(last), "a").await;
    }
    rig.settle().await;
    let before = rig.names_put().len();

    rig.pauses.resume_by_hand();
    rig.settle().await;

    assert_eq!(rig.pauses.reasons(), [PauseReason::CircuitOpen]);
    let sent = rig.names_put().len() - before;
    assert!((20..=36).contains(&sent), "{sent} requests");
}

#[tokio::test]
async fn a_field_that_the_answer_shows_otherwise_is_counted() {
    let rig = Rig::start();
    let email = [("email".to_owned(), "ann@example.com".to_owned())];
    let attributes = Some(email.into_iter().collect());
    rig.api.has(Contact { attributes, ..contact(&id(1), "") });
    let mut update = naming(&by_id(1), "Ann");
    // This API passes removals over.
    update.update.attributes.insert("email".to_owned(), AttributeChange::Remove);
    rig.plan(update).await;

    rig.settle().await;

    assert_eq!(rig.ends(), [End::Delivered]);
    assert!(rig.counted("delivery_unconfirmed_total{field=\"attributes\"} 1"));
    assert!(rig.counted("delivery_unconfirmed_total{field=\"name\"} 0"));
}

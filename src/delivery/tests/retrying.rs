use super::api::contact;
use super::*;
use crate::contact::DeadReason;
use crate::store::Trouble;

#[tokio::test]
async fn after_a_server_error_it_is_sent_again_and_delivered() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), ""));
    rig.api.fails("PUT", [answered(500)]);
    rig.update(&by_id(1), "a").await;
    rig.settle().await;
    let trouble = Trouble { status: Some(500), words: "words of 500".to_owned() };
    let end = End::Again { after: seconds(1), trouble, may_have_landed: true };
    assert_eq!(rig.ends(), [end]);

    rig.pass(seconds(1)).await;

    assert_eq!(rig.ends().last(), Some(&End::Delivered));
    assert!(rig.counted("delivery_retries_total{operation=\"update\",reason=\"server_error\"} 1"));
    assert!(rig.counted("delivery_latency_seconds_count 1"));
    assert!(rig.counted("delivery_latency_seconds_sum 1"));
}

#[tokio::test]
async fn what_is_refused_for_good_is_dead_with_the_apis_words_and_frees_its_lane() {
    for status in [301, 400, 409, 422, 501] {
        let rig = Rig::start();
        rig.api.has(contact(&id(1), ""));
        rig.api.fails("PUT", [answered(status)]);
        rig.update(&by_id(1), "bad").await;
        rig.update(&by_id(1), "good").await;

        rig.settle().await;

        let trouble = Trouble { status: Some(status), words: format!("words of {status}") };
        assert_eq!(rig.ends(), [End::Dead(DeadReason::Refused, trouble), End::Delivered]);
        assert!(rig.counted("dead_letters_total{reason=\"refused\"} 1"));
    }
}

#[tokio::test]
async fn retry_after_is_a_floor_for_everybody() {
    for status in [429, 503] {
        let rig = Rig::start();
        for last in 0..5 {
            rig.api.has(contact(&id(last), ""));
        }
        let retry_after = Some(seconds(100));
        rig.api.fails("PUT", [Failure::Answered { status, words: String::new(), retry_after }]);
        rig.update(&by_id(0), "a").await;
        rig.settle().await;
        for last in 1..5 {
            rig.update(&by_id(last), "a").await;
        }

        rig.pass(seconds(109)).await;
        assert_eq!(rig.names_put().len(), 1, "{status}");
        rig.pass(seconds(1)).await;

        assert_eq!(rig.names_put().len(), 6, "{status}");
        assert!(rig.store.waiting().is_empty());
    }
}

#[tokio::test]
async fn the_api_can_ask_for_no_longer_wait_than_the_settings_allow() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), ""));
    let retry_after = Some(Duration::from_hours(1_000));
    rig.api.fails("PUT", [Failure::Answered { status: 429, words: String::new(), retry_after }]);
    rig.update(&by_id(1), "a").await;

    rig.pass(Duration::from_mins(17)).await;

    assert_eq!(rig.ends().last(), Some(&End::Delivered));
}

#[tokio::test]
async fn a_reset_before_the_answer_is_sent_once_more_at_once_and_uncounted() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), ""));
    rig.api.fails("PUT", [Failure::Reset]);
    rig.update(&by_id(1), "a").await;

    rig.settle().await;

    assert_eq!(rig.names_put().len(), 2);
    assert_eq!(rig.ends(), [End::Delivered]);
}

#[tokio::test]
async fn an_update_is_given_up_by_the_time_it_fails_and_not_by_the_time_it_waited_in_line() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), ""));
    rig.api.always_fails("PUT", Some(answered(500)));
    rig.update(&by_id(1), "first").await;
    rig.update(&by_id(1), "second").await;
    for _ in 0..80 {
        rig.pass(Duration::from_hours(1)).await;
    }
    let dead = |end: &End| matches!(end, End::Dead(DeadReason::GaveUp, _));
    assert_eq!(rig.ends().iter().filter(|end| dead(end)).count(), 1);

    rig.api.always_fails("PUT", None);
    rig.pass(Duration::from_mins(15)).await;

    assert_eq!(rig.ends().last(), Some(&End::Delivered));
    assert_eq!(rig.names_put().last().map(String::as_str), Some("ab01 second"));
}

#[tokio::test]
async fn answers_that_cannot_be_understood_are_borne_six_times_whatever_else_failed_before() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), ""));
    let unclear = Failure::Unclear { status: 200, words: "no JSON".to_owned() };
    rig.api.fails("PUT", std::iter::repeat_n(answered(500), 5));
    rig.api.always_fails("PUT", Some(unclear));
    rig.update(&by_id(1), "a").await;

    for _ in 0..20 {
        rig.pass(Duration::from_mins(15)).await;
    }

    assert_eq!(rig.names_put().len(), 11);
    assert!(matches!(rig.ends().last(), Some(End::Dead(DeadReason::Unclear, _))));
}

use super::api::contact;
use super::*;
use crate::chatflow::Contact;
use proptest::prelude::*;

#[tokio::test]
async fn one_contacts_updates_are_sent_in_order_and_each_after_the_answer_to_the_last() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), "12025550143"));
    for name in ["a", "b", "c", "d"] {
        rig.update(&by_id(1), name).await;
    }

    rig.settle().await;

    assert_eq!(rig.names_put(), ["ab01 a", "ab01 b", "ab01 c", "ab01 d"]);
    assert_eq!(rig.ends(), vec![End::Delivered; 4]);
    assert!(rig.counted("updates_finished_total{outcome=\"delivered\"} 4"));
}

#[tokio::test]
async fn an_update_that_fails_holds_up_its_own_lane_and_no_other() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), "12025550143"));
    rig.api.has(contact(&id(2), "12025550144"));
    rig.api.fails("PUT", [answered(500), answered(500)]);
    rig.update(&by_id(1), "first").await;
    rig.update(&by_id(1), "second").await;
    rig.settle().await;
    rig.update(&by_id(2), "other").await;

    rig.settle().await;
    rig.pass(seconds(1)).await;
    rig.pass(seconds(2)).await;

    let expected = ["ab01 first", "ab02 other", "ab01 first", "ab02 other", "ab01 second"];
    let mut sent = rig.names_put();
    sent.sort_unstable();
    let mut all = expected.to_vec();
    all.sort_unstable();
    assert_eq!(sent, all);
    let of_one: Vec<_> =
        rig.names_put().into_iter().filter(|put| put.starts_with("ab01")).collect();
    assert_eq!(of_one, ["ab01 first", "ab01 first", "ab01 second"]);
}

#[tokio::test]
async fn no_more_requests_are_in_flight_than_the_settings_allow() {
    let rig = Rig::with(
        &DeliverySettings { concurrency: 3, ..DeliverySettings::default() },
        &ContactSettings::default(),
    );
    rig.api.holds_answers(true);
    for last in 0..20 {
        rig.api.has(contact(&id(last), ""));
        rig.update(&by_id(last), "a").await;
    }
    rig.settle().await;
    assert_eq!(rig.names_put().len(), 3);

    rig.api.holds_answers(false);
    rig.settle().await;

    assert_eq!(rig.ends().len(), 20);
    assert_eq!(rig.api.most_open(), (1, 3));
}

#[tokio::test]
async fn the_pace_that_is_set_is_kept() {
    let rig = Rig::with(
        &DeliverySettings { rate_per_second: Some(0.5), ..DeliverySettings::default() },
        &ContactSettings::default(),
    );
    for last in 0..4 {
        rig.api.has(contact(&id(last), ""));
        rig.update(&by_id(last), "a").await;
    }

    for sent in 1..=4 {
        rig.settle().await;
        assert_eq!(rig.names_put().len(), sent);
        rig.pass(seconds(1)).await;
        assert_eq!(rig.names_put().len(), sent);
        rig.pass(seconds(1)).await;
    }
}

#[tokio::test]
async fn after_a_timeout_the_contact_rests_whatever_key_it_is_known_by() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), "12025550143"));
    rig.api.fails("PUT", [Failure::TimedOut]);
    rig.update(&by_id(1), "by id").await;
    rig.settle().await;
    rig.update(&by_mobile("12025550143", OnMissing::Dead), "by mobile").await;

    rig.pass(seconds(9)).await;
    assert_eq!(rig.names_put(), ["ab01 by id"]);
    rig.pass(seconds(1)).await;

    let mut sent = rig.names_put();
    sent.sort_unstable();
    assert_eq!(sent, ["ab01 by id", "ab01 by id", "ab01 by mobile"]);
    assert_eq!(rig.api.most_open().0, 1);
}

/// One contact under three keys.
fn ann() -> Contact {
    let attributes = [("email".to_owned(), "ann@example.com".to_owned())];
    Contact { attributes: Some(attributes.into_iter().collect()), ..contact(&id(1), "12025550143") }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn never_are_two_requests_in_flight_for_one_id_and_each_keys_order_holds(
        keys in proptest::collection::vec(0_usize..4, 1..24),
        faults in proptest::collection::vec(0_u8..6, 0..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let rig = Rig::start();
            rig.api.has(ann());
            rig.api.has(contact(&id(2), "12025550144"));
            rig.api.fails("PUT", faults.iter().map(|fault| match fault {
                0 => Failure::TimedOut,
                1 => Failure::Reset,
                2 => answered(429),
                _ => answered(500),
            }));
            let targets = [
                by_id(1),
                by_mobile("12025550143", OnMissing::Dead),
                by_email("ann@example.com", OnMissing::Create),
                by_id(2),
            ];
            for (number, key) in keys.iter().enumerate() {
                rig.update(&targets[*key], &format!("{key} {number:02}")).await;
            }

            for _ in 0..60 {
                rig.pass(seconds(60)).await;
            }

            assert_eq!(rig.api.most_open().0, 1);
            let delivered = rig.ends().iter().filter(|end| **end == End::Delivered).count();
            assert_eq!(delivered, keys.len());
            for key in 0..4 {
                let of_key = |put: &String| put.contains(&format!(" {key} "));
                let sent: Vec<_> = rig.names_put().into_iter().filter(of_key).collect();
                let mut sorted = sent.clone();
                sorted.sort_unstable();
                assert_eq!(sent, sorted);
            }
            rig.stopped().await;
        });
    }
}

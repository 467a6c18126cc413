//! What waits for one contact goes in one request, and lanes that turn out to be one contact's become one.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::api::contact;
use super::*;
use crate::contact::{AttributeChange, DeadReason, TagChange};
use crate::store::AfterDead;

fn tagging(target: &Target, tag: &str) -> PlannedUpdate {
    let tags = TagChange { add: vec![tag.to_owned()], ..TagChange::default() };
    PlannedUpdate::new(target.clone(), ContactUpdate { tags, ..ContactUpdate::default() })
}

impl Rig {
    /// Has updates come in while nothing is sent; then lets delivery go on.
    async fn all_at_once(&self, planned: impl IntoIterator<Item = PlannedUpdate>) {
        self.pauses.pause(PauseReason::Operator);
        for planned in planned {
            self.plan(planned).await;
        }
        self.pauses.resume(PauseReason::Operator);
        self.settle().await;
    }

    pub(super) fn delivered(&self) -> usize {
        self.ends().iter().filter(|end| **end == End::Delivered).count()
    }

    fn dead(&self) -> Vec<i64> {
        let ends = self.store.ends().into_iter();
        ends.filter(|(_, end)| matches!(end, End::Dead(..))).map(|(event, _)| event).collect()
    }
}

#[tokio::test]
async fn a_hundred_that_wait_for_one_contact_are_one_request() {
    let rig = Rig::merging();
    rig.api.has(contact(&id(1), "12025550143"));

    rig.all_at_once((1..=100).map(|n| naming(&by_id(1), &format!("{n}")))).await;

    assert_eq!(rig.names_put(), ["ab01 100"]);
    assert_eq!(rig.ends(), vec![End::Delivered; 100]);
    assert!(rig.counted("updates_coalesced_total{source=\"crm\"} 99"));
    assert!(rig.counted("updates_finished_total{outcome=\"delivered\"} 100"));
}

#[tokio::test]
async fn without_merging_each_has_its_own_request() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), "12025550143"));

    rig.all_at_once((1..=9).map(|n| naming(&by_id(1), &format!("{n}")))).await;

    assert_eq!(rig.names_put().len(), 9);
}

#[tokio::test]
async fn nothing_is_merged_across_a_change_of_consent() {
    let rig = Rig::merging();
    rig.api.has(contact(&id(1), "12025550143"));
    let consent = |optin| {
        let update = ContactUpdate { optin: Some(optin), ..ContactUpdate::default() };
        PlannedUpdate::new(by_id(1), update)
    };

    let row = [naming(&by_id(1), "a"), naming(&by_id(1), "b"), consent(false), consent(true)];
    rig.all_at_once(row.into_iter().chain([naming(&by_id(1), "c")])).await;

    assert_eq!(rig.names_put(), ["ab01 b", "ab01 ", "ab01 c"]);
    assert_eq!(rig.delivered(), 5);
}

#[tokio::test]
async fn the_one_bad_update_of_a_hundred_is_found_with_few_requests() {
    for bad in [0, 41, 99] {
        let rig = Rig::merging();
        rig.api.has(contact(&id(1), "12025550143"));
        rig.api.refuses_the_tag("bad");

        let tag = |n| if n == bad { "bad".to_owned() } else { format!("{n}") };
        rig.all_at_once((0..100).map(|n| tagging(&by_id(1), &tag(n)))).await;

        assert!(rig.names_put().len() <= 15, "{} requests", rig.names_put().len());
        assert_eq!(rig.dead(), [i64::from(bad) + 1]);
        assert_eq!(rig.delivered(), 99);
        let good: Vec<_> = (0..100).filter(|n| *n != bad).map(|n| format!("{n}")).collect();
        assert_eq!(rig.api.tags_of(&id(1)), good, "in order");
    }
}

#[tokio::test]
async fn where_dead_updates_block_what_waits_behind_one_is_not_sent() {
    let blocking = DeliverySettings { after_dead: AfterDead::Block, ..DeliverySettings::default() };
    let rig = Rig::with(&blocking, &ContactSettings::default());
    rig.api.has(contact(&id(1), "12025550143"));
    rig.api.refuses_the_tag("bad");

    rig.all_at_once(["a", "bad", "c"].map(|tag| tagging(&by_id(1), tag))).await;

    assert_eq!(rig.api.tags_of(&id(1)), ["a"]);
    assert_eq!(rig.dead(), [2]);
}

#[tokio::test]
async fn after_a_timeout_the_same_goes_again_before_anything_joins() {
    for (failure, row) in [
        (Failure::TimedOut, ["ab01 b", "ab01 b", "ab01 c"].as_slice()),
        (answered(502), &["ab01 b", "ab01 b", "ab01 c"]),
        (answered(429), &["ab01 b", "ab01 c"]),
    ] {
        let rig = Rig::merging();
        rig.api.has(contact(&id(1), "12025550143"));
        rig.api.fails("PUT", [failure]);
        rig.all_at_once(["a", "b"].map(|name| naming(&by_id(1), name))).await;
        rig.update(&by_id(1), "c").await;

        for _ in 0..4 {
            rig.pass(seconds(60)).await;
        }

        assert_eq!(rig.names_put(), row);
        assert_eq!(rig.delivered(), 3);
    }
}

#[tokio::test]
async fn a_contact_that_is_gone_is_asked_for_once_whatever_waits_for_it() {
    let rig = Rig::merging();

    rig.all_at_once((0..20).map(|n| naming(&by_id(1), &format!("{n}")))).await;

    assert_eq!(rig.names_put().len(), 1);
    let not_found = |end: &End| matches!(end, End::Dead(DeadReason::NotFound, _));
    assert_eq!(rig.ends().iter().filter(|end| not_found(end)).count(), 20);
}

#[tokio::test]
async fn what_waits_under_any_key_of_one_contact_goes_in_the_order_in_which_it_came() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), "12025550143"));
    let by_number = by_mobile("12025550143", OnMissing::Dead);
    rig.api.fails("PUT", [answered(500)]);
    rig.update(&by_number, "0").await;
    rig.settle().await;
    // From now on the number is known to be the contact's.
    rig.update(&by_id(1), "1").await;
    rig.update(&by_number, "2").await;
    rig.update(&by_id(1), "3").await;

    for _ in 0..9 {
        rig.pass(seconds(60)).await;
    }

    assert_eq!(rig.names_put(), ["ab01 0", "ab01 0", "ab01 1", "ab01 2", "ab01 3"]);
}

#[tokio::test]
async fn a_key_that_means_nobody_any_more_holds_up_nobody() {
    let rig = Rig::start();
    rig.api.has(contact(&id(1), "12025550143"));
    let by_number = by_mobile("12025550143", OnMissing::Dead);
    rig.update(&by_number, "known").await;
    rig.settle().await;
    let mut moved = naming(&by_id(1), "moved");
    moved.update.mobile = Some(mobile("12025550199"));
    rig.plan(moved).await;
    rig.settle().await;

    rig.update(&by_number, "nobody").await;
    rig.settle().await;
    rig.update(&by_id(1), "next").await;
    rig.settle().await;

    assert_eq!(rig.names_put(), ["ab01 known", "ab01 moved", "ab01 next"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_is_merged_and_fails_the_contact_ends_as_if_each_had_been_sent_in_order(
        row in proptest::collection::vec((0_usize..3, 0_u8..3, 0_u8..4), 1..24),
        faults in proptest::collection::vec(0_u8..6, 0..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let rig = Rig::merging();
            let email = [("email".to_owned(), "ann@example.com".to_owned())];
            let attributes = Some(email.into_iter().collect());
            rig.api.has(crate::chatflow::Contact { attributes, ..contact(&id(1), "12025550143") });
            let targets = [
                by_id(1),
                by_mobile("12025550143", OnMissing::Dead),
                by_email("ann@example.com", OnMissing::Create),
            ];
            // From the first request on, all three are known to be one contact.
            for target in &targets {
                rig.update(target, "known").await;
                rig.settle().await;
            }
            rig.api.fails("PUT", faults.iter().map(|fault| match fault {
                0 => Failure::TimedOut,
                1 => Failure::Reset,
                2 => answered(429),
                _ => answered(500),
            }));
            let mut model = BTreeMap::from([("email".to_owned(), "ann@example.com".to_owned())]);
            let mut planned = Vec::new();
            for (number, (key, attribute, value)) in row.iter().enumerate() {
                let mut next = naming(&targets[*key], &format!("{number:02}"));
                let (name, value) = (format!("a{attribute}"), format!("v{value}"));
                model.insert(name.clone(), value.clone());
                next.update.attributes.insert(name, AttributeChange::Set(value));
                planned.push(next);
            }

            rig.all_at_once(planned).await;
            for _ in 0..60 {
                rig.pass(seconds(60)).await;
            }

            assert_eq!(rig.delivered(), row.len() + targets.len());
            assert_eq!(rig.api.most_open().0, 1);
            let kept = rig.api.contact(&id(1));
            assert_eq!(kept.name, Some(format!("{:02}", row.len() - 1)));
            assert_eq!(kept.attributes.unwrap().into_iter().collect::<BTreeMap<_, _>>(), model);
            rig.stopped().await;
        });
    }
}

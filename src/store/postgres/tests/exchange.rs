//! What processes on one database tell each other about delivery.

use super::*;
use crate::clock::Clock as _;
use crate::store::postgres::holder::LEASE;
use crate::store::{Lane, Letters, Replicas, Said};

/// Two processes on one store.
async fn two() -> (Arc<ManualClock>, [Arc<PostgresStore>; 2]) {
    let (place, clock) = (place(), clock());
    let one = open(&place, &roomy(), &clock).await.unwrap();
    let other = open(&place, &roomy(), &clock).await.unwrap();
    (clock, [one, other])
}

#[tokio::test]
async fn what_one_says_the_other_hears_until_it_says_otherwise() {
    let (_clock, [one, other]) = two().await;
    let mappings = "abc".to_owned();
    let said = Said { paused: vec!["unauthorized"], mappings, ..Said::default() };

    let heard = one.exchange(&said).await.unwrap();
    assert_eq!((heard.paused.len(), heard.others.len()), (0, 1), "nobody hears himself");
    let heard = other.exchange(&Said::default()).await.unwrap();

    assert_eq!(heard.paused, ["unauthorized"]);
    assert_eq!(heard.others.len(), 1);
    assert_eq!(heard.others[0].mappings, "abc");
    assert!(heard.others[0].replica.contains(&std::process::id().to_string()));
    one.exchange(&Said::default()).await.unwrap();
    assert_eq!(other.exchange(&Said::default()).await.unwrap().paused.len(), 0);
}

#[tokio::test]
async fn who_is_gone_is_no_longer_heard() {
    for stops in [true, false] {
        let (clock, [one, other]) = two().await;
        let said = Said { paused: vec!["refusals"], ..Said::default() };
        one.exchange(&said).await.unwrap();
        if stops {
            one.close().await;
        } else {
            // As after a kill: it says nothing any more.
            drop(one);
            clock.advance(LEASE + Duration::from_secs(1));
            other.core.hold().await.unwrap();
        }

        let heard = other.exchange(&Said::default()).await.unwrap();

        assert_eq!((heard.paused.len(), heard.others.len()), (0, 0), "it stops: {stops}");
    }
}

#[tokio::test]
async fn all_wait_as_long_as_the_api_has_asked_any_of_them() {
    let (clock, [one, other]) = two().await;
    let seconds = Duration::from_secs;
    for (asked, closed_for) in [(30, 30), (10, 30)] {
        let said = Said { closed_for: Some(seconds(asked)), ..Said::default() };
        one.exchange(&said).await.unwrap();
        let heard = other.exchange(&Said::default()).await.unwrap();
        assert_eq!(heard.closed_for, Some(seconds(closed_for)), "asked for {asked} s");
    }

    clock.advance(seconds(20));
    let heard = other.exchange(&Said::default()).await.unwrap();
    assert_eq!(heard.closed_for, Some(seconds(10)));
    clock.advance(seconds(10));
    assert_eq!(one.exchange(&Said::default()).await.unwrap().closed_for, None);
}

#[tokio::test]
async fn what_is_changed_is_heard_once_by_all_others() {
    let (clock, [one, other]) = two().await;
    let nothing = Said::default();
    other.exchange(&nothing).await.unwrap();
    let said = Said { changed: vec![Lane(5), Lane(-7)], ..Said::default() };

    assert_eq!(one.exchange(&said).await.unwrap().changed, []);
    let mut changed = other.exchange(&nothing).await.unwrap().changed;
    changed.sort_unstable();

    assert_eq!(changed, [Lane(-7), Lane(5)]);
    assert_eq!(other.exchange(&nothing).await.unwrap().changed, []);
    clock.advance(Duration::from_secs(20));
    one.exchange(&Said { changed: vec![Lane(9)], ..Said::default() }).await.unwrap();
    assert_eq!(other.exchange(&nothing).await.unwrap().changed, [Lane(9)]);
}

#[tokio::test]
async fn an_operators_word_is_heard_by_all() {
    let (_clock, [one, other]) = two().await;
    let before = other.exchange(&Said::default()).await.unwrap();
    assert!(!before.halted);

    one.halt(true).await.unwrap();
    assert!(other.exchange(&Said::default()).await.unwrap().halted);
    one.halt(false).await.unwrap();
    one.exchange(&Said { resumes: true, ..Said::default() }).await.unwrap();
    let heard = other.exchange(&Said::default()).await.unwrap();

    assert!(!heard.halted);
    assert_eq!(heard.resumed, before.resumed + 1);
}

#[tokio::test]
async fn news_wake_the_others() {
    let (_clock, [one, other]) = two().await;
    // Whoever has just begun may not listen yet.
    let heard = async {
        let mut number = 0;
        loop {
            number += 1;
            let said = Said { mappings: format!("set {number}"), ..Said::default() };
            one.exchange(&said).await.unwrap();
            if tokio::time::timeout(Duration::from_millis(500), other.news()).await.is_ok() {
                break;
            }
        }
    };

    tokio::time::timeout(Duration::from_secs(30), heard).await.expect("it is heard");
}

#[tokio::test]
async fn of_the_moments_to_send_at_no_two_are_nearer_than_the_pace() {
    let (clock, stores) = two().await;
    let gap = Duration::from_millis(200);
    let started = clock.monotonic();
    let mut moments = Vec::new();
    for round in 0..20_u32 {
        let store = &stores[usize::try_from(round % 2).unwrap()];
        let count = 1 + round % 3;
        let first =
            clock.monotonic().saturating_sub(started) + store.reserve(count, gap).await.unwrap();
        moments.extend((0..count).map(|number| first + gap * number));
        clock.advance(Duration::from_millis(u64::from(round) * 37));
    }

    moments.sort_unstable();
    let nearest = moments.windows(2).map(|two| two[1].saturating_sub(two[0])).min().unwrap();
    // A late timer is made up for by that much.
    assert!(nearest + Duration::from_millis(20) >= gap, "{nearest:?}");
}

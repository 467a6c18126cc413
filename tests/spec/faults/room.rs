//! A disk on which nothing fits any more, and a store that is as large as it may be.

use std::time::{Duration, Instant};

use chatflow_bridge::chatflow::mock::Fault;

use super::scene::{SETTINGS, Scene, is_whole, serving_on};
use super::sentences::DISK_FULL;
use super::told;
use crate::harness::{Child, Disk, PATIENCE};

/// Of a disk with this much more than it needs a store keeps 16 MiB back; of the other it does not.
const LARGE: u32 = 96;
const SMALL: u32 = 24;

/// Fewer contacts than it takes to hold the API for broken.
const WAITING: usize = 4;

/// Posts until senders are told to come again.
async fn until_refused(scene: &Scene, bridge: &Child) {
    let begun = Instant::now();
    while !is_refused(scene, bridge).await {
        assert!(begun.elapsed() < PATIENCE, "nothing fits and it takes more");
    }
}

async fn is_refused(scene: &Scene, bridge: &Child) -> bool {
    let answer = scene.post(bridge).await;
    if answer.status == 200 {
        return false;
    }
    assert_eq!(answer.status, 503, "{answer:?}\n{}", bridge.log());
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    assert_eq!(answer.json()["type"], "/problems/not-stored");
    true
}

/// A disk of so many MiB, the program on it and some updates that wait.
async fn waiting_on(mebibytes: u32) -> Option<(Disk, Scene, Child)> {
    let Some(disk) = Disk::in_memory(mebibytes) else {
        told("full disk", "left out, no namespaces of mounts here; `store.max_size` alone");
        return None;
    };
    told("full disk", "a small disk in memory");
    let scene = Scene::in_folder(&disk.seen());
    scene.chatflow.faults().add(Fault::status(500).on("PUT"));
    let bridge = Child::run(serving_on(&disk, &scene));
    scene.accepted(&bridge, WAITING).await;
    Some((disk, scene, bridge))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_senders_come_again_delivery_waits_and_nothing_is_lost() {
    let Some((disk, scene, bridge)) = waiting_on(SMALL).await else { return };

    disk.fill();
    until_refused(&scene, &bridge).await;
    let ready = scene.until_readiness(&bridge, 503).await;

    assert_eq!(ready["store"], format!("the store is full: {DISK_FULL}"));
    // What is sent now could not be recorded.
    let before = scene.chatflow.served();
    scene.chatflow.faults().clear();
    for _ in 0..10 {
        assert!(is_refused(&scene, &bridge).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(scene.chatflow.served(), before, "{}", bridge.log());
    assert!(bridge.log().contains(r#""reason":"store_full""#), "{}", bridge.log());

    disk.make_room();
    scene.until_readiness(&bridge, 200).await;
    scene.accepted(&bridge, 5).await;
    scene.until_all_is_delivered(&bridge).await;
    assert_eq!(bridge.terminate(), Some(0));
    is_whole(&disk);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_room_kept_back_what_waits_is_delivered_on_a_full_disk() {
    let Some((disk, scene, bridge)) = waiting_on(LARGE).await else { return };
    let reserve = disk.seen().join("chatflow-bridge.db.reserve");
    assert!(reserve.exists(), "a large disk has room to keep back");

    disk.fill();
    until_refused(&scene, &bridge).await;
    scene.until_readiness(&bridge, 503).await;
    assert!(!reserve.exists());
    scene.chatflow.faults().clear();
    scene.until_all_is_delivered(&bridge).await;
    assert!(is_refused(&scene, &bridge).await, "it is kept back for what was taken already");

    disk.make_room();
    scene.until_readiness(&bridge, 200).await;
    scene.accepted(&bridge, 5).await;
    assert!(reserve.exists());
    scene.until_all_is_delivered(&bridge).await;
    assert_eq!(bridge.terminate(), Some(0));
    is_whole(&disk);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_a_full_disk_takes_the_room_kept_back_or_says_what_it_needs() {
    for (mebibytes, starts) in [(LARGE, true), (SMALL, false)] {
        let Some((disk, scene, bridge)) = waiting_on(mebibytes).await else { return };
        bridge.kill();
        disk.fill();

        if starts {
            scene.chatflow.faults().clear();
            let bridge = Child::run(serving_on(&disk, &scene));
            scene.until_all_is_delivered(&bridge).await;
            assert!(is_refused(&scene, &bridge).await);
            disk.make_room();
            scene.until_readiness(&bridge, 200).await;
        } else {
            let (code, said) = scene.refused(&disk);
            assert_eq!(code, Some(1), "{said}");
            assert!(said.contains(&format!("`chatflow-bridge.db`: {DISK_FULL}")), "{said}");
            disk.make_room();
            scene.chatflow.faults().clear();
            let bridge = Child::run(serving_on(&disk, &scene));
            scene.until_all_is_delivered(&bridge).await;
        }
        is_whole(&disk);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_as_large_as_it_may_be_takes_more_when_something_was_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::in_folder(folder.path());
    let settings = [SETTINGS[0], ("BRIDGE_STORE__MAX_SIZE", "256KiB")];
    let bridge = Child::serve_with(folder.path(), &scene.chatflow.base_url(), &settings);
    scene.ask(&bridge, "/api/pause").await;

    until_refused(&scene, &bridge).await;
    let ready = scene.until_readiness(&bridge, 503).await;
    let why = ready["store"].as_str().unwrap();
    assert!(why.contains("`store.max_size` is `256KiB`"), "{why}");
    assert!(scene.acknowledged() > 20);

    scene.ask(&bridge, "/api/resume").await;
    scene.until_readiness(&bridge, 200).await;
    scene.accepted(&bridge, 5).await;
    scene.until_all_is_delivered(&bridge).await;
    assert_eq!(bridge.terminate(), Some(0));
}

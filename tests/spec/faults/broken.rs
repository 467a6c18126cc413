//! A disk that may only be read: from the beginning, or from an error on.

use std::time::Duration;

use super::scene::{PROGRAM, Scene, ended, is_whole, serving_on};
use super::sentences::{GIVEN_UP, NOT_WRITABLE, OPENED_ANEW, READ_ONLY};
use super::told;
use crate::harness::{Child, Disk};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_a_disk_that_may_only_be_read_says_what_to_do() {
    let Some(disk) = Disk::in_memory(24) else {
        return told("disk that may only be read", "left out, no namespaces of mounts here");
    };
    told("disk that may only be read", "mounted so");
    let scene = Scene::in_folder(&disk.seen());
    let bridge = Child::run(serving_on(&disk, &scene));
    scene.ask(&bridge, "/api/pause").await;
    scene.accepted(&bridge, 5).await;
    assert_eq!(bridge.terminate(), Some(0));

    disk.remount("ro");

    let mut check = disk.command(PROGRAM);
    check.args(["store", "check"]);
    for (code, said) in [scene.refused(&disk), ended(check)] {
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(&format!("`chatflow-bridge.db.lock` {NOT_WRITABLE}")), "{said}");
    }
    disk.remount("rw");
    let bridge = Child::run(serving_on(&disk, &scene));
    scene.ask(&bridge, "/api/resume").await;
    scene.until_all_is_delivered(&bridge).await;
    assert_eq!(bridge.terminate(), Some(0));
    is_whole(&disk);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_breaks_ends_the_program_and_nothing_acknowledged_is_lost() {
    let Some(disk) = Disk::that_can_break(24) else {
        return told("disk that breaks", "left out, it takes root and loop devices");
    };
    told("disk that breaks", "a file system in an image, put into error");
    let scene = Scene::in_folder(&disk.seen());
    let mut bridge = Child::run(serving_on(&disk, &scene));
    scene.ask(&bridge, "/api/pause").await;
    scene.accepted(&bridge, 20).await;

    disk.break_down();

    // Readiness goes first, then the program, so that it is started anew where that helps.
    let answer = scene.post(&bridge).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("10")), "{answer:?}");
    scene.until_readiness(&bridge, 503).await;
    while let Some(answer) = scene.try_post(&bridge).await {
        assert_eq!(answer.status, 503, "{answer:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(bridge.ended(), Some(1), "{}", bridge.log());
    let log = bridge.log();
    for words in
        [OPENED_ANEW, READ_ONLY, GIVEN_UP, "error: the store failed again and again: see the log"]
    {
        assert!(log.contains(words), "`{words}` is missing in:\n{log}");
    }
    let (code, said) = scene.refused(&disk);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(NOT_WRITABLE), "{said}");

    disk.repair();
    let bridge = Child::run(serving_on(&disk, &scene));
    scene.ask(&bridge, "/api/resume").await;
    scene.until_all_is_delivered(&bridge).await;
    assert_eq!(bridge.terminate(), Some(0));
    is_whole(&disk);
}

//! Somebody else on the same store: refused with the name of who has it, until that one is gone, however it went.

use super::scene::{SETTINGS, Scene, ended};
use super::sentences::HELD;
use crate::harness::{Child, program, serving};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_second_is_told_who_holds_the_store_and_may_have_it_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::in_folder(folder.path());
    let first = Child::serve_with(folder.path(), &scene.chatflow.base_url(), &SETTINGS);
    scene.ask(&first, "/api/pause").await;
    scene.accepted(&first, 5).await;
    let owner = format!("{HELD}{} on host", first.id());

    let mut seconds = vec![serving(folder.path(), &scene.chatflow.base_url(), &SETTINGS)];
    for arguments in [
        &["store", "check"][..],
        &["store", "recover"],
        &["events", "list", "--offline"],
        &["audit", "--offline"],
    ] {
        let mut second = program();
        second.current_dir(folder.path()).args(arguments);
        second.env("BRIDGE_CHATFLOW__API_KEY", "unused");
        seconds.push(second);
    }
    for second in seconds {
        let arguments: Vec<_> = second.get_args().map(ToOwned::to_owned).collect();
        let (code, said) = ended(second);
        assert_eq!(code, Some(1), "{arguments:?}: {said}");
        assert!(said.contains(&owner), "{arguments:?}: {said}");
    }

    // The first has noticed nothing, and holds the store as long as it lives.
    scene.accepted(&first, 5).await;
    first.kill();
    let second = Child::serve_with(folder.path(), &scene.chatflow.base_url(), &SETTINGS);
    scene.ask(&second, "/api/resume").await;
    scene.until_all_is_delivered(&second).await;
    assert_eq!(second.terminate(), Some(0));
}

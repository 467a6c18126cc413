//! A file whose pages were overwritten.

use std::path::Path;

use super::scene::{SETTINGS, Scene, ended};
use super::sentences::DAMAGED;
use crate::harness::{Child, program, serving};

const PAGE: usize = 4096;
const EVENTS: usize = 60;

/// A command on the store while no bridge runs; its exit code, and what it said.
fn command(folder: &Path, command: &[&str]) -> (Option<i32>, String) {
    let mut program = program();
    program.current_dir(folder).args(command).env("BRIDGE_CHATFLOW__API_KEY", "unused");
    ended(program)
}

/// A store in which so many updates wait, and the scene that belongs to it.
async fn waiting(folder: &Path) -> Scene {
    let scene = Scene::in_folder(folder);
    let bridge = serve(folder, &scene);
    scene.ask(&bridge, "/api/pause").await;
    scene.accepted(&bridge, EVENTS).await;
    assert_eq!(bridge.terminate(), Some(0));
    scene
}

fn serve(folder: &Path, scene: &Scene) -> Child {
    Child::serve_with(folder, &scene.chatflow.base_url(), &SETTINGS)
}

/// Overwrites pages of the file with rubbish: those that a test picks by their number, from 1, and their bytes.
fn damage(folder: &Path, is_meant: impl Fn(usize, &[u8]) -> bool) {
    let file = folder.join("chatflow-bridge.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let mut damaged = 0;
    for (page, bytes) in bytes.chunks_mut(PAGE).enumerate() {
        if is_meant(page + 1, bytes) {
            bytes.fill(0xA5);
            damaged += 1;
        }
    }
    assert_eq!(damaged, 1, "one page is found");
    std::fs::write(&file, bytes).unwrap();
}

/// The number of the first page of a table.
fn first_page(folder: &Path, table: &str) -> usize {
    let store = rusqlite::Connection::open(folder.join("chatflow-bridge.db")).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let page: u32 = store.query_row(sql, [table], |row| row.get(0)).unwrap();
    usize::try_from(page).unwrap()
}

fn says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "`{word}` is missing in:\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_store_is_refused_checked_and_recovered_and_serve_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let scene = waiting(folder).await;
    let events = first_page(folder, "event");
    damage(folder, |page, _| page == events);

    let refused = ended(serving(folder, &scene.chatflow.base_url(), &SETTINGS));
    let (code, said) = command(folder, &["store", "check"]);
    let (recovered, told) = command(folder, &["store", "recover"]);
    let whole = command(folder, &["store", "check", "--whole"]);

    assert_eq!(refused.0, Some(1), "{}", refused.1);
    says(&refused.1, &[DAMAGED, "`chatflow-bridge.db`", "store check", "store recover"]);
    assert_eq!(code, Some(1), "{said}");
    says(&said, &["✗ its pages are whole", "`event`: its first page", "store recover"]);
    assert_eq!(recovered, Some(1), "{told}");
    let lost = "60 updates have lost their event";
    says(&told, &[lost, "something was lost", "chatflow-bridge.db.damaged-"]);
    assert_eq!(whole.0, Some(0), "{}", whole.1);
    let bridge = serve(folder, &scene);
    scene.ask(&bridge, "/api/resume").await;
    scene.until_all_is_delivered(&bridge).await;
    scene.accepted(&bridge, 5).await;
    scene.until_all_is_delivered(&bridge).await;
    assert_eq!(bridge.terminate(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_that_is_met_while_it_runs_ends_the_program_and_what_is_lost_is_mapped_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let scene = waiting(folder).await;
    // A leaf of the plans: what is to be sent to this contact and to those beside it.
    let plan = format!(r#""id":"{:024x}""#, EVENTS / 2);
    damage(folder, |_, bytes| {
        bytes[0] == 0x0d && bytes.windows(plan.len()).any(|window| window == plan.as_bytes())
    });

    let mut bridge = serve(folder, &scene);
    scene.ask(&bridge, "/api/resume").await;
    assert_eq!(bridge.ended(), Some(1), "{}", bridge.log());
    let (code, said) = command(folder, &["store", "check"]);
    let (recovered, told) = command(folder, &["store", "recover"]);

    says(&bridge.log(), &[DAMAGED, "store check", "store recover"]);
    assert_eq!(code, Some(1), "{said}");
    says(&said, &["✗ its pages are whole", "`plan`: "]);
    assert_eq!(recovered, Some(1), "{told}");
    says(&told, &["places could not be read", "updates that wait have lost their plan"]);
    let remap = ["events", "remap", "--state", "held", "--reason", "version", "--yes", "--offline"];
    let (code, said) = command(folder, &remap);
    assert_eq!(code, Some(0), "{said}");
    let bridge = serve(folder, &scene);
    scene.until_all_is_delivered(&bridge).await;
    assert_eq!(bridge.terminate(), Some(0));
}

//! A file whose pages were overwritten.

use std::path::Path;
use std::process::Command;

use super::scene::{SETTINGS, Scene, counted, ended};
use crate::harness::{Child, program, serving};

const PAGE: usize = 4096;
const EVENTS: usize = 60;

fn store(folder: &Path, command: &[&str]) -> (Option<i32>, String) {
    let mut program = program();
    program.current_dir(folder).arg("store").args(command);
    ended(program)
}

/// A store in which so many updates wait.
async fn waiting(folder: &Path, scene: &Scene) {
    let bridge = Child::serve_with(folder, &scene.chatflow.base_url(), &SETTINGS);
    scene.ask(&bridge, "/api/pause").await;
    scene.accepted(&bridge, EVENTS).await;
    assert_eq!(bridge.terminate(), Some(0));
}

/// The pages of a table, leaves and all.
fn pages_of(file: &Path, table: &str) -> Vec<usize> {
    let ran = Command::new("cp").arg(file).arg(file.with_extension("copy")).status().unwrap();
    assert!(ran.success());
    let connection = rusqlite::Connection::open(file.with_extension("copy")).unwrap();
    let root: usize = connection
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [table], |row| row.get(0))
        .unwrap();
    vec![root]
}

/// Overwrites the root of a table with rubbish.
fn damage(folder: &Path, table: &str) {
    let file = folder.join("chatflow-bridge.db");
    let pages = pages_of(&file, table);
    let mut bytes = std::fs::read(&file).unwrap();
    for page in pages {
        bytes[(page - 1) * PAGE..page * PAGE].fill(0xA5);
    }
    std::fs::write(&file, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explore() {
    for table in ["ledger", "upd", "upd_due", "plan", "event", "name", "meta", "request"] {
        let folder = tempfile::tempdir().unwrap();
        let scene = Scene::in_folder(folder.path());
        waiting(folder.path(), &scene).await;
        damage(folder.path(), table);
        println!("=== {table}");
        let mut serve = serving(folder.path(), &scene.chatflow.base_url(), &SETTINGS);
        let mut process = serve.stderr(std::process::Stdio::piped()).spawn().unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        println!("ended by itself: {:?}", process.try_wait());
        process.kill().unwrap();
        let out = process.wait_with_output().unwrap();
        println!("{}", String::from_utf8_lossy(&out.stderr));
        println!("{:?}", store(folder.path(), &["check"]));
        let (code, said) = store(folder.path(), &["recover"]);
        println!("{code:?} {said}");
        if code != Some(1) && code != Some(0) {
            continue;
        }
        let mut serve = serving(folder.path(), &scene.chatflow.base_url(), &SETTINGS);
        let mut process = serve.stderr(std::process::Stdio::piped()).spawn().unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        println!("ended by itself: {:?}", process.try_wait());
        process.kill().unwrap();
        let out = process.wait_with_output().unwrap();
        println!("{}", String::from_utf8_lossy(&out.stderr));
    }
    let _ = counted;
}

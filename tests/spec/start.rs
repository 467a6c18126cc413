//! What stands in the way of starting ends in one clear message: what, where, what to do.

use std::path::Path;

use crate::harness::{Bridge, CRM, program, store};

/// Runs `serve` in a folder; its exit code and what it said.
fn serve(folder: &Path, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let ran = program()
        .arg("serve")
        .current_dir(folder)
        .env("BRIDGE_SERVER__HOOKS", "127.0.0.1:0")
        .env("BRIDGE_SERVER__METRICS", "127.0.0.1:0")
        .env("BRIDGE_SERVER__ADMIN", "127.0.0.1:0")
        .env("BRIDGE_CHATFLOW__API_KEY", "key")
        .env("BRIDGE_CHATFLOW__BASE_URL", "http://127.0.0.1:9")
        .env("BRIDGE_STORE__MIN_FREE", "0")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    (ran.status.code(), said.into_owned())
}

fn folder_with(mapping: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mappings")).unwrap();
    std::fs::write(folder.path().join("mappings/crm.yaml"), mapping).unwrap();
    folder
}

fn refused(folder: &Path, variables: &[(&str, &str)], words: &[&str]) {
    let (code, said) = serve(folder, variables);
    assert_eq!(code, Some(1), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is missing in:\n{said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn without_a_key_it_names_the_three_ways_to_give_one() {
    let folder = folder_with(CRM);
    refused(
        folder.path(),
        &[("BRIDGE_CHATFLOW__API_KEY", "")],
        &["BRIDGE_CHATFLOW__API_KEY=", "api_key_file", "chatflow.api_key"],
    );
}

#[test]
fn a_mapping_with_a_typo_is_shown_with_its_place() {
    let folder = folder_with(&CRM.replace("update:", "updat:"));
    refused(folder.path(), &[], &["mappings/crm.yaml:13:5", "updat", "did you mean `update`?"]);
}

#[test]
fn a_folder_without_mappings_is_named() {
    let folder = tempfile::tempdir().unwrap();
    refused(folder.path(), &[], &["`mappings`", "--mappings DIR"]);
}

#[test]
fn a_strict_start_names_the_missing_secret() {
    let folder = folder_with(
        &CRM.replace("verify: none", "verify: { preset: github, secret: env:CRM_SECRET }"),
    );
    let ran = program()
        .args(["serve", "--strict"])
        .current_dir(folder.path())
        .env("BRIDGE_CHATFLOW__API_KEY", "key")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{said}");
    assert!(said.contains("CRM_SECRET") && said.contains("crm"), "{said}");
}

#[test]
fn a_store_that_is_none_is_named() {
    let folder = folder_with(CRM);
    std::fs::write(
        folder.path().join("text.db"),
        "this is no database, it is a text of some length".repeat(50),
    )
    .unwrap();
    refused(folder.path(), &[("BRIDGE_STORE__URL", "sqlite:text.db")], &["text.db"]);
    refused(
        folder.path(),
        &[("BRIDGE_STORE__URL", "sqlite:/no/such/folder/b.db")],
        &["/no/such/folder"],
    );
    refused(
        folder.path(),
        &[("BRIDGE_STORE__URL", "mysql://x")],
        &["`store.url`: expected `sqlite:` and the path of a file"],
    );
}

#[tokio::test]
async fn a_store_in_use_is_named_with_its_owner() {
    let folder = folder_with(CRM);
    let bridge = Bridge::start().await;
    let held = format!("sqlite:{}", store(bridge.folder()).display());
    let path = folder.path().to_owned();
    tokio::task::spawn_blocking(move || {
        let owner = format!("process {}", std::process::id());
        refused(&path, &[("BRIDGE_STORE__URL", &held)], &["held by another process", &owner]);
    })
    .await
    .unwrap();
    bridge.end().await;
}

#[tokio::test]
async fn a_store_of_a_newer_release_is_left_alone() {
    let bridge = Bridge::start().await;
    let folder = bridge.end_and_keep().await;
    std::fs::create_dir(folder.path().join("mappings")).unwrap();
    std::fs::write(folder.path().join("mappings/crm.yaml"), CRM).unwrap();
    let newer = rusqlite::Connection::open(store(folder.path())).unwrap();
    for name in ["schema", "readable_from"] {
        newer.execute("UPDATE meta SET value = 999 WHERE name = ?1", [name]).unwrap();
    }
    drop(newer);

    refused(
        folder.path(),
        &[("BRIDGE_STORE__URL", "sqlite:bridge.db")],
        &["schema 999", "run the newer release again"],
    );
}

#[test]
fn a_port_in_use_is_named_with_the_setting_that_gives_it() {
    let folder = folder_with(CRM);
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    refused(
        folder.path(),
        &[("BRIDGE_SERVER__HOOKS", &address)],
        &["server.hooks", &address, "BRIDGE_SERVER__HOOKS"],
    );
}

#[test]
fn a_wrong_setting_names_its_place_and_what_was_meant() {
    let folder = folder_with(CRM);
    std::fs::write(
        folder.path().join("chatflow-bridge.yaml"),
        "delivery:\n  concurency: 4\nserver:\n  hooks: here\n",
    )
    .unwrap();
    refused(
        folder.path(),
        &[("BRIDGE_CHATFLOW_TIMEOUT", "1s")],
        &[
            "chatflow-bridge.yaml:2:3: no setting `delivery.concurency`; did you mean `delivery.concurrency`?",
            "BRIDGE_CHATFLOW__TIMEOUT",
        ],
    );
}

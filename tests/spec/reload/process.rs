//! Starting with what was kept, and signals.

use std::path::{Path, PathBuf};

use chatflow_bridge::chatflow::mock::{MockChatflow, MockOptions};
use serde_json::Value;

use super::{
    SUCCESSFUL, add_contacts, event, following, problem, until, until_written, writing, written,
};
use crate::harness::{Answer, Child, KEY, PATIENCE, client, program};

#[tokio::test]
async fn a_start_with_a_broken_folder_goes_on_with_the_set_that_was_kept() {
    let bridge = following().await;
    std::fs::write(bridge.mappings().join("crm.yaml"), writing("two")).unwrap();
    until_written(&bridge, "crm", "two").await;
    bridge.drain().await;

    let broken = |folder: &Path| {
        std::fs::write(folder.join("mappings/crm.yaml"), "rules: nonsense\n").unwrap();
    };
    let bridge = bridge.restart_after(broken).await;

    assert_eq!(written(&bridge, "crm").await, "two");
    assert!(problem(&bridge).await.as_str().unwrap().contains("crm.yaml:1:"));
    assert!(bridge.metric(SUCCESSFUL).await < 0.5);
    let refused = "mappings_reloads_total{outcome=\"invalid\"}";
    assert!((bridge.metric(refused).await - 1.0).abs() < f64::EPSILON);

    let away = |folder: &Path| std::fs::rename(folder.join("mappings"), folder.join("m")).unwrap();
    bridge.drain().await;
    let bridge = bridge.restart_after(away).await;
    assert_eq!(written(&bridge, "crm").await, "two");

    std::fs::create_dir(bridge.mappings()).unwrap();
    std::fs::write(bridge.mappings().join("crm.yaml"), writing("three")).unwrap();
    until_written(&bridge, "crm", "three").await;
    assert_eq!(problem(&bridge).await, Value::Null);
    bridge.drain().await;
    bridge.end().await;
}

/// A folder for a process of its own, with one mapping.
fn folder_writing(value: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mappings/crm.yaml");
    std::fs::create_dir(folder.path().join("mappings")).unwrap();
    std::fs::write(&file, writing(value)).unwrap();
    (folder, file)
}

fn chatflow() -> MockChatflow {
    let chatflow = MockChatflow::start(MockOptions {
        api_key: Some(KEY.to_owned()),
        ..MockOptions::default()
    })
    .unwrap();
    add_contacts(&chatflow);
    chatflow
}

async fn get(url: String) -> Answer {
    Answer::of(client().get(url).send().await.unwrap()).await
}

#[tokio::test]
async fn a_hangup_has_the_folder_read_at_once_and_a_broken_one_ends_nothing() {
    let chatflow = chatflow();
    let (folder, file) = folder_writing("one");
    let child = Child::serve_with(
        folder.path(),
        &chatflow.base_url(),
        &[("BRIDGE_MAPPINGS__WATCH", "false"), ("BRIDGE_DELIVERY__COALESCE", "false")],
    );
    let ready = async || get(format!("http://{}/readyz", child.metrics)).await.json();
    let before = ready().await["mappings"]["hash"].clone();

    std::fs::write(&file, writing("two")).unwrap();
    child.hang_up();
    until("the new set", async || ready().await["mappings"]["hash"] != before).await;
    let after = ready().await["mappings"]["hash"].clone();
    std::fs::write(&file, writing("three").replace("verify", "verfy")).unwrap();
    child.hang_up();
    until("the problem", async || !ready().await["mappings"]["problem"].is_null()).await;

    assert_eq!(ready().await["mappings"]["hash"], after);
    let log = child.log();
    assert!(log.contains("the last good set goes on"), "{log}");
    assert!(log.contains("mappings/crm.yaml:1:1: E002: "), "{log}");
    let posted = client()
        .post(format!("http://{}/hooks/crm", child.hooks))
        .header("content-type", "application/json")
        .body(event().to_string());
    assert_eq!(posted.send().await.unwrap().status(), 200);
    chatflow
        .wait_for(|seen| seen.iter().filter(|seen| seen.method == "PUT").count() == 2, PATIENCE)
        .await
        .unwrap();
    assert!(chatflow.requests().iter().all(|seen| !seen.body.to_string().contains("one")));
}

#[tokio::test]
async fn a_strict_start_takes_no_set_that_was_kept() {
    let chatflow = chatflow();
    let (folder, file) = folder_writing("one");
    let child = Child::serve(folder.path(), &chatflow.base_url());
    tokio::task::spawn_blocking(move || child.terminate()).await.unwrap();
    std::fs::write(&file, "rules: nonsense\n").unwrap();

    let ran = program()
        .args(["serve", "--strict"])
        .current_dir(folder.path())
        .env("BRIDGE_CHATFLOW__API_KEY", KEY)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{said}");
    assert!(said.contains("mappings/crm.yaml:1:") && said.contains("strict"), "{said}");

    let child = Child::serve(folder.path(), &chatflow.base_url());
    let log = child.log();
    assert!(log.contains("the set that the store kept is in force"), "{log}");
    assert!(log.contains("mappings/crm.yaml:1:8"), "the diagnostics are shown: {log}");
}

//! A store moves to PostgreSQL, and back.

use std::process::Output;

use serde_json::json;

use super::*;
use crate::harness::{Bridge, lead};

const KEYS: &str = "BRIDGE_STORE__ENCRYPTION_KEY_FILE";

/// What a command says when it has gone well.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = command(folder, arguments);
    assert_eq!(status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

fn command(folder: &Path, arguments: &[&str]) -> Output {
    program().args(arguments).current_dir(folder).output().unwrap()
}

/// Why a command was not done.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let Output { status, stderr, .. } = command(folder, arguments);
    assert_eq!(status.code(), Some(1), "{arguments:?}");
    String::from_utf8(stderr).unwrap()
}

/// All that commands show of a store, with the keys of this file.
fn shown(folder: &Path, store: &str, keys: Option<&str>) -> Vec<String> {
    let shown = |arguments: &[&str]| {
        let run = program()
            .args(arguments)
            .args(["--offline", "--json", "--store", store])
            .envs(keys.map(|keys| (KEYS, keys)))
            .current_dir(folder)
            .output()
            .unwrap();
        assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap()
    };
    let list = shown(&["events", "list"]);
    let rows: Value = serde_json::from_str(&list).unwrap();
    let ids = rows["rows"].as_array().unwrap().iter().map(|row| row["event_id"].as_str().unwrap());
    let mut all: Vec<String> = ids.map(|id| shown(&["events", "show", id])).collect();
    all.extend([list, shown(&["audit"])]);
    all
}

/// A store in a file in which there is one of each, and its folder.
async fn with_one_of_each() -> tempfile::TempDir {
    let bridge = Bridge::with_mapping("crm", CRM).beginning_now().start().await;
    bridge.post("crm", &lead("evt_1", "12025550101", 1)).await.expect("accepted");
    bridge.post("crm", &lead("evt_1", "12025550101", 1)).await;
    bridge.post("crm", &json!({ "id": "evt_2", "kind": "other" })).await;
    bridge.post("crm", &lead("evt_3", "no number", 1)).await;
    bridge.drain().await;
    bridge.chatflow.set_key(None);
    bridge.change("/api/pause", &json!({})).await;
    for step in 2..5 {
        bridge.post("crm", &lead(&format!("evt_1_{step}"), "12025550101", step)).await;
    }
    let long = json!({ "id": "evt_5", "kind": "withdrawn", "mobile": "12025550105", "more": "x".repeat(5000) });
    bridge.post("crm", &long).await;
    bridge.end_and_keep().await
}

#[actix_web::test]
async fn a_store_that_was_copied_is_the_same_there_and_goes_on() {
    let Some(server) = Server::shared() else { return };
    let (database, kept) = (server.database(), with_one_of_each().await);
    let (folder, url) = (kept.path(), database.url());
    std::fs::create_dir_all(folder.join("mappings")).unwrap();
    std::fs::write(folder.join("mappings/crm.yaml"), CRM).unwrap();
    std::fs::write(folder.join("keys"), format!("{}\n", "5e".repeat(32))).unwrap();
    std::fs::write(folder.join("none.yaml"), "").unwrap();
    let was = shown(folder, "sqlite:bridge.db", None);

    let to_keys = ["--to-encryption-key-file", "keys"];
    said(folder, &[&["store", "copy", "sqlite:bridge.db", &url], &to_keys[..]].concat());

    assert_eq!(shown(folder, &url, Some("keys")), was);
    let open = "SELECT count(*) FROM chatflow_bridge.plan WHERE get_byte(body, 0) <> 1";
    assert_eq!(database.execute(open), "0", "what was not encrypted is encrypted there");
    let why = refused(folder, &["store", "copy", "sqlite:bridge.db", &url]);
    assert!(why.contains("already"), "{why}");

    let chatflow = mock(Duration::ZERO);
    let more = [(KEYS, "keys")];
    let bridge = bridge_with(folder, &chatflow, &url, &more);
    let (_, again) = post(&bridge, &lead("evt_1", "12025550101", 1)).await;
    assert_eq!(again["status"], "duplicate", "{again}");
    let why = refused(folder, &["store", "copy", &url, "sqlite:back.db"]);
    assert!(why.contains("held by another process"), "{why}");
    let paused = ask(&bridge, "/api/status").await["delivery"]["paused"].clone();
    assert_eq!(paused, json!(["operator"]));
    tokio::task::spawn_blocking(move || bridge.terminate()).await.unwrap();

    let was = shown(folder, &url, Some("keys"));
    let (old, new) = ("5e".repeat(32), "7a".repeat(32));
    std::fs::write(folder.join("both-keys"), format!("{new}\n{old}\n")).unwrap();
    std::fs::write(folder.join("new-keys"), format!("{new}\n")).unwrap();
    let with_keys = |keys: &str, arguments: &[&str]| {
        let run = program().args(arguments).env(KEYS, keys).current_dir(folder).output().unwrap();
        let (out, err) = (String::from_utf8(run.stdout), String::from_utf8(run.stderr));
        assert_eq!(run.status.code(), Some(0), "{}{}", out.unwrap(), err.unwrap());
    };
    with_keys("both-keys", &["store", "rekey", "--store", &url]);
    assert_eq!(shown(folder, &url, Some("new-keys")), was, "the old key can go");

    with_keys("new-keys", &["store", "copy", &url, "sqlite:back.db", "--json"]);
    assert_eq!(shown(folder, "sqlite:back.db", Some("new-keys")), was);
    assert!(!folder.join("back.db.copying").exists());
    with_keys("new-keys", &["store", "check", "--whole", "--store", "sqlite:back.db"]);

    let more = [(KEYS, "new-keys")];
    let bridge = bridge_with(folder, &chatflow, "sqlite:back.db", &more);
    let (_, again) = post(&bridge, &lead("evt_1", "12025550101", 1)).await;
    assert_eq!(again["status"], "duplicate", "{again}");
    let resume = client().post(format!("http://{}/api/resume", bridge.admin)).bearer_auth(TOKEN);
    assert_eq!(resume.json(&()).send().await.unwrap().status(), StatusCode::OK);
    let seen = until_sent(&chatflow, 3).await;
    let steps: Vec<_> =
        seen.iter().filter(|one| is_sent(one)).map(|one| one.body.to_string()).collect();
    let of = |step: &str| steps.iter().position(|body| body.contains(&format!("\"{step}\"")));
    assert!(of("2") < of("3") && of("3") < of("4"), "{steps:?}");
    assert_eq!(ask(&bridge, "/api/audit").await["holds"], true);
}

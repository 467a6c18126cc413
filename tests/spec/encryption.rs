//! What stands in the store's files: nothing of people where a key is given.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::json;

use crate::harness::{Bridge, CRM, program, store};

/// A person whom no other test knows.
const NAME: &str = "Zebulon Quince";
const MOBILE: &str = "12025550199";
const CITY: &str = "Quincetown-on-Sea";

/// Two keys, as `openssl rand` would give them.
const ONE: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const TWO: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

/// A folder with a key file in it.
struct Keys(tempfile::TempDir);

impl Keys {
    fn of(lines: &[&str]) -> Self {
        let keys = Self(tempfile::tempdir().unwrap());
        keys.write(lines);
        keys
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("keys")
    }

    fn write(&self, lines: &[&str]) {
        std::fs::write(self.file(), lines.join("\n")).unwrap();
    }
}

fn bridge(keys: &Keys) -> crate::harness::Builder {
    Bridge::with_mapping("crm", CRM)
        .with_setting("store.encryption_key_file", keys.file().to_str().unwrap())
        .knowing_tags(&["known"])
}

/// One event for each thing that is kept: a body with a plan that was delivered, one that is dead with the API's
/// words, one that is held, one that waits.
async fn everything(bridge: &Bridge) {
    for (id, tags, mobile) in
        [("1", json!([]), MOBILE), ("2", json!([NAME]), MOBILE), ("3", json!([]), "none")]
    {
        let lead = json!({
            "id": id, "kind": "lead", "mobile": mobile, "name": NAME, "city": CITY, "tags": tags,
        });
        assert_eq!(bridge.post("crm", &lead).await.status, 200);
        bridge.drain().await;
    }
}

/// Which of these words stand in a store's files.
fn words_in(folder: &Path) -> Vec<&'static str> {
    let files = ["bridge.db", "bridge.db-wal"].map(|file| folder.join(file));
    // By another process: closing a descriptor of the file in this one would drop SQLite's locks.
    let bytes = std::process::Command::new("cat").args(&files).output().unwrap().stdout;
    let stands = |word: &&str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    let words = [NAME, MOBILE, CITY, "tags_to_add", "is unknown", "source: crm"];
    words.into_iter().filter(stands).collect()
}

fn run(folder: &Path, keys: Option<&Keys>, arguments: &[&str]) -> Output {
    let mut command = program();
    command.current_dir(folder).args(arguments);
    command.args(["--store", &format!("sqlite:{}", store(folder).display())]);
    if let Some(keys) = keys {
        command.env("BRIDGE_STORE__ENCRYPTION_KEY_FILE", keys.file());
    }
    command.output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&*output.stdout, &*output.stderr].concat()).into_owned()
}

#[actix_web::test]
async fn without_a_key_all_of_it_can_be_read_in_the_file() {
    let bridge = Bridge::with_mapping("crm", CRM).knowing_tags(&["known"]).start().await;
    everything(&bridge).await;

    let folder = bridge.end_and_keep().await;

    assert!(words_in(folder.path()).contains(&NAME), "or the other tests show nothing");
    assert!(words_in(folder.path()).contains(&MOBILE));
}

#[actix_web::test]
async fn with_a_key_nothing_of_a_person_stands_in_the_files() {
    let keys = Keys::of(&[ONE]);
    let bridge = bridge(&keys).start().await;

    everything(&bridge).await;

    assert_eq!(words_in(bridge.folder()), Vec::<&str>::new());
    let dead = bridge.updates("dead").await;
    assert!(dead[0]["detail"].as_str().unwrap().contains(NAME), "{dead:?}");
    let id = dead[0]["event_id"].as_str().unwrap().to_owned();
    let event = bridge.admin(&format!("/api/events/{id}")).await.json();
    assert!(event["request"]["body"].as_str().unwrap().contains(CITY), "{event}");
    let bridge = bridge.restart().await;
    let event = bridge.admin(&format!("/api/events/{id}")).await.json();
    assert!(event["request"]["body"].as_str().unwrap().contains(CITY), "{event}");
    let folder = bridge.end_and_keep().await;
    assert_eq!(words_in(folder.path()), Vec::<&str>::new());
}

#[actix_web::test]
async fn a_key_that_is_missing_is_one_clear_error_at_the_start() {
    let keys = Keys::of(&[ONE]);
    let bridge = bridge(&keys).start().await;
    everything(&bridge).await;
    let folder = bridge.end_and_keep().await;

    for (given, why) in [
        (None, "name the file that holds it in `store.encryption_key_file`"),
        (Some(Keys::of(&[TWO])), "which `store.encryption_key_file` does not hold"),
        (Some(Keys::of(&["a passphrase"])), "has no key in line 1"),
    ] {
        let mut serve = program();
        serve.current_dir(folder.path()).arg("serve").env("BRIDGE_CHATFLOW__API_KEY", "key");
        serve.args(["--store", &format!("sqlite:{}", store(folder.path()).display())]);
        if let Some(keys) = &given {
            serve.env("BRIDGE_STORE__ENCRYPTION_KEY_FILE", keys.file());
        }
        std::fs::create_dir_all(folder.path().join("mappings")).unwrap();
        std::fs::write(folder.path().join("mappings/crm.yaml"), CRM).unwrap();

        let refused = serve.output().unwrap();

        assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
        assert!(text(&refused).contains(why), "{}", text(&refused));
        assert!(!text(&refused).contains(TWO), "a key is never shown");
    }
}

#[actix_web::test]
async fn a_new_key_seals_at_once_and_the_old_one_goes_after_rekey() {
    let keys = Keys::of(&[ONE]);
    let bridge = bridge(&keys).start().await;
    everything(&bridge).await;

    keys.write(&[TWO, ONE]);
    let bridge = bridge.restart().await;
    everything(&bridge).await;
    let folder = bridge.end_and_keep().await;
    let new = Keys::of(&[TWO]);
    let before = run(folder.path(), Some(&new), &["store", "check"]);
    assert!(text(&before).contains("does not hold"), "{}", text(&before));

    let rekeyed = run(folder.path(), Some(&keys), &["store", "rekey"]);

    assert_eq!(rekeyed.status.code(), Some(0), "{}", text(&rekeyed));
    let after = run(folder.path(), Some(&new), &["store", "check", "--whole"]);
    assert_eq!(after.status.code(), Some(0), "{}", text(&after));
    let again = run(folder.path(), Some(&new), &["store", "rekey"]);
    assert!(text(&again).starts_with("0 of "), "{}", text(&again));
}

#[actix_web::test]
async fn a_key_file_that_changes_is_taken_without_a_restart() {
    let keys = Keys::of(&[ONE]);
    let bridge = bridge(&keys).start().await;
    everything(&bridge).await;

    keys.write(&[TWO, ONE]);

    let begun = std::time::Instant::now();
    let new = Keys::of(&[TWO]);
    // The ids of the keys stand in the store, the last one first in use.
    while sealed_with(bridge.folder()).split(' ').count() < 2 {
        assert!(begun.elapsed() < crate::harness::PATIENCE, "it is taken");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let lead = json!({ "id": "9", "kind": "lead", "mobile": MOBILE, "name": NAME });
    bridge.post("crm", &lead).await.expect("accepted");
    bridge.drain().await;
    assert_eq!(words_in(bridge.folder()), Vec::<&str>::new());
    let folder = bridge.end_and_keep().await;
    let checked = run(folder.path(), Some(&new), &["store", "check", "--whole", "--json"]);
    assert!(text(&checked).contains("does not hold"), "{}", text(&checked));
}

fn sealed_with(folder: &Path) -> String {
    let connection = rusqlite::Connection::open(store(folder)).unwrap();
    let sql = "SELECT value FROM meta WHERE name = 'sealed_with'";
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[actix_web::test]
async fn switched_on_later_it_leaves_the_old_readable_and_rekey_seals_it() {
    let plain = Bridge::with_mapping("crm", CRM).knowing_tags(&["known"]).start().await;
    everything(&plain).await;
    let folder = plain.end_and_keep().await;
    let keys = Keys::of(&[ONE]);
    let shown = run(folder.path(), Some(&keys), &["store", "check", "--whole"]);
    assert_eq!(shown.status.code(), Some(0), "{}", text(&shown));

    let rekeyed = run(folder.path(), Some(&keys), &["store", "rekey"]);

    assert_eq!(rekeyed.status.code(), Some(0), "{}", text(&rekeyed));
    assert_eq!(words_in(folder.path()), Vec::<&str>::new());
    let checked = run(folder.path(), Some(&keys), &["store", "check", "--whole"]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked));
    let without = run(folder.path(), None, &["store", "rekey"]);
    assert!(text(&without).contains("openssl rand -hex 32"), "{}", text(&without));
}

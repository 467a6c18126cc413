//! Mappings and secrets are replaced while the bridge runs: whole, or not at all.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chatflow_bridge::chatflow::mock::{Fault, MockChatflow, MockOptions, Seed};
use chatflow_bridge::contact::ContactId;
use chatflow_bridge::settings::reload::Outcome;
use serde_json::{Value, json};

use crate::harness::{Answer, Bridge, Child, KEY, PATIENCE, client, program};

/// Contacts that the API knows.
const CONTACTS: usize = 50;
const SUCCESSFUL: &str = "mappings_last_reload_successful";

/// A source whose two rules both write `value`, and carry it in their names.
fn writing(value: &str) -> String {
    let rule = |place: &str| {
        format!(
            "  - name: {place}-{value}\n    contact: {{ id: $.contact }}\n    \
             update: {{ attributes: {{ {place}: {value}, again: {value} }} }}\n"
        )
    };
    format!("verify: none\nevent: {{ id: none }}\nrules:\n{}{}", rule("first"), rule("second"))
}

fn event() -> Value {
    event_of(0)
}

fn event_of(n: usize) -> Value {
    json!({ "contact": contact(n) })
}

fn contact(n: usize) -> ContactId {
    format!("65a1b2c3d4e5f60718293a{:02x}", n % CONTACTS).try_into().unwrap()
}

fn add_contacts(chatflow: &MockChatflow) {
    for n in 0..CONTACTS {
        chatflow.add_contact(Seed::default().with_id(contact(n)));
    }
}

/// A bridge that follows a folder with one file, `crm.yaml`, which writes `one`.
async fn following() -> Bridge {
    let bridge = Bridge::with_mapping("crm", &writing("one")).following_a_folder().start().await;
    add_contacts(&bridge.chatflow);
    bridge
}

/// Which value the rules in force write: what the stored updates of a new event say, all of them.
async fn written(bridge: &Bridge, source: &str) -> String {
    let answer = bridge.post(source, &event()).await;
    let stored = bridge.stored_rules(&answer.expect("accepted")).await;
    let values: BTreeSet<_> = stored.iter().map(|rule| value_of(rule)).collect();
    assert_eq!((stored.len(), values.len()), (2, 1), "{stored:?}");
    values.into_iter().next().unwrap()
}

fn value_of(rule: &str) -> String {
    rule.split_once('-').unwrap().1.to_owned()
}

/// Waits until something holds.
async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "it did not come to pass: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn until_written(bridge: &Bridge, source: &str, value: &str) {
    until(value, async || written(bridge, source).await == value).await;
}

async fn hash(bridge: &Bridge) -> String {
    let status = bridge.admin("/api/status").await.json();
    status["mappings"]["hash"].as_str().unwrap().to_owned()
}

async fn problem(bridge: &Bridge) -> Value {
    let shown = bridge.admin("/api/status").await.json()["mappings"]["problem"].clone();
    let ready = bridge.observe("/readyz").await;
    assert_eq!(ready.status, 200, "a set is in force: {ready:?}");
    assert_eq!(ready.json()["mappings"]["problem"], shown);
    shown
}

#[tokio::test]
async fn a_changed_folder_replaces_the_set_as_a_whole() {
    let bridge = following().await;
    let before = hash(&bridge).await;
    assert_eq!(written(&bridge, "crm").await, "one");

    std::fs::write(bridge.mappings().join("shop.yaml"), writing("shop")).unwrap();
    std::fs::write(bridge.mappings().join("crm.yaml"), writing("two")).unwrap();
    until_written(&bridge, "crm", "two").await;

    assert_eq!(written(&bridge, "shop").await, "shop");
    let after = hash(&bridge).await;
    let page = bridge.observe("/metrics").await.text;
    assert!(page.contains(&format!("mappings_info{{hash=\"{after}\"}} 1")), "{page}");
    assert!(!page.contains(&before), "the old hash is gone");
    for (series, value) in [
        (SUCCESSFUL, 1.0),
        ("mappings_rules{source=\"shop\"}", 2.0),
        ("mappings_reloads_total{outcome=\"ok\"}", 2.0),
        ("mappings_reloads_total{outcome=\"invalid\"}", 0.0),
        ("mappings_last_reload_success_timestamp_seconds", 1_795_435_200.0),
    ] {
        let found = bridge.metric(series).await;
        assert!((found - value).abs() < f64::EPSILON, "{series}: {found}");
    }
    assert_eq!(problem(&bridge).await, Value::Null);
    bridge.drain().await;
    bridge.end().await;
}

#[tokio::test]
async fn what_is_not_fit_leaves_the_last_good_set_in_force_and_is_named() {
    let bridge = following().await;
    let folder = bridge.mappings();
    let (crm, shop) = (folder.join("crm.yaml"), folder.join("shop.yaml"));
    let before = hash(&bridge).await;
    let spoil: [(&str, &str, &dyn Fn()); 8] = [
        ("invalid", "shop.yaml:4:5: E004", &|| {
            std::fs::write(&shop, writing("shop").replacen("contact:", "contcat:", 1)).unwrap();
        }),
        ("invalid", "shop.yaml:1:", &|| std::fs::write(&shop, "").unwrap()),
        ("invalid", "shop.yaml:1:9", &|| {
            std::fs::write(&shop, writing("shop").replacen("none", "{ presett: x }", 1)).unwrap();
        }),
        ("unreadable", "shop.yaml", &|| std::fs::create_dir(&shop).unwrap()),
        ("unreadable", "shop.yaml", &|| symlink("nowhere", &shop).unwrap()),
        ("unreadable", "shop.yaml", &|| std::fs::write(&shop, b"\xff\xfe").unwrap()),
        ("invalid", "no mapping file", &|| std::fs::remove_file(&crm).unwrap()),
        ("unreadable", "mappings", &|| {
            std::fs::rename(&folder, bridge.folder().join("away")).unwrap()
        }),
    ];
    for (outcome, words, spoil) in spoil {
        let series = format!("mappings_reloads_total{{outcome=\"{outcome}\"}}");
        let refused = bridge.metric(&series).await;

        spoil();
        bridge.until_metric(SUCCESSFUL, 0.0).await;

        let shown = problem(&bridge).await;
        assert!(shown.as_str().is_some_and(|shown| shown.contains(words)), "{words}: {shown}");
        assert!((bridge.metric(&series).await - refused - 1.0).abs() < f64::EPSILON, "{words}");
        assert_eq!(hash(&bridge).await, before);
        assert_eq!(written(&bridge, "crm").await, "one");

        // It is told once, however often it is looked at.
        bridge.live().reload().await;
        let told = bridge.metric(&series).await;
        assert!((told - refused - 2.0).abs() < f64::EPSILON, "{words}: {told}");

        drop(std::fs::rename(bridge.folder().join("away"), &folder));
        drop(std::fs::remove_dir(&shop));
        drop(std::fs::remove_file(&shop));
        std::fs::write(&crm, writing("one")).unwrap();
        bridge.until_metric(SUCCESSFUL, 1.0).await;
        assert_eq!(problem(&bridge).await, Value::Null);
    }
    assert!((bridge.metric("mappings_reloads_total{outcome=\"ok\"}").await - 1.0).abs() < 0.1);
    assert!(bridge.live().offer(Vec::new()).await == Outcome::Invalid, "nothing is no set");
    bridge.drain().await;
    bridge.end().await;
}

/// One version of a mounted ConfigMap, as the kubelet lays it out.
fn config_map(folder: &Path, version: &str, files: &[(&str, String)]) {
    std::fs::create_dir_all(folder.join(version)).unwrap();
    for (name, text) in files {
        std::fs::write(folder.join(version).join(name), text).unwrap();
        if folder.join(name).symlink_metadata().is_err() {
            symlink(Path::new("..data").join(name), folder.join(name)).unwrap();
        }
    }
    symlink(version, folder.join("..data_tmp")).unwrap();
    std::fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
}

#[tokio::test]
async fn a_config_map_is_swapped_by_its_data_link() {
    let bridge = following().await;
    let folder = bridge.mappings();
    std::fs::remove_file(folder.join("crm.yaml")).unwrap();

    let mut last = String::new();
    for version in ["two", "three", "four"] {
        let name = format!("..2026_{version}");
        let files = [("crm.yaml", writing(version)), ("shop.yaml", writing(version))];
        config_map(&folder, &name, &files);
        if !last.is_empty() {
            std::fs::remove_dir_all(folder.join(&last)).unwrap();
        }
        until_written(&bridge, "crm", version).await;
        assert_eq!(written(&bridge, "shop").await, version);
        last = name;
    }
    bridge.drain().await;
    bridge.end().await;
}

#[tokio::test]
async fn a_file_or_a_folder_that_is_deleted_and_made_again_never_closes_its_source() {
    let bridge = following().await;
    let folder = bridge.mappings();
    std::fs::write(folder.join("other.yaml"), writing("other")).unwrap();
    until("a second file", async || bridge.post("other", &event()).await.status == 200).await;

    for (n, value) in ["two", "three", "four", "five"].into_iter().enumerate() {
        if n % 2 == 0 {
            std::fs::remove_file(folder.join("crm.yaml")).unwrap();
        } else {
            std::fs::remove_dir_all(&folder).unwrap();
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join("other.yaml"), writing("other")).unwrap();
        }
        // Long enough to be seen, shorter than what counts as removed.
        let gap = Instant::now();
        while gap.elapsed() < Duration::from_millis(300) {
            assert_eq!(bridge.post("crm", &event()).await.status, 200, "before {value}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        std::fs::write(folder.join("crm.yaml"), writing(value)).unwrap();
        until_written(&bridge, "crm", value).await;
    }
    bridge.drain().await;
    bridge.end().await;
}

#[tokio::test]
async fn a_removed_file_closes_its_source_and_what_waits_goes_on() {
    let bridge = following().await;
    let folder = bridge.mappings();
    bridge.chatflow.faults().add(Fault::status(503).on("PUT"));
    bridge.post("crm", &event()).await.expect("accepted");
    bridge.until(|numbers| numbers.scheduled > 0 && numbers.in_flight == 0).await;

    std::fs::write(folder.join("other.yaml"), writing("other")).unwrap();
    std::fs::remove_file(folder.join("crm.yaml")).unwrap();
    until("the source is gone", async || bridge.post("crm", &event()).await.status == 404).await;

    bridge.post("other", &event()).await.expect("accepted");
    assert!(!bridge.observe("/metrics").await.text.contains("source_up{source=\"crm\"}"));
    bridge.chatflow.faults().clear();
    let begun = Instant::now();
    while bridge.numbers().await.delivered < 4 {
        assert!(begun.elapsed() < PATIENCE);
        bridge.clock.advance(Duration::from_mins(20));
        bridge.drain().await;
    }
    let contact = bridge.chatflow.contact(&contact(0)).unwrap();
    assert_eq!(contact.attributes["again"], "other", "in the order they came");
    bridge.end().await;
}

#[tokio::test]
async fn nothing_happens_when_nothing_changed() {
    let bridge = following().await;
    let before = bridge.admin("/api/status").await.json()["mappings"].clone();
    bridge.clock.advance(Duration::from_mins(1));

    std::fs::write(bridge.mappings().join("crm.yaml"), writing("one")).unwrap();
    std::fs::write(bridge.mappings().join("notes.txt"), "no mapping").unwrap();
    let unchanged = "mappings_reloads_total{outcome=\"unchanged\"}";
    until("it was looked at", async || bridge.metric(unchanged).await > 0.0).await;
    assert_eq!(bridge.live().reload().await, Outcome::Unchanged);

    assert_eq!(bridge.admin("/api/status").await.json()["mappings"], before);
    assert!((bridge.metric("mappings_reloads_total{outcome=\"ok\"}").await - 1.0).abs() < 0.1);
    bridge.end().await;
}

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
        &[("BRIDGE_MAPPINGS__WATCH", "false")],
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

#[tokio::test]
async fn a_changed_secret_file_is_in_force_without_a_restart() {
    let secrets = tempfile::tempdir().unwrap();
    let (secret, token) = (secrets.path().join("hook"), secrets.path().join("token"));
    std::fs::write(&secret, "first-secret\n").unwrap();
    std::fs::write(&token, "first-token\n").unwrap();
    let verify =
        format!("verify: {{ token: {{ in: path, secret: \"file:{}\" }} }}", secret.display());
    let bridge = Bridge::with_mapping("crm", &writing("one").replacen("verify: none", &verify, 1))
        .with_setting("admin.token_file", token.to_str().unwrap())
        .start()
        .await;
    add_contacts(&bridge.chatflow);
    let before = hash(&bridge).await;
    let status = async |path: &str| bridge.post(path, &event()).await.status;
    assert_eq!((status("crm/first-secret").await, status("crm/second-secret").await), (200, 401));

    std::fs::write(&secret, "second-secret\n").unwrap();
    until("the second secret", async || status("crm/second-secret").await == 200).await;
    assert_eq!(status("crm/first-secret").await, 401);

    std::fs::remove_file(&secret).unwrap();
    until("closed without a secret", async || status("crm/second-secret").await == 503).await;
    assert!(bridge.metric("source_up{source=\"crm\"}").await < 0.5);
    std::fs::write(&secret, "third-secret\n").unwrap();
    bridge.live().reload().await;
    assert_eq!(status("crm/third-secret").await, 200, "at once when told to");

    assert_eq!(hash(&bridge).await, before);
    std::fs::write(&token, "second-token\n").unwrap();
    let admin = format!("http://{}/api/status", bridge.addresses().admin);
    let asked = async |token: &str| {
        let request = bridge.http().get(&admin).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    };
    until("the second token", async || asked("second-token").await == 200).await;
    assert_eq!(asked("first-token").await, 401);
    bridge.drain().await;
    bridge.end().await;
}

/// Posts until told to stop; what was answered.
async fn post_until(bridge: &Bridge, done: &AtomicBool) -> Vec<String> {
    let mut ids = Vec::new();
    while !done.load(Ordering::Relaxed) {
        ids.push(bridge.post("crm", &event_of(ids.len())).await.expect("accepted"));
    }
    ids
}

/// Every stored event was planned by one set, and no request to the API mixes two.
async fn assert_each_by_one_set(bridge: &Bridge, ids: &[String]) {
    let mut met = BTreeSet::new();
    for id in ids {
        let rules = bridge.stored_rules(id).await;
        let values: BTreeSet<_> = rules.iter().map(|rule| value_of(rule)).collect();
        assert_eq!((rules.len(), values.len()), (2, 1), "{rules:?}");
        met.extend(values);
    }
    assert_eq!(met, BTreeSet::from(["one".to_owned(), "two".to_owned()]), "both were met");
    bridge.drain().await;
    let puts = bridge.puts();
    assert_eq!(puts.len(), ids.len() * 2);
    for put in puts {
        let sent = put.body.to_string();
        assert!(sent.contains("one") != sent.contains("two"), "{sent}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_reloads_under_load_give_no_wrong_answer() {
    let bridge = following().await;
    let done = Arc::new(AtomicBool::new(false));
    let reloads = async {
        for n in 0..1000 {
            let value = if n % 2 == 0 { "two" } else { "one" };
            let files = vec![("crm.yaml".to_owned(), writing(value))];
            assert_eq!(bridge.live().offer(files).await, Outcome::Taken);
        }
        done.store(true, Ordering::Relaxed);
    };

    let ((), first, second, third) = tokio::join!(
        reloads,
        post_until(&bridge, &done),
        post_until(&bridge, &done),
        post_until(&bridge, &done)
    );

    assert_each_by_one_set(&bridge, &[first, second, third].concat()).await;
    bridge.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tens_of_reloads_through_the_folder_under_load_give_no_wrong_answer() {
    let bridge = following().await;
    let done = Arc::new(AtomicBool::new(false));
    let reloads = async {
        for n in 0..20 {
            let (value, before) = (if n % 2 == 0 { "two" } else { "one" }, hash(&bridge).await);
            std::fs::write(bridge.mappings().join("crm.yaml"), writing(value)).unwrap();
            until(value, async || hash(&bridge).await != before).await;
        }
        done.store(true, Ordering::Relaxed);
    };

    let ((), ids) = tokio::join!(reloads, post_until(&bridge, &done));

    assert_each_by_one_set(&bridge, &ids).await;
    bridge.end().await;
}

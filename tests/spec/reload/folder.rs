//! The folder of the mappings, and what may happen to it.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use chatflow_bridge::chatflow::mock::Fault;
use chatflow_bridge::settings::reload::Outcome;
use serde_json::Value;

use super::{
    SUCCESSFUL, contact, event, following, hash, problem, until, until_written, writing, written,
};
use crate::harness::PATIENCE;

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
        ("invalid", "shop.yaml:5:5: E002", &|| {
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
            std::fs::rename(&folder, bridge.folder().join("away")).unwrap();
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

/// One version of a mounted `ConfigMap`, as the kubelet lays it out.
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

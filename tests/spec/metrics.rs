//! What machines see.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::harness::{Bridge, lead};

#[tokio::test]
async fn the_page_counts_what_happened_and_is_clean_for_promtool() {
    let bridge = Bridge::start().await;
    bridge.post("crm", &lead("1", "12025550143", 1)).await.expect("accepted");
    bridge.post("crm", &lead("1", "12025550143", 1)).await.expect("duplicate");
    bridge.post("nobody", &lead("2", "12025550143", 1)).await;
    bridge.until(|numbers| numbers.delivered == 1).await;

    for (series, value) in [
        ("intake_requests_total{outcome=\"accepted\",source=\"crm\"}", 1.0),
        ("intake_requests_total{outcome=\"duplicate\",source=\"crm\"}", 1.0),
        ("intake_requests_total{outcome=\"held\",source=\"crm\"}", 0.0),
        ("intake_rejections_total{reason=\"unknown_source\",source=\"unknown\"}", 1.0),
        ("rule_matches_total{rule=\"lead\",source=\"crm\"}", 1.0),
        ("updates_finished_total{outcome=\"delivered\"}", 1.0),
        ("delivery_latency_seconds_count", 1.0),
        ("contact_resolutions_total{outcome=\"created\"}", 1.0),
        ("paused{reason=\"unauthorized\"}", 0.0),
        ("source_up{source=\"crm\"}", 1.0),
        ("ledger_imbalance", 0.0),
    ] {
        let found: f64 = bridge.metric(series).await;
        assert!((found - value).abs() < f64::EPSILON, "{series}: {found}");
    }
    let page = bridge.observe("/metrics").await.text;
    check_with_promtool(&page);
    assert!(page.contains("process_resident_memory_bytes"));
    bridge.end().await;
}

#[tokio::test]
async fn a_flood_of_unknown_sources_makes_no_series() {
    let bridge = Bridge::start().await;
    bridge.post("first", &lead("1", "12025550143", 1)).await;
    let before = bridge.observe("/metrics").await.text.lines().count();

    for n in 0..200 {
        assert_eq!(
            bridge.post(&format!("made-up-{n}"), &lead("1", "12025550143", 1)).await.status,
            404
        );
    }

    assert_eq!(bridge.observe("/metrics").await.text.lines().count(), before);
    bridge.end().await;
}

#[tokio::test]
async fn health_says_what_is_the_matter() {
    let bridge = Bridge::with_mapping("crm", crate::harness::CRM)
        .and_mapping("shop", "verify: { preset: shopify, secret: env:SHOP }\nevent: { id: none }\nrules: [{ name: a, contact: { mobile: $.m }, update: { name: $.n } }]\n")
        .start()
        .await;

    assert_eq!(bridge.observe("/livez").await.status, 200);
    let ready = bridge.observe("/readyz").await;
    assert_eq!(ready.status, 200, "{ready:?}");
    assert_eq!(ready.json()["sources_down"][0], "shop");
    assert_eq!(ready.json()["store"], "writable");
    let refused = bridge.post("shop", &serde_json::json!({})).await;
    assert_eq!(refused.status, 503, "a source without its secret is never open");
    bridge.end().await;
}

#[expect(clippy::print_stdout, reason = "a test that leaves something out says so")]
fn left_out(why: &str) {
    println!("left out: {why}");
}

/// Holds the page against Prometheus' own rules.
fn check_with_promtool(page: &str) {
    let checking = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut checking) = checking else {
        assert!(std::env::var_os("BRIDGE_TESTS_NEED_TOOLS").is_none(), "promtool is not installed");
        left_out("promtool is not installed");
        return;
    };
    checking.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let checked = checking.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&checked.stdout) + String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}");
}

//! `verify` says what is wrong with a request, `send` makes one that is right.

use std::path::Path;
use std::process::Output;

use crate::harness::{Bridge, CRM, program};

const MAPPING: &str = "
verify: { preset: stripe, secret: [env:NEW, env:OLD] }
event: { id: none }
rules: [{ name: a, contact: { mobile: $.m | phone(e164) }, update: { name: $.n } }]
";
const BODY: &str = r#"{"m":"12025550143","n":"Ann"}"#;

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = program()
        .args(arguments)
        .current_dir(folder)
        .env("NEW", "new-secret")
        .env("OLD", "old-secret")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mappings")).unwrap();
    std::fs::write(folder.path().join("mappings/pay.yaml"), MAPPING).unwrap();
    std::fs::write(folder.path().join("body.json"), BODY).unwrap();
    folder
}

/// A request as `send --curl` would post it, as a raw message.
fn request(folder: &Path, arguments: &[&str]) -> String {
    let send = ["send", "--body", "body.json", "--curl", "--at", "2026-11-23T12:00:00Z"];
    let (code, curl, errors) = run(folder, &[&send, arguments].concat());
    assert_eq!(code, Some(0), "{errors}");
    let headers: Vec<_> = curl
        .lines()
        .filter_map(|line| line.trim().strip_prefix("-H '")?.split_once('\'').map(|(h, _)| h))
        .collect();
    format!("POST /hooks/pay HTTP/1.1\r\nHost: x\r\n{}\r\n\r\n{BODY}", headers.join("\r\n"))
}

#[test]
fn what_send_signs_verify_believes_and_a_mistake_is_named() {
    let folder = folder();
    let file = folder.path().join("request.txt");
    let right = request(folder.path(), &["--source", "pay"]);
    let old = request(
        folder.path(),
        &["--preset", "stripe", "--secret", "env:OLD", "--url", "http://x/hooks/pay"],
    );
    for (message, at, code, said) in [
        (right.clone(), "2026-11-23T12:01:00Z", 0, "valid"),
        (old, "2026-11-23T12:01:00Z", 0, "secret 2 of 2 signed it (`env:OLD`)"),
        (right.clone(), "2026-11-23T12:07:00Z", 1, "7m old"),
        (format!("{right}\n"), "2026-11-23T12:00:00Z", 1, "without the line end"),
        (right.replace("stripe-signature", "x"), "2026-11-23T12:00:00Z", 1, "signature_missing"),
        (right.replace("Ann", "Eve"), "2026-11-23T12:00:00Z", 1, "no known mistake fits"),
    ] {
        std::fs::write(&file, &message).unwrap();
        let arguments = ["verify", "--source", "pay", "--request", "request.txt", "--at", at];

        let (ended, told, errors) = run(folder.path(), &arguments);

        assert_eq!(ended, Some(code), "{told}{errors}");
        assert!(told.contains(said), "{said}: {told}");
        assert!(!told.contains("secret\"") && !told.contains("new-secret"), "{told}");
        let (ended, told, _) = run(folder.path(), &[&arguments[..], &["--json"]].concat());
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert_eq!((ended, &told["valid"]), (Some(code), &serde_json::json!(code == 0)));
    }
}

#[test]
fn wrong_usage_is_said() {
    let folder = folder();
    for (arguments, code, said) in [
        (&["verify", "--body", "body.json"][..], 2, "--source"),
        (&["verify", "--source", "pay"], 2, "--body"),
        (&["verify", "--source", "nobody", "--body", "body.json"], 1, "there are pay"),
        (
            &["verify", "--source", "pay", "--secret", "abc", "--body", "body.json"],
            1,
            "never the secret itself",
        ),
        (
            &["verify", "--preset", "strip", "--secret", "env:NEW", "--body", "body.json"],
            1,
            "stripe",
        ),
        (&["send", "--preset", "stripe", "--secret", "env:NEW", "--body", "body.json"], 2, "--url"),
        (
            &["send", "--source", "pay", "--secret", "env:NONE", "--body", "body.json"],
            1,
            "is not set",
        ),
    ] {
        let (ended, told, errors) = run(folder.path(), arguments);
        assert_eq!(ended, Some(code), "{arguments:?}: {told}{errors}");
        assert!(errors.contains(said), "{arguments:?}: {errors}");
    }
    for command in ["verify", "send"] {
        assert!(run(folder.path(), &[command, "--help"]).1.contains("Examples:"));
    }
}

#[tokio::test]
async fn send_posts_to_a_running_bridge_with_its_own_verify() {
    let bridge = Bridge::with_mapping("pay", MAPPING)
        .and_mapping("crm", CRM)
        .with_variable("NEW", "new-secret")
        .with_variable("OLD", "old-secret")
        .start()
        .await;
    let folder = folder();
    let url = bridge.hook("pay");
    for (at, code, status) in
        [("2026-11-23T12:00:00Z", 0, "200"), ("2026-11-23T13:00:00Z", 1, "401")]
    {
        let (path, url) = (folder.path().to_owned(), url.clone());
        let ran = tokio::task::spawn_blocking(move || {
            run(
                &path,
                &["send", "--source", "pay", "--body", "body.json", "--url", &url, "--at", at],
            )
        });
        let (ended, told, errors) = ran.await.unwrap();
        assert_eq!(ended, Some(code), "{told}{errors}");
        assert!(told.starts_with(status), "{told}");
    }
    bridge.drain().await;
    bridge.end().await;
}

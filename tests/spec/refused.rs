//! What is kept of refused requests, and for whom; secrets that senders gave, and how they are forgotten.

use std::process::Output;
use std::time::Duration;

use crate::harness::{Bridge, CRM, PATIENCE, client, program};

const SIGNED: &str = "verify: { preset: github, secret: env:SECRET }\nevent: { id: none }\n\
    rules: [{ name: a, contact: { mobile: $.mobile }, update: { name: $.name } }]\n";
const ADOPTING: &str = "verify: { preset: asana, secret: adopt }\nevent: { id: none }\n\
    rules: [{ name: a, contact: { mobile: $.mobile }, update: { name: $.name } }]\n";

/// Runs a command as somebody on the bridge's machine would; code, output, errors.
async fn run(bridge: &Bridge, arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = bridge.folder().join("cli");
    std::fs::create_dir_all(folder.join("mappings")).unwrap();
    std::fs::write(folder.join("mappings/git.yaml"), SIGNED).unwrap();
    let mut command = program();
    command
        .args(arguments)
        .current_dir(&folder)
        .env("SECRET", "a-good-secret")
        .env("BRIDGE_SERVER__ADMIN", bridge.addresses().admin.to_string())
        .env("BRIDGE_ADMIN__TOKEN", bridge.admin_token());
    let ran = tokio::task::spawn_blocking(move || command.output().unwrap());
    let Output { status, stdout, stderr } = ran.await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[tokio::test]
async fn refused_requests_are_kept_for_verify_where_that_is_asked_for_and_only_so_long() {
    let bridge = Bridge::with_mapping("git", SIGNED)
        .and_mapping("crm", CRM)
        .with_variable("SECRET", "a-good-secret")
        .with_setting("server.keep_rejected", "1h")
        .start()
        .await;
    let signature = "sha256=".to_owned() + &"0".repeat(64);
    let headers = [("content-type", "application/json"), ("x-hub-signature-256", &signature)];
    assert_eq!(bridge.send("git", &headers, "{}").await.status, 401);
    assert_eq!(bridge.send("git", &headers[..1], "{}").await.status, 401);
    assert_eq!(bridge.send("crm", &headers, "{").await.status, 400);
    assert_eq!(bridge.send("crm", &headers, "{}").await.status, 200);

    let (code, listed, errors) = run(&bridge, &["verify", "--source", "git", "--rejected"]).await;
    assert_eq!(code, Some(0), "{errors}");
    assert!(
        listed.contains("signature_mismatch") && listed.contains("signature_missing"),
        "{listed}"
    );
    assert!(!listed.contains("bad_body") && listed.lines().count() == 2, "{listed}");

    let one = ["verify", "--source", "git", "--rejected", "1"];
    let (code, told, errors) = run(&bridge, &one).await;
    assert_eq!(code, Some(1), "{errors}");
    assert!(
        told.contains("signature_mismatch") && told.contains("no known mistake fits"),
        "{told}"
    );
    let (_, told, _) = run(&bridge, &[&one[..], &["--json"]].concat()).await;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["reason"], "signature_mismatch");
    let (code, _, errors) = run(&bridge, &["verify", "--source", "git", "--rejected", "3"]).await;
    assert!(code == Some(1) && errors.contains("for the source `crm`"), "{errors}");

    // The list shows nothing of a request, and nobody sees it without the token.
    assert!(!bridge.admin("/api/rejected").await.text.contains("sha256"));
    let url = format!("http://{}/api/rejected/1", bridge.addresses().admin);
    assert_eq!(client().get(url).send().await.unwrap().status(), 401);
    assert_eq!(client().get(bridge.hook("../api/rejected")).send().await.unwrap().status(), 404);

    bridge.clock.advance(Duration::from_mins(61));
    let (_, listed, _) = run(&bridge, &["verify", "--source", "git", "--rejected"]).await;
    assert!(listed.contains("no refused request of `git` is kept"), "{listed}");
    assert_eq!(bridge.admin("/api/rejected/1").await.status, 404);
    bridge.end().await;
}

#[tokio::test]
async fn refused_requests_are_not_kept_unless_that_is_asked_for() {
    let bridge =
        Bridge::with_mapping("git", SIGNED).with_variable("SECRET", "a-good-secret").start().await;
    assert_eq!(bridge.send("git", &[], "{}").await.status, 401);

    let (code, _, errors) = run(&bridge, &["verify", "--source", "git", "--rejected"]).await;

    assert!(code == Some(1) && errors.contains("server.keep_rejected"), "{errors}");
    bridge.end().await;
}

#[tokio::test]
async fn a_secret_that_a_sender_gave_is_kept_until_it_is_forgotten() {
    let bridge = Bridge::with_mapping("asana", ADOPTING).start().await;
    let give = async |secret: &str| bridge.send("asana", &[("x-hook-secret", secret)], "").await;
    assert_eq!(give("the-first-secret").await.status, 200);
    assert_eq!(give("the-second-secret").await.status, 401);
    let forget = ["secret", "forget", "--source", "asana"];
    let token = std::fs::read_to_string(bridge.folder().join("bridge.db.admin-token")).unwrap();
    let page = client()
        .post(format!("http://{}/api/sources/asana/forget-secret", bridge.addresses().admin))
        .bearer_auth(token.trim())
        .header("origin", "https://evil.example");
    assert_eq!(page.send().await.unwrap().status(), 403, "no page of another site may");

    let (code, told, errors) = run(&bridge, &forget).await;

    assert_eq!(code, Some(0), "{errors}");
    assert!(told.contains("is forgotten") && !told.contains("first-secret"), "{told}");
    let (code, told, _) = run(&bridge, &[&forget[..], &["--json"]].concat()).await;
    assert_eq!((code, told.trim()), (Some(1), r#"{"source":"asana","forgotten":false}"#));
    assert_eq!(give("the-second-secret").await.status, 200);
    assert_eq!(give("the-first-secret").await.status, 401);
    let bridge = bridge.restart().await;
    let first = bridge.send("asana", &[("x-hook-secret", "the-first-secret")], "").await;
    assert_eq!(first.status, 401);
    bridge.end().await;
}

#[tokio::test]
async fn a_secret_can_be_forgotten_while_no_bridge_runs_and_only_then_without_one() {
    let bridge = Bridge::with_mapping("asana", ADOPTING).start().await;
    assert_eq!(
        bridge.send("asana", &[("x-hook-secret", "the-first-secret")], "").await.status,
        200
    );
    let forget = |store: String| {
        let mut command = program();
        command.args(["secret", "forget", "--source", "asana", "--offline", "--store", &store]);
        let Output { status, stderr, .. } = command.output().unwrap();
        (status.code(), String::from_utf8(stderr).unwrap())
    };
    let store = format!("sqlite:{}", bridge.folder().join("bridge.db").display());
    assert_eq!(forget(store.clone()).0, Some(1), "a bridge holds it");

    let folder = tokio::time::timeout(PATIENCE, bridge.end_and_keep()).await.unwrap();

    let (code, errors) = forget(store.clone());
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(forget(store).0, Some(1), "there is none any more");
    let missing = format!("sqlite:{}", folder.path().join("none.db").display());
    assert!(forget(missing).1.contains("there is no store"));
}

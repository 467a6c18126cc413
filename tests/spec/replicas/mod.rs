//! Several bridges on one PostgreSQL, each in a process of its own.

#[path = "../../support/pgbouncer.rs"]
mod pgbouncer;
#[path = "../../support/postgres.rs"]
pub(crate) mod postgres;

mod away;
mod copying;
mod load;
mod rolling;
pub(crate) mod service;
mod together;

use std::path::Path;
use std::time::{Duration, Instant};

use chatflow_bridge::chatflow::mock::{MockChatflow, MockOptions, SeenRequest};
use reqwest::StatusCode;
use serde_json::Value;

use self::postgres::{PASSWORD, Server};
use crate::harness::{CRM, Child, KEY, PATIENCE, client, program};

const TOKEN: &str = "replicas-token";

/// A folder with the mapping of the tests' CRM.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mappings")).unwrap();
    std::fs::write(folder.path().join("mappings/crm.yaml"), CRM).unwrap();
    folder
}

/// A mock that answers after a while, so that requests would meet.
fn mock(delay: Duration) -> MockChatflow {
    let options = MockOptions { api_key: Some(KEY.to_owned()), delay, ..MockOptions::default() };
    MockChatflow::start(options).unwrap()
}

/// A bridge on the database of this URL.
fn bridge(folder: &Path, chatflow: &MockChatflow, url: &str) -> Child {
    bridge_with(folder, chatflow, url, &[])
}

/// The same, with more in the environment.
fn bridge_with(folder: &Path, chatflow: &MockChatflow, url: &str, more: &[(&str, &str)]) -> Child {
    let mut variables = vec![
        ("BRIDGE_STORE__URL", url),
        ("BRIDGE_ADMIN__TOKEN", TOKEN),
        ("BRIDGE_DELIVERY__COALESCE", "false"),
    ];
    variables.extend(more);
    Child::serve_with(folder, &chatflow.base_url(), &variables)
}

/// What a bridge answers to a document: the status and the body.
async fn post(to: &Child, document: &Value) -> (StatusCode, Value) {
    let url = format!("http://{}/hooks/crm", to.hooks);
    let request = client().post(url).header("content-type", "application/json");
    let answer = request.body(document.to_string()).send().await.unwrap();
    let (status, retry) = (answer.status(), answer.headers().get("retry-after").cloned());
    if status == StatusCode::SERVICE_UNAVAILABLE {
        assert!(retry.is_some(), "a sender is told when to come again");
    }
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_default())
}

/// What the admin API of a bridge gives for a path.
async fn ask(of: &Child, path: &str) -> Value {
    let url = format!("http://{}{path}", of.admin);
    let answer = client().get(url).bearer_auth(TOKEN).send().await.unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// Waits until so many PUTs were answered well; all requests, in order.
async fn until_sent(chatflow: &MockChatflow, count: usize) -> Vec<SeenRequest> {
    let sent = |seen: &[SeenRequest]| seen.iter().filter(|one| is_sent(one)).count();
    chatflow.wait_for(|seen| sent(seen) >= count, PATIENCE).await.unwrap_or_else(|| {
        panic!("{} of {count} were sent", sent(&chatflow.requests()));
    });
    chatflow.requests()
}

fn is_sent(one: &SeenRequest) -> bool {
    one.method == "PUT" && one.status == Some(200)
}

/// Waits until something holds.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "it did not come to pass: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn no_password_is_shown_and_no_token_is_made() {
    let Some(server) = Server::shared() else { return };
    let (database, folder, chatflow) = (server.database(), folder(), mock(Duration::ZERO));
    let url = database.url();

    let shown =
        program().args(["config", "--store", &url]).current_dir(folder.path()).output().unwrap();
    let child = Child::serve_with(
        folder.path(),
        &chatflow.base_url(),
        &[("BRIDGE_STORE__URL", &url), ("BRIDGE_LOG__LEVEL", "trace")],
    );

    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("postgres://bridge:********@127.0.0.1"), "{shown}");
    assert_eq!(child.admin, "", "without a token the admin API is off");
    let log = child.log();
    assert!(log.contains("the admin API is off"), "{log}");
    let part = PASSWORD.split('/').next().unwrap();
    assert!(!log.contains(part) && !shown.contains(part), "the password is shown");
    drop(child);
}

#[tokio::test]
async fn a_password_from_a_file_and_a_server_that_is_who_it_says() {
    let Some(server) = Server::shared() else { return };
    let (database, folder, chatflow) = (server.database(), folder(), mock(Duration::ZERO));
    let password = folder.path().join("password");
    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let tls = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");
    let (ours, others) = (format!("{tls}/ca.pem"), format!("{tls}/other-ca.pem"));
    let url = format!("{}?sslmode=verify-full", database.url_without_password());
    let file = password.display().to_string();
    let given = |ca: &str| {
        program()
            .args(["audit", "--offline", "--store", &url])
            .env("BRIDGE_STORE__PASSWORD_FILE", &file)
            .env("BRIDGE_STORE__CA_FILE", ca)
            .current_dir(folder.path())
            .output()
            .unwrap()
    };

    let child = bridge_with(
        folder.path(),
        &chatflow,
        &url,
        &[("BRIDGE_STORE__PASSWORD_FILE", &file), ("BRIDGE_STORE__CA_FILE", &ours)],
    );
    let (right, wrong) = (given(&ours), given(&others));

    assert_eq!(right.status.code(), Some(0), "{}", String::from_utf8_lossy(&right.stderr));
    assert_ne!(wrong.status.code(), Some(0), "another authority is not believed");
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(said.contains("certificate"), "{said}");
    drop(child);
}

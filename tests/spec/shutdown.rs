//! SIGTERM drains.

use std::process::{Command, Stdio};

use chatflow_bridge::chatflow::mock::{MockChatflow, MockOptions};

use crate::harness::{CRM, Child, KEY, PATIENCE, client, lead, serving};

/// A folder with a mapping.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mappings")).unwrap();
    std::fs::write(folder.path().join("mappings/crm.yaml"), CRM).unwrap();
    folder
}

#[tokio::test]
async fn told_to_stop_it_finishes_what_is_in_flight_and_ends_with_0() {
    let chatflow = MockChatflow::start(MockOptions {
        api_key: Some(KEY.to_owned()),
        delay: std::time::Duration::from_millis(300),
        ..MockOptions::default()
    })
    .unwrap();
    let folder = folder();
    let child = Child::serve(folder.path(), &chatflow.base_url());
    let http = client();
    let url = format!("http://{}/hooks/crm", child.hooks);
    let posted = http
        .post(url)
        .header("content-type", "application/json")
        .body(lead("1", "12025550143", 1).to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(posted.status(), 200);
    chatflow.wait_for(|seen| !seen.is_empty(), PATIENCE).await.unwrap();

    let code = tokio::task::spawn_blocking(move || child.terminate()).await.unwrap();

    assert_eq!(code, Some(0));
    assert!(
        chatflow.requests().iter().all(|request| request.status.is_some()),
        "what was begun was finished: {:?}",
        chatflow.requests()
    );
    let again = Child::serve(folder.path(), &chatflow.base_url());
    chatflow
        .wait_for(|seen| seen.iter().any(|r| r.method == "PUT" && r.status == Some(200)), PATIENCE)
        .await
        .expect("the rest is delivered by the next start");
    drop(again);
}

#[tokio::test]
async fn told_to_stop_it_takes_what_comes_for_a_while_and_ends_each_connection_with_its_answer() {
    let chatflow = MockChatflow::start(MockOptions::default()).unwrap();
    let folder = folder();
    let variables = [("BRIDGE_SERVER__DRAIN_DELAY", "2s")];
    let child = Child::serve_with(folder.path(), &chatflow.base_url(), &variables);
    let (url, ready) =
        (format!("http://{}/hooks/crm", child.hooks), format!("http://{}/readyz", child.metrics));
    let http = client();
    let post = async |number: &str| {
        let body = lead(number, "12025550143", 1).to_string();
        let posted = http.post(&url).header("content-type", "application/json").body(body);
        posted.send().await.unwrap()
    };
    let before = post("1").await;
    assert_eq!((before.status().as_u16(), before.headers().get("connection")), (200, None));

    let stopping = tokio::task::spawn_blocking(move || child.terminate());
    while http.get(&ready).send().await.unwrap().status() == 200 {
        tokio::task::yield_now().await;
    }
    let during = post("2").await;

    assert_eq!(during.status(), 200);
    assert_eq!(during.headers().get("connection").unwrap(), "close");
    assert_eq!(stopping.await.unwrap(), Some(0));
}

#[tokio::test]
async fn told_to_stop_while_it_starts_it_ends_with_0() {
    // A database that takes connections and says nothing.
    let database = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://bridge@{}/bridge", database.local_addr().unwrap());
    let folder = folder();
    let mut serving =
        serving(folder.path(), "http://127.0.0.1:9/", &[("BRIDGE_STORE__URL", url.as_str())]);
    let process = serving.stderr(Stdio::piped()).spawn().unwrap();
    let connected = tokio::time::timeout(PATIENCE, database.accept()).await.unwrap().unwrap();

    let ended = tokio::task::spawn_blocking(move || {
        let pid = process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        process.wait_with_output().unwrap()
    });
    let ended = ended.await.unwrap();

    drop(connected);
    let log = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{log}");
    assert!(log.contains("told to stop before it had started"), "{log}");
}

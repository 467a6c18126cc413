//! Why an event becomes what it becomes: `explain`, `test`, and the stored event that they look at.

use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::harness::{Answer, Bridge, CRM, Child, client, lead, program};

/// A folder with the mapping of the tests' CRM.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mappings")).unwrap();
    std::fs::write(folder.path().join("mappings/crm.yaml"), CRM).unwrap();
    folder
}

fn run_with(folder: &Path, admin: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = program()
        .args(arguments)
        .current_dir(folder)
        .env("BRIDGE_SERVER__ADMIN", admin)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// Where nothing listens.
const NOBODY: &str = "127.0.0.1:9";

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    run_with(folder, NOBODY, arguments)
}

#[test]
fn a_body_is_explained_for_people_and_for_programs() {
    let folder = folder();
    let event =
        json!({"id": "e1", "kind": "lead", "mobile": "12025550143", "Name": "Ann", "tags": ["a"]});
    std::fs::write(folder.path().join("lead.json"), event.to_string()).unwrap();

    let (code, said, errors) =
        run(folder.path(), &["explain", "--source", "crm", "--body", "lead.json"]);

    assert_eq!(code, Some(0), "{errors}");
    for part in [
        "event (source crm, id e1, type lead): accepted",
        "lead: matched, an update is planned",
        "did you mean `$.Name`?",
        "withdrawn: did not match",
        "$.kind equals \"withdrawn\"  found \"lead\"",
        "Authorization: Bearer ********",
        "/contacts/CONTACT_ID'",
    ] {
        assert!(said.contains(part), "`{part}` is missing in:\n{said}");
    }
    assert!(!said.contains('\u{1b}'), "no colour in a pipe");

    let (code, said, _) =
        run(folder.path(), &["explain", "--source", "crm", "--body", "lead.json", "--json"]);
    assert_eq!(code, Some(0));
    let said: Value = serde_json::from_str(&said).unwrap();
    let event = &said["events"][0];
    assert_eq!((&event["id"], &event["type"]), (&json!("e1"), &json!("lead")));
    assert_eq!((&event["status"], &event["occurred_at"]), (&json!("accepted"), &Value::Null));
    let update = &event["updates"][0];
    assert_eq!((&update["rule"], &update["item"]), (&json!("lead"), &json!(0)));
    assert_eq!(update["state"], "planned");
    assert_eq!(update["contact"], json!({"mobile": "12025550143"}));
    assert_eq!(update["trace"][0]["what"], "block");
    assert_eq!(event["trace"]["not_matched"][0]["rule"], "withdrawn");
}

#[test]
fn headers_and_query_reach_the_rules_that_read_them_and_credentials_never_do() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("m")).unwrap();
    let mapping = "source: crm\nverify: none\nevent: { id: none }\nrules:\n  - name: a\n    when: { \"$headers['x-topic']\": lead, $query.list: vip }\n    contact: { id: $.id }\n    update: { optin: false }\n";
    std::fs::write(folder.path().join("m/crm.yaml"), mapping).unwrap();
    std::fs::write(folder.path().join("e"), r#"{"id": "65f0c0ffee0123456789abcd"}"#).unwrap();
    let explain = ["explain", "--mappings", "m", "--body", "e", "--json", "--query", "list=vip"];

    let more = ["--header", "X-Topic: lead", "--header", "Content-Type: application/json"];
    let (_, said, errors) = run(folder.path(), &[&explain[..], &more].concat());
    let said: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{errors}"));
    assert_eq!(said["events"][0]["status"], "accepted");

    let (_, said, _) = run(folder.path(), &explain);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["events"][0]["status"], "ignored");
}

#[tokio::test]
async fn a_stored_event_is_explained_by_the_running_bridge_or_offline_when_none_runs() {
    let folder = folder();
    let child = Child::serve(folder.path(), "http://127.0.0.1:9/api/v1");
    let log = child.log();
    let started = log.lines().find(|line| line.contains("\"started\"")).unwrap();
    let started: Value = serde_json::from_str(started).unwrap();
    let admin = started["admin"].as_str().unwrap();
    let url = format!("http://{}/hooks/crm", child.hooks);
    let posted = client().post(url).json(&lead("e1", "12025550143", 1)).send().await.unwrap();
    let answer = Answer::of(posted).await.json();
    let id = answer["event_id"].as_str().unwrap();

    let (code, said, errors) =
        run_with(folder.path(), admin, &["explain", "--event", id, "--json"]);
    assert_eq!(code, Some(0), "{errors}");
    let of_the_bridge: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(of_the_bridge["events"][0]["updates"][0]["contact"]["mobile"], "12025550143");

    let (code, _, errors) = run(folder.path(), &["explain", "--event", id, "--offline"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("process "), "who holds the store is named: {errors}");
    let (code, _, errors) =
        run_with(folder.path(), admin, &["explain", "--event", "0000000000000"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("there is no such event"), "{errors}");

    assert_eq!(child.terminate(), Some(0));
    let (code, _, errors) = run(folder.path(), &["explain", "--event", id]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("no bridge answers") && errors.contains("--offline"), "{errors}");
    let (code, said, errors) =
        run(folder.path(), &["explain", "--event", id, "--offline", "--json"]);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap(), of_the_bridge);
}

#[tokio::test]
async fn the_admin_api_gives_one_event_with_its_request_to_who_has_the_token() {
    let bridge = Bridge::start().await;
    let event = lead("e1", "12025550143", 1);
    let answer = bridge.post("crm", &event).await.json();
    let path = format!("/api/events/{}", answer["event_id"].as_str().unwrap());

    let found = bridge.admin(&path).await;
    assert_eq!(found.status, 200);
    let found = found.json();
    assert_eq!(found["event"]["event_id"], answer["event_id"]);
    assert_eq!(found["event"]["source"], "crm");
    assert_eq!(found["item"], 0);
    assert_eq!(found["request"]["content_type"], "application/json");
    let body: Value = serde_json::from_str(found["request"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body, event);
    assert_eq!(found["updates"][0]["rule"], "lead");

    let url = format!("http://{}{path}", bridge.addresses().admin);
    assert_eq!(bridge.http().get(url).send().await.unwrap().status(), 401);
    assert_eq!(bridge.admin("/api/events/0000000000000").await.status, 404);
    assert_eq!(bridge.admin("/api/events/nonsense").await.status, 400);
    bridge.end().await;
}

#[test]
fn a_failed_test_shows_the_difference_what_the_rules_saw_and_what_no_test_touches() {
    let folder = folder();
    let file = folder.path().join("mappings/crm.yaml");
    let test = r"
  - name: a lead
    body: { id: e1, kind: lead, mobile: '12025550143', name: Ann, City: Pune }
    expect: [{ rule: lead, update: { name: Anna } }, { rule: withdrawn, update: { optin: false } }]
";
    std::fs::write(&file, format!("{CRM}{}", test.trim_start_matches('\n'))).unwrap();

    let (code, said, summary) = run(folder.path(), &["test", "--coverage"]);

    assert_eq!(code, Some(1), "{said}{summary}");
    for part in [
        "FAILED crm: a lead",
        "-     name: \"Anna\"",
        "+     name: \"Ann\"",
        "✗ withdrawn: did not match: $.kind equals \"withdrawn\": found \"lead\"",
        "update.attributes.city is left out: `$.city` selects nothing; did you mean `$.City`?",
        "untouched crm: withdrawn: no test makes it match",
        "untouched crm: withdrawn: `$.kind equals \"withdrawn\"` is never true",
    ] {
        assert!(said.contains(part), "`{part}` is missing in:\n{said}");
    }
    assert!(summary.contains("4 of 6 rules and branches of conditions touched"), "{summary}");
}

#[test]
fn wrong_usage_of_explain_says_what_is_missing() {
    let folder = folder();
    std::fs::write(folder.path().join("e.json"), "{").unwrap();
    for (arguments, code, part) in [
        (&["explain"][..], 2, "--body"),
        (&["explain", "--event", "nonsense"], 2, "13 letters and digits"),
        (&["explain", "--body", "e.json", "--offline"], 2, "cannot be used with"),
        (&["explain", "--event", "0000000000042", "--query", "a=b"], 2, "cannot be used with"),
        (&["explain", "--body", "nowhere.json"], 1, "`nowhere.json` cannot be read"),
        (&["explain", "--body", "e.json"], 1, "the body cannot be read"),
        (&["explain", "--body", "e.json", "--source", "crn"], 1, "did you mean `crm`?"),
        (&["explain", "--body", "e.json", "--header", "x"], 1, "`Name: value` is expected"),
    ] {
        let (found, _, errors) = run(folder.path(), arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {errors}");
        assert!(errors.contains(part), "{arguments:?}: {errors}");
    }
}

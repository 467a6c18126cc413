//! `init` and `extends`: the walk of `docs/library.md`, and what the library promises there.

use std::fs;
use std::path::Path;

use chatflow_bridge::chatflow::mock::{MockChatflow, MockOptions};
use serde_json::Value;

use crate::harness::walk::{marked, walk};
use crate::harness::{Bridge, Child, KEY, PATIENCE, program};

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let ran = program().args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (ran.status.code(), text(ran.stdout), text(ran.stderr))
}

fn page() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(folder.join("docs/library.md")).unwrap()
}

fn mock() -> MockChatflow {
    let options = MockOptions { api_key: Some(KEY.to_owned()), ..MockOptions::default() };
    MockChatflow::start(options).unwrap()
}

#[tokio::test]
async fn a_mapping_of_the_library_is_taken_tested_served_and_sent_an_event_as_the_page_says() {
    let (page, folder, chatflow) = (page(), tempfile::tempdir().unwrap(), mock());
    let secret = ("TYPEFORM_SECRET", "a-secret-of-my-own");

    assert_eq!(walk(folder.path(), &marked(&page, "<!-- run -->"), "", &[]), 2);
    let bridge = Child::serve_with(folder.path(), &chatflow.base_url(), &[secret]);
    let url = format!(" --url http://{}/hooks/typeform", bridge.hooks);
    let served = marked(&page, "<!-- run while it serves -->");
    assert_eq!(walk(folder.path(), &served, &url, &[secret]), 1);

    let begun = std::time::Instant::now();
    let is_put = |chatflow: &MockChatflow| {
        chatflow.requests().iter().any(|request| {
            request.method == "PUT" && request.path == "/contacts/65a1b2c3d4e5f60718293a4b"
        })
    };
    while !is_put(&chatflow) {
        assert!(begun.elapsed() < PATIENCE, "nothing was sent");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(bridge.terminate(), Some(0));
}

#[tokio::test]
async fn what_init_writes_serves_while_a_secret_is_missing_and_says_so() {
    let (folder, chatflow) = (tempfile::tempdir().unwrap(), mock());
    let (code, said, errors) = run(folder.path(), &["init", "typeform", "hubspot", "make"]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(said.contains("TYPEFORM_SECRET=… HUBSPOT_SECRET=… MAKE_KEY=…"), "{said}");
    let (code, _, said) = run(folder.path(), &["check", "--deny", "warnings"]);
    assert_eq!(code, Some(0), "{said}");

    let bridge =
        Child::serve_with(folder.path(), &chatflow.base_url(), &[("MAKE_KEY", "a-key-of-my-own")]);
    let post = async |source: &str| {
        let url = format!("http://{}/hooks/{source}", bridge.hooks);
        let request = crate::harness::client().post(url).header("x-make-apikey", "a-key-of-my-own");
        let request = request.header("content-type", "application/json").body("[]");
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(
        (post("typeform").await, post("hubspot").await, post("make").await),
        (503, 503, 200)
    );
    assert!(bridge.log().contains("TYPEFORM_SECRET"), "{}", bridge.log());
    assert_eq!(bridge.terminate(), Some(0));
}

#[test]
fn init_writes_over_nothing_and_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("mappings")).unwrap();
    fs::write(at("mappings/shopify.yaml"), "mine").unwrap();
    fs::write(at("chatflow-bridge.yaml"), "log: { level: debug }\n").unwrap();

    let (code, _, errors) = run(folder.path(), &["init", "typeform", "shopify"]);
    assert_eq!(code, Some(1));
    assert!(
        errors.contains("nothing was written: `mappings/shopify.yaml` is there already"),
        "{errors}"
    );
    assert!(!at("mappings/typeform.yaml").exists());

    let (code, said, errors) = run(folder.path(), &["init", "typeform"]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(said.contains("kept chatflow-bridge.yaml as it is"), "{said}");
    assert_eq!(fs::read_to_string(at("chatflow-bridge.yaml")).unwrap(), "log: { level: debug }\n");
    assert_eq!(fs::read_to_string(at("mappings/shopify.yaml")).unwrap(), "mine");

    for (arguments, said) in [
        (&["init"][..], "<SENDER>"),
        (&["init", "shopfiy"], "did you mean `shopify`?"),
        (&["init", "nobody-knows"], "init --list"),
    ] {
        let (code, _, errors) = run(folder.path(), arguments);
        assert_eq!(code, Some(2), "{errors}");
        assert!(errors.contains(said), "{errors}");
    }
}

#[test]
fn the_list_has_every_sender_in_a_line_and_for_a_program() {
    let folder = tempfile::tempdir().unwrap();
    let (_, said, _) = run(folder.path(), &["init", "--list"]);
    let (_, listed, _) = run(folder.path(), &["init", "--list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let names: Vec<_> = listed["senders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own["name"].as_str().unwrap())
        .collect();

    assert_eq!(said.lines().count(), names.len());
    assert!(names.len() >= 32, "{names:?}");
    for (line, name) in said.lines().zip(&names) {
        assert!(line.starts_with(&format!("{name} ")) && line.contains(": "), "{line}");
    }
    // Whatever is chosen together goes together.
    let (code, _, errors) = run(folder.path(), &[&["init"][..], &names].concat());
    assert_eq!(code, Some(0), "{errors}");
    let (code, _, errors) = run(folder.path(), &["check", "--deny", "warnings"]);
    assert_eq!(code, Some(0), "{errors}");
}

#[test]
fn a_file_that_extends_is_checked_tested_shown_and_explained_as_the_page_says() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("mappings")).unwrap();
    let file = folder.path().join("mappings/survey.yaml");
    let text = marked(&page(), "<!-- extends -->");
    fs::write(&file, &text).unwrap();

    let (code, _, said) = run(folder.path(), &["check", "--deny", "warnings"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("1 files, 0 errors, 0 warnings"), "{said}");
    let (code, said, _) = run(folder.path(), &["test"]);
    assert_eq!((code, said.as_str()), (Some(0), "ok survey: an answer\n"));
    let (_, shown, _) = run(folder.path(), &["check", "--show"]);
    for line in [
        "        - survey",
        "        city: $answer.city_ref",
        "  id: $.event_id",
        "  secret: env:SURVEY_SECRET",
    ] {
        assert!(shown.lines().any(|own| own == line), "{line}\n{shown}");
    }
    for gone in ["- lead", "topics", "consent", "extends", "TYPEFORM"] {
        assert!(!shown.contains(gone), "{gone}\n{shown}");
    }
    let event = r#"{"event_type":"form_response","form_response":{"answers":[{"type":"phone_number","phone_number":"+12025550143","field":{"ref":"phone_ref"}}]}}"#;
    fs::write(folder.path().join("event.json"), event).unwrap();
    let (_, said, _) =
        run(folder.path(), &["explain", "--source", "survey", "--body", "event.json"]);
    assert!(said.contains("✓ new-lead: matched") && said.contains("survey"), "{said}");

    fs::write(&file, text.replace("rules:", "let: { answer: off }\nrules:")).unwrap();
    let (code, _, said) = run(folder.path(), &["check"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("--> library:typeform:") && said.contains("survey.yaml`)"), "{said}");
}

const EXTENDING: &str = "extends: make\nverify: none\n";

/// What comes of a list of one person at a source that extends `make`.
async fn imported(bridge: &Bridge) -> Vec<String> {
    let event = serde_json::json!([{ "name": "Ida Lund", "phone": "4555501122" }]);
    bridge.stored_rules(&bridge.post("crm", &event).await.expect("accepted")).await
}

#[tokio::test]
async fn a_start_with_a_broken_folder_has_the_text_of_the_library_that_was_kept() {
    let bridge = Bridge::with_mapping("crm", EXTENDING).following_a_folder().start().await;
    assert_eq!(imported(&bridge).await, ["person"]);
    bridge.drain().await;

    let bridge = bridge
        .restart_after(|folder| {
            fs::write(folder.join("mappings/crm.yaml"), "extends: nothing\n").unwrap();
            // As if another release had kept it: what was kept counts, not what this one ships.
            let store = rusqlite::Connection::open(folder.join("bridge.db")).unwrap();
            let changed = store.execute(
                "UPDATE mapping SET text = replace(text, 'name: person', 'name: kept') WHERE name = 'library:make'",
                [],
            );
            assert_eq!(changed.unwrap(), 1);
        })
        .await;

    assert_eq!(imported(&bridge).await, ["kept"]);
    bridge.drain().await;
    bridge.end().await;
}

#[tokio::test]
async fn a_file_that_extends_is_replaced_while_the_bridge_runs() {
    let bridge = Bridge::with_mapping("crm", EXTENDING).following_a_folder().start().await;
    let more = "rules:\n  - { name: person, off: true }\n  - { name: mine, for_each: '$[*]', contact: { mobile: '$item.phone | phone(e164)' }, update: { name: $item.name } }\n";
    fs::write(bridge.mappings().join("crm.yaml"), format!("{EXTENDING}{more}")).unwrap();
    bridge.live().reload().await;

    assert_eq!(imported(&bridge).await, ["mine"]);
    bridge.drain().await;
    bridge.end().await;
}

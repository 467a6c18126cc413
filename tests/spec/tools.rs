//! The tools of those who write mappings: `check`, `test`, `diff`.

use std::path::Path;

use chatflow_bridge::mapping::Set;
use chatflow_bridge::mapping::syntax::Code;
use chatflow_bridge::webhook::check_door;
use serde_json::json;

use crate::harness::{Bridge, CRM, KEY, Said, lead, program, store};

fn run(folder: &Path, arguments: &[&str]) -> Said {
    run_with(folder, arguments, &[])
}

fn run_with(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Said {
    let mut command = program();
    command.args(arguments).current_dir(folder).envs(variables.iter().copied());
    Said::by(command)
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

// check

/// A whole file made of an example: what it lacks is added.
fn whole(example: &str) -> String {
    let mut text = example.to_owned();
    for (key, line) in [
        ("verify:", "verify: { preset: github, secret: env:S }"),
        ("event:", "event: { id: $.id }"),
        ("rules:", "rules: []"),
        ("tests:", "tests: [{ name: a, body: {}, expect: ignored }]"),
    ] {
        if !text.lines().any(|own| own.starts_with(key)) {
            text.extend(["\n", line]);
        }
    }
    text.push('\n');
    text
}

fn codes_of(text: &str) -> Vec<Code> {
    let read = Set::read_with(vec![("crm.yaml".to_owned(), text.to_owned())], &check_door);
    read.reports[0].problems.iter().map(|problem| problem.code).collect()
}

#[test]
fn every_code_is_documented_with_an_example_that_has_it_and_one_that_has_not() {
    let empty = folder(&[]);
    for code in Code::ALL {
        let (name, example) = (code.as_str(), code.example());
        let said = run(empty.path(), &["check", "--explain", name]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert!(code.explanation().trim().len() > 40, "{name} says what it means");
        for part in example.wrong.lines().chain(example.right.lines()) {
            assert!(said.out.contains(part), "{name}: {part}\n{}", said.out);
        }
        // What only the API knows is in the tests of `--api`.
        if *code != Code::UnknownTag {
            let found = codes_of(&whole(example.wrong));
            assert!(found.contains(code), "{name}: {found:?}\n{}", example.wrong);
        }
        let found = codes_of(&whole(example.right));
        assert_eq!(found, [], "{name}:\n{}", example.right);
    }
    let listed = run(empty.path(), &["check", "--list-codes"]).out;
    assert_eq!(listed.lines().count(), Code::ALL.len());
    assert!(listed.lines().zip(Code::ALL).all(|(line, code)| line.starts_with(code.as_str())));
    assert_eq!(run(empty.path(), &["check", "--explain", "E999"]).code, Some(2));
}

#[test]
fn one_misspelt_key_is_one_problem() {
    let folder =
        folder(&[("mappings/crm.yaml", &CRM.replace("update:\n      name", "updat:\n      name"))]);
    let said = run(folder.path(), &["check", "--json"]);

    let problems = said.json()["problems"].as_array().unwrap().clone();
    let errors: Vec<_> = problems.iter().filter(|problem| problem["severity"] == "error").collect();
    assert_eq!(errors.len(), 1, "{}", said.out);
    assert_eq!(errors[0]["code"], "E002");
    assert_eq!(errors[0]["help"], "did you mean `update`?");
}

#[test]
fn problems_are_annotations_for_github() {
    let folder = folder(&[("mappings/crm.yaml", &CRM.replace("$.city", "$.city | trimm"))]);
    let said = run(folder.path(), &["check", "--github"]);

    assert_eq!(said.code, Some(1));
    let lines: Vec<_> = said.out.lines().collect();
    assert_eq!(lines.len(), 2, "{}", said.out);
    assert!(lines[0].starts_with("::warning file=mappings/crm.yaml,line=3,col=9,"), "{}", lines[0]);
    assert_eq!(
        lines[1],
        "::error file=mappings/crm.yaml,line=18,col=24,endLine=18,endColumn=29,title=E011::the step `trimm` is not known%0Adid you mean `trim`?"
    );
}

#[test]
fn the_rules_in_force_are_shown_as_a_file_that_means_the_same() {
    let text = CRM.replace(
        "rules:",
        "let: { town: $.city | trim }\ndefaults:\n  when: { $.test: { exists: false } }\n  update: { attributes: { town: $town } }\nrules:",
    );
    let before = folder(&[("mappings/crm.yaml", &text)]);
    let shown = run(before.path(), &["check", "--show"]);
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    assert!(!shown.out.contains("defaults:"), "{}", shown.out);

    // The same file by another name of the rules in force: no event tells them apart.
    std::fs::create_dir(before.path().join("shown")).unwrap();
    std::fs::write(before.path().join("shown/crm.yaml"), &shown.out).unwrap();
    std::fs::create_dir_all(before.path().join("events/crm")).unwrap();
    for (name, event) in [
        ("a", lead("1", "12025550143", 1)),
        ("b", json!({ "id": "2", "kind": "lead", "mobile": "12025550143", "city": " Pune " })),
        ("c", json!({ "id": "3", "kind": "withdrawn", "mobile": "x", "city": "Pune" })),
        ("d", json!({ "id": "4", "kind": "lead", "mobile": "12025550143", "test": true })),
    ] {
        let path = before.path().join(format!("events/crm/{name}.json"));
        std::fs::write(path, event.to_string()).unwrap();
    }
    let said = run(before.path(), &["diff", "mappings", "shown", "--events", "events"]);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_asks_the_api_for_the_tags_that_rules_use() {
    let bridge = Bridge::with_mapping("crm", CRM).knowing_tags(&["lead", "VIP"]).start().await;
    let text = CRM.replace("tags_to_add: $.tags", "tags_to_add: [leed, VIP]");
    let folder = folder(&[("mappings/crm.yaml", &text)]);
    let base = bridge.chatflow.base_url();
    let variables =
        [("BRIDGE_CHATFLOW__BASE_URL", base.as_str()), ("BRIDGE_CHATFLOW__API_KEY", KEY)];
    let check = |arguments: &'static [&'static str]| {
        let (path, variables) = (folder.path(), &variables);
        tokio::task::block_in_place(|| run_with(path, arguments, variables))
    };

    let said = check(&["check", "--api"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains("warning[W020]: Chatflow has no tag `leed`"), "{}", said.err);
    assert!(said.err.contains("did you mean `lead`?"), "{}", said.err);
    assert!(said.err.contains("to do:") && said.err.contains("step, city"), "{}", said.err);
    assert!(!said.err.contains("no tag `VIP`"), "{}", said.err);

    assert_eq!(check(&["check", "--api", "--deny", "warnings"]).code, Some(1));
    let found = check(&["check", "--api", "--json"]).json();
    let unknown: Vec<_> = found["problems"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|problem| problem["code"] == "W020")
        .map(|problem| (problem["line"].as_u64(), problem["column"].as_u64()))
        .collect();
    assert_eq!(unknown, [(Some(15), Some(21))]);
    bridge.end().await;
}

// test

const FAILING: &str = r#"
  - name: a lead # who is new
    expect: ignored # until somebody looks
    body: { kind: lead, mobile: "12025550143", name: Ann, tags: [lead] }
  - name: held
    body: { kind: lead, mobile: call me }
    # the reason
    expect:
      - rule: lead
        contact: { mobile: "1" }
  # the last
  - { name: withdrawn, body: { kind: withdrawn, mobile: "12025550143" }, expect: ignored }
"#;

#[test]
fn update_rewrites_the_expectations_of_failing_tests_and_nothing_else() {
    let text = format!("{CRM}{}", FAILING.trim_start_matches('\n'));
    let folder = folder(&[("mappings/crm.yaml", &text)]);
    assert_eq!(run(folder.path(), &["test"]).code, Some(1));

    let said = run(folder.path(), &["test", "--update"]);

    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.err.contains("3 expectations rewritten"), "{}", said.err);
    let new = std::fs::read_to_string(folder.path().join("mappings/crm.yaml")).unwrap();
    assert_eq!(
        new,
        format!(
            "{CRM}{}",
            r#"  - name: a lead # who is new
    expect:
      - rule: lead
        contact:
          mobile: "12025550143"
        update:
          name: Ann
          tags_to_add:
            - lead # until somebody looks
    body: { kind: lead, mobile: "12025550143", name: Ann, tags: [lead] }
  - name: held
    body: { kind: lead, mobile: call me }
    # the reason
    expect:
      - rule: lead
        held: phone
  # the last
  - { name: withdrawn, body: { kind: withdrawn, mobile: "12025550143" }, expect: [{ rule: withdrawn, contact: { mobile: "12025550143" }, update: { optin: false } }] }
"#
        )
    );
    let again = run(folder.path(), &["test", "--update"]);
    assert!(again.err.contains("0 expectations rewritten"), "{}", again.err);
}

#[test]
fn update_leaves_a_test_whose_body_cannot_be_read_as_it_is() {
    let text = format!(
        "{CRM}  - {{ name: cut off, raw: '{{', content_type: application/json, expect: ignored }}\n"
    );
    let folder = folder(&[("mappings/crm.yaml", &text)]);

    let said = run(folder.path(), &["test", "--update"]);

    assert_eq!(said.code, Some(1), "{}", said.out);
    assert!(said.out.contains("FAILED crm: cut off"), "{}", said.out);
    assert_eq!(std::fs::read_to_string(folder.path().join("mappings/crm.yaml")).unwrap(), text);
}

#[test]
fn results_are_there_for_programs_and_build_servers() {
    let text = format!("{CRM}{}", FAILING.trim_start_matches('\n'));
    let folder = folder(&[("mappings/crm.yaml", &text)]);

    let said =
        run(folder.path(), &["test", "--json", "--junit", "results.xml", "--filter", "lead"]);

    assert_eq!(said.code, Some(1));
    let found = said.json();
    assert_eq!((&found["passed"], &found["failed"]), (&json!(0), &json!(1)));
    let row = &found["tests"][0];
    assert_eq!(row["file"], "mappings/crm.yaml");
    let line = usize::try_from(row["line"].as_u64().unwrap()).unwrap();
    assert!(text.lines().nth(line - 1).unwrap().contains("name: a lead"), "{row}");
    assert_eq!(row["column"], 5);
    let xml = std::fs::read_to_string(folder.path().join("results.xml")).unwrap();
    assert!(xml.contains("<testsuite name=\"crm\" tests=\"1\" failures=\"1\""), "{xml}");
    assert!(xml.contains(&format!("file=\"mappings/crm.yaml\" line=\"{line}\"")), "{xml}");
}

// diff

/// The CRM's mapping, otherwise: another attribute, another tag, and no rule for withdrawals.
fn otherwise() -> String {
    CRM.replace("city: $.city", "town: $.city")
        .replace("tags_to_add: $.tags", "tags_to_add: [new]")
        .replace("kind: withdrawn", "kind: gone")
}

#[test]
fn diff_says_what_two_sets_make_of_a_folder_of_events() {
    let event = json!({ "id": "1", "kind": "lead", "mobile": "12025550143", "city": "Pune" });
    let folder = folder(&[
        ("old/crm.yaml", CRM),
        ("new/crm.yaml", &otherwise()),
        ("events/crm/lead.json", &event.to_string()),
        ("events/crm/other.json", r#"{"id":"2","kind":"other"}"#),
        ("events/gone.json", r#"{"id":"3","kind":"withdrawn","mobile":"12025550143"}"#),
        (
            "events/gone.meta.json",
            r#"{"source":"crm","headers":{"X-Any":"1"},"query":{"a":"b c"}}"#,
        ),
    ]);
    let diff = |old: &str, new: &str, more: &[&str]| {
        run(folder.path(), &[&["diff", old, new, "--events", "events"], more].concat())
    };

    assert_eq!(diff("old", "old", &[]).code, Some(0));
    let said = diff("old", "new", &["--json"]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    let found = said.json();
    let source = &found["sources"]["crm"];
    assert_eq!((&source["events"], &source["differ"]), (&json!(3), &json!(2)));
    let rule = &source["rules"]["lead"];
    assert_eq!(rule["matched"], json!({ "before": 1, "after": 1 }));
    assert_eq!(rule["fields_gained"], json!({ "attributes.town": 1, "tags_to_add: new": 1 }));
    assert_eq!(rule["fields_lost"], json!({ "attributes.city": 1 }));
    assert_eq!(rule["examples"][0]["event"], "crm/lead.json");
    assert_eq!(rule["examples"][0]["after"]["update"]["attributes"], json!({ "town": "Pune" }));
    assert_eq!(source["rules"]["withdrawn"]["lost"], 1);
    let text = diff("old", "new", &[]).out;
    assert!(text.contains("rule withdrawn: matched 1 → 0"), "{text}");
    assert!(text.contains("+ attributes.town (1)") && text.contains("- optin (1)"), "{text}");
}

#[test]
fn diff_that_cannot_be_made_ends_with_2() {
    let folder = folder(&[
        ("old/crm.yaml", CRM),
        ("wrong/crm.yaml", "rules: []"),
        ("events/a.json", "{}"),
        ("empty/.keep", ""),
    ]);
    for arguments in [
        &["diff", "old"][..],
        &["diff", "old", "old"],
        &["diff", "old", "old", "--events", "events", "--stored"],
        &["diff", "old", "old", "--events", "events", "--since", "7d"],
        // No source is named, an unknown one, no event, no such folder, a set with errors, no bridge.
        &["diff", "old", "old", "--events", "events"],
        &["diff", "old", "old", "--events", "events", "--source", "shop"],
        &["diff", "old", "old", "--events", "empty"],
        &["diff", "old", "old", "--events", "nowhere"],
        &["diff", "old", "wrong", "--events", "events", "--source", "crm"],
        &["diff", "old", "old", "--stored"],
        &["diff", "old", "old", "--stored", "--offline"],
    ] {
        let said = run(folder.path(), arguments);
        assert_eq!(said.code, Some(2), "{arguments:?}: {}{}", said.out, said.err);
        assert!(said.err.contains("error"), "{arguments:?}: {}", said.err);
    }
    assert!(run(folder.path(), &["diff", "--help"]).out.contains("Examples:"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn diff_goes_over_stored_events_from_the_bridge_and_offline_only_without_it() {
    let bridge = Bridge::start().await;
    for n in 1..=3_usize {
        let event = lead(&n.to_string(), &format!("1202555014{n}"), n);
        bridge.post("crm", &event).await.expect("accepted");
    }
    bridge.post("crm", &json!({ "id": "4", "kind": "other" })).await.expect("ignored");
    bridge.drain().await;
    let folder = folder(&[("old/crm.yaml", CRM), ("new/crm.yaml", &otherwise())]);
    let admin = bridge.addresses().admin.to_string();
    let url = format!("sqlite:{}", store(bridge.folder()).display());
    let diff = |new: &str, more: &[&str]| {
        let arguments =
            [&["diff", "old", new, "--stored", "--json", "--store", &url], more].concat();
        tokio::task::block_in_place(|| {
            run_with(folder.path(), &arguments, &[("BRIDGE_SERVER__ADMIN", &admin)])
        })
    };

    assert_eq!(diff("old", &[]).code, Some(0));
    let running = diff("new", &[]);
    assert_eq!(running.code, Some(1), "{}", running.err);
    let source = running.json()["sources"]["crm"].clone();
    assert_eq!((&source["events"], &source["differ"]), (&json!(4), &json!(3)));
    assert_eq!(source["rules"]["lead"]["fields_gained"], json!({ "tags_to_add: new": 3 }));
    assert_eq!(diff("new", &["--limit", "2"]).json()["sources"]["crm"]["events"], 2);
    assert_eq!(diff("new", &["--source", "shop"]).code, Some(2), "there is no event of it");

    let refused = diff("new", &["--offline"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("held by another process"), "{}", refused.err);

    let bridge_folder = bridge.folder().to_owned();
    let offline = bridge
        .end_and(|| {
            assert!(store(&bridge_folder).is_file());
            diff("new", &["--offline"])
        })
        .await;
    assert_eq!(offline.code, Some(1), "{}", offline.err);
    assert_eq!(offline.json(), running.json());
}

#[tokio::test]
async fn one_stored_event_is_given_with_its_request() {
    let bridge = Bridge::start().await;
    let event = lead("1", "12025550143", 1);
    let id = bridge.post("crm", &event).await.json()["event_id"].as_str().unwrap().to_owned();
    bridge.drain().await;

    let found = bridge.admin(&format!("/api/events/{id}")).await.json();

    assert_eq!(
        (&found["event"]["event_id"], &found["event"]["source"]),
        (&json!(id), &json!("crm"))
    );
    assert_eq!((&found["event"]["type"], &found["item"]), (&json!("lead"), &json!(0)));
    assert_eq!(found["request"]["method"], "POST");
    assert_eq!(found["request"]["content_type"], "application/json");
    assert_eq!(found["updates"][0]["rule"], "lead");
    let body = found["request"]["body_base64"].as_str().unwrap();
    assert_eq!(base64_of(&event.to_string()), body);
    assert_eq!(bridge.admin("/api/events/0000000000000").await.status, 404);
    let url = format!("http://{}/api/events/{id}", bridge.addresses().admin);
    assert_eq!(bridge.http().get(url).send().await.unwrap().status(), 401);
    bridge.end().await;
}

fn base64_of(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

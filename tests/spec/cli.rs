//! The commands, as a person runs them.

use std::path::Path;
use std::process::Output;

use crate::harness::{CRM, program};

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        program().args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_demo_ends_with_every_contact_as_expected_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ran = program()
        .args(["demo", "--once"])
        .current_dir(folder.path())
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();

    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    for word in [
        "POST /hooks/typeform",
        "new-lead",
        "PUT /contacts/65a1b2c3d4e5f60718293a4b",
        "POST /contacts?onDuplicate=skip",
        "Every contact ended as expected.",
    ] {
        assert!(said.contains(word), "`{word}` is missing in:\n{said}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn the_shipped_mappings_pass_their_checks_and_tests() {
    let (code, _, said) = run(repository(), &["check", "mappings", "--deny", "warnings"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said, summary) = run(repository(), &["test", "mappings"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(summary.contains(" passed, 0 failed"), "{summary}");
}

#[test]
fn check_names_every_problem_and_test_every_failure() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mappings")).unwrap();
    let file = folder.path().join("mappings/crm.yaml");

    std::fs::write(&file, CRM.replace("name: $.name", "nam: $.name").replace("$.city", "$.city |"))
        .unwrap();
    let (code, _, said) = run(folder.path(), &["check"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("E002") && said.contains("did you mean `name`?"), "{said}");
    assert!(said.contains("2 errors"), "{said}");
    let (code, said, _) = run(folder.path(), &["check", "--json"]);
    assert_eq!(code, Some(1));
    let problems: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        problems["problems"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|p| p["severity"] == "error")
            .count(),
        2
    );

    std::fs::write(
        &file,
        CRM.replace("kind: other", "kind: lead, mobile: '12025550143', name: Ann"),
    )
    .unwrap();
    let (code, said, summary) = run(folder.path(), &["test"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("FAILED crm: nothing") && summary.contains("0 passed, 1 failed"),
        "{said}"
    );
}

#[test]
fn config_says_where_each_value_comes_from_and_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("chatflow-bridge.yaml"),
        "delivery:\n  concurrency: 4\nadmin:\n  hosts: [a.example, b.example]\n",
    )
    .unwrap();
    let ran = program()
        .args(["config", "--store", "sqlite:x.db"])
        .current_dir(folder.path())
        .env("BRIDGE_CHATFLOW__API_KEY", "0123-secret")
        .output()
        .unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();

    assert!(ran.status.success(), "{said}");
    let line = |key: &str| {
        let line = said.lines().find(|line| line.starts_with(&format!("{key} "))).unwrap();
        line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("delivery.concurrency"), "4 chatflow-bridge.yaml:2:16");
    assert_eq!(line("admin.hosts"), "a.example,b.example chatflow-bridge.yaml:4:10");
    assert_eq!(line("store.url"), "sqlite:x.db flag --store");
    assert_eq!(
        line("chatflow.api_key"),
        "(set, not shown) environment variable BRIDGE_CHATFLOW__API_KEY"
    );
    assert_eq!(line("chatflow.timeout"), "10s default");
    assert!(!said.contains("0123-secret"));
}

#[test]
fn the_first_mapping_of_the_readme_works_as_it_stands() {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("mappings/fixtures")).unwrap();
    let mut files = 0;
    for piece in readme.split("<!-- file: ").skip(1) {
        let (name, rest) = piece.split_once(" -->").unwrap();
        let (_, rest) = rest.split_once("```").unwrap();
        let (_, rest) = rest.split_once('\n').unwrap();
        let (text, _) = rest.split_once("```").unwrap();
        std::fs::write(folder.path().join(name), text).unwrap();
        files += 1;
    }
    assert_eq!(files, 2);
    let (_, commands) = readme.split_once("<!-- run -->\n```sh\n").unwrap();
    let (commands, _) = commands.split_once("```").unwrap();
    for command in commands.lines() {
        let arguments: Vec<_> = command.split_whitespace().skip(1).collect();
        let (code, said, errors) = run(folder.path(), &arguments);
        assert_eq!(code, Some(0), "{command}: {said}{errors}");
    }
}

#[test]
fn the_settings_reference_is_what_the_program_knows() {
    let written = std::fs::read_to_string(repository().join("docs/settings.md")).unwrap();
    assert_eq!(written, chatflow_bridge::settings::reference(), "run `make docs`");
}

#[test]
fn wrong_usage_ends_with_2_and_help_has_examples() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), &["serv"]).0, Some(2));
    assert_eq!(run(folder.path(), &["check", "--deny", "everything"]).0, Some(2));
    for arguments in [
        &["--help"][..],
        &["serve", "--help"],
        &["check", "--help"],
        &["test", "--help"],
        &["explain", "--help"],
        &["mock", "--help"],
        &["suggest", "--help"],
        &["schema", "--help"],
        &["probe", "--help"],
    ] {
        let (code, said, _) = run(folder.path(), arguments);
        assert_eq!(code, Some(0));
        assert!(said.contains("Examples:"), "{arguments:?}: {said}");
    }
}

//! `suggest`, as a person runs it, and the walk of `docs/first-mapping.md`.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::harness::program;
use crate::harness::walk::{block, marked, walk};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn fixture(name: &str) -> String {
    repository().join("tests/fixtures/suggest").join(name).display().to_string()
}

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        program().args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn the_walk_from_one_event_to_a_tested_mapping_goes_as_it_is_written() {
    let page = std::fs::read_to_string(repository().join("docs/first-mapping.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lead.json"), marked(&page, "<!-- file: lead.json -->"))
        .unwrap();

    let blocks = page.split("<!-- run -->").skip(1).map(block);
    let commands: usize = blocks.map(|block| walk(folder.path(), &block, "", &[])).sum();
    assert_eq!(commands, 9);
}

#[test]
fn a_suggestion_is_written_once_and_never_over_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let event = fixture("gravity-forms-entry-json.json");
    let arguments =
        ["suggest", &event, "--source", "forms", "--country", "US", "--write", ".", "--anyway"];

    let (code, said, errors) = run(folder.path(), &arguments);
    assert_eq!((code, said.as_str()), (Some(0), ""), "{errors}");
    let captured = std::fs::read(folder.path().join("mappings/fixtures/forms-1.json")).unwrap();
    assert_eq!(captured, std::fs::read(&event).unwrap(), "the event is kept byte for byte");
    let (code, _, said) = run(folder.path(), &["check", "--deny", "warnings"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said, _) = run(folder.path(), &["test"]);
    assert_eq!(code, Some(0), "{said}");

    std::fs::write(folder.path().join("mappings/forms.yaml"), "mine").unwrap();
    let (code, _, errors) = run(folder.path(), &arguments);
    assert_eq!(code, Some(1));
    assert!(errors.contains("is there already"), "{errors}");
    let kept = std::fs::read_to_string(folder.path().join("mappings/forms.yaml")).unwrap();
    assert_eq!(kept, "mine");
}

#[test]
fn a_body_in_parts_is_written_so_that_its_name_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let event = repository().join("mappings/fixtures/jotform-submission.multipart");
    let event = event.display().to_string();
    let first_line = std::fs::read_to_string(&event).unwrap().lines().next().unwrap().to_owned();
    let kind = format!("multipart/form-data; boundary={}", first_line.strip_prefix("--").unwrap());
    let arguments = ["suggest", &event, "--content-type", &kind, "--source", "parts", "--anyway"];

    let (code, _, note) = run(folder.path(), &[&arguments[..], &["--write", "."]].concat());

    assert_eq!(code, Some(0), "{note}");
    let written = std::fs::read_to_string(folder.path().join("mappings/parts.yaml")).unwrap();
    assert!(written.contains("body_file: fixtures/parts-1.multipart"), "{written}");
    assert!(!written.contains("content_type:"), "{written}");
    let (code, said, _) = run(folder.path(), &["test"]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn the_shipped_mapping_of_a_known_sender_is_offered_instead() {
    let folder = tempfile::tempdir().unwrap();
    for (name, header, sender) in [
        ("typeform-form-response.json", None, "typeform"),
        ("woocommerce-order-created.json", None, "woocommerce"),
        ("tally-form-response.json", Some("X-Make-ApiKey: k"), "make"),
        ("shopify-customers-update.json", Some("X-WC-Webhook-Signature: s"), "woocommerce"),
        ("typeform-form-response.json", Some("X-Bridge-Token: t"), "typeform"),
    ] {
        let event = fixture(name);
        let mut arguments = vec!["suggest", event.as_str()];
        arguments.extend(header.iter().flat_map(|header| ["--header", header]));
        let (code, said, note) = run(folder.path(), &arguments);
        assert_eq!(code, Some(0), "{note}");
        assert!(note.contains(&format!("looks like an event of `{sender}`")), "{name}: {note}");
        let shipped = repository().join(format!("mappings/{sender}.yaml"));
        assert_eq!(said, std::fs::read_to_string(shipped).unwrap());

        arguments.push("--anyway");
        let (code, said, note) = run(folder.path(), &arguments);
        assert_eq!((code, note.as_str()), (Some(0), ""));
        assert!(said.starts_with("# A first mapping, suggested from one event"), "{said}");
    }
    let shared = ["--header", "X-Bridge-Token: t"];
    let (_, _, note) = run(
        folder.path(),
        &[&["suggest", &fixture("wpforms-webhook-json.json")], &shared[..]].concat(),
    );
    assert!(note.contains("`wpforms` (by its shape)"), "that header is anybody's: {note}");
    let (code, _, _) =
        run(folder.path(), &["suggest", &fixture("typeform-form-response.json"), "--write", "."]);
    assert_eq!(code, Some(0));
    let (code, said, _) = run(folder.path(), &["test"]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn an_event_comes_from_standard_input_too_and_wrong_usage_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let from_stdin = |arguments: &[&str], body: &str| {
        let mut child = program()
            .arg("suggest")
            .args(arguments)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Wrong usage ends before anything is read.
        let _closed = child.stdin.take().unwrap().write_all(body.as_bytes());
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code(), text(stdout), text(stderr))
    };
    let event = r#"{"phone": "+12025550143"}"#;

    let (code, said, _) = from_stdin(&["-", "--source", "crm"], event);
    assert_eq!(code, Some(0));
    assert!(said.contains("\nsource: crm\n") && said.contains("mobile: $.phone"), "{said}");

    for (arguments, complaint) in [
        (vec!["-"], "say it with `--source`"),
        (vec!["-", "--source", "No Name"], "`No Name`"),
        (vec!["-", "--source", "crm", "--header", "nothing"], "`--header`"),
        (vec!["-", "--source", "crm", "--country", "Narnia"], "`Narnia` is no country"),
    ] {
        let (code, _, errors) = from_stdin(&arguments, event);
        assert_eq!(code, Some(2), "{arguments:?}: {errors}");
        assert!(errors.contains(complaint), "{arguments:?}: {errors}");
    }
    let (code, _, errors) = from_stdin(&["-", "--source", "crm"], "no event");
    assert_eq!(code, Some(1), "{errors}");
}

#[test]
fn credentials_that_came_with_the_event_are_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let event = fixture("freshsales-workflow-contact-updated.json");
    for header in [
        "Authorization: Bearer s3cr3t-s3cr3t",
        "X-Bridge-Token: s3cr3t-s3cr3t",
        "X-Some-Signature: s3cr3t-s3cr3t",
        "Tally-Signature: s3cr3t-s3cr3t",
    ] {
        let (code, said, errors) = run(folder.path(), &["suggest", &event, "--header", header]);
        assert_eq!(code, Some(0), "{errors}");
        assert!(!said.contains("s3cr3t") && !errors.contains("s3cr3t"), "{header}: {said}");
    }
}

//! `probe`: the wire forms that the API understands, found on a contact that is put back as it was.

use chatflow_bridge::chatflow::mock::{
    Misread, MockChatflow, MockContact, MockOptions, Seed, Understands,
};
use chatflow_bridge::chatflow::{AttributesForm, OnDuplicatePlace, TagChangesForm, WireSettings};
use chatflow_bridge::contact::ContactId;
use serde_json::Value;

use crate::harness::{KEY, program};

fn mock(understands: Option<Understands>) -> MockChatflow {
    MockChatflow::start(MockOptions {
        api_key: Some(KEY.to_owned()),
        known_tags: Some(["own", "lead", "gold"].map(str::to_owned).to_vec()),
        known_attributes: Some(["city", "plan"].map(str::to_owned).to_vec()),
        understands,
        ..MockOptions::default()
    })
    .unwrap()
}

fn ann(mock: &MockChatflow) -> ContactId {
    mock.add_contact(Seed {
        name: "Ann".to_owned(),
        tags: vec!["own".to_owned()],
        attributes: [("city".to_owned(), "Pune".to_owned())].into_iter().collect(),
        ..Seed::with_mobile("12025550143")
    })
}

fn probe(
    mock: &MockChatflow,
    contact: &ContactId,
    flags: &[&str],
) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let ran = program()
        .args(["probe", "--contact", contact.as_str()])
        .args(flags)
        .current_dir(folder.path())
        .env("BRIDGE_CHATFLOW__BASE_URL", mock.base_url())
        .env("BRIDGE_CHATFLOW__API_KEY", KEY)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (ran.status.code(), text(ran.stdout), text(ran.stderr))
}

/// What makes a contact one that was put back.
fn shown(contact: &MockContact) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut tags = contact.tags.clone();
    tags.sort();
    (contact.name.clone(), contact.mobile.clone(), contact.optin, tags, contact.attributes.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_form_is_found_where_it_is_the_only_one_understood() {
    for others in [Misread::PassedOver, Misread::Refused] {
        for (wire, in_force_works) in [
            (WireSettings::default(), true),
            (WireSettings { attributes: AttributesForm::JsonString, ..Default::default() }, false),
            (WireSettings { tag_changes: TagChangesForm::Array, ..Default::default() }, false),
            (WireSettings { on_duplicate: OnDuplicatePlace::Body, ..Default::default() }, false),
            (
                WireSettings {
                    attributes: AttributesForm::JsonString,
                    tag_changes: TagChangesForm::Array,
                    on_duplicate: OnDuplicatePlace::Body,
                },
                false,
            ),
        ] {
            let mock = mock(Some(Understands { wire, others }));
            let ann = ann(&mock);
            let before = shown(&mock.contact(&ann).unwrap());

            let (code, out, err) = probe(&mock, &ann, &["--yes"]);

            let yaml = format!(
                "chatflow:\n  wire:\n    attributes: {}\n    tag_changes: {}\n    on_duplicate: {}\n",
                wire.attributes.as_str(),
                wire.tag_changes.as_str(),
                wire.on_duplicate.as_str()
            );
            assert!(out.contains(&yaml), "{others:?} {wire:?}\n{out}{err}");
            assert_eq!(code, Some(i32::from(!in_force_works)), "{others:?} {wire:?}\n{out}{err}");
            assert_eq!(shown(&mock.contact(&ann).unwrap()), before, "{others:?} {wire:?}");
            assert_eq!(mock.contacts().len(), 1);
            mock.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_understands_everything_confirms_the_settings_in_force() {
    let mock = mock(None);
    let ann = ann(&mock);

    let (code, out, err) = probe(&mock, &ann, &["--yes", "--json"]);

    assert_eq!(code, Some(0), "{out}{err}");
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["in_force_works"], true);
    assert_eq!(told["not_put_back"], serde_json::json!([]));
    for (setting, forms) in [
        ("attributes", ["array", "json_string"]),
        ("tag_changes", ["string", "array"]),
        ("on_duplicate", ["query", "body"]),
    ] {
        for form in forms {
            assert_eq!(told["wire"][setting]["tried"][form], "works", "{told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_before_somebody_agrees() {
    let mock = mock(None);
    let ann = ann(&mock);

    let (code, _, err) = probe(&mock, &ann, &[]);

    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("attribute `city` is set and put back"), "{err}");
    assert!(err.contains("tag `lead`, tag `gold`") && err.contains("--yes"), "{err}");
    assert!(mock.requests().iter().all(|request| request.method == "GET"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_tried_is_said_and_what_is_named_is_used() {
    let mock = MockChatflow::start(MockOptions {
        api_key: Some(KEY.to_owned()),
        ..MockOptions::default()
    })
    .unwrap();
    let bare = mock.add_contact(Seed::with_mobile("12025550143"));

    let (code, out, err) = probe(&mock, &bare, &["--yes"]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("name one that exists with `--attribute`"), "{out}");
    assert!(out.contains("name two that do with `--tag`"), "{out}");

    let named = ["--yes", "--attribute", "plan", "--tag", "a", "--tag", "b"];
    let (code, out, err) = probe(&mock, &bare, &named);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(!out.contains("not tried"), "{out}");
    let bare = mock.contact(&bare).unwrap();
    assert!(bare.tags.is_empty() && bare.attributes.is_empty(), "{bare:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_is_not_there_or_a_key_that_is_refused_is_no_trial() {
    let mock = mock(None);
    let ann = ann(&mock);
    let nobody = ContactId::try_from("65f0c0ffee0123456789abcd".to_owned()).unwrap();

    let (code, _, err) = probe(&mock, &nobody, &["--yes"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("the API answered 404"), "{err}");

    mock.set_key(Some("another"));
    let (code, _, err) = probe(&mock, &ann, &["--yes"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("the API answered 401"), "{err}");
    assert_eq!(probe(&mock, &ann, &["--contract"]).0, Some(2));
}

//! The law: what the mock keeps after a row of updates, in any wire form, is what a small model says.

use std::sync::LazyLock;

use indexmap::IndexMap;
use proptest::collection::{hash_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::chatflow::mock::{MockContact, Seed};
use crate::chatflow::{AttributesForm, TagChangesForm};
use crate::contact::model::Model;
use crate::contact::{AttributeChange, TagChange};

/// What the mock keeps of a contact.
fn kept_as(contact: &MockContact) -> Model {
    Model {
        name: Some(contact.name.clone()),
        mobile: Some(contact.mobile.clone()),
        optin: Some(contact.optin),
        incoming_blocked: Some(contact.incoming_blocked),
        tags: contact.tags.iter().cloned().collect(),
        attributes: contact.attributes.clone().into_iter().collect(),
    }
}

fn tags() -> impl Strategy<Value = Vec<String>> {
    let tag = select(vec!["lead", "gold", "Gold", "späte Kunden", "a\"b"]).prop_map(str::to_owned);
    hash_set(tag, 0..4).prop_map(|tags| tags.into_iter().collect())
}

fn attribute() -> impl Strategy<Value = String> {
    select(vec!["city", "City", "plan", "größe"]).prop_map(str::to_owned)
}

fn attributes() -> impl Strategy<Value = IndexMap<String, AttributeChange>> {
    let change = prop_oneof![
        3 => "\\PC{1,8}".prop_map(AttributeChange::Set),
        1 => Just(AttributeChange::Remove),
    ];
    vec((attribute(), change), 0..4).prop_map(|pairs| pairs.into_iter().collect())
}

fn updates() -> impl Strategy<Value = Vec<ContactUpdate>> {
    let update = (
        option::of("\\PC{0,8}"),
        option::of("[1-9][0-9]{6,14}"),
        option::of(any::<bool>()),
        option::of(any::<bool>()),
        (option::of(tags()), tags(), tags()),
        attributes(),
    )
        .prop_map(
            |(name, number, optin, incoming_blocked, (replace, add, remove), attributes)| {
                ContactUpdate {
                    name,
                    mobile: number.as_deref().map(mobile),
                    optin,
                    incoming_blocked,
                    tags: TagChange::of(replace, add, remove),
                    attributes,
                }
            },
        );
    vec(update, 1..5)
}

fn forms() -> impl Strategy<Value = WireSettings> {
    (
        select(vec![AttributesForm::Array, AttributesForm::JsonString]),
        select(vec![TagChangesForm::String, TagChangesForm::Array]),
    )
        .prop_map(|(attributes, tag_changes)| WireSettings {
            attributes,
            tag_changes,
            ..WireSettings::default()
        })
}

static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap());

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_contact_after_updates_is_the_models(
        form in forms(),
        had in tags(),
        city in "\\PC{1,8}",
        updates in updates(),
    ) {
        let mock = mock();
        let tags: Vec<_> = had.iter().map(String::as_str).collect();
        let ann = mock.add_contact(
            Seed::with_mobile("12025550143").named("Ann").tagged(&tags).with("city", &city),
        );
        let client = client_saying(&mock, form);
        let mut model = kept_as(&mock.contact(&ann).unwrap());

        for update in updates {
            let shown = RUNTIME.block_on(client.update(&ann, &update)).unwrap();
            model = model.after(&update);

            let kept = mock.contact(&ann).unwrap();
            prop_assert_eq!(&kept_as(&kept), &model);
            prop_assert_eq!(shown.tags, Some(kept.tags));
            prop_assert_eq!(shown.attributes, Some(kept.attributes));
            prop_assert_eq!(shown.name, Some(kept.name));
            prop_assert_eq!(shown.mobile, Some(kept.mobile));
        }
    }
}

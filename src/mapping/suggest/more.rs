//! Values that may be worth an attribute, for the person to choose from.

use super::draft::{Contact, Draft};
use super::survey::{Field, Survey};
use super::{meanings, person, phone};
use crate::document::Value;

/// Values that are offered.
const MOST: usize = 8;

/// Values that may be worth an attribute.
pub(super) fn of(draft: &Draft<'_>, person: &Survey<'_>, home: &str) -> Vec<(String, String)> {
    const NOT: &[&str] = &[
        "id",
        "ids",
        "url",
        "uri",
        "href",
        "link",
        "links",
        "token",
        "key",
        "hash",
        "ip",
        "agent",
        "signature",
        "ref",
        "uuid",
        "uid",
        "version",
        "password",
        "secret",
        "html",
        "raw",
        "schema",
        "gid",
        "definition",
    ];
    let mut used: Vec<&str> = draft.happening.id.iter().map(String::as_str).collect();
    used.extend(draft.happening.kind.as_ref().map(|kind| kind.path.as_str()));
    used.extend(draft.happening.occurred_at.as_deref());
    used.extend(draft.happening.other_times.iter().map(String::as_str));
    used.extend(draft.email.as_ref().map(|email| email.field.path.as_str()));
    used.extend(draft.contact_id.as_deref());
    used.extend(draft.tags.as_ref().map(|tags| tags.path.as_str()));
    match &draft.contact {
        Some(Contact::Mobile { phone, others }) => {
            used.push(&phone.field.path);
            used.extend(others.iter().map(String::as_str));
        }
        Some(Contact::Id(path)) => used.push(path),
        Some(Contact::Email(_)) | None => {}
    }
    match &draft.name {
        Some(person::Name::Whole(name)) => used.push(&name.field.path),
        Some(person::Name::Parts(first, last)) => {
            used.extend([first.path.as_str(), last.path.as_str()]);
        }
        None => {}
    }
    used.extend(draft.consent.consent.as_ref().map(|consent| consent.field.path.as_str()));
    let is_worth = |field: &&Field<'_>| {
        let is_short = field.one().is_some_and(|value| !matches!(value, Value::Bool(_)))
            && field.text().is_some_and(|text| text.chars().count() <= 80 && !text.contains("://"));
        let says = |word: &str| NOT.contains(&word);
        is_short
            && !used.contains(&field.path.as_str())
            && phone::standing(field) >= 0
            && field.depth <= 5
            && !field.path.contains("[0]")
            && !field.own.phrase(&["country code", "is"])
            && !field.own.are(&["type", "label", "value", "entity"], &[])
            && !field.own.say(meanings::CONSENT)
            && ![meanings::FULL_NAME, meanings::FIRST_NAME, meanings::LAST_NAME]
                .iter()
                .any(|names| field.own.are(names, meanings::FILLERS))
            && !field.own.iter().any(says)
    };
    let mut found: Vec<(String, String)> = Vec::new();
    let near = person.fields.iter().filter(|field| field.home == home);
    for field in
        near.chain(person.fields.iter().filter(|field| field.home != home)).filter(is_worth)
    {
        let name = field.own.snake();
        let is_mixed = |word: &str| word.contains(|c: char| c.is_ascii_digit());
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.len() <= 40
            && name != "email"
            && !field.own.iter().skip(1).any(is_mixed);
        if is_name && found.len() < MOST && !found.iter().any(|(known, _)| *known == name) {
            found.push((name, field.path.clone()));
        }
    }
    found
}

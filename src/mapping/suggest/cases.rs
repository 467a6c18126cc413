//! Which events a suggested mapping is tested with: `case` writes each.

use super::case::{self, Body};
use super::draft::{Contact, Draft, Split};
use super::phone::Reading;
use super::survey::{Field, Survey};
use super::{Captured, happening, plan, pruned, read};
use crate::document::{Members, Value};

/// The tests: the event itself, the other answer to the question for consent, an event of another type.
pub(super) fn of(draft: &Draft<'_>, event: &Captured<'_>, person: &Survey<'_>) -> Vec<Value> {
    let text = draft.write(&[]);
    let Some(source) = read(&text) else { return Vec::new() };
    let is_read = |(name, _): &&(String, String)| source.headers.contains(name);
    let headers: Vec<(String, String)> = event.headers.iter().filter(is_read).cloned().collect();
    let has_items = matches!(draft.split, Split::Items(_));
    let case = |name: &str, body: Body<'_>, document: &Value, headers: &[(String, String)]| {
        case::of(name, &body, headers, &plan(&source, document, headers), has_items)
    };
    let captured = match event.body_file {
        Some((file, content_type)) => Body::File(file, content_type),
        None => Body::Document(event.document),
    };
    let mut tests =
        vec![case("the event that it was made from", captured, event.document, &headers)];
    if draft.contact.is_none() {
        return tests;
    }
    if let Some((name, other)) = other_answer(draft, event.document, person) {
        tests.push(case(name, Body::Document(&other), &other, &headers));
    }
    if let Some(kind) = &draft.happening.kind {
        let (other, headers) = other_kind(kind, event.document, &headers);
        let events = plan(&source, &other, &headers);
        if events.len() <= 1 && events.iter().all(|event| event.planned.is_empty()) {
            tests.push(case("an event of another type", Body::Document(&other), &other, &headers));
        }
    }
    tests
}

/// The same person, who answers the question for consent the other way: only what the rule reads is left.
fn other_answer(
    draft: &Draft<'_>,
    document: &Value,
    person: &Survey<'_>,
) -> Option<(&'static str, Value)> {
    let consent = draft.consent.consent.as_ref()?;
    let mut kept = vec![consent.field.kept()];
    kept.extend(draft.email.as_ref().map(|email| email.field.kept()));
    if let Some(Contact::Mobile { phone, .. }) = &draft.contact {
        kept.push(phone.field.kept());
        if let Reading::CountryAt(path) = &phone.reading {
            kept.extend(person.fields.iter().find(|field| field.path == *path).map(Field::kept));
        }
    }
    let kind = draft.happening.kind.as_ref().and_then(|kind| kind.field.as_ref());
    kept.extend(kind.map(Field::kept));
    let (name, answer) = if consent.agreed {
        ("someone who does not agree", consent.no.clone())
    } else {
        ("someone who agrees", consent.yes())
    };
    let changed = pruned::with(document, &consent.field.place, answer);
    Some((name, pruned::to(&changed, &kept)))
}

/// A request that differs in the type of the event, and has nothing else.
fn other_kind(
    kind: &happening::Kind<'_>,
    document: &Value,
    headers: &[(String, String)],
) -> (Value, Vec<(String, String)>) {
    let other = if kind.name == "something-else" { "another-type" } else { "something-else" };
    if let Some(field) = &kind.field {
        let changed = pruned::with(document, &field.place, Value::text(other));
        return (pruned::to(&changed, &[field.kept()]), headers.to_vec());
    }
    let change = |(name, value): &(String, String)| {
        let is_kind = kind.path.contains(&format!("'{name}'"));
        (name.clone(), if is_kind { other.to_owned() } else { value.clone() })
    };
    (Value::Object(Members::new()), headers.iter().map(change).collect())
}

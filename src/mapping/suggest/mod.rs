//! From one event to a first mapping, commented and tested. Pure.
//!
//! `survey` lists every value with the path that names it, `part` says which part of the event is one person;
//! `phone`, `person`, `consent` and `happening` choose by key and by value; `draft` and `rule` write the file, `cases`
//! its tests. [`likeness()`] tells how much an event looks like another.
//!
//! # Promises
//!
//! - Whatever the event, the mapping is read without a problem and passes its own tests.
//! - What the tests expect is what the engine planned, never what was guessed.
//! - Nothing becomes consent but a value that says yes.

mod case;
mod cases;
mod consent;
mod draft;
mod happening;
mod likeness;
mod meanings;
mod more;
mod pairs;
mod part;
mod person;
mod phone;
mod pruned;
mod rule;
mod survey;
mod verify;
mod words;
mod yaml;

pub use likeness::likeness;

use jiff::Timestamp;
use phonenumber::country::Id;

use super::{Decision, Input, PlannedEvent, Set, Source};
use crate::document::{Members, Value};
use crate::event::SourceName;
use draft::{Contact, Draft, Split};
use phone::Reading;
use survey::{Place, Survey};

/// Phone numbers that are tried out.
const TRIED: usize = 12;

/// An event that was captured, and what is known beside it.
#[derive(Debug, Clone, Copy)]
pub struct Captured<'e> {
    /// The name of the source.
    pub source: &'e SourceName,
    /// The body as one document.
    pub document: &'e Value,
    /// The headers, names in lower case.
    pub headers: &'e [(String, String)],
    /// Presets whose signature is among the headers, the likeliest first.
    pub presets: &'e [String],
    /// The country that national numbers are read for, where the person says it.
    pub country: Option<&'e str>,
    /// The file that holds the body, as the mapping's tests name it, and its content type where the name does not
    /// say it; without one the body stands in the mapping.
    pub body_file: Option<(&'e str, Option<&'e str>)>,
}

/// A mapping, suggested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The text of the file.
    pub text: String,
    /// What the person should know before anything else: it stands in the file as well.
    pub warnings: Vec<String>,
}

/// Suggests a mapping for events like this one.
pub fn suggest(event: &Captured<'_>) -> Suggestion {
    let country = event.country.and_then(|country| country.parse().ok());
    let whole = Survey::of(event.document, "$", Place::new());
    let part::Part { split, item, place } = part::of(event.document, &whole, country);
    let root = if matches!(split, Split::Items(_)) { "$item" } else { "$" };
    let person = Survey::of(item, root, place);
    let is_event = matches!(split, Split::Events(_));
    let happening = happening::find(if is_event { &person } else { &whole }, event.headers);
    let mut draft = Draft {
        source: event.source.as_str(),
        headers: event.headers,
        presets: event.presets,
        split,
        pairs: &person.pairs,
        happening: &happening,
        contact: None,
        name: None,
        email: None,
        consent: consent::find(&person),
        tags: person::tags(&person),
        unnamed: Vec::new(),
        contact_id: contact_id(&person),
        more: Vec::new(),
    };
    choose_person(&mut draft, event, &person, country);
    let tests = cases::of(&draft, event, &person);
    Suggestion { text: draft.write(&tests), warnings: warnings(&draft) }
}

/// Chooses who the contact is and what is known of the person; every choice is tried out on the event.
fn choose_person<'d>(
    draft: &mut Draft<'d>,
    event: &Captured<'_>,
    person: &'d Survey<'d>,
    country: Option<Id>,
) {
    let phones = phone::candidates(person, country);
    let mut chosen = None;
    for (at, phone) in phones.iter().enumerate().take(TRIED) {
        draft.contact = Some(Contact::Mobile { phone: phone.clone(), others: Vec::new() });
        let planned = planned(&draft.write(&[]), event.document, event.headers);
        let is_held = planned.is_none_or(|events| events.iter().any(is_held));
        // A number that nothing names has to be one everywhere; one that lacks its country waits for it.
        if !is_held
            || (phone.is_named() && draft.split != Split::Whole)
            || phone.reading == Reading::Unknown
        {
            chosen = Some(at);
            break;
        }
    }
    draft.contact = chosen.and_then(|at| {
        let rest = phones.iter().enumerate().filter(|(own, _)| *own != at);
        let others = rest.map(|(_, phone)| phone.field.path.clone()).collect();
        Some(Contact::Mobile { phone: phones.get(at)?.clone(), others })
    });
    let home = match &draft.contact {
        Some(Contact::Mobile { phone, .. }) => phone.field.owner().to_owned(),
        _ => String::new(),
    };
    draft.email = person::email(person, &home);
    if draft.contact.is_none() {
        draft.unnamed = phone::unnamed(person);
        draft.contact = match (&draft.email, draft.contact_id.take()) {
            (Some(email), id) => {
                draft.contact_id = id;
                Some(Contact::Email(draft::lowered(&email.field.path)))
            }
            (None, id) => id.map(Contact::Id),
        };
    }
    let homes: Vec<&str> =
        draft.email.iter().map(|email| email.field.owner()).chain([home.as_str()]).collect();
    draft.name = person::name(person, &homes);
    draft.more = more::of(draft, person, &home);
}

fn is_held(event: &PlannedEvent) -> bool {
    event.planned.iter().any(|planned| matches!(planned.decision, Decision::Held(_)))
}

/// A value that is named as a contact's id and looks like one of Chatflow's.
fn contact_id(person: &Survey<'_>) -> Option<String> {
    let is_id = |text: &str| text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let named = person.fields.iter().find(|field| {
        field
            .own
            .are(&["contact id", "chatflow id", "chatflow contact id", "pabbly contact id"], &[])
            && field.text().is_some_and(is_id)
    })?;
    Some(named.path.clone())
}

fn warnings(draft: &Draft<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    match &draft.contact {
        None => warnings.push(
            "nothing in this event says who the contact is: the mapping has no rule yet, only an example of one".to_owned(),
        ),
        Some(Contact::Mobile { phone, .. }) if phone.reading == Reading::Unknown => warnings.push(
            "the phone number has no dialing code and nothing in the event proves its country: the update is held until `country` is said; `--country US` says it"
                .to_owned(),
        ),
        Some(_) => {}
    }
    warnings
}

/// The mapping, as `check` and `serve` would read it.
fn read(text: &str) -> Option<std::sync::Arc<Source>> {
    let set = Set::read(vec![("suggested.yaml".to_owned(), text.to_owned())]).set?;
    set.iter().next().cloned()
}

fn plan(source: &Source, document: &Value, headers: &[(String, String)]) -> Vec<PlannedEvent> {
    let headers =
        headers.iter().map(|(name, value)| (name.as_str().into(), Value::text(value.as_str())));
    source.plan(&Input {
        document,
        headers: &Value::Object(headers.collect()),
        query: &Value::Object(Members::new()),
        received_at: Timestamp::UNIX_EPOCH,
    })
}

fn planned(
    text: &str,
    document: &Value,
    headers: &[(String, String)],
) -> Option<Vec<PlannedEvent>> {
    Some(plan(read(text)?.as_ref(), document, headers))
}

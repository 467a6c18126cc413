//! From one event to a first mapping, commented and tested. Pure.
//!
//! [`survey`] lists every value with the path that names it, [`phone`], [`person`], [`consent`] and [`happening`]
//! choose among them by key and by value, [`draft`] writes the file, [`case`] its tests; [`likeness`] tells how much
//! an event looks like another.
//!
//! # Promises
//!
//! - Whatever the event, the mapping is read without a problem and passes its own tests.
//! - What the tests expect is what the engine planned, never what was guessed.
//! - Nothing becomes consent but a value that says yes.

mod case;
mod consent;
mod draft;
mod happening;
mod likeness;
mod pairs;
mod person;
mod phone;
mod pruned;
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
use case::Body;
use draft::{Contact, Draft, Split};
use phone::Reading;
use survey::{Field, Place, Survey, Way};

/// Items of an array that are looked at to tell what they are.
const SAMPLES: usize = 20;
/// Values that are offered as attributes.
const MOST_MORE: usize = 8;

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
    let Part { split, item, place } = part(event.document, &whole, country);
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
    let tests = tests(&draft, event, &person);
    Suggestion { text: draft.write(&tests), warnings: warnings(&draft) }
}

/// The part of a document that is one person.
struct Part<'d> {
    split: Split,
    item: &'d Value,
    place: Place,
}

fn part<'d>(document: &'d Value, whole: &Survey<'d>, country: Option<Id>) -> Part<'d> {
    // A person has one of them: the lines of an order are no people, nor are somebody's addresses.
    const NO_PEOPLE: &[&str] = &[
        "address",
        "addresses",
        "phones",
        "emails",
        "lines",
        "items",
        "products",
        "mobiles",
        "numbers",
    ];
    let outside = |path: &str| !path.contains("[0]");
    let has_phone =
        phone::candidates(whole, country).iter().any(|phone| outside(&phone.field.path));
    let has_email = person::email(whole, "").is_some_and(|email| outside(&email.field.path));
    let all = Part { split: Split::Whole, item: document, place: Place::new() };
    let arrays = whole.arrays.iter().filter(|(path, place, _)| {
        let last =
            place.last().map_or("", |way| if let Way::Member(name) = way { name } else { "" });
        outside(path) && !words::Words::of(last).say(NO_PEOPLE)
    });
    let mut found: Option<(bool, Part<'d>)> = None;
    for (path, place, items) in arrays {
        let mut looks = items.iter().take(SAMPLES).enumerate().map(|(at, item)| {
            let item_place: Place = place.iter().cloned().chain([Way::Item(at)]).collect();
            let survey = Survey::of(item, "$", item_place.clone());
            let is_phone = !phone::candidates(&survey, country).is_empty();
            let is_person = is_phone || person::email(&survey, "").is_some();
            (is_phone, is_person, item, item_place, is_event(&survey))
        });
        let looks: Vec<_> = looks.by_ref().collect();
        let is_root = place.is_empty();
        let first = looks.iter().find(|look| look.0).or_else(|| looks.iter().find(|look| look.1));
        let first = first.or_else(|| looks.first().filter(|_| is_root));
        let Some((is_phone, is_person, item, item_place, is_event)) = first else { continue };
        let is_needed =
            is_root || (*is_phone && !has_phone) || (*is_person && !has_phone && !has_email);
        if is_needed && found.as_ref().is_none_or(|(phone, _)| *is_phone && !phone) {
            let split =
                if *is_event { Split::Events(path.clone()) } else { Split::Items(path.clone()) };
            found = Some((*is_phone, Part { split, item, place: item_place.clone() }));
        }
    }
    found.map_or(all, |(_, part)| part)
}

/// Whether an item of an array is an event of its own: it says what kind, and when or under what id.
fn is_event(item: &Survey<'_>) -> bool {
    let at_top = |field: &&Field<'_>| field.depth == 1;
    let own = |phrases: &[&str]| {
        item.fields.iter().filter(at_top).any(|field| field.own.are(phrases, &[]))
    };
    let has_kind = own(&["event type", "event", "type", "subscription type", "topic", "action"]);
    let has_time = own(&["timestamp", "occurred at", "event time", "created at", "time"]);
    own(&["event id", "webhook id", "notification id", "event uuid"])
        || (has_kind && has_time && own(&["id", "uuid"]))
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
    for (at, phone) in phones.iter().enumerate().take(SAMPLES) {
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
    draft.more = more(draft, person, &home);
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

/// Values that may be worth an attribute.
fn more(draft: &Draft<'_>, person: &Survey<'_>, home: &str) -> Vec<(String, String)> {
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
            used.extend([first.path.as_str(), last.path.as_str()])
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
            && !field.own.say(words::CONSENT)
            && ![words::FULL_NAME, words::FIRST_NAME, words::LAST_NAME]
                .iter()
                .any(|names| field.own.are(names, words::FILLERS))
            && !field.own.iter().any(says)
    };
    let mut found: Vec<(String, String)> = Vec::new();
    let near = person.fields.iter().filter(|field| field.home == home);
    for field in
        near.chain(person.fields.iter().filter(|field| field.home != home)).filter(is_worth)
    {
        let name = field.own.snake();
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.len() <= 40
            && name != "email";
        if is_name && found.len() < MOST_MORE && !found.iter().any(|(known, _)| *known == name) {
            found.push((name, field.path.clone()));
        }
    }
    found
}

/// The tests: the event itself, the other answer to the question for consent, an event of another type.
fn tests(draft: &Draft<'_>, event: &Captured<'_>, person: &Survey<'_>) -> Vec<Value> {
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
    match &kind.field {
        Some(field) => {
            let changed = pruned::with(document, &field.place, Value::text(other));
            (pruned::to(&changed, &[field.kept()]), headers.to_vec())
        }
        None => {
            let change = |(name, value): &(String, String)| {
                let is_kind = kind.path.contains(&format!("'{name}'"));
                (name.clone(), if is_kind { other.to_owned() } else { value.clone() })
            };
            (Value::Object(Members::new()), headers.iter().map(change).collect())
        }
    }
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

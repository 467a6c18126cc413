//! Which part of a document is one person: all of it, or each item of an array.

use phonenumber::country::Id;

use super::draft::Split;
use super::survey::{Field, Place, Survey, Way};
use super::words::Words;
use super::{person, phone};
use crate::document::Value;

/// Items of an array that are looked at to tell what they are.
const SAMPLES: usize = 20;

/// The part of a document that is one person.
pub(super) struct Part<'d> {
    pub(super) split: Split,
    pub(super) item: &'d Value,
    pub(super) place: Place,
}

/// Finds it.
pub(super) fn of<'d>(document: &'d Value, whole: &Survey<'d>, country: Option<Id>) -> Part<'d> {
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
        outside(path) && !Words::of(last).say(NO_PEOPLE)
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

//! What an event says about itself: its id, its type, when it happened.

use jiff::tz::TimeZone;

use super::meanings::THE_PERSON;
use super::phone::standing;
use super::survey::{Field, Survey};
use super::words::Words;
use crate::document::Value;
use crate::mapping::moment;

/// Where the event says what.
#[derive(Debug, Default)]
pub(super) struct Happening<'d> {
    /// The parts of the id; none where nothing serves as one.
    pub(super) id: Vec<String>,
    /// What is to be said about it.
    pub(super) id_note: Option<String>,
    pub(super) kind: Option<Kind<'d>>,
    pub(super) occurred_at: Option<String>,
    pub(super) other_times: Vec<String>,
}

/// The event's type.
#[derive(Debug, Clone)]
pub(super) struct Kind<'d> {
    pub(super) path: String,
    pub(super) name: String,
    /// The field; none where a header says it.
    pub(super) field: Option<Field<'d>>,
}

/// Headers that hold an id of the event, not of an attempt to send it.
const ID_HEADERS: &[&str] = &[
    "x-github-delivery",
    "x-shopify-webhook-id",
    "webhook-id",
    "svix-id",
    "x-razorpay-event-id",
    "ce-id",
    "x-event-id",
    "x-webhook-id",
    "x-gitlab-event-uuid",
    "idempotency-key",
    "x-idempotency-key",
    "x-wc-webhook-delivery-id",
];
/// Headers that hold the type of the event.
const TYPE_HEADERS: &[&str] = &[
    "x-shopify-topic",
    "x-github-event",
    "x-wc-webhook-topic",
    "ce-type",
    "x-event-type",
    "x-event-key",
    "x-event-name",
    "x-gitlab-event",
    "x-webhook-event",
    "x-webhook-topic",
    "x-webhook-type",
    "x-topic",
    "x-event",
];
/// Headers that say when the event happened.
const TIME_HEADERS: &[&str] = &["x-shopify-triggered-at", "ce-time"];

/// Keys of the event's type, the clearest first.
const TYPES: &[&str] = &[
    "event type",
    "event name",
    "trigger event",
    "event",
    "topic",
    "type",
    "trigger type",
    "subscription type",
    "trigger",
    "webhook event",
    "hook event",
    "notification type",
    "action",
    "operation",
    "kind",
];
/// Ids of what is sent once: a form's answers are not sent again with other ones.
const ONCE: &[&str] = &[
    "submission id",
    "response id",
    "entry id",
    "lead id",
    "leadgen id",
    "registration id",
    "submission uuid",
    "event uuid",
    "event id",
    "notification id",
    "delivery id",
    "message id",
    "trigger id",
];

/// What the event says about itself.
pub(super) fn find<'d>(survey: &Survey<'d>, headers: &[(String, String)]) -> Happening<'d> {
    let kind = kind(survey, headers);
    let (occurred_at, other_times) = time(survey, headers);
    let mut found = Happening { kind, other_times, ..Happening::default() };
    id(survey, headers, occurred_at.as_ref(), &mut found);
    found.occurred_at = occurred_at.map(|(path, _)| path);
    found
}

fn header<'h>(headers: &'h [(String, String)], names: &[&str]) -> Option<(String, &'h str)> {
    names.iter().find_map(|name| {
        let (own, value) =
            headers.iter().find(|(own, value)| own == name && !value.trim().is_empty())?;
        Some((format!("$headers['{own}']"), value.as_str()))
    })
}

fn kind<'d>(survey: &Survey<'d>, headers: &[(String, String)]) -> Option<Kind<'d>> {
    if let Some((path, value)) = header(headers, TYPE_HEADERS)
        && is_type(value)
    {
        return Some(Kind { path, name: value.trim().to_owned(), field: None });
    }
    let rank = |field: &Field<'_>| {
        let named = TYPES.iter().position(|name| field.own.are(&[name], &[]))?;
        let is_envelope = field.depth == 1 || field.around.are(&["meta", "event", "header"], &[]);
        // Further down a `type` is that of a thing.
        let is_vague = field.depth > 1 && field.own.are(&["type"], &[]);
        (is_envelope && field.depth <= 2).then_some((field.depth, is_vague, named))
    };
    let found = survey.fields.iter().filter_map(|field| {
        let text = field.one()?.as_text().filter(|text| is_type(text) && text.trim() == *text)?;
        Some((rank(field)?, field, text))
    });
    let (_, field, text) = found.min_by_key(|(rank, ..)| *rank)?;
    Some(Kind { path: field.path.clone(), name: text.to_owned(), field: Some(field.clone()) })
}

fn is_type(text: &str) -> bool {
    let of_a_type = |c: char| c.is_ascii_alphanumeric() || " _-./:".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() <= 60
        && text.chars().all(of_a_type)
        && !text.contains("//")
        && !text.ends_with(':')
        && !text.contains(": ")
        && !matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "null")
}

/// The time at which it happened, with the field where it is one of the body's, and others.
fn time<'s, 'd>(
    survey: &'s Survey<'d>,
    headers: &[(String, String)],
) -> (Option<(String, Option<&'s Field<'d>>)>, Vec<String>) {
    let mut found: Vec<_> = survey
        .fields
        .iter()
        .filter_map(|field| Some((score(field)?, field)))
        .filter(|(score, _)| *score > 0)
        .collect();
    found.sort_by_key(|(score, _)| -score);
    let mut found = found.into_iter().map(|(_, field)| field);
    if let Some((path, value)) = header(headers, TIME_HEADERS)
        && is_moment(&Value::text(value))
    {
        return (Some((path, None)), found.map(|field| field.path.clone()).collect());
    }
    let best = found.next().map(|field| (field.path.clone(), Some(field)));
    (best, found.map(|field| field.path.clone()).collect())
}

fn score(field: &Field<'_>) -> Option<i32> {
    const NOT: &[&str] = &[
        "start",
        "end",
        "birth",
        "birthday",
        "due",
        "expires",
        "expiry",
        "landed",
        "next",
        "previous",
        "consent",
        "scheduled",
        "zone",
        "payment",
        "delivered",
        "last",
        "order",
        "first",
        "deadline",
        "appointment",
    ];
    if field.own.say(NOT)
        || field.around.say(&["previous", "old", "scheduled"])
        || !is_moment(field.one()?)
    {
        return None;
    }
    let own = &field.own;
    let named = if own.say(&["occurred", "happened", "triggered"])
        || own.phrase(&["event time", "event ts"])
    {
        60
    } else if own.say(&["submitted", "submission"]) {
        50
    } else if own.say(&["timestamp", "sent", "ts"]) || own.phrase(&["server time"]) {
        45
    } else if own.say(&["updated", "modified", "changed", "update"]) {
        40
    } else if own
        .say(&["created", "create", "received", "added", "date", "time", "fecha", "datum", "data"])
    {
        30
    } else {
        return None;
    };
    Some(named - 8 * i32::try_from(field.depth).unwrap_or(i32::MAX / 16))
}

/// Whether a value is a moment of these times: numbers and texts alike.
fn is_moment(value: &Value) -> bool {
    const FROM: i64 = 946_684_800;
    const TO: i64 = 4_102_444_800;
    let is_text = matches!(value, Value::Text(_) | Value::Number(_));
    let is_now = |second: i64| (FROM..TO).contains(&second);
    is_text && moment(value, &TimeZone::UTC).is_some_and(|moment| is_now(moment.as_second()))
}

fn id(
    survey: &Survey<'_>,
    headers: &[(String, String)],
    occurred_at: Option<&(String, Option<&Field<'_>>)>,
    found: &mut Happening<'_>,
) {
    if let Some((path, _)) = header(headers, ID_HEADERS) {
        found.id = vec![path];
        return;
    }
    let texts = || survey.fields.iter().filter(|field| is_id(field));
    let once = texts().filter_map(|field| {
        let named = ONCE.iter().position(|name| field.own.are(&[name], &[]))?;
        let is_event = named + 6 >= ONCE.len();
        Some(((field.depth, usize::from(!is_event)), field))
    });
    let of_a_webhook = texts().filter(|field| {
        let is_unique = field.text().is_some_and(is_unique);
        let is_envelopes =
            field.own.are(&["id", "uuid"], &[]) && field.around.are(&["meta", "event"], &[]);
        is_unique && (field.own.are(&["webhook id"], &[]) || is_envelopes)
    });
    let best = of_a_webhook.map(|field| ((0, 0), field)).chain(once).min_by_key(|(rank, _)| *rank);
    if let Some((_, field)) = best {
        found.id = vec![field.path.clone()];
        return;
    }
    let named =
        |field: &Field<'_>| field.own.are(&["id", "uid", "uuid"], &[]) && standing(field) >= 0;
    let Some(field) = texts().filter(|field| named(field)).min_by_key(|field| field.depth) else {
        found.id_note = Some("nothing that tells one event from another was found: one that is sent twice is applied twice".to_owned());
        return;
    };
    let is_envelope = survey.fields.iter().any(|other| other.depth > 1)
        && found
            .kind
            .as_ref()
            .is_some_and(|kind| kind.field.as_ref().is_some_and(|k| k.depth == 1));
    if field.depth == 1 && is_envelope && field.text().is_some_and(has_prefix_or_is_unique) {
        found.id = vec![field.path.clone()];
        return;
    }
    // The id of a thing that changes: with the time of the change it tells one event from another.
    let changed = occurred_at.filter(|(_, time)| {
        time.is_some_and(|time| {
            let changes =
                ["updated", "modified", "changed", "update", "timestamp", "ts", "occurred"];
            time.own.say(&changes) || (is_envelope && time.depth == 1)
        })
    });
    let note =
        format!("{} is the id of a thing, which is sent again whenever it changes", field.path);
    match changed {
        Some((time, _)) => {
            let kind = found.kind.as_ref().map(|kind| kind.path.clone());
            // Of two people at one webinar each is an event.
            let persons = texts().filter(|other| {
                named(other) && other.path != field.path && other.around.say(THE_PERSON)
            });
            let persons = persons.filter(|other| !other.path.contains("[0]"));
            let person = persons.min_by_key(|other| other.depth).map(|other| other.path.clone());
            let thing = [field.path.clone()].into_iter().chain(person);
            found.id = kind.into_iter().chain(thing).chain([time.clone()]).collect();
            found.id_note = Some(format!(
                "{note}: with the time of the change it tells one event from another"
            ));
        }
        None => {
            found.id_note = Some(format!("{note}, so that it cannot tell one event from another"));
        }
    }
}

fn is_id(field: &Field<'_>) -> bool {
    let is_short = |text: &str| {
        (1..=200).contains(&text.chars().count()) && text.trim() == text && text != "none"
    };
    matches!(field.value, Value::Text(_) | Value::Number(_)) && field.text().is_some_and(is_short)
}

fn has_prefix_or_is_unique(text: &str) -> bool {
    let has_prefix = text.split(['_', '-']).next().is_some_and(|prefix| {
        ["evt", "event", "wh", "notif", "msg", "whe", "del"]
            .contains(&prefix.to_ascii_lowercase().as_str())
    });
    has_prefix || is_unique(text)
}

/// A UUID, or a ULID.
fn is_unique(text: &str) -> bool {
    let is_uuid = text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        });
    let of_a_ulid = |b: u8| b.is_ascii_digit() || b.is_ascii_uppercase();
    is_uuid || (text.len() == 26 && text.bytes().all(of_a_ulid))
}

/// A name for a rule made of the event's type.
pub(super) fn rule_name(kind: Option<&Kind<'_>>) -> String {
    let words = kind.map(|kind| Words::of(&kind.name)).unwrap_or_default();
    let ascii = words.iter().filter(|word| word.bytes().all(|b| b.is_ascii_alphanumeric()));
    let name = ascii.collect::<Vec<_>>().join("-");
    if name.is_empty() { "contact".to_owned() } else { name }
}

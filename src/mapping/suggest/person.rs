//! The name, the e-mail address and the tags of the person an event is about.

use super::meanings::{self, EITHER_NAME, FILLERS, FIRST_NAME, FULL_NAME, LAST_NAME};
use super::phone::standing;
use super::survey::{Field, Survey};
use crate::document::Value;

/// A value that was chosen, and those that were not.
#[derive(Debug, Clone)]
pub(super) struct Chosen<'d> {
    pub(super) field: Field<'d>,
    pub(super) others: Vec<String>,
}

/// A person's name.
#[derive(Debug, Clone)]
pub(super) enum Name<'d> {
    Whole(Chosen<'d>),
    Parts(Field<'d>, Field<'d>),
}

/// Tags, as the sender calls them.
#[derive(Debug, Clone)]
pub(super) struct Tags {
    pub(super) path: String,
    /// Whether they stand in one text, with commas between.
    pub(super) is_text: bool,
    /// Those of this event.
    pub(super) names: Vec<String>,
}

/// Most tags that are named.
const MOST_TAGS: usize = 12;

fn best<'d>(mut found: Vec<(i32, &Field<'d>)>) -> Vec<Field<'d>> {
    found.retain(|(score, _)| *score > 0);
    found.sort_by_key(|(score, _)| -score);
    found.into_iter().map(|(_, field)| field.clone()).collect()
}

fn chosen(found: Vec<Field<'_>>) -> Option<Chosen<'_>> {
    let mut found = found.into_iter();
    let field = found.next()?;
    Some(Chosen { field, others: found.map(|field| field.path).collect() })
}

fn depth(field: &Field<'_>) -> i32 {
    i32::try_from(field.depth).unwrap_or(i32::MAX / 4)
}

/// The e-mail address; `home` is where the phone number stands.
pub(super) fn email<'d>(survey: &'d Survey<'d>, home: &str) -> Option<Chosen<'d>> {
    let addresses = survey.fields.iter().filter(|field| field.text().is_some_and(is_address));
    let score = |field: &Field<'_>| {
        let named = if field.own.say(meanings::EMAIL) { 20 } else { 0 };
        30 + named + field.nearness(home) + standing(field) - depth(field)
    };
    chosen(best(addresses.map(|field| (score(field), field)).collect()))
}

fn is_address(text: &str) -> bool {
    let text = text.trim();
    let of_an_address = |c: char| c.is_alphanumeric() || "@._+-".contains(c);
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let labels: Vec<_> = domain.split('.').collect();
    let is_label =
        |label: &&str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    !local.is_empty()
        && !local.contains('@')
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !text.contains("..")
        && labels.len() >= 2
        && labels.iter().all(is_label)
        && text.len() <= 254
        && text.chars().all(of_an_address)
}

/// The name; `homes` is where the phone number and the e-mail address stand.
pub(super) fn name<'d>(survey: &'d Survey<'d>, homes: &[&str]) -> Option<Name<'d>> {
    let is_written = |field: &&Field<'_>| field.text().is_some_and(is_name);
    let near = |field: &Field<'_>| if homes.contains(&field.home.as_str()) { 15 } else { 0 };
    let is_near_person = |field: &Field<'_>| {
        near(field) > 0 || field.around.say(meanings::THE_PERSON) || has_more_words(field)
    };
    let score = |field: &Field<'_>| 10 + near(field) + standing(field) - depth(field);
    let firsts = survey.fields.iter().filter(is_written).filter(|f| f.own.are(FIRST_NAME, FILLERS));
    let lasts = |home: &str| {
        survey.fields.iter().find(|field| {
            field.home == home
                && field.own.are(LAST_NAME, FILLERS)
                && (field.one().is_none() || is_written(field))
                && !matches!(field.value, Value::List(items) if items.len() > 1)
        })
    };
    // A `nombre` beside an `apellido` is half a name, unless a first name stands there too.
    let given: Vec<_> = firsts.collect();
    let is_alone = |field: &&Field<'_>| given.iter().all(|first| first.home != field.home);
    let either =
        survey.fields.iter().filter(is_written).filter(|field| field.own.are(EITHER_NAME, FILLERS));
    let is_first = |field: &Field<'_>| given.iter().any(|first| first.path == field.path);
    let parts: Vec<_> = given
        .iter()
        .copied()
        .chain(either.filter(is_alone))
        .filter_map(|first| Some((score(first), first, lasts(&first.home)?)))
        .filter(|(score, first, last)| *score > 0 && (is_first(first) || last.one().is_some()))
        .collect();
    let part = parts.iter().max_by_key(|(score, ..)| *score);
    let whole = survey
        .fields
        .iter()
        .filter(is_written)
        .filter(|field| field.own.are(FULL_NAME, FILLERS) && is_near_person(field));
    let whole = best(whole.map(|field| (score(field), field)).collect());
    let is_half = |field: &Field<'_>| parts.iter().any(|(_, first, _)| first.path == field.path);
    let whole: Vec<_> = whole.into_iter().filter(|field| !is_half(field)).collect();
    match (part, chosen(whole)) {
        (Some((parts, first, last)), Some(whole)) if *parts > score(&whole.field) => {
            Some(Name::Parts((*first).clone(), (*last).clone()))
        }
        (_, Some(whole)) => Some(Name::Whole(whole)),
        (Some((_, first, last)), None) => Some(Name::Parts((*first).clone(), (*last).clone())),
        (None, None) => {
            let first =
                survey.fields.iter().filter(is_written).filter(|f| f.own.are(FIRST_NAME, FILLERS));
            chosen(best(first.map(|field| (score(field), field)).collect())).map(Name::Whole)
        }
    }
}

/// Whether the key says more than `name`, such as `full_name`: then it names a person wherever it stands.
fn has_more_words(field: &Field<'_>) -> bool {
    !field.own.are(EITHER_NAME, &[])
}

fn is_name(text: &str) -> bool {
    let text = text.trim();
    text.chars().any(char::is_alphabetic)
        && text.chars().count() <= 100
        && !text.chars().any(|c| c.is_control() || "@#/<>{}[]=_".contains(c))
        && !text.chars().any(char::is_numeric)
}

/// The tags that the sender keeps of the person.
pub(super) fn tags(survey: &Survey<'_>) -> Option<Tags> {
    const TAGS: &[&str] = &["tags", "tag", "labels", "etiquetas", "schlagworte"];
    survey.fields.iter().find_map(|field| {
        let is_named =
            field.own.are(TAGS, &["contact", "customer", "list", "person", "user", "lead"]);
        if !is_named || standing(field) < 0 {
            return None;
        }
        let (is_text, names): (_, Vec<&str>) = match field.value {
            Value::Text(text) => (true, text.split(',').collect()),
            Value::List(items) => (false, items.iter().filter_map(Value::as_text).collect()),
            _ => return None,
        };
        let is_plain = |name: &&str| {
            let of_a_tag = |c: char| c.is_alphanumeric() || " -_.:/&+".contains(c);
            (1..=60).contains(&name.chars().count()) && name.chars().all(of_a_tag)
        };
        let mut names: Vec<String> =
            names.into_iter().map(str::trim).filter(is_plain).map(str::to_owned).collect();
        names.dedup();
        names.truncate(MOST_TAGS);
        (!names.is_empty()).then(|| Tags { path: field.path.clone(), is_text, names })
    })
}

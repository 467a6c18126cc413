//! Phone numbers in an event, and how each is to be read.

use std::sync::LazyLock;

use phonenumber::country::Id;
use phonenumber::metadata::DATABASE;
use phonenumber::{PhoneNumber, Type};

use super::meanings;
use super::survey::{Field, Survey};
use super::words::Words;
use crate::document::Value;
use crate::mapping::steps::phone;

/// How a number is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// It says its country itself.
    International,
    /// For the country at this path.
    CountryAt(String),
    /// For this country, as the whole source.
    National(Id),
    /// The digits carry the dialing code.
    WithCode,
    /// Nothing in the event says for which country.
    Unknown,
}

/// A number in the event.
#[derive(Debug, Clone)]
pub(super) struct Phone<'d> {
    pub(super) field: Field<'d>,
    pub(super) reading: Reading,
    score: i32,
}

/// Words of keys whose value may look like a number and is none.
const NO_NUMBERS: &[&str] = &[
    "id",
    "ids",
    "code",
    "ext",
    "extension",
    "type",
    "verified",
    "zip",
    "postal",
    "ip",
    "date",
    "time",
    "at",
    "ts",
    "timestamp",
    "price",
    "total",
    "amount",
    "iban",
    "vat",
    "account",
];

/// Values without a telling key that are looked at.
const MOST_UNNAMED: usize = 12;

impl Phone<'_> {
    /// The value, as the mapping writes it.
    pub(super) fn value(&self) -> String {
        match &self.reading {
            Reading::CountryAt(country) => format!("{} | phone({country})", self.field.path),
            Reading::WithCode => format!("{} | phone(e164)", self.field.path),
            _ => self.field.path.clone(),
        }
    }

    /// Whether its key says that it is a phone number.
    pub(super) fn is_named(&self) -> bool {
        weight(&self.field.own, self.field.value) > 0
    }
}

/// The numbers in an event, the likeliest first; `country` is what the person says.
pub(super) fn candidates<'d>(survey: &Survey<'d>, country: Option<Id>) -> Vec<Phone<'d>> {
    let countries: Vec<_> = survey.fields.iter().filter(|field| is_country(field)).collect();
    let proven = |field: &Field<'_>| proven(field.text()?, &survey.fields);
    let mut found: Vec<_> = survey
        .fields
        .iter()
        .filter_map(|field| {
            let written = written(field)?;
            let weight = weight(&field.own, field.value);
            let mut reading = reading(&written, country_of(field, &countries));
            if reading == Reading::Unknown {
                let known = country.filter(|country| phone::read(&written, Some(*country)).is_ok());
                let known = known.or_else(|| if weight > 0 { proven(field) } else { None });
                if let Some(country) = known {
                    reading = Reading::National(country);
                } else if weight > 0 && carries_code(&written) {
                    reading = Reading::WithCode;
                }
            }
            // Without a telling key only what could hardly be anything else counts.
            let is_telling = match reading {
                Reading::Unknown => looks_dialed(&written),
                Reading::International => true,
                _ => weight > 0 || looks_dialed(&written),
            };
            if weight == 0 && !is_telling {
                return None;
            }
            let read = match reading {
                Reading::International => 40,
                Reading::CountryAt(_) => 36,
                Reading::National(_) => 34,
                Reading::WithCode => 30,
                Reading::Unknown => 0,
            };
            let depth = i32::try_from(field.depth).unwrap_or(i32::MAX / 4);
            let score = weight + read + standing(field) - depth;
            (score > 0).then(|| Phone { field: field.clone(), reading, score })
        })
        .collect();
    found.sort_by_key(|phone| -phone.score);
    found
}

/// Values whose keys say nothing, and that may be phone numbers all the same: for a person to decide.
pub(super) fn unnamed(survey: &Survey<'_>) -> Vec<String> {
    let strangers = survey.fields.iter().filter(|field| {
        weight(&field.own, field.value) == 0
            && !field.own.iter().any(|word| NO_NUMBERS.contains(&word))
            && standing(field) >= 0
    });
    let written = strangers.filter_map(|field| Some((field, written(field)?))).take(MOST_UNNAMED);
    let value = |(field, written): (&Field<'_>, String)| {
        if carries_code(&written) {
            return Some(format!("{} | phone(e164)", field.path));
        }
        looks_dialed(&written).then(|| field.path.clone())
    };
    written.filter_map(value).collect()
}

/// How much speaks for a value by whose it is.
pub(super) fn standing(field: &Field<'_>) -> i32 {
    if field.say(meanings::SOMEBODY_ELSE) {
        return -200;
    }
    if field.say(meanings::THE_PERSON) { 8 } else { 0 }
}

/// What the key says for a phone number; 0 where it says nothing.
fn weight(own: &Words, value: &Value) -> i32 {
    if own.say(meanings::FAX) || own.iter().any(|word| NO_NUMBERS.contains(&word)) {
        return 0;
    }
    if own.say(meanings::WHATSAPP) {
        50
    } else if own.say(meanings::MOBILE) {
        40
    } else if own.say(meanings::PHONE) {
        30
    } else if own.say(meanings::NUMBER)
        && matches!(value, Value::Text(_))
        && own.iter().count() <= 2
    {
        8
    } else {
        0
    }
}

/// The text of a value that could be a number.
fn written(field: &Field<'_>) -> Option<String> {
    let text = match field.one()? {
        Value::Text(text) | Value::Number(text) => text.trim(),
        _ => return None,
    };
    let text = text.strip_prefix("tel:").unwrap_or(text);
    let digits = text.chars().filter(|c| c.is_numeric()).count();
    let is_dialed = |c: char| {
        c.is_numeric() || c.is_whitespace() || "+()-./\u{2011}\u{200e}\u{202a}\u{202c}".contains(c)
    };
    let is_number =
        (7..=15).contains(&digits) && text.chars().count() <= 30 && text.chars().all(is_dialed);
    let is_other = text.parse::<std::net::IpAddr>().is_ok() || is_date(text);
    (is_number && !is_other).then(|| text.to_owned())
}

fn is_date(text: &str) -> bool {
    let parts: Vec<_> = text.split(['-', '/', '.', ' ']).collect();
    let sizes: Vec<_> = parts.iter().map(|part| part.len()).collect();
    matches!(sizes.as_slice(), [4, 1..=2, 1..=2, ..] | [1..=2, 1..=2, 4, ..]) && text.is_ascii()
}

fn reading(written: &str, country: Option<(String, Id)>) -> Reading {
    let is_international = phone::read(written, None).is_ok();
    match country {
        Some((path, _)) if is_international => Reading::CountryAt(path),
        Some((path, country)) if phone::read(written, Some(country)).is_ok() => {
            Reading::CountryAt(path)
        }
        _ if is_international => Reading::International,
        _ => Reading::Unknown,
    }
}

/// Whether a text is grouped as people write numbers, and long enough to be one.
fn looks_dialed(written: &str) -> bool {
    let digits = written.chars().filter(|c| c.is_numeric()).count();
    let groups = written.split(|c: char| !c.is_numeric()).filter(|group| !group.is_empty()).count();
    digits >= 9 && (groups >= 3 || written.starts_with(['+', '(']))
}

fn is_country(field: &Field<'_>) -> bool {
    const COUNTRY: &[&str] =
        &["country", "pais", "paese", "land", "kraj", "ulke", "pays", "страна", "国家"];
    field.own.say(COUNTRY) && country(field).is_some() && !field.say(meanings::SOMEBODY_ELSE)
}

fn country(field: &Field<'_>) -> Option<Id> {
    field.one()?.as_text()?.trim().to_ascii_uppercase().parse().ok()
}

/// The country that stands beside a number, above it, or in an address beside it.
fn country_of(field: &Field<'_>, countries: &[&Field<'_>]) -> Option<(String, Id)> {
    let rank = |country: &&&Field<'_>| {
        if country.home == field.home {
            3
        } else if is_within(&field.home, &country.home) {
            2
        } else {
            i32::from(is_within(&country.home, &field.home))
        }
    };
    let best = countries.iter().filter(|country| rank(country) > 0).max_by_key(rank)?;
    Some((best.path.clone(), country(best)?))
}

fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with(['.', '[']))
}

/// The country of a national number that the event holds a second time, with its dialing code.
fn proven(written: &str, fields: &[Field<'_>]) -> Option<Id> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let own = digits(written);
    let national = own.trim_start_matches('0');
    fields.iter().find_map(|field| {
        let text = self::written(field)?;
        let number = phonenumber::parse(None, &text).ok()?;
        let is_same = number.national().to_string() == national;
        let country = number.country().id()?;
        (is_same && phone::read(written, Some(country)).is_ok()).then_some(country)
    })
}

/// Whether digits alone prove that they carry a dialing code: with it they are a number, and without it no
/// country's mobile number.
fn carries_code(written: &str) -> bool {
    if !written.bytes().all(|b| b.is_ascii_digit()) || written.len() < 10 {
        return false;
    }
    let Ok(number) = phonenumber::parse(None, format!("+{written}")) else { return false };
    if !number.is_valid() {
        return false;
    }
    !COUNTRIES.iter().any(|country| is_a_mobile_of(written, *country, &number))
}

/// Every country that the metadata knows.
static COUNTRIES: LazyLock<Vec<Id>> = LazyLock::new(|| {
    let letters = || b'A'..=b'Z';
    let pairs = letters().flat_map(|first| letters().map(move |second| [first, second]));
    pairs.filter_map(|pair| std::str::from_utf8(&pair).ok()?.parse().ok()).collect()
});

fn is_a_mobile_of(written: &str, country: Id, with_code: &PhoneNumber) -> bool {
    // Lengths first: the patterns of a country are compiled when they are asked for.
    let mobiles =
        DATABASE.by_id(country.as_ref()).and_then(|country| country.descriptors().mobile());
    let has_length = mobiles.is_some_and(|mobiles| {
        let is_dialed = |length: &u16| {
            written.len().checked_sub((*length).into()).is_some_and(|prefix| prefix <= 1)
        };
        mobiles.possible_length().iter().any(is_dialed)
    });
    if !has_length {
        return false;
    }
    let Ok(number) = phonenumber::parse(Some(country), written) else { return false };
    number != *with_code
        && number.code().value() != with_code.code().value()
        && number.is_valid()
        && matches!(number.number_type(&DATABASE), Type::Mobile | Type::FixedLineOrMobile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_carry_a_dialing_code_only_where_they_can_be_nothing_else() {
        for (written, carries) in [
            ("971555501122", true),
            ("12025550155", true),
            ("2025550119", false),
            ("9812345678", false),
            ("0655500133", false),
            ("13012345678", false),
            ("0000000000000", false),
        ] {
            assert_eq!(carries_code(written), carries, "{written}");
        }
    }

    #[test]
    fn dates_and_addresses_are_no_numbers() {
        for (text, is_one) in [
            ("(202) 555-0119", true),
            ("+1 202 555 0143", true),
            ("2026-11-23", false),
            ("23.11.2026", false),
            ("203.0.113.45", false),
            ("1499.00", false),
            ("call me", false),
        ] {
            let value = Value::text(text);
            let survey = Survey::of(&value, "$", Vec::new());
            assert_eq!(written(&survey.fields[0]).is_some(), is_one, "{text}");
        }
    }
}

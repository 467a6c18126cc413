//! `phone`, and the reading of every mobile number: by the rules of libphonenumber.
//!
//! A number with `+` or `00` says its country itself and must be *possible* there: some kind of number
//! of that country has its length. Without, it must be *valid* for the country it is read for. What
//! comes out is digits with the dialing code.

use std::borrow::Cow;

use phonenumber::country::{Id, Source};
use phonenumber::metadata::{DATABASE, Descriptor};
use phonenumber::{Metadata, PhoneNumber};

use super::call::{ArgKind, Args};
use super::{each, text};
use crate::contact::{HeldReason, Mobile};
use crate::mapping::Held;
use crate::mapping::expr::{Evaluated, Path, Reading, Scope, text_of};
use crate::mapping::syntax::{Code, Problem, Problems};

/// Loads the metadata of all countries, so that the first number is not the one that waits for it (it takes
/// tens of milliseconds). To be called off the threads that answer, when a mapping reads phone numbers.
pub fn warm_phone_metadata() {
    if let Ok(number) = phonenumber::parse(Some(Id::IN), "9812345678") {
        std::hint::black_box(number.is_valid());
    }
}

/// How a number without `+` or `00` is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// As one dials it in this country.
    National(Id),
    /// As digits that already carry the dialing code.
    WithCode,
}

/// A way to read a number, by the name it has in the file: the event's own words are not shown.
#[derive(Debug, Clone, Copy)]
struct Way<'w> {
    how: How,
    name: &'w str,
}

/// Reads a number by the rules of a country; without one it must be international.
pub(in crate::mapping) fn read(written: &str, country: Option<Id>) -> Result<Mobile, Held> {
    let way = country
        .as_ref()
        .map(|country| Way { how: How::National(*country), name: country.as_ref() });
    read_in_turn(written, way.as_slice())
}

/// Reads a number in the first of these ways in which it is one.
fn read_in_turn(written: &str, ways: &[Way<'_>]) -> Result<Mobile, Held> {
    let held = |found: &str| {
        Held::new(HeldReason::Phone, format!("a phone number is expected, {found} was found"))
    };
    let written = cleaned(written);
    // Also a spreadsheet's way with long numbers, `9.19812E+11`: digits are lost.
    if written.chars().any(char::is_alphabetic) {
        return Err(held("a text with letters in it"));
    }
    if written.starts_with('+') {
        return international(&written).ok_or_else(|| {
            held("a text that cannot be a number of the country its `+` or `00` names")
        });
    }
    if ways.is_empty() {
        return Err(held(
            "a number without a dialing code and without a country to read it for (say `country`, \
             `phone(IN)` or `phone(e164)`)",
        ));
    }
    let mut found = ways.iter().filter_map(|way| match way.how {
        How::National(country) => national(&written, country),
        How::WithCode => international(&format!("+{written}")),
    });
    found.next().ok_or_else(|| {
        let names: Vec<&str> = ways.iter().map(|way| way.name).collect();
        held(&format!("a text that is no valid number for {}", names.join(", ")))
    })
}

/// The text without what stands around a number: blanks, invisible marks, `tel:`; digits as ASCII digits and
/// `00` as `+`.
fn cleaned(written: &str) -> Cow<'_, str> {
    let is_around = |c: char| c.is_whitespace() || c.is_control() || is_invisible(c);
    let trimmed = written.trim_matches(is_around);
    let trimmed = match trimmed.split_at_checked(4) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel:") => rest.trim_start(),
        _ => trimmed,
    };
    let mut text = Cow::Borrowed(trimmed);
    if !trimmed.is_ascii() {
        let ascii = trimmed.chars().filter(|&c| !is_invisible(c)).map(|c| match c {
            '\u{ff0b}' => '+',
            _ => ascii_digit(c).unwrap_or(c),
        });
        text = Cow::Owned(ascii.collect());
    }
    match text.strip_prefix("00") {
        Some(rest) => Cow::Owned(format!("+{rest}")),
        None => text,
    }
}

/// Direction marks and the like, which contact books put around numbers.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The digit of a script that writes numbers as ASCII does: Arabic, Persian, Devanagari, Bengali, full width.
fn ascii_digit(c: char) -> Option<char> {
    [0x0660, 0x06f0, 0x0966, 0x09e6, 0xff10].into_iter().find_map(|zero| {
        let digit = u32::from(c).checked_sub(zero)?;
        if digit < 10 { char::from_digit(digit, 10) } else { None }
    })
}

fn international(written: &str) -> Option<Mobile> {
    let number = phonenumber::parse(None, written).ok()?;
    let national = number.national().to_string();
    let length = u16::try_from(national.len()).ok()?;
    let is_possible = DATABASE
        .by_code(&number.code().value())?
        .iter()
        .any(|country| lengths(country).any(|lengths| lengths.contains(&length)));
    if is_possible { mobile(&number, &national) } else { None }
}

/// The lengths of a country's numbers, kind by kind: the crate's list for all kinds together is empty.
fn lengths(country: &Metadata) -> impl Iterator<Item = &[u16]> {
    let kinds = country.descriptors();
    [
        kinds.fixed_line(),
        kinds.mobile(),
        kinds.toll_free(),
        kinds.premium_rate(),
        kinds.shared_cost(),
        kinds.personal_number(),
        kinds.voip(),
        kinds.pager(),
        kinds.uan(),
        kinds.voicemail(),
    ]
    .into_iter()
    .flatten()
    .map(Descriptor::possible_length)
}

fn national(written: &str, country: Id) -> Option<Mobile> {
    let number = phonenumber::parse(Some(country), written).ok()?;
    // Dialed from this country to another one, or within the numbering plan of this one (which others may
    // share, as the United States and Canada do).
    let plan = DATABASE.by_id(country.as_ref())?.country_code();
    let is_abroad = number.code().source() == Source::Idd;
    if !(is_abroad || number.code().value() == plan) || !number.is_valid() {
        return None;
    }
    mobile(&number, &number.national().to_string())
}

fn mobile(number: &PhoneNumber, national: &str) -> Option<Mobile> {
    if number.extension().is_some() {
        return None;
    }
    Mobile::try_from(format!("{}{national}", number.code().value())).ok()
}

/// `phone(IN, $.country, invalid=absent)`.
#[derive(Debug)]
pub(in crate::mapping) struct PhoneStep {
    tries: Vec<Try>,
    drops_invalid: bool,
}

#[derive(Debug)]
enum Try {
    How(How),
    /// The path to a country; passed over where there is none.
    Path(Path),
}

impl PhoneStep {
    pub(super) fn read(
        args: &mut Args<'_>,
        reading: &Reading<'_>,
        problems: &mut Problems,
    ) -> Self {
        let invalid = args.word("invalid", &[("hold", false), ("absent", true)], problems);
        let mut tries = Vec::new();
        for arg in args.rest() {
            if let ArgKind::Path(path) = &arg.kind {
                tries.push(Try::Path(path.clone()));
                continue;
            }
            let Some(word) = args.as_text(arg, problems) else { continue };
            if word == "e164" {
                tries.push(Try::How(How::WithCode));
            } else if let Ok(country) = word.parse::<Id>() {
                tries.push(Try::How(How::National(country)));
            } else {
                let problem = Problem::error(
                    Code::Place,
                    arg.span.clone(),
                    format!("`{word}` is no country"),
                );
                let help = "two letters as in ISO 3166, such as `IN`, a path, or `e164`";
                args.wrong(problem.help(help), problems);
            }
        }
        if tries.is_empty() {
            tries.extend(reading.country.map(|country| Try::How(How::National(country))));
        }
        Self { tries, drops_invalid: invalid.unwrap_or(false) }
    }

    pub(super) fn each_path(&self, then: &mut dyn FnMut(&Path)) {
        for one in &self.tries {
            if let Try::Path(path) = one {
                then(path);
            }
        }
    }

    pub(super) fn apply<'s>(
        &self,
        value: Evaluated<'s>,
        scope: &Scope<'s>,
    ) -> Result<Evaluated<'s>, Held> {
        let mut ways = Vec::with_capacity(self.tries.len());
        for one in &self.tries {
            match one {
                Try::How(how) => {
                    let name = match how {
                        How::National(country) => country.as_ref(),
                        How::WithCode => "e164",
                    };
                    ways.push(Way { how: *how, name });
                }
                Try::Path(path) => {
                    let country = country_at(path, scope)?;
                    ways.extend(
                        country
                            .map(|country| Way { how: How::National(country), name: path.text() }),
                    );
                }
            }
        }
        each(value, &mut |value| match read_in_turn(text(value)?, &ways) {
            Ok(mobile) => Ok(Some(crate::document::Value::text(mobile.as_str()))),
            Err(_) if self.drops_invalid => Ok(None),
            Err(held) => Err(held),
        })
    }
}

fn country_at(path: &Path, scope: &Scope<'_>) -> Result<Option<Id>, Held> {
    let at = |held: Held| held.at(&format!("the country at `{}`", path.text()));
    let found = Evaluated::selected(path, scope)?.single("a country").map_err(at)?;
    Ok(found
        .as_deref()
        .and_then(text_of)
        .and_then(|text| text.trim().to_ascii_uppercase().parse().ok()))
}

#[cfg(test)]
mod tests;

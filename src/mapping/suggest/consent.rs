//! What an event says about whether the person agreed to be written to.
//!
//! Consent is never guessed: only a value that says yes in so many words becomes `optin: true`, and what was
//! agreed to another channel, or to terms, does not count.

use super::meanings::{
    CONSENT, CONSENT_PHRASES, MARKETING, OTHER_CHANNELS, REFUSAL, REFUSAL_PHRASES, TERMS, WHATSAPP,
};
use super::phone::standing;
use super::survey::{Field, Survey};
use crate::document::Value;

/// Consent that was found, and what was found beside it.
#[derive(Debug, Default)]
pub(super) struct Found<'d> {
    pub(super) consent: Option<Consent<'d>>,
    /// Other values that speak of it, each with why it does not count.
    pub(super) notes: Vec<String>,
}

/// A value that says whether the person agreed.
#[derive(Debug)]
pub(super) struct Consent<'d> {
    pub(super) field: Field<'d>,
    /// Whether the person of this event did.
    pub(super) agreed: bool,
    /// The words that count as a yes.
    yes: Vec<&'static str>,
    /// What a no looks like.
    pub(super) no: Value,
}

/// A yes and its no, in the words that senders use.
const WORDS: &[(&str, &str)] = &[
    ("true", "false"),
    ("yes", "no"),
    ("1", "0"),
    ("y", "n"),
    ("on", "off"),
    ("subscribed", "unsubscribed"),
    ("subscribed", "not_subscribed"),
    ("subscribed", "not subscribed"),
    ("opt_in", "opt_out"),
    ("opted_in", "opted_out"),
    ("opted-in", "opted-out"),
    ("optin", "optout"),
    ("granted", "denied"),
    ("granted", "revoked"),
    ("accepted", "declined"),
    ("accepted", "refused"),
    ("agreed", "disagreed"),
    ("i agree", "i do not agree"),
    ("i accept", "i do not accept"),
    ("agree", "disagree"),
    ("accept", "decline"),
    ("ja", "nein"),
    ("ja", "nee"),
    ("ja", "nej"),
    ("oui", "non"),
    ("si", "no"),
    ("sí", "no"),
    ("sì", "no"),
    ("sim", "não"),
    ("tak", "nie"),
    ("evet", "hayır"),
    ("да", "нет"),
    ("是", "否"),
    ("はい", "いいえ"),
];

impl Consent<'_> {
    /// What a yes looks like.
    pub(super) fn yes(&self) -> Value {
        match (self.field.one(), self.yes.first()) {
            (Some(Value::Text(_)), Some(yes)) => Value::text(*yes),
            (Some(Value::Number(_)), _) => Value::Number("1".into()),
            _ => Value::Bool(true),
        }
    }

    /// The value of `optin`, as the mapping writes it.
    pub(super) fn value(&self) -> String {
        let is_word = |yes: &&str| yes.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let yes: Vec<_> = self
            .yes
            .iter()
            .map(|yes| if is_word(yes) { (*yes).to_owned() } else { format!("\"{yes}\"") })
            .collect();
        format!("{} | bool(yes=[{}])", self.field.path, yes.join(", "))
    }
}

/// What the event says.
pub(super) fn find<'d>(survey: &Survey<'d>) -> Found<'d> {
    let mut found = Found::default();
    let mut best: Vec<(i32, Consent<'d>)> = Vec::new();
    for field in &survey.fields {
        let says = |meanings: &[&str]| field.own.say(meanings) || parent_says(field, meanings);
        let phrase = |phrases: &[&str]| field.own.phrase(phrases) || field.around.phrase(phrases);
        let Some((yes, no, agreed)) = answer(field) else { continue };
        if phrase(REFUSAL_PHRASES) || says(REFUSAL) {
            found.notes.push(format!(
                "{}: where it says yes, the person does not want to be written to",
                field.path
            ));
            continue;
        }
        let whatsapp = says(WHATSAPP);
        let consent = says(CONSENT) || phrase(CONSENT_PHRASES);
        let marketing = says(MARKETING);
        if !(whatsapp || consent || marketing) || standing(field) < 0 {
            continue;
        }
        if !whatsapp && says(OTHER_CHANNELS) {
            found
                .notes
                .push(format!("{}: consent to another channel, not to WhatsApp", field.path));
            continue;
        }
        if !whatsapp && says(TERMS) {
            found.notes.push(format!("{}: consent to terms, not to messages", field.path));
            continue;
        }
        let score = i32::from(whatsapp) * 50 + i32::from(consent) * 20 + i32::from(marketing) * 10;
        let consent = Consent { field: field.clone(), agreed, yes, no };
        best.push((score, consent));
    }
    best.sort_by_key(|(score, consent)| (-score, consent.field.depth));
    let mut best = best.into_iter().map(|(_, consent)| consent);
    found.consent = best.next();
    found.notes.extend(best.map(|other| format!("also possible: {}", other.value())));
    found
}

/// The key right above: of `consent.whatsapp`, consent.
fn parent_says(field: &Field<'_>, meanings: &[&str]) -> bool {
    field.around.say(meanings)
}

/// The words for yes, what a no looks like, and whether it is a yes; nothing where it is neither.
fn answer(field: &Field<'_>) -> Option<(Vec<&'static str>, Value, bool)> {
    let value = field.one()?;
    match value {
        Value::Bool(agreed) => Some((vec!["true"], Value::Bool(false), *agreed)),
        Value::Number(digits) if matches!(&**digits, "0" | "1") => {
            Some((vec!["1"], Value::Number("0".into()), &**digits == "1"))
        }
        Value::Text(text) => {
            let text = text.trim().to_lowercase();
            let agreed = WORDS.iter().find(|(yes, _)| *yes == text);
            if let Some((yes, no)) = agreed {
                return Some((vec![yes], Value::text(*no), true));
            }
            let mut refused = WORDS.iter().filter(|(_, no)| *no == text);
            let (yes, no) = refused.next()?;
            Some((vec![yes], Value::text(*no), false))
        }
        _ => None,
    }
}

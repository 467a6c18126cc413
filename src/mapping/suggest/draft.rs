//! A mapping in the making: what was chosen for each of its parts, and its text.

use super::consent;
use super::happening::Happening;
use super::pairs::Pairs;
use super::person::{Chosen, Name, Tags};
use super::phone::{Phone, Reading};
use super::verify;
use super::yaml::{self, Lines};
use crate::document::Value;

/// Candidates that are named beside the one that was chosen.
pub(super) const MOST_OTHERS: usize = 4;

/// Which part of a document is a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Split {
    /// All of it.
    Whole,
    /// Each item of the array at this path, in one event.
    Items(String),
    /// Each item of the array at this path, as an event of its own.
    Events(String),
}

/// Who the contact is.
#[derive(Debug)]
pub(super) enum Contact<'d> {
    Mobile { phone: Phone<'d>, others: Vec<String> },
    Email(String),
    Id(String),
}

/// What was chosen.
#[derive(Debug)]
pub(super) struct Draft<'d> {
    pub(super) source: &'d str,
    pub(super) headers: &'d [(String, String)],
    pub(super) presets: &'d [String],
    pub(super) split: Split,
    pub(super) pairs: &'d [Pairs],
    pub(super) happening: &'d Happening<'d>,
    pub(super) contact: Option<Contact<'d>>,
    pub(super) name: Option<Name<'d>>,
    pub(super) email: Option<Chosen<'d>>,
    pub(super) consent: consent::Found<'d>,
    pub(super) tags: Option<Tags>,
    /// Values that may be phone numbers though nothing says so; where there is no better one.
    pub(super) unnamed: Vec<String>,
    /// A value that looks like Chatflow's own id of the contact.
    pub(super) contact_id: Option<String>,
    /// Values that may be worth an attribute: a name for it, and the path.
    pub(super) more: Vec<(String, String)>,
}

impl Draft<'_> {
    /// The text of the file.
    pub(super) fn write(&self, tests: &[Value]) -> String {
        let mut lines = Lines::default();
        self.head(&mut lines);
        lines.line(0, &format!("source: {}", yaml::scalar(self.source)));
        self.country(&mut lines);
        verify::write(&mut lines, self.source, self.headers, self.presets);
        if let Split::Events(array) = &self.split {
            lines.comment(
                0,
                "One request holds several events: each item is one, and $ is the item.",
            );
            lines.line(0, "body:");
            lines.line(2, &format!("each: {}", yaml::value(&format!("{array}[*]"))));
        }
        self.event(&mut lines);
        if !matches!(self.split, Split::Items(_)) {
            self.lets(&mut lines, 0);
        }
        if let Some(contact) = &self.contact {
            self.rule(&mut lines, contact);
        } else {
            self.no_rule(&mut lines);
        }
        if tests.is_empty() {
            return lines.into_text();
        }
        lines.line(0, "tests:");
        for test in tests {
            lines.item(2, test);
        }
        lines.into_text()
    }

    fn head(&self, lines: &mut Lines) {
        lines.comment(
            0,
            "A first mapping, suggested from one event: what was found in it, and where.",
        );
        lines.line(0, "#");
        let mut found = |what: &str, place: &str| {
            let place: String = place.chars().filter(|c| yaml::is_printed(*c)).collect();
            lines.line(0, &format!("#   {what:<12} {place}"));
        };
        match &self.contact {
            Some(Contact::Mobile { phone, .. }) => found("phone", &phone.field.path),
            Some(Contact::Id(path)) => found("contact id", path),
            Some(Contact::Email(_)) => {
                found("phone", "none: the contact is looked up by the e-mail address");
            }
            None => found("phone", "none"),
        }
        match &self.name {
            Some(Name::Whole(name)) => found("name", &name.field.path),
            Some(Name::Parts(first, last)) => {
                found("name", &format!("{} and {}", first.path, last.path));
            }
            None => found("name", "none"),
        }
        found("e-mail", self.email.as_ref().map_or("none", |email| &email.field.path));
        found(
            "consent",
            self.consent.consent.as_ref().map_or("none", |consent| &consent.field.path),
        );
        found("tags", self.tags.as_ref().map_or("none", |tags| &tags.path));
        let id = self.happening.id.join(" and ");
        found("event id", if id.is_empty() { "none" } else { &id });
        found("event type", self.happening.kind.as_ref().map_or("none", |kind| &kind.path));
        found("time", self.happening.occurred_at.as_deref().unwrap_or("none"));
        lines.line(0, "#");
        lines.comment(0, "Read it line by line: it is a guess from a single event. `chatflow-bridge check` finds what is wrong with it, `chatflow-bridge test` runs the tests at its end. Attributes and tags must exist in Chatflow's settings.");
    }

    fn country(&self, lines: &mut Lines) {
        let Some(Contact::Mobile { phone, .. }) = &self.contact else { return };
        match &phone.reading {
            Reading::National(country) => {
                lines.comment(0, "How a number without its dialing code is read.");
                lines.line(0, &format!("country: {}", country.as_ref()));
            }
            Reading::Unknown => {
                lines.comment(0, "The phone number has no dialing code, and nothing in the event proves a country: until one stands here, the update is held. Say it (`suggest --country US` writes it for you):");
                lines.line(0, "# country: US");
            }
            Reading::International => {
                lines.comment(
                    0,
                    "A number without its dialing code is held, unless its country stands here:",
                );
                lines.line(0, "# country: US");
            }
            Reading::CountryAt(_) | Reading::WithCode => {}
        }
    }

    fn event(&self, lines: &mut Lines) {
        lines.line(0, "event:");
        if let Some(note) = &self.happening.id_note {
            lines.comment(2, note);
        }
        match self.happening.id.as_slice() {
            [] => lines.line(2, "id: none"),
            [id] => lines.line(2, &format!("id: {}", yaml::value(id))),
            parts => {
                lines.line(2, "id:");
                for part in parts {
                    lines.line(4, &format!("- {}", yaml::value(part)));
                }
            }
        }
        if let Some(kind) = &self.happening.kind {
            lines.line(2, &format!("type: {}", yaml::value(&kind.path)));
        }
        if let Some(path) = &self.happening.occurred_at {
            others(lines, 2, &self.happening.other_times);
            lines.line(2, &format!("occurred_at: {}", yaml::value(path)));
        }
    }

    pub(super) fn lets(&self, lines: &mut Lines, indent: usize) {
        if self.pairs.is_empty() {
            return;
        }
        lines.line(indent, "let:");
        for pairs in self.pairs {
            lines.comment(
                indent + 2,
                &format!("Pairs, read by name and not by place: ${}['the name'].", pairs.name),
            );
            lines.line(indent + 2, &format!("{}:", pairs.name));
            lines.line(
                indent + 4,
                &format!("index: {}", yaml::value(&format!("{}[*]", pairs.array))),
            );
            lines.line(indent + 4, &format!("key: {}", yaml::value(&pairs.key)));
            match pairs.values.as_slice() {
                [value] => lines.line(indent + 4, &format!("value: {}", yaml::value(value))),
                values => {
                    lines.line(indent + 4, "value:");
                    lines.line(indent + 6, "first_of:");
                    for value in values {
                        lines.line(indent + 8, &format!("- {}", yaml::value(value)));
                    }
                }
            }
        }
    }
}

/// The value of an e-mail address.
pub(super) fn lowered(path: &str) -> String {
    format!("{path} | trim | lower")
}

/// Names the candidates that were not chosen.
pub(super) fn others(lines: &mut Lines, indent: usize, paths: &[String]) {
    if paths.is_empty() {
        return;
    }
    let named: Vec<_> = paths.iter().take(MOST_OTHERS).map(String::as_str).collect();
    let rest = match paths.len().saturating_sub(MOST_OTHERS) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    lines.comment(indent, &format!("also possible: {}{rest}", named.join(", ")));
}

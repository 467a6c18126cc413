//! The rule of a suggested mapping, as text.

use super::draft::{Contact, Draft, MOST_OTHERS, Split, lowered, others};
use super::happening::rule_name;
use super::person::{Name, Tags};
use super::phone::Reading;
use super::yaml::{self, Lines};

impl Draft<'_> {
    /// The rule: when, for whom, what.
    pub(super) fn rule(&self, lines: &mut Lines, contact: &Contact<'_>) {
        lines.line(0, "rules:");
        lines.line(
            2,
            &format!("- name: {}", yaml::scalar(&rule_name(self.happening.kind.as_ref()))),
        );
        if let Some(kind) = &self.happening.kind {
            lines.comment(4, "Only events of this type.");
            lines.line(4, "when:");
            lines.line(6, &format!("{}: {}", yaml::value(&kind.path), yaml::scalar(&kind.name)));
        }
        if let Split::Items(array) = &self.split {
            lines.comment(4, "Each item is a person, and $item is the item.");
            lines.line(4, &format!("for_each: {}", yaml::value(&format!("{array}[*]"))));
            self.lets(lines, 4);
        }
        lines.line(4, "contact:");
        if !matches!(contact, Contact::Mobile { .. }) {
            self.unnamed_phones(lines, 6);
        }
        if let Some(path) = &self.contact_id {
            lines.comment(
                6,
                &format!("also possible, where it is Chatflow's own id of the contact: id: {path}"),
            );
        }
        match contact {
            Contact::Mobile { phone, others: more } => {
                others(lines, 6, more);
                if phone.reading == Reading::WithCode {
                    lines.comment(
                        6,
                        "The digits carry the dialing code, as far as one number can tell.",
                    );
                }
                lines.line(6, &format!("mobile: {}", yaml::value(&phone.value())));
                lines.comment(6, "When Chatflow does not know the contact: dead (keep it for a person to look at), skip, or create.");
                lines.line(6, "on_missing: create");
            }
            Contact::Email(value) => {
                lines.comment(6, "Without a phone number a contact can be found, and not created.");
                lines.line(6, "attribute:");
                lines.line(8, "name: email");
                lines.line(8, &format!("value: {}", yaml::value(value)));
            }
            Contact::Id(path) => lines.line(6, &format!("id: {}", yaml::value(path))),
        }
        self.update(lines);
    }

    /// No rule, and what one would look like.
    pub(super) fn no_rule(&self, lines: &mut Lines) {
        const EXAMPLE: &[&str] = &[
            "- name: contact",
            "  contact:",
            "    mobile: $.path.to.the.number",
            "    on_missing: create",
            "  update:",
            "    name: $.path.to.the.name",
        ];
        self.unnamed_phones(lines, 0);
        lines.comment(
            0,
            "Nothing in this event says who the contact is: no phone number, no e-mail address. Where a \
             field of it does, a rule looks like this:",
        );
        for line in EXAMPLE {
            lines.line(0, &format!("#  {line}"));
        }
        lines.line(0, "rules: []");
    }

    /// Values that a person may know to be phone numbers.
    pub(super) fn unnamed_phones(&self, lines: &mut Lines, indent: usize) {
        for value in self.unnamed.iter().take(MOST_OTHERS) {
            lines.comment(
                indent,
                &format!("also possible, if it is a phone number (where it has no dialing code, say `--country`): mobile: {value}"),
            );
        }
    }

    fn update(&self, lines: &mut Lines) {
        let mut inner = Lines::default();
        match &self.name {
            Some(Name::Whole(name)) => {
                others(&mut inner, 6, &name.others);
                inner.line(6, &format!("name: {}", yaml::value(&name.field.path)));
            }
            Some(Name::Parts(first, last)) => {
                inner.line(6, "name:");
                inner.line(8, "join:");
                inner.line(10, &format!("- {}", yaml::value(&first.path)));
                inner.line(10, &format!("- {}", yaml::value(&last.path)));
                inner.line(8, "with: \" \"");
            }
            None => {}
        }
        self.optin(&mut inner);
        if let Some(tags) = &self.tags {
            inner.comment(6, "The sender's tags: those that are listed and exist in Chatflow's settings too; one that does not makes the API refuse the update.");
            inner.line(6, "tags_to_add:");
            inner.line(8, &format!("- {}", yaml::value(&tags.value())));
        } else {
            inner.comment(6, "A tag, where one exists in Chatflow's settings:");
            inner.line(6, "# tags_to_add:");
            inner.line(6, "#   - lead");
        }
        let is_who = matches!(self.contact, Some(Contact::Email(_)));
        if let Some(email) = self.email.as_ref().filter(|_| !is_who) {
            inner.line(6, "attributes:");
            others(&mut inner, 8, &email.others);
            inner.line(8, &format!("email: {}", yaml::value(&lowered(&email.field.path))));
        } else if !self.more.is_empty() {
            inner.line(6, "# attributes:");
        }
        for (name, path) in &self.more {
            inner.line(8, &format!("# {name}: {}", yaml::value(path)));
        }
        let text = inner.into_text();
        let is_empty = text.lines().all(|line| line.trim_start().starts_with('#'));
        lines.line(4, if is_empty { "update: {}" } else { "update:" });
        text.lines().for_each(|line| lines.line(0, line));
    }

    fn optin(&self, lines: &mut Lines) {
        self.consent.notes.iter().take(MOST_OTHERS).for_each(|note| lines.comment(6, note));
        match &self.consent.consent {
            Some(consent) => {
                lines.comment(6, "Only what is listed is a yes; anything else leaves the consent as it is.");
                lines.line(6, &format!("optin: {}", yaml::value(&consent.value())));
            }
            None => lines.comment(6, "Nothing in this event says that the person agreed to be written to: optin is not touched."),
        }
    }
}

impl Tags {
    /// The value, as the mapping writes it.
    fn value(&self) -> String {
        let split = if self.is_text { " | split(\",\")" } else { "" };
        let names: Vec<_> = self.names.iter().map(|name| format!("\"{name}\"")).collect();
        format!("{}{split} | only({})", self.path, names.join(", "))
    }
}

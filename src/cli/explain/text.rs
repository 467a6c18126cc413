//! An explained event for people: each rule, why it matched or did not, where each value came from.

use super::condition::{self, mark};
use super::value::{self, visible};
use crate::chatflow::ChatflowSettings;
use crate::chatflow::planned::{When, requests};
use crate::cli::style::Style;
use crate::mapping::explain::{Answer, Came, Gave, Noted, What};
use crate::mapping::{Decision, Explained, Planned, shown};

/// An explained event, line by line.
pub(super) fn event(
    explained: &Explained,
    source: &str,
    settings: &ChatflowSettings,
    style: Style,
) -> Vec<String> {
    let mut out = vec![heading(explained, source, style)];
    let (fields, others): (Vec<_>, Vec<_>) =
        explained.trace.iter().partition(|noted| matches!(noted.what, What::Field { .. }));
    for noted in
        fields.iter().filter(|noted| matches!(noted.gave(), Some(Gave::Absent | Gave::Held(_))))
    {
        field(noted, "is not known", 2, style, &mut out);
    }
    lets(&explained.trace, 0, style, &mut out);
    for noted in &others {
        match &noted.what {
            What::Control { holds } if explained.event.control && *holds == Answer::Yes => {
                out.push(String::new());
                out.push("a control message: answered and counted, no rule is asked".to_owned());
                condition::lines(noted, 2, style, &mut out);
            }
            What::Rule { rule } => {
                let planned = || explained.event.planned.iter().filter(|p| *p.rule == **rule);
                self::rule(rule, &noted.inside, &planned, settings, style, &mut out);
            }
            What::NotAsked { rule, after } => {
                out.push(String::new());
                out.push(format!(
                    "{} {}: not asked, since `{after}` before it matched (`match: first`)",
                    style.faint("–"),
                    style.heading(rule)
                ));
            }
            _ => {}
        }
    }
    out
}

fn heading(explained: &Explained, source: &str, style: Style) -> String {
    let event = &explained.event;
    let mut known = vec![format!("source {source}")];
    known.extend(event.id.as_ref().map(|id| format!("id {}", visible(id))));
    known.extend(event.event_type.as_ref().map(|name| format!("type {}", visible(name))));
    known.extend(event.occurred_at.map(|at| format!("occurred {at}")));
    let status = shown::status(event);
    let status = match status {
        "accepted" | "control" => style.good(status),
        "held" => style.bad(status),
        _ => style.heading(status),
    };
    format!("event ({}): {status}", known.join(", "))
}

/// The `let`s that were read.
fn lets(notes: &[Noted], indent: usize, style: Style, out: &mut Vec<String>) {
    let margin = " ".repeat(indent);
    let read: Vec<_> = notes.iter().filter(|n| matches!(n.what, What::Let { .. })).collect();
    if !read.is_empty() {
        out.push(format!("{margin}let"));
    }
    for noted in read {
        let What::Let { name, gave } = &noted.what else { continue };
        out.push(format!("{margin}  {name} = {}", value::gave(gave)));
        value::lines(&noted.inside, indent + 6, style, out);
    }
}

fn rule<'p, I: Iterator<Item = &'p Planned>>(
    name: &str,
    inside: &[Noted],
    planned: &impl Fn() -> I,
    settings: &ChatflowSettings,
    style: Style,
    out: &mut Vec<String>,
) {
    let goes_through = inside.iter().find(|noted| matches!(noted.what, What::Path { .. }));
    if let Some(path) = goes_through {
        out.push(String::new());
        let items = value::chain(path, style).unwrap_or_default();
        out.push(format!("{}: for each of {items}", style.heading(name)));
    }
    for noted in inside {
        let What::Item { item, came } = &noted.what else { continue };
        let title = match goes_through {
            None => style.heading(name),
            Some(_) => format!("{}, item {item}", style.heading(name)),
        };
        let decided = planned().find(|planned| planned.item == *item);
        out.push(String::new());
        out.push(verdict(&title, came, style));
        item_lines(noted, came, style, out);
        if let Some(Planned { decision: Decision::Update(update), .. }) = decided {
            out.push("  requests".to_owned());
            match requests(update, settings) {
                Err(failure) => out.push(format!("    {}", style.bad(&failure.to_string()))),
                Ok(requests) => {
                    for request in requests {
                        let when = match request.when {
                            When::LookUp => Some("to find the contact, unless its id is known"),
                            When::Missing => Some("if there is no such contact"),
                            When::Update => None,
                        };
                        out.extend(
                            when.map(|when| format!("    {}", style.faint(&format!("# {when}")))),
                        );
                        out.push(format!("    {}", visible(&request.curl())));
                    }
                }
            }
        }
    }
    // More items than the limit, or a path that could not be read: held without an item of its own.
    let has_items = inside.iter().any(|noted| matches!(noted.what, What::Item { .. }));
    if let (false, Some(Planned { decision: Decision::Held(held), .. })) =
        (has_items, planned().next())
    {
        out.push(verdict(&style.heading(name), &Came::Held(held.clone()), style));
    }
}

fn verdict(title: &str, came: &Came, style: Style) -> String {
    match came {
        Came::NotMatched => format!("{} {title}: did not match", style.bad("✗")),
        Came::Planned => format!("{} {title}: matched, an update is planned", style.good("✓")),
        Came::NoEffect => {
            format!("{} {title}: matched, with nothing to change: no effect", style.good("✓"))
        }
        Came::Skipped(reason) => {
            format!("{} {title}: matched, and is skipped: {reason}", style.good("✓"))
        }
        Came::Held(held) => format!(
            "{} {title}: held ({}): {}",
            style.bad("!"),
            held.reason,
            style.bad(&held.detail)
        ),
    }
}

fn item_lines(noted: &Noted, came: &Came, style: Style, out: &mut Vec<String>) {
    lets(&noted.inside, 2, style, out);
    let blocks: Vec<_> =
        noted.inside.iter().filter(|inner| matches!(inner.what, What::Block { .. })).collect();
    if !blocks.is_empty() {
        let answer = match came {
            Came::NotMatched => Answer::No,
            Came::Held(held) if held.reason == crate::contact::HeldReason::Condition => {
                Answer::Unclear(held.clone())
            }
            _ => Answer::Yes,
        };
        out.push(format!("  when {}", mark(&answer, style)));
        for block in blocks {
            condition::lines(block, 4, style, out);
        }
    }
    let fields = noted.inside.iter().filter(|inner| matches!(inner.what, What::Field { .. }));
    let mut part = "";
    for noted in fields {
        let What::Field { field: name, .. } = &noted.what else { continue };
        let own = if name.starts_with("contact.") { "contact" } else { "update" };
        if own != part {
            part = own;
            out.push(format!("  {own}"));
        }
        let blank = if own == "contact" { "is blank" } else { "is left out" };
        field(noted, blank, 4, style, out);
    }
    if let (Came::Held(_), "update") = (came, part) {
        out.push(format!("    {}", style.faint("what stands after it was not made")));
    }
}

/// A field: what it became, and how.
fn field(noted: &Noted, blank: &str, indent: usize, style: Style, out: &mut Vec<String>) {
    let What::Field { field, gave } = &noted.what else { return };
    let margin = " ".repeat(indent);
    let name =
        field.strip_prefix("update.").or_else(|| field.strip_prefix("contact.")).unwrap_or(field);
    let name = visible(name);
    match gave {
        Gave::Absent => out.push(format!("{margin}{} {name} {blank}", style.bad("–"))),
        Gave::Held(held) => {
            out.push(format!("{margin}{} {name} is held ({})", style.bad("!"), held.reason));
        }
        gave => out.push(format!("{margin}{} {name} = {}", style.good("+"), value::gave(gave))),
    }
    value::lines(&noted.inside, indent + 6, style, out);
}

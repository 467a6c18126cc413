//! The comparison for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::Found;
use crate::cli::style::Style;
use crate::mapping::comparing::{Example, OfRule, OfSource, Sides};

/// Everything that is otherwise, source by source and rule by rule.
pub(super) fn text(found: &Found, style: Style) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for (name, source) in &found.comparison.sources {
        of_source(name, source, style, &mut text)?;
    }
    for event in &found.unreadable {
        let side = match (&event.before, &event.after) {
            (Some(why), None) => format!("only the old set cannot read it: {why}"),
            (None, Some(why)) => format!("only the new set cannot read it: {why}"),
            (why, _) => format!("it cannot be read: {}", why.as_deref().unwrap_or_default()),
        };
        writeln!(text, "{}: {side}", event.event)?;
    }
    let verdict = if found.differs() {
        style.bad("the two sets differ")
    } else {
        style.good("no difference")
    };
    writeln!(text, "{verdict}")?;
    Ok(text)
}

fn of_source(name: &str, source: &OfSource, style: Style, text: &mut String) -> std::fmt::Result {
    let OfSource { events, differ, events_changed, examples, rules } = source;
    let heading = style.heading(&format!("source {name}"));
    writeln!(text, "{heading}: {events} events, {differ} come out otherwise")?;
    if *events_changed > 0 {
        writeln!(text, "  id, type, time or number of events: {events_changed} otherwise")?;
        show_examples(examples, style, text)?;
    }
    for (name, rule) in rules {
        of_rule(name, rule, style, text)?;
    }
    text.push('\n');
    Ok(())
}

fn of_rule(name: &str, rule: &OfRule, style: Style, text: &mut String) -> std::fmt::Result {
    let sides = |sides: Sides| {
        if sides.before == sides.after {
            sides.before.to_string()
        } else {
            format!("{} → {}", sides.before, sides.after)
        }
    };
    let line = format!("rule {name}: matched {}, held {}", sides(rule.matched), sides(rule.held));
    if !rule.differs() {
        return writeln!(text, "  {}", style.faint(&format!("{line}, the same updates")));
    }
    writeln!(
        text,
        "  {line}, updates: {} gained, {} lost, {} changed",
        rule.gained, rule.lost, rule.changed
    )?;
    let mut fields = |mark: &str, fields: &BTreeMap<String, u64>| -> std::fmt::Result {
        for (field, count) in fields {
            let line = format!("{mark} {field} ({count})");
            let line = match mark {
                "+" => style.good(&line),
                "-" => style.bad(&line),
                _ => line,
            };
            writeln!(text, "    {line}")?;
        }
        Ok(())
    };
    fields("+", &rule.fields_gained)?;
    fields("-", &rule.fields_lost)?;
    fields("~", &rule.fields_changed)?;
    show_examples(&rule.examples, style, text)
}

fn show_examples(examples: &[Example], style: Style, text: &mut String) -> std::fmt::Result {
    for example in examples {
        let place = if example.place > 0 { format!(", {}", example.place) } else { String::new() };
        writeln!(text, "    in {}{place}:", example.event)?;
        let side = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), json);
        writeln!(text, "      {}", style.bad(&format!("- {}", side(&example.before))))?;
        writeln!(text, "      {}", style.good(&format!("+ {}", side(&example.after))))?;
    }
    Ok(())
}

/// One line, without the name of the rule, which stands above.
fn json(value: &Value) -> String {
    let mut value = value.clone();
    if let Some(members) = value.as_object_mut() {
        members.shift_remove("rule");
        if members.get("item").and_then(Value::as_u64) == Some(0) {
            members.shift_remove("item");
        }
    }
    value.to_string()
}

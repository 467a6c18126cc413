//! Values and how they came about, in a line or a few.

use crate::cli::style::Style;
use crate::document::Value;
use crate::mapping::explain::{Gave, Noted, What};
use crate::mapping::expr::Missing;

/// Characters of a value that are shown.
const SHOWN: usize = 72;
/// Values that are shown of several.
const VALUES: usize = 4;

/// A value in a few words.
pub(in crate::cli) fn shown(value: &Value) -> String {
    let written = visible(&serde_json::to_string(value).unwrap_or_default());
    let count = written.chars().count();
    if count <= SHOWN {
        return written;
    }
    let start: String = written.chars().take(SHOWN).collect();
    format!("{start}… ({count} characters)")
}

/// A text of the event, with what a terminal would take for a command made visible.
pub(super) fn visible(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(is_hidden) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| if is_hidden(c) { c.escape_unicode().to_string() } else { c.to_string() })
        .collect()
}

/// What was given, in a few words.
pub(in crate::cli) fn gave(gave: &Gave) -> String {
    match gave {
        Gave::Absent => "nothing".to_owned(),
        Gave::Value(value) => shown(value),
        Gave::Values(values) => several(values),
        Gave::Remove => "remove".to_owned(),
        Gave::Held(held) => format!("held ({}): {}", held.reason, held.detail),
    }
}

fn several(values: &[Value]) -> String {
    let first: Vec<_> = values.iter().take(VALUES).map(shown).collect();
    let noun = if values.len() == 1 { "value" } else { "values" };
    let (count, listed) = (values.len(), first.join(", "));
    if listed.chars().count() > 2 * SHOWN {
        let first = first.first().map(String::as_str).unwrap_or_default();
        return format!("{count} {noun}, the first: {first}");
    }
    let more = if count > VALUES { ", …" } else { "" };
    format!("{count} {noun}: {listed}{more}")
}

/// That a path selects nothing, and why.
pub(in crate::cli) fn selects_nothing(path: &str, missing: Option<&Missing>) -> String {
    format!("`{path}` selects nothing{}", missing.map(why).unwrap_or_default())
}

/// The path that may have been meant; else what stands where the path ends.
pub(super) fn why(missing: &Missing) -> String {
    visible(&match (&missing.nearest, &missing.resolved) {
        (Some(nearest), Some(resolved)) if resolved.contains(['.', '[']) => {
            format!(" after `{resolved}`; did you mean `{nearest}`?")
        }
        (Some(nearest), _) => format!("; did you mean `{nearest}`?"),
        (None, Some(resolved)) => format!(": `{resolved}` is {}", missing.found),
        (None, None) => format!(": {}", missing.found),
    })
}

/// A value and its steps as a chain in one line; nothing where it is no path and no path with steps.
pub(super) fn chain(noted: &Noted, style: Style) -> Option<String> {
    match &noted.what {
        What::Path { path, gave: Gave::Absent, missing } => {
            Some(style.bad(&selects_nothing(path, missing.as_ref())))
        }
        What::Path { path, gave, .. } => Some(format!("{path} {}", style.faint(&self::gave(gave)))),
        What::Form { form, .. } if **form == *"steps" => {
            let (from, steps) = noted.inside.split_first()?;
            let mut line = chain(from, style)?;
            for step in steps {
                let What::Step { step, input, gave } = &step.what else { continue };
                // A step leaves a blank as it is, which is not worth a word.
                if input == gave && matches!(gave, Gave::Absent) {
                    continue;
                }
                let gave = match gave {
                    Gave::Held(_) => style.bad(&self::gave(gave)),
                    _ => style.faint(&self::gave(gave)),
                };
                line = format!("{line} → {step} {gave}");
            }
            Some(line)
        }
        _ => None,
    }
}

/// Everything that led to a value, one thing a line.
pub(super) fn lines(notes: &[Noted], indent: usize, style: Style, out: &mut Vec<String>) {
    let margin = " ".repeat(indent);
    for noted in notes {
        if let Some(line) = chain(noted, style) {
            out.push(format!("{margin}{line}"));
            // What the steps read besides, such as the country of a number.
            for step in noted.inside.iter().filter(|n| matches!(n.what, What::Step { .. })) {
                lines(&step.inside, indent + 2, style, out);
            }
            continue;
        }
        match &noted.what {
            What::Block { holds } => {
                out.push(format!("{margin}when {}", super::condition::mark(holds, style)));
                super::condition::lines(noted, indent + 2, style, out);
            }
            // A value with options: its condition, the value and its default speak for themselves.
            What::Form { form, .. } if **form == *"when" => {
                lines(&noted.inside, indent, style, out);
            }
            What::Form { form, gave } => {
                out.push(format!("{margin}{form} → {}", style.faint(&self::gave(gave))));
                lines(&noted.inside, indent + 2, style, out);
            }
            _ => lines(&noted.inside, indent, style, out),
        }
    }
}

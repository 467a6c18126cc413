//! How updates and what became of them are shown.

use serde_json::Value;

use crate::admin::desk::outcome::{Outcome, Request};
use crate::cli::style::Style;

/// A text field of a row, empty where there is none.
pub(super) fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A text from outside as one line: control characters are shown, not obeyed.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// What became of an update, or would become of it.
pub(super) fn lines(outcome: &Outcome, style: Style) -> Vec<String> {
    let mut first = format!("{}  ", visible(&outcome.update));
    match (&outcome.was, &outcome.becomes) {
        (Some(was), Some(becomes)) if outcome.changed => {
            first = format!("{first}{was} → {}", style.good(becomes));
        }
        (None, Some(becomes)) if outcome.changed => first.push_str(&style.good(becomes)),
        (Some(was), _) => first = format!("{first}stays {}", style.bad(was)),
        (None, _) => first.push_str(&style.bad("not changed")),
    }
    if let Some(reason) = &outcome.reason {
        first = format!("{first} ({reason})");
    }
    if let Some(note) = &outcome.note {
        first = format!("{first}: {}", visible(note));
    }
    let mut lines = vec![first];
    if !outcome.left_out.is_empty() {
        let fields = visible(&outcome.left_out.join(", "));
        lines.push(format!("    left out, since later events have set it: {fields}"));
    }
    for difference in &outcome.differs {
        let (was, is) = (said(&difference.was), said(&difference.is));
        lines.push(format!("    {}: {was} → {is}", visible(&difference.field)));
    }
    lines.extend(outcome.requests.iter().map(|request| format!("    {}", line(request))));
    lines
}

/// A request in one line.
pub(super) fn line(request: &Request) -> String {
    let body = request.body.as_ref().map(|body| format!("  {body}")).unwrap_or_default();
    format!("{} {}{body}", request.method, visible(&request.url))
}

fn said(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_a_sender_are_shown_and_not_obeyed() {
        assert_eq!(visible("a\u{1b}[31mb\nc\t"), r"a\u{1b}[31mb\nc\t");
        assert_eq!(visible("Ärger 😀"), "Ärger 😀");
    }
}

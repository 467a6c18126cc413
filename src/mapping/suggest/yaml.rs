//! Writing YAML as a person would: blocks, and quotes only where they are needed.

use crate::document::{Members, Value};

/// Longest key of a block that YAML reads without a `?` before it.
const LONGEST_KEY: usize = 1000;

/// Lines of a mapping file.
#[derive(Debug, Default)]
pub(super) struct Lines(String);

impl Lines {
    pub(super) fn line(&mut self, indent: usize, text: &str) {
        (0..indent).for_each(|_| self.0.push(' '));
        self.0.push_str(text);
        self.0.push('\n');
    }

    /// A comment, over as many lines as it needs. What could not stand in one is left out.
    pub(super) fn comment(&mut self, indent: usize, text: &str) {
        let mut line = "#".to_owned();
        for word in text.split_whitespace() {
            if line.chars().count() + word.chars().count() + indent > 110 && line != "#" {
                self.line(indent, &line);
                "#".clone_into(&mut line);
            }
            line.push(' ');
            line.extend(word.chars().filter(|c| is_printed(*c)));
        }
        self.line(indent, &line);
    }

    /// A member of a block: on one line, or the lines of a block below it.
    pub(super) fn member(&mut self, indent: usize, key: &str, value: &Value) {
        self.put(indent, &format!("{}:", scalar(key)), value, indent + 2);
    }

    /// What an item of a list holds, behind its `-`.
    fn put(&mut self, indent: usize, before: &str, value: &Value, inner: usize) {
        match value {
            Value::List(items) if !items.is_empty() => {
                self.line(indent, before);
                for item in items {
                    self.item(inner, item);
                }
            }
            Value::Object(members) if !members.is_empty() => {
                self.line(indent, before);
                for (name, value) in members {
                    self.member(inner, name, value);
                }
            }
            other => self.line(indent, &format!("{before} {}", single(other))),
        }
    }

    /// An item of a list.
    pub(super) fn item(&mut self, indent: usize, value: &Value) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                let mut inner = Self::default();
                for (name, value) in members {
                    inner.member(indent + 2, name, value);
                }
                let text = inner.0.trim_start();
                self.line(indent, &format!("- {}", text.trim_end_matches('\n')));
            }
            Value::List(items) if !items.is_empty() => self.put(indent, "-", value, indent + 2),
            other => self.line(indent, &format!("- {}", single(other))),
        }
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

fn single(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(digits) => digits.to_string(),
        Value::Text(text) => scalar(text),
        Value::List(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
    }
}

/// A text, plain where it is read back as text by whatever reads YAML.
pub(super) fn scalar(text: &str) -> String {
    let is_word = |text: &str| {
        text.starts_with(char::is_alphabetic)
            && text.chars().all(|c| c.is_alphanumeric() || " _-./@+".contains(c))
            && !text.ends_with(' ')
            && text.chars().all(is_printed)
    };
    let lower = text.to_ascii_lowercase();
    let is_taken =
        ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&lower.as_str());
    if is_word(text) && !is_taken { text.to_owned() } else { quoted(text) }
}

/// A value of the language: plain where YAML leaves it whole.
pub(super) fn value(text: &str) -> String {
    let is_plain = text.starts_with('$')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && text.chars().all(|c| is_printed(c) && c != '\t');
    if is_plain { text.to_owned() } else { scalar(text) }
}

/// A text in double quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 2);
    written.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                written.push('\\');
                written.push(c);
            }
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            c if is_printed(c) => written.push(c),
            c if u32::from(c) > 0xffff => {
                written.extend(format!("\\U{:08x}", u32::from(c)).chars());
            }
            c => written.extend(format!("\\u{:04x}", u32::from(c)).chars()),
        }
    }
    written.push('"');
    written
}

/// Whether a character may stand in a file as it is.
pub(super) fn is_printed(c: char) -> bool {
    let is_invisible = matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{85}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
    !c.is_control() && !is_invisible
}

/// Whether a document can be written as a block that a mapping file holds: not too deep, no key too long.
pub(super) fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::List(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
        Value::Object(members) => {
            levels > 0
                && members
                    .iter()
                    .all(|(name, value)| name.len() < LONGEST_KEY && fits(value, levels - 1))
        }
        _ => true,
    }
}

/// What was planned, which comes as JSON, in the values of documents.
pub(super) fn of_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => Value::Number(number.to_string().into()),
        serde_json::Value::String(text) => Value::text(text.as_str()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(of_json).collect()),
        serde_json::Value::Object(members) => {
            let members =
                members.iter().map(|(name, value)| (name.as_str().into(), of_json(value)));
            Value::Object(members.collect::<Members>())
        }
    }
}

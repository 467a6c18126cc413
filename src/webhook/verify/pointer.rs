//! Where in a body something stands that verification needs: names and positions, nothing more of `JSONPath`.

use std::fmt;

use crate::document::Value;

/// `$.a.b[0].c`, `$['a b']`, `$.items[*].token`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Position(usize),
    All,
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        for step in &self.0 {
            match step {
                Step::Name(name)
                    if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') =>
                {
                    write!(f, ".{name}")
                }
                Step::Name(name) => write!(f, "['{name}']"),
                Step::Position(at) => write!(f, "[{at}]"),
                Step::All => f.write_str("[*]"),
            }?;
        }
        Ok(())
    }
}

impl Pointer {
    /// Reads one; nothing where it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('$')?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(quoted) = rest.strip_prefix("['") {
                let (name, behind) = quoted.split_once("']")?;
                steps.push(Step::Name(name.to_owned()));
                rest = behind;
            } else if let Some(bracket) = rest.strip_prefix('[') {
                let (inside, behind) = bracket.split_once(']')?;
                steps.push(match inside {
                    "*" => Step::All,
                    number => Step::Position(number.parse().ok()?),
                });
                rest = behind;
            } else {
                let named = rest.strip_prefix('.')?;
                let (name, _) = named.split_once(['.', '[']).unwrap_or((named, ""));
                if name.is_empty() {
                    return None;
                }
                steps.push(Step::Name(name.to_owned()));
                rest = named.strip_prefix(name)?;
            }
        }
        (!steps.is_empty()).then_some(Self(steps))
    }

    /// Whether it can select several values.
    pub(super) fn is_plural(&self) -> bool {
        self.0.contains(&Step::All)
    }

    /// The name, where it is one member of the document: what a form can have too.
    pub(super) fn as_name(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Step::Name(name)] => Some(name),
            _ => None,
        }
    }

    /// All that it selects; a part that is missing selects nothing there.
    pub(super) fn select<'v>(&self, document: &'v Value) -> Vec<&'v Value> {
        let mut selected = vec![document];
        for step in &self.0 {
            selected = selected
                .into_iter()
                .flat_map(|value| match (step, value) {
                    (Step::Name(name), value) => value.member(name).into_iter().collect(),
                    (Step::Position(at), Value::List(items)) => {
                        items.get(*at).into_iter().collect()
                    }
                    (Step::All, Value::List(items)) => items.iter().collect(),
                    _ => Vec::new(),
                })
                .collect();
        }
        selected
    }
}

/// The text of a value as senders write it into what they sign; empty for what has none.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Number(text) => text.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::List(_) | Value::Object(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Limits, json};

    #[test]
    fn names_and_positions_select_what_is_there() {
        let document = r#"{"a":{"b":[1.50,{"c":"x"}]},"d e":true,"l":[{"t":"1"},{},{"t":"2"}]}"#;
        let document = json(document.as_bytes(), &Limits::default()).unwrap();
        for (path, texts) in [
            ("$.a.b[0]", vec!["1.50"]),
            ("$.a.b[1].c", vec!["x"]),
            ("$['d e']", vec!["true"]),
            ("$.l[*].t", vec!["1", "2"]),
            ("$.a.b[7]", vec![]),
            ("$.a.b.c", vec![]),
        ] {
            let pointer = Pointer::parse(path).unwrap();
            let found: Vec<_> = pointer.select(&document).into_iter().map(text_of).collect();
            assert_eq!(found, texts, "{path}");
            assert_eq!(pointer.to_string(), path);
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in ["", "$", "a", "$a", "$.", "$..a", "$[", "$[x]", "$['a'", "$.a[?@.b]"] {
            assert_eq!(Pointer::parse(text), None, "{text:?}");
        }
    }
}

//! Where each value in force came from.

use std::fmt;

/// One setting in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The dotted name.
    pub key: &'static str,
    /// The value as it was written; nothing where it is not set.
    pub value: Option<String>,
    /// `default`, `file:line:column`, `environment variable NAME` or `flag --name`.
    pub origin: String,
}

/// All settings in force, in the order of the reference; prints as a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective(pub Vec<Line>);

impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |of: fn(&Line) -> usize| self.0.iter().map(of).max().unwrap_or(0);
        let keys = width(|line| line.key.len());
        let values = width(|line| line.value.as_deref().unwrap_or("-").len());
        for Line { key, value, origin } in &self.0 {
            let value = value.as_deref().unwrap_or("-");
            writeln!(f, "{key:keys$}  {value:values$}  {origin}")?;
        }
        Ok(())
    }
}

impl Effective {
    /// The same for a program: an object of objects with `value` and `origin`.
    pub fn to_json(&self) -> serde_json::Value {
        let line = |line: &Line| {
            let entry = serde_json::json!({ "value": line.value, "origin": line.origin });
            (line.key.to_owned(), entry)
        };
        serde_json::Value::Object(self.0.iter().map(line).collect())
    }
}

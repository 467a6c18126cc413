//! The settings file: YAML whose scalars stay the text they are, each with its place.

use std::path::Path;

use super::keys::{Kind, find, is_section, nearest};
use crate::mapping::syntax::{Kind as NodeKind, Node};

/// A value of the file: the dotted key, its text, `file:line:column`.
pub(super) type Entry = (String, String, String);

/// Reads a settings file; every unknown or misshapen key is added to `problems`.
pub(super) fn read(path: &Path, text: &str, problems: &mut Vec<String>) -> Vec<Entry> {
    let file = path.display().to_string();
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(blank) {
        return Vec::new();
    }
    match Node::read(text) {
        Err(problem) => {
            problems.push(format!(
                "{}: {}",
                place(&file, text, problem.span.start),
                problem.message
            ));
            Vec::new()
        }
        Ok(root) => {
            let mut reading = Reading { file: &file, text, problems, entries: Vec::new() };
            reading.section("", &root);
            reading.entries
        }
    }
}

struct Reading<'r> {
    file: &'r str,
    text: &'r str,
    problems: &'r mut Vec<String>,
    entries: Vec<Entry>,
}

impl Reading<'_> {
    fn section(&mut self, prefix: &str, node: &Node) {
        let NodeKind::Map(members) = &node.kind else {
            if !node.is_null() || prefix.is_empty() {
                let what = if prefix.is_empty() { "the settings file" } else { prefix };
                self.wrong(node, &format!("`{what}` has keys below it, {} was found", node.what()));
            }
            return;
        };
        let mut seen: Vec<&str> = Vec::new();
        for (key, value) in members {
            let Some(name) = key.as_text() else {
                self.wrong(key, "a key is a single word");
                continue;
            };
            if seen.contains(&name) {
                self.wrong(key, &format!("`{name}` stands twice"));
                continue;
            }
            seen.push(name);
            let full = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
            if is_section(&full) {
                self.section(&full, value);
            } else if find(&full).is_some() {
                self.value(full, value);
            } else {
                let hint = nearest(&full)
                    .map(|near| format!("; did you mean `{near}`?"))
                    .unwrap_or_default();
                self.wrong(key, &format!("no setting `{full}`{hint}"));
            }
        }
    }

    fn value(&mut self, key: String, node: &Node) {
        let origin = place(self.file, self.text, node.span.start);
        let is_list = find(&key).is_some_and(|known| known.kind == Kind::List);
        match &node.kind {
            _ if node.is_null() => {}
            NodeKind::Scalar { text, .. } => {
                self.entries.push((key, text.clone(), origin));
            }
            NodeKind::List(items) if is_list => {
                let mut texts = Vec::new();
                for item in items {
                    match item.as_text() {
                        Some(text) => texts.push(text),
                        None => self.wrong(item, "a single value is expected here"),
                    }
                }
                self.entries.push((key, texts.join(","), origin));
            }
            NodeKind::List(_) | NodeKind::Map(_) => {
                self.wrong(
                    node,
                    &format!("`{key}` takes a single value, {} was found", node.what()),
                );
            }
        }
    }

    fn wrong(&mut self, node: &Node, message: &str) {
        self.problems.push(format!("{}: {message}", place(self.file, self.text, node.span.start)));
    }
}

/// `file:line:column`, counted from 1, columns in characters.
fn place(file: &str, text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{file}:{line}:{column}")
}

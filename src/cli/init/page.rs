//! The page of a sender for the documentation, made from its mapping: `docs/senders/NAME.md`.

use std::ops::Range;
use std::path::Path;

use anyhow::Context;

use crate::cli::sender::Sender;
use crate::library::{Fixture, Shipped};
use crate::mapping::syntax::{Kind, Node};

/// Lines of an event that a page shows.
const MOST_LINES: usize = 40;

/// Writes the page of every sender, and the list of them.
pub(super) fn write_all(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, text) in all()? {
        let path = folder.join(name);
        std::fs::write(&path, text)
            .with_context(|| format!("`{}` cannot be written", path.display()))?;
    }
    Ok(())
}

/// Every page, by the name of its file.
fn all() -> anyhow::Result<Vec<(String, String)>> {
    let senders = Sender::all()?;
    let mut pages = vec![("README.md".to_owned(), list(&senders))];
    for sender in &senders {
        pages.push((format!("{}.md", sender.shipped.name), of(sender)?));
    }
    Ok(pages)
}

fn list(senders: &[Sender]) -> String {
    let mut page = "# Senders\n\nThe mappings that are shipped: `chatflow-bridge init NAME` writes one into a folder, `extends: NAME` starts from one ([the library](../library.md)).\n\n| name | sender | what comes |\n| --- | --- | --- |\n".to_owned();
    for sender in senders {
        let (name, head) = (sender.shipped.name, &sender.head);
        let only = if head.missing.is_some() { " (its events name no person)" } else { "" };
        line(
            &mut page,
            &format!("| [`{name}`]({name}.md) | {} | {}{only} |", head.sender, head.about),
        );
    }
    page
}

fn of(sender: &Sender) -> anyhow::Result<String> {
    let (name, head) = (sender.shipped.name, &sender.head);
    let mut page = format!(
        "# {}\n\n<!-- made by `make docs` from mappings/{name}.yaml: change it there -->\n\n{}. \
         `chatflow-bridge init {name}` writes [the mapping](../../mappings/{name}.yaml); `extends: {name}` starts from it.\n\n",
        head.sender,
        capital(&head.about),
    );
    for (word, step) in sender.steps() {
        line(&mut page, &format!("- **{word}**: {step}"));
    }
    let root = Node::read(sender.shipped.text);
    let root = root.map_err(|problem| anyhow::anyhow!(problem.message))?;
    line(&mut page, "\n## What becomes of its events\n");
    rules(&mut page, &root);
    line(&mut page, "\n## Examples");
    examples(&mut page, sender.shipped, &root);
    Ok(page)
}

/// A table of the rules.
fn rules(page: &mut String, root: &Node) {
    let rules = root.get("rules").and_then(Node::as_list).unwrap_or_default();
    if rules.is_empty() {
        line(page, "The mapping has no rule: it verifies and answers, and everything is ignored.");
        return;
    }
    line(page, "| rule | when | changes |\n| --- | --- | --- |");
    for rule in rules {
        let text = |name| rule.get(name).and_then(Node::as_text).unwrap_or_default();
        let when = rule.get("when").map_or_else(|| "always".to_owned(), conditions);
        let changes = rule.get("update").map(changes).unwrap_or_default();
        line(page, &format!("| `{}` | {when} | {changes} |", text("name")));
    }
}

fn conditions(when: &Node) -> String {
    let Kind::Map(entries) = &when.kind else { return code(&flow(when)) };
    let one = |(key, value): &(Node, Node)| {
        let key = key.as_text().unwrap_or_default();
        code(&format!("{key}: {}", flow(value)))
    };
    entries.iter().map(one).collect::<Vec<_>>().join("<br>")
}

/// What an update changes: tags and consent with their values, of attributes the names.
fn changes(update: &Node) -> String {
    let Kind::Map(entries) = &update.kind else { return String::new() };
    let one = |(key, value): &(Node, Node)| {
        let key = key.as_text().unwrap_or_default();
        match (key, &value.kind) {
            ("attributes", Kind::Map(members)) => {
                let names = members.iter().filter_map(|(name, _)| name.as_text());
                format!("attributes {}", names.map(code).collect::<Vec<_>>().join(", "))
            }
            ("tags_to_add" | "tags_to_remove" | "optin" | "incoming_blocked", _) => {
                format!("{key} {}", code(&flow(value)))
            }
            _ => key.to_owned(),
        }
    };
    entries.iter().map(one).collect::<Vec<_>>().join("<br>")
}

/// Each test as it stands in the file, and the event of those that read one.
fn examples(page: &mut String, shipped: &Shipped, root: &Node) {
    for test in root.get("tests").and_then(Node::as_list).unwrap_or_default() {
        let Kind::Map(entries) = &test.kind else { continue };
        let text = |name| test.get(name).and_then(Node::as_text);
        line(page, &format!("\n{}:", capital(text("name").unwrap_or_default())));
        let file = text("body_file");
        if let Some(event) = shipped.fixtures().find(|known| file == Some(known.name)) {
            line(page, &format!("\n```{}\n{}\n```", language(event), short(event)));
        }
        let shown =
            entries.iter().filter(|(key, _)| !matches!(key.as_text(), Some("name" | "body_file")));
        let shown = shown.map(|(key, value)| written(shipped.text, key.span.start..value.span.end));
        line(page, &format!("\n```yaml\n{}\n```", shown.collect::<Vec<_>>().join("\n")));
    }
}

/// A part of a file as it is written there, moved to the left edge.
fn written(file: &str, place: Range<usize>) -> String {
    let before = file.get(..place.start).unwrap_or_default();
    let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1);
    let lines = file.get(place).unwrap_or_default().trim_end().lines();
    let moved = lines.map(|line| {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        line.get(blanks.min(column)..).unwrap_or_default()
    });
    moved.collect::<Vec<_>>().join("\n")
}

fn language(fixture: &Fixture) -> &'static str {
    match fixture.name.rsplit('.').next() {
        Some("json") => "json",
        Some("xml") => "xml",
        _ => "text",
    }
}

/// The event as people read it, cut where it goes on for long.
fn short(fixture: &Fixture) -> String {
    let text = String::from_utf8_lossy(fixture.body);
    let pretty = serde_json::from_slice::<serde_json::Value>(fixture.body)
        .ok()
        .and_then(|document| serde_json::to_string_pretty(&document).ok());
    let text = pretty.as_deref().unwrap_or(&text);
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    if lines.len() > MOST_LINES {
        lines.truncate(MOST_LINES);
        lines.push("…");
    }
    lines.join("\n")
}

/// A value in one line, as YAML writes it.
fn flow(node: &Node) -> String {
    match &node.kind {
        Kind::Scalar { text, quoted: true } => format!("\"{text}\""),
        Kind::Scalar { text, .. } => text.clone(),
        Kind::List(items) => match items.as_slice() {
            [one] => flow(one),
            several => format!("[{}]", several.iter().map(flow).collect::<Vec<_>>().join(", ")),
        },
        Kind::Map(entries) => {
            let one = |(key, value): &(Node, Node)| format!("{}: {}", flow(key), flow(value));
            format!("{{ {} }}", entries.iter().map(one).collect::<Vec<_>>().join(", "))
        }
    }
}

/// As code in a table.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|").replace('`', "'"))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn line(page: &mut String, text: &str) {
    page.push_str(text);
    page.push('\n');
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_pages_in_the_repository_are_the_programs_own() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/senders");
        let pages = all().unwrap();
        let there: BTreeSet<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(there, pages.iter().map(|(name, _)| name.clone()).collect(), "run `make docs`");
        for (name, text) in pages {
            let written = std::fs::read_to_string(folder.join(&name)).unwrap();
            assert!(written == text, "`docs/senders/{name}` is old: run `make docs`");
        }
    }
}

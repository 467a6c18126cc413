//! The schema of mapping files against every mapping there is, and against what the readers know.

use std::collections::BTreeSet;
use std::path::Path;

use boon::{Compiler, SchemaIndex, Schemas};
use chatflow_bridge::mapping::Set;
use chatflow_bridge::mapping::syntax::{Kind, Node};
use chatflow_bridge::webhook::{check_door, mapping_schema};
use serde_json::{Map, Value, json};

struct Judge {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Judge {
    fn new() -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("mapping.json", mapping_schema()).unwrap();
        let index = compiler.compile("mapping.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    /// What is wrong with a file that YAML can read.
    fn judge(&self, text: &str) -> Result<(), String> {
        let node = Node::read(text).map_err(|problem| problem.message)?;
        self.schemas.validate(&as_editors_read(&node), self.index).map_err(|e| format!("{e:#}"))
    }
}

/// A file as other tools read it: plain numbers and booleans are what they look like.
fn as_editors_read(node: &Node) -> Value {
    match &node.kind {
        Kind::Scalar { .. } if node.is_null() => Value::Null,
        Kind::Scalar { text, quoted: true } => json!(text),
        Kind::Scalar { text, .. } => {
            node.as_bool().map(Value::Bool).or_else(|| number(text)).unwrap_or_else(|| json!(text))
        }
        Kind::List(items) => Value::Array(items.iter().map(as_editors_read).collect()),
        Kind::Map(entries) => Value::Object(
            entries
                .iter()
                .map(|(key, value)| {
                    (key.as_text().unwrap_or_default().to_owned(), as_editors_read(value))
                })
                .collect::<Map<_, _>>(),
        ),
    }
}

/// A number of YAML 1.2: `0917` and `+91` are numbers there.
fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_whole = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if is_whole {
        let kept = digits.trim_start_matches('0');
        return serde_json::from_str(if kept.is_empty() { "0" } else { kept }).ok();
    }
    serde_json::from_str::<serde_json::Number>(text).ok().map(Value::Number)
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The mappings of a folder, by name.
fn mappings(folder: &str) -> Vec<(String, String)> {
    let mut files: Vec<_> = std::fs::read_dir(repository().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn the_schema_in_the_repository_is_the_programs_own() {
    let written = std::fs::read_to_string(repository().join("mappings/schema.json")).unwrap();
    let own = format!("{}\n", serde_json::to_string_pretty(&mapping_schema()).unwrap());
    assert!(written == own, "`mappings/schema.json` is old: run `make docs`");
}

#[test]
fn every_mapping_that_is_right_is_right_for_the_schema() {
    let judge = Judge::new();
    let mut files = mappings("mappings");
    files.extend(mappings("tests/fixtures/mappings"));
    files.extend(super::reference::mappings());
    files.extend(
        mappings("tests/fixtures/wrong").into_iter().filter(|(name, _)| name.contains("/warn-")),
    );
    assert!(files.len() > 30, "{} files", files.len());
    for (name, text) in files {
        // A fixture whose sender has no preset.
        let text = text.replace("preset: hubspot", "preset: github");
        assert_eq!(judge.judge(&text), Ok(()), "{name}\n{text}");
    }
}

#[test]
fn what_extends_a_shipped_mapping_says_only_what_is_different() {
    let judge = Judge::new();
    for text in [
        "extends: typeform\n",
        "extends: typeform\nrules: [{ name: new-lead, off: true }]\n",
        "extends: typeform\ncountry: off\nlet: { answer: off }\nevent: { type: off }\nrules:\n  - name: new-lead\n    when: off\n    update:\n      \
         name: off\n      tags_to_add: off\n      attributes: { topics: off }\n",
    ] {
        assert_eq!(judge.judge(text), Ok(()), "{text}");
    }
}

const HEAD: &str = "verify: { token: { in: path, secret: env:T } }\nevent: { id: none }\n";

/// What the schema alone can see: wrong keys, words, shapes and names.
#[test]
fn what_is_wrong_by_its_form_is_wrong_for_the_schema() {
    let judge = Judge::new();
    let rule = |contact: &str, update: &str, more: &str| {
        format!("{HEAD}rules:\n  - name: a\n    contact: {contact}\n    update: {update}\n{more}")
    };
    let good = rule("{ mobile: $.phone }", "{ name: $.name | trim }", "");
    assert_eq!(judge.judge(&good), Ok(()));

    let contact = |text: &str| rule(text, "{ name: $.n }", "");
    let update = |text: &str| rule("{ mobile: $.p }", text, "");
    let more = |text: &str| rule("{ mobile: $.p }", "{ name: $.n }", text);
    let top = |text: &str| format!("{text}\n{good}");
    let wrong: Vec<String> = vec![
        "rules: []\n".to_owned(),
        "verify: none\n".to_owned(),
        "- rules\n".to_owned(),
        top("rulez: []"),
        top("source: My Shop"),
        top("source: unknown"),
        top("extends: typfeorm"),
        "rules: [{ name: a, off: true }]\n".to_owned(),
        top("country: in"),
        top("match: frist"),
        top("per_minute: 0"),
        top("stale_guard: yes"),
        top("body: { format: jsn }"),
        top("body: { each: $.data }"),
        top("body: { arrays: [a] }"),
        top("tables: { plans: [a] }"),
        top("tables: { plans: { a: [b] } }"),
        top("let: { my-name: $.x }"),
        top("let: { body: $.x }"),
        top("respond: { status: 404 }"),
        top("defaults: { name: x }"),
        top("requires: { tag: [a] }"),
        top("control: { type: ping }"),
        good.replace("{ id: none }", "{ typ: $.a }"),
        good.replace("token: { in: path", "token: { in: body"),
        good.replace("token: { in: path, secret: env:T }", "preset: typefrm, secret: env:T"),
        good.replace("in: path, secret: env:T", "in: path"),
        good.replace("name: a", "name: new lead"),
        contact("$.phone"),
        contact("{ email: $.email }"),
        contact("{ mobile: $.p, id: $.i }").replace("rules:", "defaults: {}\nruls:"),
        contact("{ mobile: $.p, on_missing: drop }"),
        contact("{ attribute: { name: email } }"),
        contact("{ first_of: [] }"),
        contact("{ first_of: [{ mobile: $.p, on_missing: create }] }"),
        update("{ nme: $.n }"),
        update("{ name: }"),
        update("{ name: { remove: true } }"),
        update("{ name: { frist_of: [$.a] } }"),
        update("{ name: { first_of: [$.a], join: [$.b] } }"),
        update("{ name: { first_of: [] } }"),
        update("{ name: { from: $.a, on_error: next } }"),
        update("{ name: { from: $.a, steps: [{ trm: }] } }"),
        update("{ name: { from: $.a, steps: [trm] } }"),
        update("{ name: { from: $.a, steps: [{ trim: , lower: }] } }"),
        update("{ name: { from: $.a, steps: [{ pick: second }] } }"),
        update("{ name: { from: $.a, required: yes } }"),
        update("{ name: $.a | trimm }"),
        update("{ attributes: [a] }"),
        update("{ attributes: { a: { remove: false } } }"),
        update("{ attributes_from: { from: $.a } }"),
        update("{ tags_sync: $.tags }"),
        more("    when: { type: lead }\n"),
        more("    when: {}\n"),
        more("    when: { $.a: { eqals: x } }\n"),
        more("    when: { $.a: {} }\n"),
        more("    when: { $.a: [] }\n"),
        more("    when: { $.a: { exists: yes } }\n"),
        more("    when: { $.a: { gt: ten } }\n"),
        more("    when: { any: { $.a: 1 } }\n"),
        more("    limit: 100000\n"),
        more("    wen: { $.a: 1 }\n"),
        more("tests: [{ name: t, expect: ignored }]\n"),
        more("tests: [{ name: t, body: {}, raw: x, expect: ignored }]\n"),
        more("tests: [{ name: t, body: {}, expect: nothing }]\n"),
        more("tests: [{ name: t, body: {}, expect: [{ rule: a }] }]\n"),
        more("tests: [{ name: t, body: {}, expect: [{ rule: a, skipped: no }] }]\n"),
        more("tests: [{ name: t, body: {}, lookup: { '91': missing }, expect: ignored }]\n"),
    ];
    assert!(wrong.len() >= 25);
    let accepted: Vec<_> = wrong.iter().filter(|text| judge.judge(text).is_ok()).collect();
    assert!(accepted.is_empty(), "{accepted:#?}");
}

/// A file that is right for the readers is never wrong for the schema, and of the wrong ones the schema sees most.
#[test]
fn the_schema_sees_most_of_what_is_wrong_by_its_form() {
    let judge = Judge::new();
    let is_of_form = |code: &str| matches!(code, "E002" | "E004" | "E005" | "E006");
    let (mut seen, mut all) = (0, 0);
    for (name, text) in mappings("tests/fixtures/wrong") {
        let read = Set::read_with(vec![(name.clone(), text.clone())], &check_door);
        let problems =
            read.reports[0].diagnostics().into_iter().map(|d| d.code).collect::<Vec<_>>();
        if problems.iter().any(|code| is_of_form(code)) && !name.contains("/allow-") {
            all += 1;
            seen += usize::from(judge.judge(&text).is_err());
        }
    }
    assert!(seen * 10 >= all * 9, "{seen} of {all}");
}

/// The keys that a reader knows are those of the schema: each block of every file is given a key that nobody knows,
/// and what the reader would take instead is looked up.
#[test]
fn every_key_that_a_reader_knows_is_in_the_schema() {
    let schema = mapping_schema();
    let mut known = BTreeSet::new();
    collect(&schema, &mut known);
    let mut files = mappings("mappings");
    files.extend(super::reference::mappings());
    let (mut missing, mut lists) = (BTreeSet::new(), 0);
    for (name, mut text) in files {
        let mut places = blocks(&Node::read(&text).unwrap());
        places.sort_unstable();
        for at in places.into_iter().rev() {
            let before = text.get(..at).unwrap();
            let line = before.rfind('\n').map_or(0, |newline| newline + 1);
            let between = if before.trim_end_matches([' ', '\n']).ends_with('{') {
                ", ".to_owned()
            } else {
                format!("\n{}", " ".repeat(at - line))
            };
            text.insert_str(at, &format!("zzzzzzzz: 1{between}"));
        }
        let read = Set::read_with(vec![(name, text)], &check_door);
        for problem in read.reports[0].diagnostics() {
            let list = problem.help.and_then(|help| help.strip_prefix("here can stand: "));
            if let Some(list) = list.filter(|_| problem.message.contains("zzzzzzzz")) {
                lists += 1;
                let keys = list.split(", ").map(str::to_owned);
                missing.extend(keys.filter(|key| !known.contains(key)));
            }
        }
    }
    assert!(lists > 100, "{lists} lists of keys");
    assert_eq!(missing, BTreeSet::new(), "keys that `mapping/syntax/schema` does not describe");
}

/// The names of all properties in a schema.
fn collect(schema: &Value, known: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                known.extend(properties.keys().cloned());
            }
            members.values().for_each(|member| collect(member, known));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, known)),
        _ => {}
    }
}

/// The places of the first key of every block.
fn blocks(node: &Node) -> Vec<usize> {
    match &node.kind {
        Kind::Scalar { .. } => Vec::new(),
        Kind::List(items) => items.iter().flat_map(blocks).collect(),
        Kind::Map(entries) => {
            let first = entries.first().map(|(key, _)| key.span.start);
            first.into_iter().chain(entries.iter().flat_map(|(_, value)| blocks(value))).collect()
        }
    }
}

//! Values in braces: what a value is made of, and the options beside it.

use super::guard::{Guarded, Options};
use super::index::{Index, ON_REPEAT, OnRepeat};
use super::pipe::{Piped, Placed};
use super::read::read_path;
use super::spot::Spot;
use super::{Expr, Reading};
use crate::document::Value;
use crate::mapping::When;
use crate::mapping::steps::{self, Step};
use crate::mapping::syntax::{Code, Fields, Kind, Node, Problem, Problems, scalar};

/// Where a value in braces stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In `first_of`, where a failure may let the next one have its turn.
    FirstOf,
    /// Anywhere else.
    Elsewhere,
}

/// Reads a value in braces.
pub(super) fn read(
    node: &Node,
    place: Place,
    reading: &Reading<'_>,
    problems: &mut Problems,
) -> Option<Expr> {
    if is_stumble(node, problems) {
        return None;
    }
    let mut fields = Fields::of(node, problems)?;
    let forms = form(&mut fields, reading, problems);
    let options = options(&mut fields, place, reading, problems);
    if forms.is_empty() && fields.is_empty() {
        let message = "nothing here says what the value is";
        let problem = Problem::error(Code::MissingKey, fields.span().clone(), message);
        problems.add(problem.help(format!("one of these is needed: {}", FORMS.join(", "))));
    }
    beside(&mut fields, problems);
    fields.finish(problems);
    let value = forms.into_iter().next().flatten();
    let (value, options) = (value?, options?);
    if options.is_plain() {
        return Some(value);
    }
    Some(Expr::Guarded(Box::new(Guarded { value, options })))
}

/// Reports what YAML makes of a template or of a `,` that were not quoted.
pub(in crate::mapping) fn is_stumble(node: &Node, problems: &mut Problems) -> bool {
    let Kind::Map(entries) = &node.kind else { return false };
    let mut before: Option<&Node> = None;
    for (key, value) in entries {
        if let Kind::Map(inner) = &key.kind {
            let problem = Problem::error(
                Code::Yaml,
                node.span.clone(),
                "YAML reads `{{ … }}` as a block of keys",
            );
            let written = match inner.first().and_then(|(name, _)| name.as_text()) {
                Some(name) => format!("\"{{{{ {name} }}}}\""),
                None => "\"{{ … }}\"".to_owned(),
            };
            problems.add(problem.help(format!("a template goes in quotes: `{written}`")));
            return true;
        }
        if let Some(name) = key.as_text()
            && name.ends_with(')')
            && !name.starts_with('$')
        {
            let message = format!(
                "the key `{name}` ends in `)`: it is the rest of a value that YAML has cut at a `,`"
            );
            let whole = match before.and_then(Node::as_text) {
                Some(start) => format!("'{start}, {name}'"),
                None => "'…'".to_owned(),
            };
            let problem = Problem::error(Code::Yaml, key.span.clone(), message);
            problems.add(problem.help(format!("put the whole value in single quotes: `{whole}`")));
            return true;
        }
        // Inside `{ }` a key that was cut has no value.
        before = Some(if value.is_null() { key } else { value });
    }
    false
}

/// Reports keys that belong to one form and stand beside another.
fn beside(fields: &mut Fields<'_>, problems: &mut Problems) {
    for (name, form) in
        [("with", "join"), ("steps", "from"), ("key", "index"), ("on_repeat", "index")]
    {
        if let Some((key, _)) = fields.take_with_key(name) {
            let message = format!("`{name}` belongs to `{form}`, which is not here");
            problems.error(Code::UnknownKey, &key.span, message);
        }
    }
}

/// The keys that say what a value is made of.
const FORMS: [&str; 7] = ["value", "from", "first_of", "join", "all_of", "index", "remove"];

/// Reads what the value is made of: one form, where nothing is wrong.
fn form(
    fields: &mut Fields<'_>,
    reading: &Reading<'_>,
    problems: &mut Problems,
) -> Vec<Option<Expr>> {
    // `index` has a key `value` of its own.
    if let Some(path) = fields.take("index") {
        let index = index(path, fields, reading, problems);
        return vec![index.map(|index| Expr::Index(Box::new(index)))];
    }
    let mut forms: Vec<Option<Expr>> = Vec::new();
    for name in FORMS.into_iter().filter(|name| *name != "index") {
        let Some((key, node)) = fields.take_with_key(name) else { continue };
        if let Some(first) = forms.first_mut() {
            *first = None;
            let message = format!("`{name}` cannot stand beside the form that is already here");
            problems.error(Code::Shape, &key.span, message);
        }
        forms.push(match name {
            "value" => value(node, reading, problems),
            "from" => from(node, fields, reading, problems),
            "first_of" => list(node, Place::FirstOf, reading, problems).map(Expr::FirstOf),
            "join" => join(node, fields, reading, problems),
            "all_of" => list(node, Place::Elsewhere, reading, problems).map(Expr::AllOf),
            _ => remove(node, problems),
        });
    }
    forms
}

/// Whether a text would be a path where paths are read.
fn is_like_a_path(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next() == Some('$')
        && chars.next().is_some_and(|next| next == '.' || next == '[' || next.is_ascii_alphabetic())
}

/// `value:` is text, whatever it looks like; in a block or list, a value as anywhere.
fn value(node: &Node, reading: &Reading<'_>, problems: &mut Problems) -> Option<Expr> {
    match &node.kind {
        Kind::Scalar { text, .. } if !node.is_null() => {
            if is_like_a_path(text) {
                let message = format!("`value` is text, and here it is the text `{text}` itself");
                let help = "`from` instead of `value` reads the path";
                problems.add(Problem::warning(Code::TextLikeAPath, &node.span, message, help));
            }
            Some(Expr::Literal(Value::text(text.as_str())))
        }
        _ => Expr::read(node, reading, problems),
    }
}

fn list(
    node: &Node,
    place: Place,
    reading: &Reading<'_>,
    problems: &mut Problems,
) -> Option<Vec<Expr>> {
    let Some(items) = node.as_list() else {
        let message = format!("a list of values is expected, {} was found", node.what());
        problems.error(Code::Shape, &node.span, message);
        return None;
    };
    if items.is_empty() {
        problems.error(Code::Shape, &node.span, "a list of values is expected, this one is empty");
        return None;
    }
    let values: Vec<_> = items
        .iter()
        .map(|item| match item.kind {
            Kind::Map(_) => read(item, place, reading, problems),
            _ => Expr::read(item, reading, problems),
        })
        .collect();
    values.into_iter().collect()
}

fn join(
    node: &Node,
    fields: &mut Fields<'_>,
    reading: &Reading<'_>,
    problems: &mut Problems,
) -> Option<Expr> {
    let values = list(node, Place::Elsewhere, reading, problems);
    let with = match fields.take("with") {
        None => Some(""),
        Some(node) => {
            let with = Some(node).filter(|node| !node.is_null()).and_then(Node::as_text);
            if with.is_none() {
                problems.error(Code::Shape, &node.span, "`with` is a text, such as `\" \"`");
            }
            with
        }
    };
    Some(Expr::Join(values?, with?.into()))
}

fn remove(node: &Node, problems: &mut Problems) -> Option<Expr> {
    if node.as_bool() == Some(true) {
        return Some(Expr::Remove);
    }
    problems.error(Code::Value, &node.span, "`remove` is `true` or is left out");
    None
}

fn from(
    node: &Node,
    fields: &mut Fields<'_>,
    reading: &Reading<'_>,
    problems: &mut Problems,
) -> Option<Expr> {
    let from = Expr::read(node, reading, problems);
    let Some(node) = fields.take("steps") else { return from };
    let Some(items) = node.as_list() else {
        let message = format!("a list of steps is expected, {} was found", node.what());
        problems.error(Code::Shape, &node.span, message);
        return None;
    };
    let mut placed = Some(Vec::new());
    for item in items {
        for call in steps::of_item(item, reading, problems).unwrap_or_default() {
            match (Step::read(&call, reading, problems), &mut placed) {
                (Some(step), Some(placed)) => {
                    placed.push(Placed::new(&call, step));
                }
                (None, _) => placed = None,
                (Some(_), None) => {}
            }
        }
    }
    Some(Expr::Piped(Box::new(Piped::new(from?, placed?))))
}

/// Reads the keys of a table whose `index` was taken.
pub(in crate::mapping) fn index(
    node: &Node,
    fields: &mut Fields<'_>,
    reading: &Reading<'_>,
    problems: &mut Problems,
) -> Option<Index> {
    let path = if let Some(text) = node.as_text() {
        read_path(text, &Spot::of(node), reading, problems)
    } else {
        let message = format!("`index` is a path to an array, {} was found", node.what());
        problems.error(Code::Shape, &node.span, message);
        None
    };
    let names = reading.names.clone().with_item();
    let within = Reading { names: &names, ..*reading };
    let [key, value] = ["key", "value"].map(|name| {
        let node = fields.need(name, problems)?;
        Expr::read(node, &within, problems)
    });
    let on_repeat = match fields.take("on_repeat") {
        None => Some(OnRepeat::Hold),
        Some(node) => {
            let word = ON_REPEAT.iter().find(|(word, _)| node.as_text() == Some(word));
            if word.is_none() {
                let message = "`on_repeat` is `first`, `last` or `list`";
                problems.error(Code::Word, &node.span, message);
            }
            word.map(|(_, meaning)| *meaning)
        }
    };
    Some(Index { path: path?, key: key?, value: value?, on_repeat: on_repeat? })
}

fn options(
    fields: &mut Fields<'_>,
    place: Place,
    reading: &Reading<'_>,
    problems: &mut Problems,
) -> Option<Options> {
    let mut fine = true;
    let mut options = Options::default();
    if let Some(node) = fields.take("when") {
        options.when = When::read(node, reading, problems);
        fine &= options.when.is_some();
    }
    if let Some(node) = fields.take("default") {
        options.default = Expr::read(node, reading, problems);
        fine &= options.default.is_some();
    }
    if let Some(node) = fields.take("required") {
        options.required = node.as_bool().unwrap_or_default();
        if node.as_bool().is_none() {
            let problem =
                Problem::error(Code::Word, node.span.clone(), "`required` is `true` or `false`");
            problems.add(match scalar::meant(node) {
                Some(word) => problem.help(format!("write `{word}`, without quotes")),
                None => problem,
            });
            fine = false;
        }
    }
    if let Some(node) = fields.take("empty") {
        options.removes_empty = true;
        if node.as_text() != Some("remove") {
            problems.error(Code::Word, &node.span, "`empty` is `remove` or is left out");
            fine = false;
        } else if options.default.is_some() {
            let message =
                "`empty: remove` and `default` say two things about a blank: take one away";
            problems.error(Code::Value, &node.span, message);
            fine = false;
        }
    }
    if let Some(node) = fields.take("on_error") {
        match node.as_text() {
            Some("hold") => {}
            Some("absent") => options.forgives = true,
            Some("next") if place == Place::FirstOf => options.forgives = true,
            Some("next") => {
                let message = "`on_error: next` stands inside `first_of`, here nothing comes next";
                problems.error(Code::Word, &node.span, message);
                fine = false;
            }
            _ => {
                let message = "`on_error` is `hold`, `absent` or, inside `first_of`, `next`";
                problems.error(Code::Word, &node.span, message);
                fine = false;
            }
        }
    }
    fine.then_some(options)
}

//! A whole mapping file, from its text to a [`Source`].

use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;
use jiff::tz::TimeZone;

use super::allow::Allowed;
use super::extend::{Base, EXTENDS, is_as_shipped};
use super::fields::Fields;
use super::node::{Kind, Node};
use super::problem::{Code, Problem, Problems};
use super::{headers, lints, mend, place, requires, scalar};
use crate::event::SourceName;
use crate::mapping::body::{Body, Format};
use crate::mapping::event::EventFields;
use crate::mapping::expr::{Names, Reading, Table};
use crate::mapping::rule::{Defaults, Rule};
use crate::mapping::source::{ASKS, Asks, Traceparent};
use crate::mapping::testing;
use crate::mapping::update::Asked;
use crate::mapping::{Source, When, lets};

/// What reading one file gives.
#[derive(Debug)]
pub(in crate::mapping) struct Read {
    /// The source, where nothing is wrong but warnings.
    pub(in crate::mapping) source: Option<Source>,
    /// Its name and where it stands, also where the rest is wrong.
    pub(in crate::mapping) name: Option<(SourceName, Range<usize>)>,
    /// All that is wrong, in the order of the file.
    pub(in crate::mapping) problems: Vec<Problem>,
    /// Places of the text that are not to be shown.
    pub(in crate::mapping) hidden: Vec<Range<usize>>,
    /// The shipped mapping that it extends, and what is wrong there once the file stands on top of it.
    pub(in crate::mapping) base: Option<(Base, Vec<Problem>)>,
}

/// A part of the file that has its meaning elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `verify`
    Verify,
    /// `respond`
    Respond,
}

/// Checks a part of the file that has its meaning elsewhere.
pub type Check<'c> = &'c dyn Fn(Part, &Node, &mut Problems);

/// The keys of a file, in the order of the reference.
const KEYS: &[&str] = &[
    "source",
    "extends",
    "description",
    "country",
    "timezone",
    "verify",
    "respond",
    "body",
    "tables",
    "let",
    "event",
    "control",
    "match",
    "defaults",
    "rules",
    "per_minute",
    "stale_guard",
    "trust_traceparent",
    "requires",
    "tests",
];

/// Reads a file whose name, less its folder, is `file`. What it extends is one of `bases` or is in the program.
pub(in crate::mapping) fn read(
    file: &str,
    text: &str,
    bases: &[(String, String)],
    check: Check<'_>,
) -> Read {
    let mut problems = Problems::default();
    let mut found =
        Read { source: None, name: None, problems: Vec::new(), hidden: Vec::new(), base: None };
    let (mut base, mut tested_elsewhere) = (None, false);
    match Node::read(text) {
        Ok(node) if node.get(EXTENDS).is_some() => {
            tested_elsewhere = is_as_shipped(&node);
            base = Base::of(&node, text, bases, &mut problems);
            let whole = base.as_ref().map(|base| base.under(&node, &mut problems));
            match whole {
                Some(Ok(whole)) => {
                    read_root(file, &whole, base.as_ref(), check, &mut found, &mut problems);
                }
                Some(Err(problem)) => problems.add(problem),
                None => {}
            }
        }
        Ok(node) => read_root(file, &node, None, check, &mut found, &mut problems),
        Err(problem) => {
            found.hidden = lints::secrets_in_text(text);
            // A mended line is never one with a secret in it.
            let shown = found.hidden.is_empty();
            problems.add(if shown { mend::explained(text, problem) } else { problem });
        }
    }
    let joined = base.as_ref().map(|base| base.joined(text));
    let text = joined.as_deref().unwrap_or(text);
    let allowed = Allowed::read(text);
    allowed.wrong.iter().for_each(|problem| problems.add(problem.clone()));
    if problems.has_errors() {
        found.source = None;
    }
    found.problems = problems.into_sorted();
    found.problems.retain(|problem| {
        !(allowed.silences(problem) || tested_elsewhere && problem.code == Code::NoTests)
    });
    lints::without_contradictions(&mut found.problems);
    // A mended line is never one with a secret in it.
    if found.hidden.is_empty() {
        let cut = |problem| mend::cut(text, problem);
        found.problems = found.problems.into_iter().map(cut).collect();
    }
    if let Some(base) = base {
        let (own, theirs) = base.split(found.problems);
        found.problems = own;
        found.base = Some((base, theirs));
    }
    found
}

fn read_root(
    file: &str,
    node: &Node,
    base: Option<&Base>,
    check: Check<'_>,
    found: &mut Read,
    problems: &mut Problems,
) {
    let Some(mut fields) = Fields::of(node, problems) else { return };
    fields.mend(KEYS, problems);
    // It is gone where it is known.
    fields.take(EXTENDS);
    found.name = source_name(file, fields.take("source"), node, problems);
    let description = fields
        .take("description")
        .and_then(|node| scalar::text(node, "a sentence", problems))
        .map(str::to_owned);
    let country = fields.take("country").and_then(|node| place::country(node, problems));
    let timezone = fields.take("timezone").and_then(|node| place::timezone(node, problems));
    let timezone = timezone.unwrap_or(TimeZone::UTC);

    let verify = fields.take("verify").filter(|node| !node.is_null());
    match verify {
        Some(verify) => {
            found.hidden = lints::verify(verify, problems);
            check(Part::Verify, verify, problems);
        }
        None => problems.add(
            Problem::error(Code::MissingKey, node.span.clone(), "`verify` is missing here")
                .help("`verify: none` says that events are taken from anybody"),
        ),
    }
    let respond = fields.take("respond").filter(|node| !node.is_null()).cloned();
    if let Some(respond) = &respond {
        check(Part::Respond, respond, problems);
    }
    let body = fields.take("body").and_then(|node| Body::read(node, problems)).unwrap_or_default();
    let tables = fields.take("tables").map(|node| tables(node, problems)).unwrap_or_default();

    let names = if body.splits() { Names::default().with_batch() } else { Names::default() };
    let reading = Reading { names: &names, tables: &tables, country, timezone: &timezone };
    let (names, lets) = match fields.take("let") {
        Some(node) => lets::read(node, &reading, problems),
        None => (names.clone(), Vec::new()),
    };
    let reading = Reading { names: &names, ..reading };
    let (event, dedupe_window) = EventFields::read(fields.take("event"), node, &reading, problems);
    let control = fields.take("control").map(|node| control(node, &reading, problems));
    let asks = fields.take("match").and_then(|node| scalar::word(node, ASKS, problems));
    let defaults = fields.take("defaults").map(|node| Defaults::read(node, problems));
    if let Some(defaults) = &defaults {
        defaults.check(&reading, problems);
    }
    let listed = fields.need("rules", problems);
    let compiled = match listed {
        Some(node) => {
            rules(node, defaults.unwrap_or_default(), asks.unwrap_or_default(), &reading, problems)
        }
        None => Vec::new(),
    };
    let per_minute = fields
        .take("per_minute")
        .and_then(|node| scalar::number(node, 1, u32::MAX, problems))
        .and_then(NonZeroU32::new);
    let stale_guard =
        fields.take("stale_guard").and_then(|node| stale_guard(node, &event, problems));
    let trust_traceparent =
        fields.take("trust_traceparent").and_then(|node| scalar::boolean(node, problems));
    let requires = fields
        .take("requires")
        .and_then(|listed| requires::read(listed, &compiled, base, &node.span, problems));
    let names: Vec<Arc<str>> = compiled.iter().map(|rule| Arc::clone(&rule.name)).collect();
    let tests = testing::read(fields.take("tests"), node, &rule_names(listed), &timezone, problems);
    fields.finish(problems);

    if matches!(body.format, Format::Form | Format::Multipart | Format::Xml) {
        lints::positions(node, &body.always_arrays, problems);
    }
    let phone_steps = texts(node, problems);
    let Some((name, _)) = &found.name else { return };
    let mut source = Source {
        name: name.clone(),
        file: file.to_owned(),
        description,
        verify: verify.cloned(),
        respond,
        body,
        dedupe_window,
        per_minute,
        stale_guard: stale_guard.unwrap_or_default(),
        traceparent: match trust_traceparent {
            Some(true) => Traceparent::Trusted,
            Some(false) | None => Traceparent::Ignored,
        },
        requires: requires.unwrap_or_default(),
        rules: names,
        headers: Vec::new(),
        country,
        timezone: timezone.clone(),
        event,
        lets,
        control: control.unwrap_or_default(),
        compiled,
        asks: asks.unwrap_or_default(),
        looked_up: Arc::default(),
        reads_event: false,
        phone_steps,
        tests,
    };
    source.note_what_is_read();
    found.source = Some(source);
}

fn stale_guard(node: &Node, event: &EventFields, problems: &mut Problems) -> Option<bool> {
    let guard = scalar::boolean(node, problems)?;
    if guard && !event.has_occurred_at() {
        let problem = Problem::error(
            Code::Value,
            node.span.clone(),
            "`stale_guard` needs `event.occurred_at`",
        );
        problems.add(problem.help("it compares the times at which events happened"));
    }
    Some(guard)
}

/// The name that `source` gives, else that of the file.
fn source_name(
    file: &str,
    given: Option<&Node>,
    root: &Node,
    problems: &mut Problems,
) -> Option<(SourceName, Range<usize>)> {
    let (name, span) = if let Some(node) = given {
        (scalar::text(node, "a name", problems)?, node.span.clone())
    } else {
        let stem = file.rsplit(['/', '\\']).next().unwrap_or(file);
        (stem.rsplit_once('.').map_or(stem, |(stem, _)| stem), root.span.clone())
    };
    SourceName::try_from(name)
        .map_err(|error| {
            let problem = Problem::error(Code::Name, span.clone(), format!("`{name}`: {error}"));
            problems.add(match given {
                Some(_) => problem,
                None => problem.help("the name of the file counts where `source` does not say"),
            });
        })
        .ok()
        .map(|name| (name, span))
}

fn tables(node: &Node, problems: &mut Problems) -> IndexMap<Box<str>, Arc<Table>> {
    let Some(mut fields) = Fields::of(node, problems) else { return IndexMap::new() };
    let mut found = IndexMap::new();
    for (key, value) in fields.rest() {
        // A table that is wrong keeps its name, so that what uses it is not wrong as well.
        let table = Table::read(value, problems).unwrap_or_default();
        found.insert(key.as_text().unwrap_or_default().into(), Arc::new(table));
    }
    found
}

fn control(node: &Node, reading: &Reading<'_>, problems: &mut Problems) -> Vec<When> {
    let items = node.as_list().unwrap_or(std::slice::from_ref(node));
    items.iter().filter_map(|item| When::read(item, reading, problems)).collect()
}

fn rules(
    node: &Node,
    defaults: Defaults<'_>,
    asks: Asks,
    reading: &Reading<'_>,
    problems: &mut Problems,
) -> Vec<Rule> {
    if node.is_null() {
        return Vec::new();
    }
    let Some(items) = node.as_list() else {
        let message = format!("a list of rules is expected, {} was found", node.what());
        let problem = Problem::error(Code::Shape, node.span.clone(), message);
        problems.add(problem.help("each rule begins with `- name: `, a blank after the `-`"));
        return Vec::new();
    };
    let mut found: Vec<Rule> = Vec::new();
    let mut always: Option<Arc<str>> = None;
    let mut names: Vec<&str> = Vec::new();
    for item in items {
        let name = name_node(item);
        let place = name.map_or(&item.span, |name| &name.span);
        if let Some(name) = name.and_then(Node::as_text) {
            if names.contains(&name) {
                let message = format!("a rule before this one is named `{name}` too");
                problems.error(Code::Name, place, message);
            }
            names.push(name);
        }
        let Some((rule, asked)) = Rule::read(item, defaults, reading, problems) else { continue };
        if let Some(before) = &always {
            problems.add(Problem::warning(
                Code::NeverAsked,
                place,
                format!("this rule is never asked: `{before}` before it has no condition"),
                "under `match: first` a rule without `when` goes last",
            ));
        }
        if asks == Asks::First && asked == Asked::Always && !rule.goes_through_items() {
            always = always.or(Some(Arc::clone(&rule.name)));
        }
        found.push(rule);
    }
    found
}

fn name_node(rule: &Node) -> Option<&Node> {
    let Kind::Map(entries) = &rule.kind else { return None };
    entries.iter().find(|(key, _)| key.as_text() == Some("name")).map(|(_, value)| value)
}

/// The names of all rules, also of those that are wrong, so that a test that names one is not wrong as well.
fn rule_names(rules: Option<&Node>) -> Vec<&str> {
    let items = rules.and_then(Node::as_list).unwrap_or_default();
    items.iter().filter_map(name_node).filter_map(Node::as_text).collect()
}

/// Looks at the texts of the file's values: adds what is wrong with them as texts, and tells whether there may be
/// a `phone` step.
fn texts(root: &Node, problems: &mut Problems) -> bool {
    let Kind::Map(entries) = &root.kind else { return false };
    let mut phone_steps = false;
    for (key, value) in entries {
        let key = key.as_text().unwrap_or_default();
        if !matches!(key, "tests" | "description") {
            lints::plain_booleans(value, problems);
        }
        if !matches!(key, "tests" | "description" | "verify" | "respond") {
            headers::check(value, problems);
            // A step in one line or a filter, and the name of one in the long form.
            phone_steps |= lints::any_text(value, &|text| {
                text == "phone" || (text.contains('|') && text.contains("phone"))
            });
        }
    }
    phone_steps
}

#[cfg(test)]
mod tests;

//! Tests that stand in a mapping file: a request, and what each rule must make of it.
//!
//! [`Source::tests`](super::Source::tests) has them, [`run()`] runs one. Mapping reads no file and decodes no body:
//! both are handed in as [`Outside`], so that a test goes the way that a request goes.

mod actual;
mod compare;
mod difference;
mod expect;
mod given;
mod rewrite;
mod run;
mod usual;

pub use difference::Difference;
pub use rewrite::{NotRewritten, rewritten};
pub use run::{Outcome, Outside, run};
pub use usual::usual_content_type;

use std::ops::Range;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::moment;
use super::syntax::{Code, Fields, Node, Problem, Problems, scalar};
use crate::document::Value;
use expect::Expect;
use given::{Body, Lookups, Pinned};

#[cfg(test)]
pub(super) use given::document;

/// When the request of a test is received, where it does not say: 2026-01-01T00:00:00Z.
const RECEIVED_AT: i64 = 1_767_225_600;

/// One test of a mapping file.
#[derive(Debug)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// Where it stands in the file, in bytes.
    pub span: Range<usize>,
    body: Body,
    headers: Value,
    query: Value,
    received_at: Timestamp,
    /// What de-duplication and order will see, event by event; none where the test does not say.
    events: Vec<Pinned>,
    lookups: Lookups,
    expect: Expect,
}

impl Test {
    /// The file that holds the body, where one does.
    pub fn body_file(&self) -> Option<&str> {
        if let Body::File(name) = &self.body { Some(name) } else { None }
    }
}

/// Reads `tests`; warns where there are none.
pub(super) fn read(
    node: Option<&Node>,
    file: &Node,
    rules: &[&str],
    timezone: &TimeZone,
    problems: &mut Problems,
) -> Vec<Test> {
    let list = node.filter(|node| !node.is_null());
    let items = list.and_then(Node::as_list).unwrap_or_default();
    if let (Some(list), None) = (list, list.and_then(Node::as_list)) {
        let message = format!("a list of tests is expected, {} was found", list.what());
        problems.error(Code::Shape, &list.span, message);
    } else if items.is_empty() {
        problems.add(Problem::warning(
            Code::NoTests,
            &node.unwrap_or(file).span,
            "a mapping without tests is not known to do what it should",
            "`tests`, with a `body` and what to `expect` of it",
        ));
    }
    items.iter().filter_map(|item| read_test(item, rules, timezone, problems)).collect()
}

fn read_test(
    node: &Node,
    rules: &[&str],
    timezone: &TimeZone,
    problems: &mut Problems,
) -> Option<Test> {
    let mut fields = Fields::of(node, problems)?;
    let name =
        fields.need("name", problems).and_then(|node| scalar::text(node, "a name", problems));
    let body = given::body(&mut fields, problems);
    let content_type =
        fields.take("content_type").and_then(|node| scalar::text(node, "a content type", problems));
    let headers = given::headers(fields.take("headers"), content_type, problems);
    let query = given::query(fields.take("query"), problems);
    let received_at = fields.take("received_at").and_then(|node| {
        let text = scalar::text(node, "a time", problems)?;
        let moment = moment(&Value::text(text), timezone);
        if moment.is_none() {
            let problem = Problem::error(Code::Quantity, node.span.clone(), "a time is expected");
            problems.add(problem.help("`2026-11-23T10:00:00Z`"));
        }
        moment
    });
    let events = fields
        .take("event")
        .map(|node| given::pinned(node, timezone, problems))
        .unwrap_or_default();
    let lookups =
        fields.take("lookup").map(|node| given::lookups(node, problems)).unwrap_or_default();
    let expect =
        fields.need("expect", problems).and_then(|node| Expect::read(node, rules, problems));
    fields.finish(problems);
    Some(Test {
        name: name?.to_owned(),
        span: node.span.clone(),
        body: body?,
        headers,
        query,
        received_at: received_at
            .unwrap_or_else(|| Timestamp::from_second(RECEIVED_AT).unwrap_or_default()),
        events,
        lookups,
        expect: expect?,
    })
}

#[cfg(test)]
mod tests;

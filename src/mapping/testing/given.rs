//! What a test gives: the request, what look-ups answer, and what is known about its events.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde_json::json;

use crate::contact::{ContactId, Who};
use crate::document::{Members, Value};
use crate::mapping::expr::is_number;
use crate::mapping::moment;
use crate::mapping::syntax::{Code, Fields, Kind, Node, Problem, Problems, scalar};

/// The body of a test's request.
#[derive(Debug)]
pub(super) enum Body {
    /// The document itself.
    Document(Value),
    /// A file that holds the body as it was sent.
    File(String),
    /// The body as it was sent.
    Raw(String),
    /// The body as it was sent, and the content type it has where the test does not say.
    Typed(String, &'static str),
}

/// What a look-up of a contact answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lookup {
    /// There is no such contact.
    Missing,
    /// Two different contacts have the key.
    Ambiguous,
    /// There is one.
    Found,
}

/// Answers of look-ups by `mobile:…`, `attribute:name=value` or `id:…`; who is not named is found.
#[derive(Debug, Default)]
pub(super) struct Lookups(BTreeMap<String, Lookup>);

/// What must be known about an event, in the names of `event:`; null for what must be absent.
pub(super) type Pinned = serde_json::Map<String, serde_json::Value>;

impl Lookups {
    pub(super) fn of(&self, who: &Who) -> Lookup {
        let key = match who {
            Who::Id(id) => format!("id:{}", id.as_str()),
            Who::Mobile(mobile) => format!("mobile:{}", mobile.as_str()),
            Who::Attribute { name, value } => format!("attribute:{name}={value}"),
        };
        self.0.get(&key).copied().unwrap_or(Lookup::Found)
    }
}

/// The one of `body`, `body_file`, `form`, `xml` and `raw` that is there.
pub(super) fn body(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Body> {
    let mut found: Vec<(&Node, Option<Body>)> = Vec::new();
    if let Some((key, node)) = fields.take_with_key("body") {
        found.push((key, document(node, problems).map(Body::Document)));
    }
    for name in ["body_file", "form", "xml", "raw"] {
        let Some((key, node)) = fields.take_with_key(name) else { continue };
        let body =
            scalar::text(node, "a text", problems).map(str::to_owned).map(|text| match name {
                "body_file" => Body::File(text),
                "form" => Body::Typed(text, "application/x-www-form-urlencoded"),
                "xml" => Body::Typed(text, "application/xml"),
                _ => Body::Raw(text),
            });
        found.push((key, body));
    }
    for (key, _) in found.iter().skip(1) {
        problems.error(Code::Value, &key.span, "a test has one body");
    }
    if found.is_empty() {
        let message = "one of `body`, `body_file`, `form`, `xml` or `raw` is missing here";
        let missing = Problem::error(Code::MissingKey, fields.span().clone(), message);
        fields.miss(&["body", "body_file", "form", "xml", "raw"], missing, problems);
    }
    found.into_iter().next().and_then(|(_, body)| body)
}

/// A document written in YAML: plain scalars are what they are in JSON, all others and all quoted ones text.
pub(in crate::mapping) fn document(node: &Node, problems: &mut Problems) -> Option<Value> {
    Some(match &node.kind {
        Kind::Scalar { .. } if node.is_null() => Value::Null,
        Kind::Scalar { text, quoted: false } if is_number(text) => {
            Value::Number(text.as_str().into())
        }
        Kind::Scalar { text, .. } => {
            node.as_bool().map_or_else(|| Value::text(text.as_str()), Value::Bool)
        }
        Kind::List(items) => {
            Value::List(items.iter().filter_map(|item| document(item, problems)).collect())
        }
        Kind::Map(_) => {
            let mut fields = Fields::of(node, problems)?;
            let mut members = Members::new();
            for (key, value) in fields.rest() {
                let value = document(value, problems)?;
                members.insert(key.as_text().unwrap_or_default().into(), value);
            }
            Value::Object(members)
        }
    })
}

/// The headers, their names in lower case.
pub(super) fn headers(
    node: Option<&Node>,
    content_type: Option<&str>,
    problems: &mut Problems,
) -> Value {
    let mut members = texts(node, str::to_lowercase, problems);
    if let Some(content_type) = content_type {
        members.insert("content-type".into(), Value::text(content_type));
    }
    Value::Object(members)
}

/// The query; a name that is repeated has a list.
pub(super) fn query(node: Option<&Node>, problems: &mut Problems) -> Value {
    Value::Object(texts(node, str::to_owned, problems))
}

fn texts(node: Option<&Node>, name: fn(&str) -> String, problems: &mut Problems) -> Members {
    let mut members = Members::new();
    let Some(mut fields) = node.and_then(|node| Fields::of(node, problems)) else { return members };
    for (key, value) in fields.rest() {
        let of = |node: &Node| Value::text(node.as_text().unwrap_or_default());
        let value = match &value.kind {
            Kind::Scalar { .. } => of(value),
            Kind::List(items) if items.iter().all(|item| item.as_text().is_some()) => {
                Value::List(items.iter().map(of).collect())
            }
            _ => {
                problems.error(Code::Shape, &value.span, "a text is expected");
                continue;
            }
        };
        members.insert(name(key.as_text().unwrap_or_default()).into(), value);
    }
    members
}

/// `event`: of one event, or a list of several.
pub(super) fn pinned(node: &Node, timezone: &TimeZone, problems: &mut Problems) -> Vec<Pinned> {
    let items = node.as_list().unwrap_or(std::slice::from_ref(node));
    let mut found = Vec::new();
    for item in items {
        let Some(mut fields) = Fields::of(item, problems) else { continue };
        let mut pinned = Pinned::new();
        for name in ["id", "type", "occurred_at"] {
            let Some(node) = fields.take(name) else { continue };
            let value = match node.as_text() {
                Some("none") => serde_json::Value::Null,
                _ if node.is_null() => serde_json::Value::Null,
                _ => {
                    let Some(text) = scalar::text(node, "a text", problems) else { continue };
                    match (name, moment(&Value::text(text), timezone)) {
                        ("occurred_at", Some(moment)) => json!(moment.to_string()),
                        ("occurred_at", None) => {
                            problems.error(Code::Quantity, &node.span, "a time is expected");
                            continue;
                        }
                        _ => json!(text),
                    }
                }
            };
            pinned.insert(name.to_owned(), value);
        }
        fields.finish(problems);
        found.push(pinned);
    }
    found
}

/// `lookup`: keys of contacts, and what looking them up answers.
pub(super) fn lookups(node: &Node, problems: &mut Problems) -> Lookups {
    let mut found = Lookups::default();
    let Some(mut fields) = Fields::of(node, problems) else { return found };
    for (key, value) in fields.rest() {
        let name = key.as_text().unwrap_or_default();
        if !["mobile:", "attribute:", "id:"].iter().any(|kind| name.starts_with(kind)) {
            let problem = Problem::error(Code::Word, key.span.clone(), "a contact is expected");
            problems.add(problem.help("`mobile:919812345678` or `attribute:email=a@example.com`"));
        }
        let Some(text) = scalar::text(value, "an answer", problems) else { continue };
        let lookup = match text {
            "missing" => Lookup::Missing,
            "ambiguous" => Lookup::Ambiguous,
            id if ContactId::try_from(id.to_owned()).is_ok() => Lookup::Found,
            _ => {
                let message = "`missing`, `ambiguous` or a contact's id is expected";
                problems.error(Code::Word, &value.span, message);
                continue;
            }
        };
        found.0.insert(name.to_owned(), lookup);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_are_what_they_are_in_json_and_all_others_text() {
        for (yaml, json) in [
            (
                "{a: 1, b: 1.10, c: '1', d: 01, e: +91}",
                r#"{"a":1,"b":1.10,"c":"1","d":"01","e":"+91"}"#,
            ),
            (
                "{a: true, b: 'true', c: yes, d: null, e: 'null', f: }",
                r#"{"a":true,"b":"true","c":"yes","d":null,"e":"null","f":null}"#,
            ),
            ("[12345678901234567890123, 2026-11-23]", r#"[12345678901234567890123,"2026-11-23"]"#),
        ] {
            let value = document(&Node::read(yaml).unwrap(), &mut Problems::default()).unwrap();
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
        }
    }
}

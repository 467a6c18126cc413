//! `respond:`: what senders are told that do not take the usual answer (a SOAP Ack, `TwiML`, plain text, another status).

use std::sync::Arc;

use bytes::Bytes;

use super::verify::VerifySpec;
use crate::mapping::syntax::{Code, Fields, Node, Part, Problem, Problems, scalar};

/// The answer to every request whose events were taken in; errors stay problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Respond {
    /// 200 to 299.
    pub status: u16,
    /// The body and its content type; without one the answer is the usual JSON.
    pub body: Option<(String, Bytes)>,
}

/// What a body has whose content type is not said.
const TEXT: &str = "text/plain; charset=utf-8";

impl Respond {
    /// Reads `status`, `content_type` and `body`.
    pub fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let mut fields = Fields::of(node, problems)?;
        let status = fields.take("status").map(|node| {
            let status = scalar::text(node, "a status", problems)?;
            let status = status.parse().ok().filter(|status| (200..300).contains(status));
            if status.is_none() {
                let problem = Problem::error(
                    Code::Quantity,
                    node.span.clone(),
                    "a status from 200 to 299 is expected",
                );
                problems
                    .add(problem.help("errors are answered as problems, whatever the source says"));
            }
            status
        });
        let content_type = fields.take_with_key("content_type").and_then(|(key, node)| {
            let text = scalar::text(node, "a content type", problems)?;
            let well_formed = text.contains('/') && text.chars().all(|c| matches!(c, ' '..='~'));
            if !well_formed {
                problems.error(
                    Code::Value,
                    &node.span,
                    "a content type such as `text/xml` is expected",
                );
            }
            well_formed.then_some((key, text))
        });
        let body = fields.take("body").and_then(|node| {
            let text = node.as_text();
            if text.is_none() {
                let message = format!("a text is expected, {} was found", node.what());
                problems.error(Code::Shape, &node.span, message);
            }
            text.map(|text| (node, text))
        });
        fields.finish(problems);
        match (&body, &content_type, status.flatten()) {
            (None, Some((key, _)), _) => {
                let problem = Problem::error(
                    Code::MissingKey,
                    key.span.clone(),
                    "`content_type` is that of a `body`, which is missing here",
                );
                problems.add(problem.help("without `body` the answer is the usual JSON"));
            }
            (Some((node, _)), _, Some(status @ (204 | 205))) => {
                let message = format!("an answer with status {status} has no body");
                problems.error(Code::Value, &node.span, message);
            }
            _ => {}
        }
        let content_type = content_type.map_or(TEXT, |(_, text)| text);
        Some(Self {
            status: status.map_or(Some(200), |status| status)?,
            body: body.map(|(_, text)| {
                (content_type.to_owned(), Bytes::copy_from_slice(text.as_bytes()))
            }),
        })
    }
}

/// Checks the parts of a mapping file that have their meaning at the door, for [`crate::mapping::Set::read_with`].
pub fn check_door(part: Part, node: &Node, problems: &mut Problems) {
    match part {
        Part::Verify => drop(VerifySpec::read(node, problems)),
        Part::Respond => drop(Respond::read(node, problems)),
    }
}

/// What `respond` of a source says, or what is wrong with it.
pub(super) fn respond_of(respond: Option<&Node>) -> Result<Option<Arc<Respond>>, Vec<Problem>> {
    let Some(node) = respond else { return Ok(None) };
    let mut problems = Problems::default();
    let read = Respond::read(node, &mut problems);
    if problems.has_errors() { Err(problems.into_sorted()) } else { Ok(read.map(Arc::new)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<Respond>, Vec<(String, String)>) {
        let node = Node::read(text).unwrap();
        let mut problems = Problems::default();
        let respond = Respond::read(&node, &mut problems);
        let seen = |problem: Problem| {
            (text.get(problem.span).unwrap_or_default().to_owned(), problem.message)
        };
        (respond, problems.into_sorted().into_iter().map(seen).collect())
    }

    #[test]
    fn a_source_says_status_content_type_and_body() {
        let body = |content_type: &str, text: &str| {
            Some((content_type.to_owned(), Bytes::copy_from_slice(text.as_bytes())))
        };
        for (text, status, answer) in [
            ("{}", 200, None),
            ("status: 202", 202, None),
            ("status: 204", 204, None),
            ("body: ok", 200, body("text/plain; charset=utf-8", "ok")),
            ("body: ''", 200, body("text/plain; charset=utf-8", "")),
            (
                "{ status: 201, content_type: text/xml, body: '<a/>' }",
                201,
                body("text/xml", "<a/>"),
            ),
        ] {
            assert_eq!(read(text), (Some(Respond { status, body: answer }), vec![]), "{text}");
        }
    }

    #[test]
    fn what_is_no_answer_is_said_with_its_place() {
        for (text, place, message) in [
            ("ok", "ok", "a block of keys is expected, a single value was found"),
            ("status: 404", "404", "a status from 200 to 299 is expected"),
            ("status: fine", "fine", "a status from 200 to 299 is expected"),
            ("{ status: 204, body: ok }", "ok", "an answer with status 204 has no body"),
            (
                "content_type: text/xml",
                "content_type",
                "`content_type` is that of a `body`, which is missing here",
            ),
            (
                "{ content_type: xml, body: a }",
                "xml",
                "a content type such as `text/xml` is expected",
            ),
            ("body: [a]", "[a]", "a text is expected, a list was found"),
            ("{ body: a, statsu: 200 }", "statsu", "`statsu` is not known here"),
        ] {
            let (_, problems) = read(text);
            assert_eq!(problems, [(place.to_owned(), message.to_owned())], "{text}");
        }
    }
}

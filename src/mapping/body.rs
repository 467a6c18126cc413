//! `body:`: how a request's body is read, and which part of it is an event.

use super::expr::{Names, Path, Scope};
use super::plan::Input;
use super::syntax::{Code, Fields, Node, Problem, Problems, scalar};
use crate::document::Value;
use crate::units::ByteSize;

/// What a body is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// What the content type says.
    #[default]
    Auto,
    /// JSON, whatever the content type says; and so for the others.
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
    /// `multipart/form-data`
    Multipart,
    /// XML
    Xml,
    /// JSON documents, one a line.
    Ndjson,
}

/// How a source's bodies are read: the first four are for whoever decodes them.
#[derive(Debug, Default)]
pub struct Body {
    /// What a body is taken for.
    pub format: Format,
    /// Fields that hold JSON as text.
    pub parse_json: Vec<String>,
    /// Elements and fields that are arrays also when there is only one.
    pub always_arrays: Vec<String>,
    /// The largest body that is taken, where it is not the server's own.
    pub max: Option<ByteSize>,
    root: Vec<Path>,
    /// What selects the arrays whose items are events: the path of `each` less its `[*]`.
    each: Option<Path>,
}

/// The events of one document.
pub(super) enum Split<'d> {
    /// It is one event.
    One(&'d Value),
    /// Each item is one; they may be none.
    Each(Vec<&'d Value>),
}

pub(super) const FORMATS: &[(&str, Format)] = &[
    ("auto", Format::Auto),
    ("json", Format::Json),
    ("form", Format::Form),
    ("multipart", Format::Multipart),
    ("xml", Format::Xml),
    ("ndjson", Format::Ndjson),
];

impl Body {
    pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let mut fields = Fields::of(node, problems)?;
        let names = Names::default();
        let format = fields.take("format").and_then(|node| scalar::word(node, FORMATS, problems));
        let mut list = |name| {
            fields
                .take(name)
                .map(|node| scalar::words(node, "a name", problems))
                .unwrap_or_default()
        };
        let (parse_json, always_arrays) = (list("parse_json"), list("always_arrays"));
        let max = fields.take("max").and_then(|node| scalar::quantity(node, problems));
        let root = fields.take("root").map(|node| root(node, &names, problems)).unwrap_or_default();
        let each = fields.take("each").and_then(|node| each(node, &names, problems));
        fields.finish(problems);
        Some(Self {
            format: format.unwrap_or_default(),
            parse_json,
            always_arrays,
            max,
            root,
            each,
        })
    }

    /// Whether `each` splits documents, so that there is a `$batch`.
    pub(super) const fn splits(&self) -> bool {
        self.each.is_some()
    }

    /// The document that `$` and `each` start from: the first of `root` that is there, null where none is.
    pub(super) fn document<'d>(&self, input: &Input<'d>) -> &'d Value {
        const NULL: &Value = &Value::Null;
        if self.root.is_empty() {
            return input.document;
        }
        let scope = Scope::new(input.document).with_request(input.headers, input.query);
        self.root.iter().find_map(|path| path.select_one(&scope).ok().flatten()).unwrap_or(NULL)
    }

    /// The events of a document. One in which `each` finds no array is an event itself.
    pub(super) fn split<'d>(&self, document: &'d Value) -> Split<'d> {
        let Some(each) = &self.each else { return Split::One(document) };
        let found = each.select(&Scope::new(document)).unwrap_or_default();
        let arrays: Vec<_> = found
            .into_iter()
            .filter_map(|value| if let Value::List(items) = value { Some(items) } else { None })
            .collect();
        if arrays.is_empty() {
            return Split::One(document);
        }
        Split::Each(arrays.into_iter().flatten().collect())
    }
}

fn root(node: &Node, names: &Names, problems: &mut Problems) -> Vec<Path> {
    let items = node.as_list().unwrap_or(std::slice::from_ref(node));
    let mut paths = Vec::new();
    for item in items {
        let Some(path) = scalar::path(item, names, problems) else { continue };
        if path.is_singular() && path.reads_document() {
            paths.push(path);
        } else {
            let problem = Problem::error(
                Code::Path,
                item.span.clone(),
                "`root` is a path from `$` that selects one value at most",
            );
            problems.add(problem.help("`each: $.data[*]` makes an event of each item"));
        }
    }
    paths
}

fn each(node: &Node, names: &Names, problems: &mut Problems) -> Option<Path> {
    let path = scalar::path(node, names, problems)?;
    if path.ends_in_wildcard() && path.reads_document() {
        return Some(path.parent());
    }
    let problem = Problem::error(
        Code::Path,
        node.span.clone(),
        "`each` is a path from `$` that ends in `[*]`, so that an array that is empty gives no event",
    );
    problems.add(problem.help(format!("`{}[*]`", path.text())));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Value {
        let node = Node::read(text).unwrap();
        crate::mapping::testing::document(&node, &mut Problems::default()).unwrap()
    }

    fn body(text: &str) -> Body {
        let mut problems = Problems::default();
        let body = Body::read(&Node::read(text).unwrap(), &mut problems).unwrap();
        assert_eq!(problems.into_sorted(), []);
        body
    }

    #[test]
    fn each_item_of_the_array_is_an_event_and_a_document_without_it_is_one() {
        let body = body("each: $.data[*]");
        for (text, events) in [
            ("{data: [{a: 1}, {a: 2}]}", Some(2)),
            ("{data: []}", Some(0)),
            ("{data: {a: 1}}", None),
            ("{a: 1}", None),
        ] {
            let document = document(text);
            let found = match body.split(&document) {
                Split::One(_) => None,
                Split::Each(items) => Some(items.len()),
            };
            assert_eq!(found, events, "{text}");
        }
    }

    #[test]
    fn the_first_root_that_is_there_becomes_the_document() {
        let nothing = Value::default();
        for (roots, text, found) in [
            ("root: [$.payload, $]", "{payload: {a: 1}}", "{a: 1}"),
            ("root: [$.payload, $]", "{a: 1}", "{a: 1}"),
            ("root: $.payload", "{a: 1}", "null"),
        ] {
            let document_of = document(text);
            let input = Input {
                document: &document_of,
                headers: &nothing,
                query: &nothing,
                received_at: jiff::Timestamp::UNIX_EPOCH,
            };
            assert_eq!(body(roots).document(&input), &document(found), "{roots} of {text}");
        }
    }
}

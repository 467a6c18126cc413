//! A YAML file as a tree: every node knows its place, every scalar keeps its text.

use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle};

use super::problem::{Code, Problem};

/// Levels of nesting that a file may have.
const DEEPEST: usize = 64;
/// Nodes that a file may have.
const MOST: usize = 100_000;

/// A value in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it stands, in bytes.
    pub span: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A scalar, its text as it was written.
    Scalar {
        /// The text, without quotes.
        text: String,
        /// Whether it was quoted (or a block scalar), so that it is text whatever it looks like.
        quoted: bool,
    },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file, repeated keys included.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// Reads a file. A syntax error is one for each file: nothing after it can be told.
    pub fn read(text: &str) -> Result<Self, Problem> {
        enum Open {
            List(usize, Vec<Node>),
            Map(usize, Vec<(Node, Node)>, Option<Node>),
        }
        let at = |span: Range<usize>, message: &str| Problem::error(Code::Yaml, span, message);
        let (mut open, mut root, mut nodes, mut documents) = (Vec::<Open>::new(), None, 0_usize, 0);
        for next in Parser::new_from_str(text) {
            let (event, span) = next.map_err(|error| {
                let place = error.marker().byte_offset().unwrap_or(0).min(text.len());
                at(place..place, &error.info())
            })?;
            let range = span.byte_range().unwrap_or_default();
            if event.is_alias() || event.anchor_id().is_some() {
                let place = before(text, range, '&');
                return Err(at(place, "anchors and aliases are not allowed in a mapping file")
                    .help("write the value out, or name it under `let`; a text that begins with `&` goes in quotes"));
            }
            if event.tag().is_some() {
                return Err(at(before(text, range, '!'), "tags are not allowed in a mapping file")
                    .help("a text that begins with `!` goes in quotes"));
            }
            nodes += 1;
            if nodes > MOST || open.len() > DEEPEST {
                return Err(at(range, "the file is too large or nested too deep"));
            }
            let done = match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        return Err(at(range, "a mapping file is one document: remove the `---`"));
                    }
                    continue;
                }
                Event::SequenceStart(..) => {
                    open.push(Open::List(range.start, vec![]));
                    continue;
                }
                Event::MappingStart(..) => {
                    open.push(Open::Map(range.start, vec![], None));
                    continue;
                }
                Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                    Some(Open::List(start, items)) => {
                        Self { span: start..range.end, kind: Kind::List(items) }
                    }
                    Some(Open::Map(start, entries, _)) => {
                        Self { span: start..range.end, kind: Kind::Map(entries) }
                    }
                    None => continue,
                },
                Event::Scalar(text, style, ..) => Self {
                    span: range,
                    kind: Kind::Scalar {
                        text: text.into_owned(),
                        quoted: style != ScalarStyle::Plain,
                    },
                },
                _ => continue,
            };
            match open.last_mut() {
                None => root = Some(done),
                Some(Open::List(_, items)) => items.push(done),
                Some(Open::Map(_, entries, key)) => match key.take() {
                    None if done.is_merge_key() => {
                        return Err(at(done.span, "merge keys are not allowed in a mapping file")
                            .help("`defaults` holds what every rule starts from"));
                    }
                    None => *key = Some(done),
                    Some(key) => entries.push((key, done)),
                },
            }
        }
        root.ok_or_else(|| at(0..0, "the file is empty"))
    }

    fn is_merge_key(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, quoted: false } if text == "<<")
    }

    /// The text of a scalar, quoted or not.
    pub fn as_text(&self) -> Option<&str> {
        if let Kind::Scalar { text, .. } = &self.kind { Some(text) } else { None }
    }

    /// Whether it is a plain `null`, `~` or nothing.
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, quoted: false } if matches!(text.as_str(), "" | "~" | "null"))
    }

    /// A plain `true` or `false`.
    pub fn as_bool(&self) -> Option<bool> {
        match &self.kind {
            Kind::Scalar { text, quoted: false } if text == "true" => Some(true),
            Kind::Scalar { text, quoted: false } if text == "false" => Some(false),
            _ => None,
        }
    }

    /// The value of a key, where it is a block that has it.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Kind::Map(entries) = &self.kind else { return None };
        entries.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
    }

    /// Has it and all that is below it stand so many bytes further on.
    pub(in crate::mapping) fn shift(&mut self, by: usize) {
        self.span = self.span.start + by..self.span.end + by;
        match &mut self.kind {
            Kind::Scalar { .. } => {}
            Kind::List(items) => items.iter_mut().for_each(|item| item.shift(by)),
            Kind::Map(entries) => {
                for (key, value) in entries {
                    key.shift(by);
                    value.shift(by);
                }
            }
        }
    }

    /// The items of a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Kind::List(items) = &self.kind { Some(items) } else { None }
    }

    /// What it is, in words.
    pub const fn what(&self) -> &'static str {
        match self.kind {
            Kind::Scalar { .. } => "a single value",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a block of keys",
        }
    }
}

/// The place of the word before a node, where it begins with `mark`.
fn before(text: &str, node: Range<usize>, mark: char) -> Range<usize> {
    let written = text.get(..node.start).unwrap_or_default().trim_end();
    let ends = |c: char| c.is_whitespace() || matches!(c, '[' | '{' | ',');
    let start = written.rfind(ends).map_or(0, |at| at + 1);
    let is_marked = written.get(start..).is_some_and(|word| word.starts_with(mark));
    if is_marked { start..written.len() } else { node }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_keep_the_text_as_it_was_written() {
        let node = Node::read("a: 0123\nb: 1.10\nc: NO\nd: '12'\n").unwrap();
        let Kind::Map(entries) = node.kind else { panic!("a map") };
        let texts: Vec<_> = entries.iter().map(|(_, value)| value.as_text().unwrap()).collect();
        assert_eq!(texts, ["0123", "1.10", "NO", "12"]);
    }

    #[test]
    fn what_is_no_mapping_file_is_refused_with_its_place() {
        for (text, start) in [
            ("", 0),
            ("a: [1", 3),
            ("a: &x 1\nb: *x", 3),
            ("a: 1\n---\nb: 2", 5),
            ("a: !x y", 3),
            ("a: !!str 1", 3),
            ("<<: { a: 1 }", 0),
        ] {
            let problem = Node::read(text).unwrap_err();
            assert_eq!(problem.code, Code::Yaml);
            assert_eq!(problem.span.start, start, "{text:?}: {problem:?}");
        }
    }
}

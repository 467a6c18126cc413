//! XML as a document: objects by local name, attributes as `@name`, the text beside attributes or children as
//! `#text`, an element with text only as that text, elements that are repeated as a list.
//!
//! There are no document types, so no entities but the five of the language and numbers: nothing is expanded, nothing
//! is fetched. Declarations of namespaces are no attributes; white space between elements is no text.

use indexmap::map::Entry;
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::{Error, Limits};
use crate::document::{Members, Value};

/// Reads a document with one element at its root, which is the one member of the result.
pub(super) fn xml(text: &str, limits: &Limits) -> Result<Value, Error> {
    let mut reading = Reading { text, at: 0, nodes: 1, limits, open: Vec::new(), root: None };
    let mut reader = Reader::from_str(text);
    loop {
        let event = reader.read_event();
        reading.at = match &event {
            Ok(_) => usize::try_from(reader.buffer_position()),
            Err(_) => usize::try_from(reader.error_position()),
        }
        .unwrap_or(usize::MAX);
        match event.map_err(|_| reading.flaw("it is not well-formed XML"))? {
            Event::Start(tag) => reading.start(&tag)?,
            Event::End(_) => reading.end()?,
            Event::Empty(tag) => {
                reading.start(&tag)?;
                reading.end()?;
            }
            Event::Text(text) => {
                let text = text.xml10_content();
                reading.text(&text.map_err(|_| reading.flaw(UNREADABLE))?)?;
            }
            Event::CData(text) => {
                let text = text.xml10_content();
                reading.text(&text.map_err(|_| reading.flaw(UNREADABLE))?)?;
            }
            Event::GeneralRef(reference) => reading.reference(&reference)?,
            Event::DocType(_) => {
                return Err(reading.flaw("a document type (`<!DOCTYPE`) is not taken"));
            }
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    if !reading.open.is_empty() {
        return Err(reading.flaw("an element is not closed"));
    }
    let Some((name, value)) = reading.root.take() else {
        return Err(reading.flaw("there is no element"));
    };
    Ok(Value::Object(Members::from_iter([(name, value)])))
}

/// The `encoding` of the XML declaration, where the bytes before it can be read without knowing it.
pub(super) fn declared_charset(body: &[u8]) -> Option<&str> {
    let declaration = body.strip_prefix(b"<?xml")?;
    let end = declaration.iter().take(200).position(|byte| *byte == b'>')?;
    let declaration = std::str::from_utf8(declaration.get(..end)?).ok()?;
    let (_, rest) = declaration.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    rest.split(['"', '\'']).nth(1).filter(|_| rest.starts_with(['"', '\'']))
}

const UNREADABLE: &str = "a text cannot be read";

/// An element that is not closed yet.
struct Element {
    name: Box<str>,
    members: Members,
    text: String,
    has_children: bool,
}

struct Reading<'t> {
    text: &'t str,
    at: usize,
    nodes: usize,
    limits: &'t Limits,
    open: Vec<Element>,
    root: Option<(Box<str>, Value)>,
}

impl Reading<'_> {
    fn flaw(&self, what: &'static str) -> Error {
        let (line, column) = self.place();
        Error::Syntax { what, line, column }
    }

    fn place(&self) -> (usize, usize) {
        super::json::place(self.text, self.at)
    }

    fn count(&mut self) -> Result<(), Error> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            return Err(Error::TooManyNodes { limit: self.limits.nodes });
        }
        Ok(())
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), Error> {
        if self.open.is_empty() && self.root.is_some() {
            return Err(self.flaw("a second element stands behind the first"));
        }
        if self.open.len() >= self.limits.levels {
            return Err(Error::TooDeep { limit: self.limits.levels });
        }
        self.count()?;
        let name = self.name(tag.local_name().into_inner())?;
        if let Some(parent) = self.open.last_mut() {
            parent.has_children = true;
        }
        let mut members = Members::new();
        // Not the library's own check for repeats, which compares each attribute with each.
        for attribute in tag.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| self.flaw("an attribute is not well-formed"))?;
            let full = attribute.key.into_inner();
            if full == b"xmlns" || full.starts_with(b"xmlns:") {
                continue;
            }
            self.count()?;
            let name = self.name(attribute.key.local_name().into_inner())?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| self.flaw("an attribute's value cannot be read"))?;
            match members.entry(format!("@{name}").into()) {
                Entry::Vacant(place) => place.insert(Value::text(&*value)),
                Entry::Occupied(_) => {
                    let (line, column) = self.place();
                    return Err(Error::RepeatedKey { line, column });
                }
            };
        }
        self.open.push(Element { name, members, text: String::new(), has_children: false });
        Ok(())
    }

    fn name(&self, bytes: &[u8]) -> Result<Box<str>, Error> {
        match std::str::from_utf8(bytes) {
            Ok(name) if !name.is_empty() => Ok(name.into()),
            _ => Err(self.flaw("a name is expected")),
        }
    }

    fn end(&mut self) -> Result<(), Error> {
        let Some(element) = self.open.pop() else {
            return Err(self.flaw("an end stands without its beginning"));
        };
        let Element { name, mut members, text, has_children } = element;
        let value = if members.is_empty() && !has_children {
            Value::text(text)
        } else {
            let text = if has_children { text.trim() } else { &text };
            if !text.trim().is_empty() {
                self.count()?;
                members.insert("#text".into(), Value::text(text));
            }
            Value::Object(members)
        };
        let Some(parent) = self.open.last_mut() else {
            self.root = Some((name, value));
            return Ok(());
        };
        match parent.members.entry(name) {
            Entry::Vacant(place) => {
                place.insert(value);
            }
            Entry::Occupied(mut place) => match place.get_mut() {
                // No element by itself becomes a list.
                Value::List(items) => items.push(value),
                first => *first = Value::List(vec![std::mem::take(first), value]),
            },
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Error> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(self.flaw("a text stands outside of every element")),
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), Error> {
        let known = match &**reference {
            b"lt" => Some('<'),
            b"gt" => Some('>'),
            b"amp" => Some('&'),
            b"quot" => Some('"'),
            b"apos" => Some('\''),
            _ => reference.resolve_char_ref().ok().flatten(),
        };
        let Some(known) = known else {
            return Err(self.flaw("an entity is none of the five and no number"));
        };
        self.text(known.encode_utf8(&mut [0; 4]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Write;

    fn read(text: &str) -> Result<String, String> {
        xml(text, &Limits::default())
            .map(|document| serde_json::to_string(&document).unwrap())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn elements_attributes_and_texts_have_their_places() {
        for (text, document) in [
            ("<a/>", r#"{"a":""}"#),
            ("<?xml version=\"1.0\"?>\n<!-- c --><a> x </a>\n<!-- d -->", r#"{"a":" x "}"#),
            ("<a><b>1</b><c/></a>", r#"{"a":{"b":"1","c":""}}"#),
            ("<a><b>1</b><c>2</c><b>3</b></a>", r#"{"a":{"b":["1","3"],"c":"2"}}"#),
            ("<a x='1' y=\"&lt;&#65;\"/>", r#"{"a":{"@x":"1","@y":"<A"}}"#),
            ("<a x='1'>t</a>", r##"{"a":{"@x":"1","#text":"t"}}"##),
            ("<a>\n <b/> t \n</a>", r##"{"a":{"b":"","#text":"t"}}"##),
            (
                "<s:a xmlns:s='u' xmlns='v' s:x='1'><s:b>1</s:b></s:a>",
                r#"{"a":{"@x":"1","b":"1"}}"#,
            ),
            (
                "<a>&amp;&lt;&gt;&quot;&apos;&#233;&#xE9;<![CDATA[<b>&amp;</b>]]></a>",
                r#"{"a":"&<>\"'éé<b>&amp;</b>"}"#,
            ),
            ("<a>1\r\n2</a>", r#"{"a":"1\n2"}"#),
        ] {
            assert_eq!(read(text).as_deref(), Ok(document), "{text}");
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for text in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><b/>",
            "<a/>x",
            "<a b=1/>",
            "<a b='1' b='2'/>",
            "<a x:b='1' y:b='2'/>",
            "<a>&nbsp;</a>",
            "<a>&</a>",
            "<a>&#0;</a>",
            "<a b='&x;'/>",
            "<a",
        ] {
            assert!(read(text).is_err(), "{text}: {:?}", read(text));
        }
    }

    #[test]
    fn nothing_is_expanded_or_fetched() {
        for text in [
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
            "<!DOCTYPE a><a/>",
        ] {
            assert!(read(text).unwrap_err().contains("document type"), "{text}");
        }
    }

    #[test]
    fn depth_and_values_are_bounded() {
        let nested = |levels: usize| "<a>".repeat(levels) + &"</a>".repeat(levels);
        assert!(read(&nested(64)).is_ok());
        assert!(read(&nested(65)).unwrap_err().contains("64 levels"));
        assert!(read(&"<a>".repeat(100_000)).unwrap_err().contains("64 levels"));
        let wide = format!("<a>{}</a>", "<b/>".repeat(100_000));
        assert!(read(&wide).unwrap_err().contains("100000 values"));
        let attributes = (0..100_000).map(|n| format!(" b{n}=''")).collect::<Vec<_>>().concat();
        assert!(read(&format!("<a{attributes}/>")).unwrap_err().contains("100000 values"));
    }

    /// An element as this reader gives it: a text, or an object of attributes, text and children.
    fn element() -> impl Strategy<Value = Value> {
        let text = || "[a-z é<>&\"']{0,6}[a-z]".prop_map(Value::text);
        text().prop_recursive(4, 32, 4, move |inner| {
            let children = prop_oneof![
                inner.clone(),
                prop::collection::vec(inner, 2..4).prop_map(Value::List),
            ];
            (
                prop::collection::btree_map("[a-z]{1,4}", text(), 0..3),
                prop::collection::btree_map("[a-zé]{1,4}", children, 1..4),
            )
                .prop_map(|(attributes, children)| {
                    let attributes =
                        attributes.into_iter().map(|(k, v)| (format!("@{k}").into(), v));
                    let children = children.into_iter().map(|(k, v)| (k.into(), v));
                    Value::Object(attributes.chain(children).collect())
                })
        })
    }

    fn escaped(text: &str) -> String {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        text.replace('>', "&#62;")
    }

    fn written(name: &str, value: &Value) -> String {
        match value {
            Value::Text(text) => format!("<{name}>{}</{name}>", escaped(text)),
            Value::List(items) => items.iter().map(|item| written(name, item)).collect(),
            Value::Object(members) => {
                let (mut attributes, mut children) = (String::new(), String::new());
                for (key, member) in members {
                    if let (Some(key), Value::Text(text)) = (key.strip_prefix('@'), member) {
                        write!(attributes, " x:{key}=\"{}\"", escaped(text)).unwrap();
                    } else {
                        children.push_str("\n ");
                        children.push_str(&written(&format!("n:{key}"), member));
                    }
                }
                format!("<{name}{attributes}>{children}\n</{name}>")
            }
            other => panic!("{other:?}"),
        }
    }

    proptest! {
        #[test]
        fn a_document_reads_as_it_was_written(root in element()) {
            let text = written("n:root", &root);

            let read = xml(&text, &Limits::default()).unwrap();

            prop_assert_eq!(read.member("root"), Some(&root), "{}", text);
        }

        #[test]
        fn no_text_makes_it_panic(
            text: String,
            tags in r#"(<a>|</a>|<b x='|'|"|/>|<!\[CDATA\[|\]\]>|<!--|-->|&|;|#x|<\?|\?>|<!DOCTYPE|[a-z ]){0,30}"#,
        ) {
            let _read = xml(&text, &Limits::default());
            let _read = xml(&tags, &Limits::default());
        }
    }
}

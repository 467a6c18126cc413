//! Why a path selects nothing: how far it got, and what may have been meant.

use serde::Serialize;

use super::query::{Segment, Selector};
use super::select::{self, At};
use super::{Path, Scope};
use crate::document::{Members, Value};
use crate::mapping::expr::scope::nearest;

/// Values looked at for a member of the same name elsewhere.
const LOOKED_AT: usize = 20_000;
/// So much alike (Jaro, 0 to 1) are names one of which may have been meant: `fone` and `phone`, not `kind` and `id`.
const ALIKE: f64 = 0.7;
/// Names that are listed of what stands there.
const LISTED: usize = 8;

/// How far a path got that selects nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The beginning of the path that still selects something; nothing where its root has no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved: Option<String>,
    /// What stands there, as in "an object with `a`, `b`".
    pub found: String,
    /// The path that may have been meant: it selects something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
}

impl Path {
    /// How far the path gets; nothing where it selects something.
    pub(super) fn missing(&self, scope: &Scope<'_>) -> Option<Missing> {
        let quiet = scope.unnoted();
        let root = self.root_text();
        let Some(start) = self.start(&quiet).ok()? else {
            let found = format!("`{root}` has no value");
            return Some(Missing { resolved: None, found, nearest: None });
        };
        let mut resolved = root.to_owned();
        let mut here = vec![start];
        for (place, segment) in self.segments.iter().enumerate() {
            let mut next = Vec::new();
            for value in &here {
                let at = At { root: scope.document(), here: value };
                select::select(std::slice::from_ref(segment), at, &mut next);
            }
            if next.is_empty() {
                let rest = self.segments.get(place..).unwrap_or_default();
                let nearest = similar(&resolved, &here, rest, scope.document())
                    .or_else(|| elsewhere(root, start, rest));
                let found = here.first().map(|value| stands(value)).unwrap_or_default();
                return Some(Missing { resolved: Some(resolved), found, nearest });
            }
            resolved.push_str(&written(segment));
            here = next;
        }
        None
    }
}

/// What a value is, and of an object its names.
fn stands(value: &Value) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "an object with nothing in it".to_owned(),
        Value::Object(members) => {
            let names: Vec<_> =
                members.keys().take(LISTED).map(|name| format!("`{name}`")).collect();
            let more = if members.len() > LISTED { ", …" } else { "" };
            format!("an object with {}{more}", names.join(", "))
        }
        Value::List(items) if items.len() == 1 => "a list of 1 item".to_owned(),
        Value::List(items) => format!("a list of {} items", items.len()),
        Value::Text(text) if text.trim_start().starts_with(['{', '[']) => {
            "a text, which may hold JSON: `json` reads it".to_owned()
        }
        other => other.kind().to_owned(),
    }
}

/// A segment as a path has it.
fn written(segment: &Segment) -> String {
    match segment {
        Segment::Child(Selector::Name(name)) => member(name),
        Segment::Child(Selector::Index(index)) => format!("[{index}]"),
        Segment::Child(Selector::Wildcard) => "[*]".to_owned(),
        Segment::Child(Selector::Filter(_)) => "[?…]".to_owned(),
        Segment::Child(Selector::Slice(..)) | Segment::Children(_) => "[…]".to_owned(),
        Segment::Descendant(inner) => {
            let inner = written(inner);
            let dots = if inner.starts_with('.') { "." } else { ".." };
            format!("{dots}{inner}")
        }
    }
}

fn member(name: &str) -> String {
    let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty();
    if is_word {
        return format!(".{name}");
    }
    format!("['{}']", name.replace('\\', r"\\").replace('\'', r"\'"))
}

fn name_of(segment: &Segment) -> Option<&str> {
    match segment {
        Segment::Child(Selector::Name(name)) => Some(name),
        _ => None,
    }
}

/// The same path with the name that stands there and is written most like the one that does not, or with the items
/// of the list that stands there.
fn similar(resolved: &str, here: &[&Value], rest: &[Segment], document: &Value) -> Option<String> {
    let (first, after) = rest.split_first()?;
    here.iter().find_map(|value| match (value, first) {
        (Value::Object(members), Segment::Child(Selector::Name(name))) => {
            let near = alike(name, members)?;
            let path = format!("{resolved}{}", member(&near));
            Some(goes_on(path, members.get(&*near)?, after, document))
        }
        (Value::List(items), Segment::Child(Selector::Name(name))) => {
            let item = items.iter().find(|item| item.member(name).is_some())?;
            let path = format!("{resolved}[*]{}", member(name));
            Some(goes_on(path, item.member(name)?, after, document))
        }
        // `[*]` or `[0]` of a single object: what a form sends once.
        (Value::Object(_), Segment::Child(Selector::Index(_) | Selector::Wildcard)) => {
            let name = after.first().and_then(name_of)?;
            let found = value.member(name)?;
            let path = format!("{resolved}{}", member(name));
            Some(goes_on(path, found, after.get(1..).unwrap_or_default(), document))
        }
        _ => None,
    })
}

/// The path with the rest of it, as far as that selects something.
fn goes_on(mut path: String, from: &Value, rest: &[Segment], document: &Value) -> String {
    let mut found = Vec::new();
    select::select(rest, At { root: document, here: from }, &mut found);
    if !found.is_empty() {
        path.extend(rest.iter().map(written));
    }
    path
}

/// The name of a member that is the same but for case and marks, or else written most like it.
fn alike(name: &str, members: &Members) -> Option<String> {
    let plain = |name: &str| -> String {
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let wanted = plain(name);
    let same = members.keys().find(|key| !wanted.is_empty() && plain(key) == wanted);
    same.map(ToString::to_string).or_else(|| {
        let close = |key: &&str| strsim::jaro(name, key) >= ALIKE;
        nearest(name, members.keys().map(|key| &**key).filter(close))
    })
}

/// The shortest path to a member of the same name somewhere else; the names that follow in the path must follow
/// there too.
fn elsewhere(root: &str, start: &Value, rest: &[Segment]) -> Option<String> {
    let names: Vec<&str> = rest.iter().map_while(name_of).collect();
    let (first, after) = names.split_first()?;
    let mut level = vec![(root.to_owned(), start)];
    let mut looked_at = 0;
    while !level.is_empty() && looked_at < LOOKED_AT {
        let mut below = Vec::new();
        for (path, value) in level {
            looked_at += 1;
            if let Some(found) = value.member(first)
                && after.iter().try_fold(found, |here, name| here.member(name)).is_some()
            {
                return Some(names.iter().fold(path, |path, name| path + &member(name)));
            }
            match value {
                Value::Object(members) => {
                    let child = |(name, value)| (format!("{path}{}", member(name)), value);
                    below.extend(members.iter().map(|(name, value)| child((&**name, value))));
                }
                // The items of a list are mostly alike: one path for all of them.
                Value::List(items) => {
                    below.extend(items.iter().map(|item| (format!("{path}[*]"), item)));
                }
                _ => {}
            }
        }
        level = below;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::expr::Names;
    use crate::mapping::expr::samples::document;

    #[test]
    fn a_path_that_selects_nothing_says_how_far_it_got_and_what_may_have_been_meant() {
        let event = r#"{
            "form_response": {"answers": [{"text": "a", "field": {"ref": "x"}}], "hidden": {"utm_source": "g"}},
            "firstName": "Ann", "one": {"id": 1}, "raw": "{\"a\":1}", "none": [], "your-tel": "1"
        }"#;
        for (path, resolved, found, nearest) in [
            (
                "$.form_respons.answers[*].text",
                "$",
                "an object",
                Some("$.form_response.answers[*].text"),
            ),
            (
                "$.form_response.answer",
                "$.form_response",
                "`answers`, `hidden`",
                Some("$.form_response.answers"),
            ),
            ("$.answers", "$", "an object", Some("$.form_response.answers")),
            ("$.hidden.utm_source", "$", "an object", Some("$.form_response.hidden.utm_source")),
            ("$.utm_source", "$", "an object", Some("$.form_response.hidden.utm_source")),
            ("$.first_name", "$", "an object", Some("$.firstName")),
            ("$.your_tel", "$", "an object", Some("$['your-tel']")),
            (
                "$.form_response.answers.text",
                "$.form_response.answers",
                "a list of 1 item",
                Some("$.form_response.answers[*].text"),
            ),
            (
                "$.form_response.answers[1].text",
                "$.form_response.answers",
                "a list of 1 item",
                None,
            ),
            (
                "$.form_response.answers[*].field.id",
                "$.form_response.answers[*].field",
                "`ref`",
                Some("$.one.id"),
            ),
            ("$.one[*].id", "$.one[*]", "a number", Some("$.one.id")),
            ("$.one[0].id", "$.one", "an object", Some("$.one.id")),
            ("$.raw.a", "$.raw", "may hold JSON", None),
            ("$.none[*]", "$.none", "a list of 0 items", None),
            ("$.firstName.x", "$.firstName", "a text", None),
            (
                "$.form_response.answers[?@.text == 'b'].field",
                "$.form_response.answers",
                "a list of 1 item",
                None,
            ),
            ("$..nowhere", "$", "an object", None),
            ("$.city", "$", "`form_response`, `firstName`", None),
        ] {
            let event = document(event);
            let missing =
                Path::parse(path, &Names::default()).unwrap().missing(&Scope::new(&event));

            let missing = missing.unwrap_or_else(|| panic!("{path} selects something"));
            assert_eq!(missing.resolved.as_deref(), Some(resolved), "{path}");
            assert!(missing.found.contains(found), "{path}: {}", missing.found);
            assert_eq!(missing.nearest.as_deref(), nearest, "{path}");
        }
    }

    #[test]
    fn what_may_have_been_meant_selects_something() {
        let event = document(r#"{"a": {"b": [{"c": {"d": 1}}]}, "cc": {"d": 2}}"#);
        let scope = Scope::new(&event);
        for path in ["$.c.d", "$.aa.b", "$.a.bb[0].c", "$.a.b.c.d", "$.CC.d", "$.d", "$.cc.D"] {
            let missing = Path::parse(path, &Names::default()).unwrap().missing(&scope).unwrap();
            let nearest = missing.nearest.unwrap_or_else(|| panic!("{path}"));
            let found = Path::parse(&nearest, &Names::default()).unwrap().select(&scope).unwrap();
            assert_ne!(found, Vec::<&Value>::new(), "{path}: {nearest}");
        }
    }
}

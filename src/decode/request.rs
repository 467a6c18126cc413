//! What stands around a body, as documents: the query and the headers.

use crate::document::{Members, Value};

/// The parameters of a query in order, names and values decoded (`%XX`, and `+` for a blank).
pub fn query_pairs(raw: &str) -> impl Iterator<Item = (String, String)> {
    raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (form_decoded(name), form_decoded(value))
    })
}

/// The query without the parameters of these names, otherwise as it was sent.
pub fn query_without(raw: &str, names: &[String]) -> String {
    let stays = |pair: &&str| {
        let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
        !names.contains(&form_decoded(name))
    };
    raw.split('&').filter(stays).collect::<Vec<_>>().join("&")
}

/// The query as an object of texts; of a name that is repeated, a list of them.
pub fn query(raw: &str) -> Value {
    let mut members = Members::new();
    for (name, value) in query_pairs(raw) {
        let value = Value::text(value);
        match members.get_mut(&*name) {
            None => {
                members.insert(name.into(), value);
            }
            Some(Value::List(values)) => values.push(value),
            Some(first) => *first = Value::List(vec![std::mem::take(first), value]),
        }
    }
    Value::Object(members)
}

/// Headers as an object of texts; the values of a name that is repeated become one text, with `, ` between.
pub fn headers<'h>(pairs: impl IntoIterator<Item = (&'h str, &'h str)>) -> Value {
    let mut members = Members::new();
    for (name, value) in pairs {
        match members.get_mut(name) {
            Some(Value::Text(first)) => *first = format!("{first}, {value}").into(),
            _ => {
                members.insert(name.into(), Value::text(value));
            }
        }
    }
    Value::Object(members)
}

/// A name or a value of a query, decoded: `%XX`, and `+` for a blank.
fn form_decoded(text: &str) -> String {
    percent_decoded(&text.replace('+', " "))
}

/// The text with `%XX` decoded; what is no UTF-8 becomes the replacement character.
pub fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    String::from_utf8_lossy(&unescaped(text.as_bytes(), b"")).into_owned()
}

/// A name or a value of a form, decoded: `%XX`, and `+` for a blank.
pub(super) fn form_decoded_bytes(bytes: &[u8]) -> Vec<u8> {
    unescaped(bytes, b"+")
}

/// The bytes with `%XX` decoded, and a blank for each of `blanks`.
fn unescaped(bytes: &[u8], blanks: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut bytes = bytes.iter();
    while let Some(&byte) = bytes.next() {
        decoded.push(match (byte, hex_pair(bytes.as_slice())) {
            (b'%', Some(value)) => {
                bytes.nth(1);
                value
            }
            _ if blanks.contains(&byte) => b' ',
            _ => byte,
        });
    }
    decoded
}

fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let [high, low, ..] = bytes else { return None };
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(value: &Value) -> String {
        serde_json::to_string(value).unwrap()
    }

    #[test]
    fn a_query_becomes_an_object_of_texts() {
        for (raw, document) in [
            ("", "{}"),
            ("a=1&b=&c", r#"{"a":"1","b":"","c":""}"#),
            ("a=1&a=2&a=3", r#"{"a":["1","2","3"]}"#),
            ("full%20name=Asha+Rao&&x=%C3%A9", r#"{"full name":"Asha Rao","x":"é"}"#),
            ("a=100%&b=%zz&c=%f", r#"{"a":"100%","b":"%zz","c":"%f"}"#),
            ("a=b=c", r#"{"a":"b=c"}"#),
        ] {
            assert_eq!(written(&query(raw)), document, "{raw:?}");
        }
    }

    #[test]
    fn parameters_are_left_out_by_name_however_they_are_escaped() {
        let names = ["token".to_owned()];
        assert_eq!(query_without("a=%20&token=s&b=2&t%6Fken=s&token", &names), "a=%20&b=2");
        assert_eq!(query_without("token=s", &names), "");
    }

    #[test]
    fn headers_of_one_name_become_one_text() {
        let pairs = [("x-topic", "a"), ("accept", "x"), ("accept", "y")];
        assert_eq!(written(&headers(pairs)), r#"{"x-topic":"a","accept":"x, y"}"#);
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(raw: String) {
            let _document = query(&raw);
        }
    }
}

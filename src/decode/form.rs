//! `application/x-www-form-urlencoded`, as the WHATWG URL standard reads it, with brackets as PHP nests them.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

use super::fields::Fields;
use super::request::form_decoded_bytes;
use super::{Error, Limits, charset};
use crate::document::Value;

/// Reads a form. A body without any `=` is none: senders call plain text a form.
pub(super) fn form(
    bytes: &[u8],
    charset: &'static Encoding,
    limits: &Limits,
) -> Result<Value, Error> {
    let whole;
    // In these a byte that looks like `&` may be half of a character.
    let (bytes, charset) = if charset.is_ascii_compatible() {
        (bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes), charset)
    } else {
        whole = charset::text(bytes, charset)?;
        (whole.as_bytes(), UTF_8)
    };
    let bytes = bytes.trim_ascii_end();
    if !bytes.is_empty() && !bytes.contains(&b'=') {
        let what = "a form is expected, and there is no `=` in it";
        return Err(Error::Syntax { what, line: 1, column: 1 });
    }
    let mut fields = Fields::new(limits);
    for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let equals = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = (pair.get(..equals), pair.get(equals + 1..));
        let text = |bytes: Option<&[u8]>| decoded(bytes.unwrap_or_default(), charset);
        fields.add(&text(name)?, &text(value)?)?;
    }
    Ok(fields.into_document())
}

fn decoded(bytes: &[u8], charset: &'static Encoding) -> Result<String, Error> {
    let bytes = form_decoded_bytes(bytes);
    if charset == UTF_8 {
        return String::from_utf8(bytes).map_err(|_| Error::NotInCharset { charset: UTF_8.name() });
    }
    charset
        .decode_without_bom_handling_and_without_replacement(&bytes)
        .map(Cow::into_owned)
        .ok_or(Error::NotInCharset { charset: charset.name() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_in(body: &[u8], label: Option<&str>) -> Result<String, String> {
        let charset = charset::named(label).unwrap();
        form(body, charset, &Limits::default())
            .map(|document| serde_json::to_string(&document).unwrap())
            .map_err(|error| error.to_string())
    }

    fn read(body: &str) -> Result<String, String> {
        read_in(body.as_bytes(), None)
    }

    #[test]
    fn fields_become_members_lists_and_objects() {
        for (body, document) in [
            ("", "{}"),
            ("a=1&b=&c&&=d", r#"{"a":"1","b":"","c":"","":"d"}"#),
            ("a=1\r\n", r#"{"a":"1"}"#),
            (
                "full+name=Asha%20Rao&x=%C3%A9&y=a=b&z=100%",
                r#"{"full name":"Asha Rao","x":"é","y":"a=b","z":"100%"}"#,
            ),
            ("\u{feff}a=é", r#"{"a":"é"}"#),
            ("t=1&t=2&t=3", r#"{"t":["1","2","3"]}"#),
            ("a[]=1", r#"{"a":["1"]}"#),
            ("a%5B%5D=1&a[]=2", r#"{"a":["1","2"]}"#),
            ("a[b][c]=1&a[b][d]=2&a[e]=3", r#"{"a":{"b":{"c":"1","d":"2"},"e":"3"}}"#),
            ("a[b]=1&a[b]=2", r#"{"a":{"b":["1","2"]}}"#),
            ("a[1]=y&a[0]=x", r#"{"a":["x","y"]}"#),
            ("a[0][b]=1&a[0][c]=2&a[1][b]=3", r#"{"a":[{"b":"1","c":"2"},{"b":"3"}]}"#),
            ("a[][b]=1&a[][b]=2", r#"{"a":[{"b":"1"},{"b":"2"}]}"#),
            ("a[39]=x&a[perstag]=y", r#"{"a":{"39":"x","perstag":"y"}}"#),
            ("a[1]=x&a[2]=y", r#"{"a":{"1":"x","2":"y"}}"#),
            ("a[0]=x&a[01]=y", r#"{"a":{"0":"x","01":"y"}}"#),
            ("0=x&1=y", r#"{"0":"x","1":"y"}"#),
            (
                "a[b=1&a]b=2&[c]=3&a[b]c=4&a[b[c]]=5",
                r#"{"a[b":"1","a]b":"2","[c]":"3","a[b]c":"4","a[b[c]]":"5"}"#,
            ),
            ("1.3=x&your-tel=y", r#"{"1.3":"x","your-tel":"y"}"#),
        ] {
            assert_eq!(read(body).as_deref(), Ok(document), "{body}");
        }
    }

    #[test]
    fn what_cannot_be_both_is_refused() {
        for body in [
            "a=1&a[b]=2",
            "a[b]=1&a=2",
            "a[]=1&a[b]=2",
            "a[0]=1&a[]=2",
            "a=1&a[]=2",
            "a[b]=1&a[b][c]=2",
        ] {
            let error = read(body).unwrap_err();
            assert!(error.ends_with("at once (field or part 2)"), "{body}: {error}");
        }
    }

    #[test]
    fn a_text_that_is_called_a_form_is_none() {
        let error = read("New booking by Aino <aino@example.com>\n").unwrap_err();
        assert!(error.contains("no `=` in it"), "{error}");
    }

    #[test]
    fn escapes_stand_for_bytes_of_the_charset() {
        for (body, label, document) in [
            (&b"a=caf%E9"[..], Some("iso-8859-1"), Ok(r#"{"a":"café"}"#)),
            (b"a=caf\xE9", Some("windows-1252"), Ok(r#"{"a":"café"}"#)),
            (b"a=%83e%83X%83g", Some("shift_jis"), Ok(r#"{"a":"テスト"}"#)),
            (b"a\0=\0%\x004\x001\0", Some("utf-16le"), Ok(r#"{"a":"A"}"#)),
            (b"a=caf%E9", None, Err("the body is not in the charset that it names, UTF-8")),
        ] {
            let read = read_in(body, label);
            assert_eq!(read.as_deref().map_err(String::as_str), document, "{body:?}");
        }
    }

    #[test]
    fn keys_depth_and_values_are_bounded() {
        let many = "a=1&".repeat(10_001);
        assert_eq!(read(&many).unwrap_err(), "the body holds more than the limit of 10000 keys");
        let deep = |levels: usize| format!("a{}=1", "[b]".repeat(levels));
        assert!(read(&deep(62)).is_ok());
        assert!(read(&deep(63)).unwrap_err().contains("64 levels"));
        assert!(read(&deep(100_000)).unwrap_err().contains("64 levels"));
        let wide = |n: i32| format!("a{}=1", format!("[b{n}]").repeat(20));
        let wide = (0..9_999).map(wide).collect::<Vec<_>>().join("&");
        assert!(read(&wide).unwrap_err().contains("100000 values"));
    }

    /// A document that a form can say: texts, lists of at least one, objects whose names are not 0 to n-1.
    fn sayable() -> impl Strategy<Value = Value> {
        let leaf = any::<String>().prop_map(Value::text);
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(Value::List),
                prop::collection::btree_map("[a-z .é&=+%]{1,6}", inner, 1..4).prop_map(|members| {
                    Value::Object(members.into_iter().map(|(k, v)| (k.into(), v)).collect())
                }),
            ]
        })
    }

    fn written(name: &str, value: &Value, pairs: &mut Vec<String>) {
        let escaped = |text: &str| -> String {
            text.bytes()
                .map(|byte| match byte {
                    b' ' => "+".to_owned(),
                    b'a'..=b'z' => char::from(byte).to_string(),
                    _ => format!("%{byte:02X}"),
                })
                .collect()
        };
        match value {
            Value::Text(text) => pairs.push(format!("{}={}", escaped(name), escaped(text))),
            Value::List(items) => {
                for (place, item) in items.iter().enumerate() {
                    written(&format!("{name}[{place}]"), item, pairs);
                }
            }
            Value::Object(members) => {
                for (key, member) in members {
                    written(&format!("{name}[{key}]"), member, pairs);
                }
            }
            other => panic!("{other:?}"),
        }
    }

    proptest! {
        #[test]
        fn a_document_reads_as_it_was_written(
            members in prop::collection::btree_map("[a-z .é]{1,6}", sayable(), 0..4)
        ) {
            let document = Value::Object(members.into_iter().map(|(k, v)| (k.into(), v)).collect());
            let mut pairs = Vec::new();
            if let Value::Object(members) = &document {
                members.iter().for_each(|(name, member)| written(name, member, &mut pairs));
            }

            let read = form(pairs.join("&").as_bytes(), UTF_8, &Limits::default());

            prop_assert_eq!(read, Ok(document));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, brackets in r"([a-c0-2&=]|\[|\]|\[\]){0,40}") {
            let _read = form(&bytes, UTF_8, &Limits::default());
            let _read = form(brackets.as_bytes(), UTF_8, &Limits::default());
        }
    }
}

//! What a source says about the shape of its documents: what is always a list, and what is JSON in a text.

use super::json::json_text;
use super::{Error, Limits};
use crate::document::Value;

/// Makes lists of members with these names where they are none.
pub(super) fn always_arrays(value: &mut Value, names: &[String]) {
    match value {
        Value::List(items) => items.iter_mut().for_each(|item| always_arrays(item, names)),
        Value::Object(members) => {
            for (name, member) in members {
                always_arrays(member, names);
                if !matches!(member, Value::List(_)) && names.iter().any(|own| **own == **name) {
                    *member = Value::List(vec![std::mem::take(member)]);
                }
            }
        }
        _ => {}
    }
}

/// Reads the texts of members with these names as JSON, wherever they stand; a blank text stays what it is.
pub(super) fn parse_json(
    value: &mut Value,
    names: &[String],
    limits: &Limits,
) -> Result<(), Error> {
    let mut nodes = 0;
    walk(value, names, &mut Walk { nodes: &mut nodes, level: 0, limits })
}

struct Walk<'w> {
    nodes: &'w mut usize,
    level: usize,
    limits: &'w Limits,
}

fn walk(value: &mut Value, names: &[String], at: &mut Walk<'_>) -> Result<(), Error> {
    at.level += 1;
    match value {
        Value::List(items) => {
            for item in items {
                walk(item, names, at)?;
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                if names.iter().any(|own| **own == **name) {
                    match member {
                        Value::List(items) => {
                            at.level += 1;
                            for item in items {
                                parse(item, at)?;
                            }
                            at.level -= 1;
                        }
                        Value::Text(_) => parse(member, at)?,
                        _ => {}
                    }
                }
                walk(member, names, at)?;
            }
        }
        _ => {}
    }
    at.level -= 1;
    Ok(())
}

fn parse(value: &mut Value, at: &mut Walk<'_>) -> Result<(), Error> {
    if let Value::Text(text) = value
        && !text.trim().is_empty()
    {
        let parsed = json_text(text, at.level, at.nodes, at.limits);
        *value = parsed.map_err(|error| match error {
            Error::TooDeep { .. } | Error::TooManyNodes { .. } => error,
            other => Error::NestedJson(Box::new(other)),
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::json;

    fn document(text: &str) -> Value {
        json(text.as_bytes(), &Limits::default()).unwrap()
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_member_is_a_list_also_when_there_is_only_one() {
        let mut value = document(r#"{"a":{"b":"1"},"c":[{"b":["2"]},{"b":{"a":""}}]}"#);

        always_arrays(&mut value, &names(&["a", "b"]));

        assert_eq!(value, document(r#"{"a":[{"b":["1"]}],"c":[{"b":["2"]},{"b":[{"a":[""]}]}]}"#));
    }

    #[test]
    fn json_in_a_text_is_read_wherever_the_field_stands() {
        for (before, after) in [
            (r#"{"a":"{\"b\":1.10}","c":"{}"}"#, r#"{"a":{"b":1.10},"c":"{}"}"#),
            (r#"{"x":[{"a":"[]"}],"a":["1","true"," "]}"#, r#"{"x":[{"a":[]}],"a":[1,true," "]}"#),
            (r#"{"a":"{\"a\":\"{\\\"a\\\":2}\"}"}"#, r#"{"a":{"a":{"a":2}}}"#),
            (r#"{"a":{"b":"{}"},"b":null}"#, r#"{"a":{"b":"{}"},"b":null}"#),
        ] {
            let mut value = document(before);
            parse_json(&mut value, &names(&["a"]), &Limits::default()).unwrap();
            assert_eq!(value, document(after), "{before}");
        }
    }

    #[test]
    fn a_field_without_json_is_refused_and_the_limits_go_on_counting() {
        let read = |text: &str| {
            let mut value = document(text);
            parse_json(&mut value, &names(&["a"]), &Limits::default()).unwrap_err().to_string()
        };
        assert_eq!(
            read(r#"{"a":"{oops"}"#),
            "a field of `body.parse_json` holds no JSON: the body does not parse: a key in quotes is expected (line 1, column 2)"
        );
        let deep = format!("{{\"x\":{{\"a\":\"{}{}\"}}}}", "[".repeat(63), "]".repeat(63));
        assert!(read(&deep).contains("64 levels"));
        let long =
            format!("{{\"a\":[{}\"1\"]}}", format!("\"[{}1]\",", "1,".repeat(999)).repeat(100));
        assert!(read(&long).contains("100000 values"));
    }
}

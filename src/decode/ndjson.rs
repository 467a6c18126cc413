//! JSON documents, one a line (NDJSON, JSON Lines), as one list.

use super::json::json_text;
use super::{Error, Limits};
use crate::document::Value;

/// Reads every line that is not blank.
pub(super) fn ndjson(text: &str, limits: &Limits) -> Result<Value, Error> {
    let (mut items, mut nodes) = (Vec::new(), 1);
    for (before, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let item = json_text(line, 1, &mut nodes, limits).map_err(|error| match error {
            Error::Syntax { what, line, column } => {
                Error::Syntax { what, line: before + line, column }
            }
            Error::RepeatedKey { line, column } => {
                Error::RepeatedKey { line: before + line, column }
            }
            other => other,
        })?;
        items.push(item);
    }
    Ok(Value::List(items))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<String, String> {
        ndjson(text, &Limits::default())
            .map(|document| serde_json::to_string(&document).unwrap())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn each_line_is_an_item() {
        for (text, document) in [
            ("", "[]"),
            ("{\"a\":1}\n{\"a\":2}\n", r#"[{"a":1},{"a":2}]"#),
            ("{\"a\":1}\r\n\r\n  \n[2]", r#"[{"a":1},[2]]"#),
        ] {
            assert_eq!(read(text).as_deref(), Ok(document), "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, message) in [
            ("{}\n{\n}", "the body does not parse: a key in quotes is expected (line 2, column 2)"),
            (
                "{}\n\n{} {}",
                "the body does not parse: something stands behind the value (line 3, column 4)",
            ),
            ("{}\n{\"a\":1,\"a\":2}", "a key stands twice in one object (line 2, column 8)"),
        ] {
            assert_eq!(read(text).unwrap_err(), message);
        }
    }

    #[test]
    fn depth_and_values_are_bounded_over_all_lines() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(read(&nested(63)).is_ok());
        assert!(read(&nested(64)).unwrap_err().contains("64 levels"));
        assert!(read(&"1\n".repeat(99_999)).is_ok());
        assert!(read(&"1\n".repeat(100_000)).unwrap_err().contains("100000 values"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _read = ndjson(&text, &Limits::default());
        }
    }
}

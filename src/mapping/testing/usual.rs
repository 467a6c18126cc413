//! What a file that holds a body is, by its name.

use std::borrow::Cow;

/// The longest boundary that RFC 2046 allows.
const LONGEST_BOUNDARY: usize = 70;

/// The content type that a body in a file of this name usually has; the boundary of its parts is in its first line.
pub fn usual_content_type(name: &str, body: &[u8]) -> Option<Cow<'static, str>> {
    Some(match name.rsplit_once('.')?.1 {
        "json" => "application/json".into(),
        "form" | "txt" => "application/x-www-form-urlencoded".into(),
        "multipart" => format!("multipart/form-data; boundary=\"{}\"", boundary(body)?).into(),
        "xml" => "application/xml".into(),
        "ndjson" | "jsonl" => "application/x-ndjson".into(),
        _ => return None,
    })
}

fn boundary(body: &[u8]) -> Option<&str> {
    let line = body.split(|byte| *byte == b'\n').next()?.trim_ascii_end();
    let boundary = std::str::from_utf8(line).ok()?.strip_prefix("--")?;
    let is_one = (1..=LONGEST_BOUNDARY).contains(&boundary.len())
        && boundary
            .bytes()
            .all(|byte| (b' '..0x7f).contains(&byte) && !matches!(byte, b'"' | b'\\'));
    is_one.then_some(boundary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_a_body_is_and_its_first_line_where_parts_end() {
        for (name, body, expected) in [
            ("a.json", "{}", Some("application/json")),
            ("fixtures/a.b.form", "a=1", Some("application/x-www-form-urlencoded")),
            ("a.xml", "<a/>", Some("application/xml")),
            ("a.ndjson", "{}", Some("application/x-ndjson")),
            ("a.multipart", "--B=1 x\r\n\r\n", Some("multipart/form-data; boundary=\"B=1 x\"")),
            ("a.multipart", "----B\n", Some("multipart/form-data; boundary=\"--B\"")),
            ("a.multipart", "--\r\n", None),
            ("a.multipart", "B\r\n", None),
            ("a.multipart", "--a\"b\r\n", None),
            ("a.multipart", "", None),
            ("a.body", "{}", None),
            ("json", "{}", None),
        ] {
            assert_eq!(
                usual_content_type(name, body.as_bytes()).as_deref(),
                expected,
                "{name} {body:?}"
            );
        }
    }
}

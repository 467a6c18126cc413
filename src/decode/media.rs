//! A content type taken apart: the media type and its parameters (RFC 9110, section 8.3).

/// The media type in lower case, without its parameters.
pub(super) fn media_type(content_type: &str) -> String {
    let (media, _) = content_type.split_once(';').unwrap_or((content_type, ""));
    media.trim().to_ascii_lowercase()
}

/// The value of a parameter (its name in lower case), out of its quotes.
pub(super) fn parameter(header: &str, name: &str) -> Option<String> {
    let (_, mut rest) = header.split_once(';')?;
    loop {
        let (own, after) = rest.split_once('=')?;
        // A parameter without a value is passed over.
        let own = own.rsplit(';').next().unwrap_or_default().trim();
        let (value, left) = value(after);
        if own.eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = left;
    }
}

/// The value that begins here, and what stands behind it.
fn value(text: &str) -> (String, &str) {
    let text = text.trim_start();
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_once(';').unwrap_or((text, ""));
        return (value.trim().to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            // Windows paths in file names have plain backslashes: only what needs one is escaped.
            '\\' if matches!(characters.as_str().chars().next(), Some('"' | '\\')) => {
                value.extend(characters.next());
            }
            c => value.push(c),
        }
    }
    (value, characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_by_name_in_and_out_of_quotes() {
        for (header, name, found) in [
            ("text/xml; charset=utf-8", "charset", Some("utf-8")),
            ("text/xml;CHARSET=\"utf-8\"", "charset", Some("utf-8")),
            ("text/xml", "charset", None),
            ("text/xml; a; charset = x ; b=c", "charset", Some("x")),
            ("a/b; x=\"charset=no; \\\"\"; charset=yes", "charset", Some("yes")),
            ("form-data; name=\"a\\\"b\\\\c\"; filename=\"C:\\d.txt\"", "name", Some("a\"b\\c")),
            ("form-data; name=\"a\"; filename=\"C:\\d.txt\"", "filename", Some("C:\\d.txt")),
            ("a/b; charset=\"open", "charset", Some("open")),
            ("a/b;;;=", "charset", None),
        ] {
            assert_eq!(parameter(header, name).as_deref(), found, "{header}");
        }
    }
}

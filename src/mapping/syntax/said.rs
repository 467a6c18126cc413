//! What the YAML parser says, in the words of a person who writes mappings.

/// The parser's message, or its own words where there are no better ones, and what to do about it.
pub(super) fn in_our_words(said: &str) -> (String, Option<&'static str>) {
    for (mark, message, help) in WORDS {
        if said.contains(mark) {
            return ((*message).to_owned(), *help);
        }
    }
    if let Some(character) = said.strip_prefix("unexpected character: `") {
        let character = character.strip_suffix('\'').unwrap_or(character);
        return if character == "`" {
            ("YAML keeps the backtick at the beginning of a value for itself".to_owned(), QUOTE)
        } else if character.starts_with(['@', '%']) {
            (format!("YAML keeps `{character}` at the beginning of a value for itself"), QUOTE)
        } else {
            (format!("the character `{character}` cannot stand here"), None)
        };
    }
    (said.to_owned(), None)
}

const QUOTE: Option<&str> = Some("put the value in single quotes");
const INDENT: Option<&str> =
    Some("keys of one block begin at the same column, and so do the `-` of one list");

/// What is looked for in the parser's message, what is said instead, and what helps.
const WORDS: &[(&str, &str, Option<&str>)] = &[
    (
        "unknown anchor",
        "YAML reads a value that begins with `*` as an alias: a mapping file has none",
        QUOTE,
    ),
    (
        "mapping values are not allowed",
        "YAML reads a `: ` as the end of a key, and no key can stand here",
        INDENT,
    ),
    ("mapping keys are not allowed", "YAML reads `? ` as the beginning of a key", QUOTE),
    (
        "found unknown escape character",
        "inside double quotes a `\\` begins an escape, and YAML does not know this one",
        Some("inside single quotes a `\\` is itself"),
    ),
    (
        "trailing content after single-quoted",
        "the text ends at this `'`, and more follows",
        Some("inside single quotes a quote is written twice: `'it''s'`"),
    ),
    (
        "trailing content after double-quoted",
        "the text ends at this `\"`, and more follows",
        Some("inside double quotes a quote is written `\\\"`"),
    ),
    ("unclosed quote", "this quote is not closed", Some("close it with the same mark")),
    ("unclosed bracket", "this bracket is not closed", Some("close it on the line where it ends")),
    ("tabs disallowed", "a tab cannot indent", Some("indent with spaces")),
    ("parsing a flow mapping", "inside `{ }` a `,` or `}` is expected here", None),
    ("parsing a flow sequence", "inside `[ ]` a `,` or `]` is expected here", None),
    ("illegal placement of ':'", "no key can stand here", None),
    ("expected '-' indicator", "this line is indented like none of those before it", INDENT),
    ("did not find expected key", "a key is expected here", INDENT),
    ("expected <document start>", "the document has ended, and more follows", None),
    ("recursion limit", "the file is nested too deep", None),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parsers_words_become_ours_and_what_is_not_known_stays() {
        for (said, message) in [
            ("while parsing node, found unknown anchor", WORDS[0].1),
            ("unexpected character: `@'", "YAML keeps `@` at the beginning of a value for itself"),
            (
                "unexpected character: ``'",
                "YAML keeps the backtick at the beginning of a value for itself",
            ),
            ("unexpected character: `\\u{0}'", "the character `\\u{0}` cannot stand here"),
            ("something new", "something new"),
        ] {
            assert_eq!(in_our_words(said).0, message);
        }
    }
}

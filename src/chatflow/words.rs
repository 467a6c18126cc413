//! The API's own words, made fit for logs and dead letters: short, on one line, without people.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// As many characters of the API's words as are kept.
const LONGEST: usize = 300;

/// An id of Chatflow's (kept), what may be a phone number, an e-mail address.
#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test below")]
static PEOPLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        \b(?P<id>[0-9A-Fa-f]{24})\b
        | (?P<phone> \+? [0-9] (?: [\ ().\-]{0,2} [0-9] ){6,} )
        | (?P<mail> [^\s@<>()\[\]'\x22,;:]+ (?: @ | %40 ) [^\s@<>()\[\]'\x22,;:]+ )
    ",
    )
    .expect("a constant pattern")
});

/// What the API said, with phone numbers and e-mail addresses hidden, control characters as spaces, and cut off
/// after 300 characters.
pub(super) fn tidy(words: &str) -> String {
    // Twice the length is enough to decide what is shown, whatever comes behind.
    let words: String = words.chars().take(2 * LONGEST).collect();
    let hidden: Cow<'_, str> = PEOPLE.replace_all(&words, |found: &Captures<'_>| {
        match (found.name("id"), found.name("phone")) {
            (Some(id), _) => id.as_str().to_owned(),
            (None, Some(_)) => "[number]".to_owned(),
            (None, None) => "[address]".to_owned(),
        }
    });
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let mut short: String = hidden.trim().chars().take(LONGEST).map(visible).collect();
    if hidden.trim().chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_and_people_are_not() {
        for (said, kept) in [
            ("Tag 'gold' does not exist", "Tag 'gold' does not exist"),
            ("no contact 65f0c0ffee0123456789abcd", "no contact 65f0c0ffee0123456789abcd"),
            ("mobile 919812345678 exists", "mobile [number] exists"),
            ("mobile=+91 98123-45678.", "mobile=[number]."),
            ("user (202) 555-0143", "user ([number]"),
            ("email <ann@example.com>, or a%40b.c", "email <[address]>, or [address]"),
            ("limit is 100 per 60 s", "limit is 100 per 60 s"),
            ("two\r\nlines\u{1b}[31m", "two  lines [31m"),
            ("", ""),
        ] {
            assert_eq!(tidy(said), kept, "{said:?}");
        }
    }

    #[test]
    fn words_are_cut_off_after_300_characters() {
        assert_eq!(tidy(&"ä".repeat(300)), "ä".repeat(300));
        assert_eq!(tidy(&"ä".repeat(301)), format!("{}…", "ä".repeat(300)));
    }
}

//! Text steps: they change one text, and each text of a list.

use regex::Regex;
use sha2::{Digest, Sha256};

use super::call::Args;
use super::{Changed, html, text};
use crate::contact::HeldReason;
use crate::document::Value;
use crate::mapping::Held;
use crate::mapping::syntax::{Code, Problem, Problems};

/// A text step. Numbers and booleans are taken as their text.
#[derive(Debug)]
pub(in crate::mapping) enum TextStep {
    /// Without white space at both ends.
    Trim,
    /// In lower case.
    Lower,
    /// In upper case.
    Upper,
    /// Each word with its first letter up and the rest down.
    Title,
    /// Every run of white space one space, none at the ends.
    CollapseSpaces,
    /// Without tags, entities decoded.
    StripHtml,
    /// `a-z`, `0-9` and `-` alone.
    Slug,
    /// One text replaced by another wherever it stands.
    Replace(Box<str>, Box<str>),
    /// What a group of the pattern matches; nothing where it does not match.
    Regex(Regex, usize),
    /// With this before it.
    Prefix(Box<str>),
    /// With this after it.
    Suffix(Box<str>),
    /// No longer than so many Unicode scalar values.
    Truncate(usize),
    /// The SHA-256 of it, in hexadecimal digits.
    Sha256,
}

impl TextStep {
    /// The names of these steps.
    pub(super) const NAMES: [&str; 13] = [
        "trim",
        "lower",
        "upper",
        "title",
        "collapse_spaces",
        "strip_html",
        "slug",
        "replace",
        "regex",
        "prefix",
        "suffix",
        "truncate",
        "sha256",
    ];

    /// Reads a step by its name.
    pub(super) fn read(name: &str, args: &mut Args<'_>, problems: &mut Problems) -> Option<Self> {
        match name {
            "trim" => Some(Self::Trim),
            "lower" => Some(Self::Lower),
            "upper" => Some(Self::Upper),
            "title" => Some(Self::Title),
            "collapse_spaces" => Some(Self::CollapseSpaces),
            "strip_html" => Some(Self::StripHtml),
            "slug" => Some(Self::Slug),
            "sha256" => Some(Self::Sha256),
            "prefix" => args.text("a text", problems).map(|(text, _)| Self::Prefix(text.into())),
            "suffix" => args.text("a text", problems).map(|(text, _)| Self::Suffix(text.into())),
            "truncate" => args.count("a number of characters", problems).map(Self::Truncate),
            "replace" => replace(args, problems),
            "regex" => pattern(args, problems),
            _ => None,
        }
    }

    /// Whether the step leaves what it has made as it is.
    pub(super) fn is_settling(&self) -> bool {
        matches!(self, Self::Trim | Self::Lower | Self::Upper | Self::CollapseSpaces | Self::Slug)
    }

    pub(super) fn change(&self, value: &Value) -> Changed {
        let text = text(value)?;
        Ok(Some(Value::text(match self {
            Self::Trim => text.trim().to_owned(),
            Self::Lower => text.to_lowercase(),
            Self::Upper => text.to_uppercase(),
            Self::Title => title(text),
            Self::CollapseSpaces => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Self::StripHtml => html::strip(text),
            Self::Slug => slug(text),
            Self::Replace(from, to) => text.replace(&**from, to),
            Self::Regex(pattern, group) => {
                let found = pattern.captures(text).and_then(|groups| groups.get(*group));
                let Some(found) = found else { return Ok(None) };
                found.as_str().to_owned()
            }
            Self::Prefix(prefix) => format!("{prefix}{text}"),
            Self::Suffix(suffix) => format!("{text}{suffix}"),
            Self::Truncate(longest) => text.chars().take(*longest).collect(),
            Self::Sha256 => hex::encode(Sha256::digest(text.as_bytes())),
        })))
    }
}

fn replace(args: &mut Args<'_>, problems: &mut Problems) -> Option<TextStep> {
    let (from, arg) = args.text("from", problems)?;
    let (to, _) = args.text("to", problems)?;
    if from.is_empty() {
        let problem = Problem::error(Code::Step, arg.span.clone(), "there is nothing to replace");
        args.wrong(problem, problems);
    }
    Some(TextStep::Replace(from.into(), to.into()))
}

/// A pattern of the `regex` crate. Without `group` it is the first group, or all where there is none.
fn pattern(args: &mut Args<'_>, problems: &mut Problems) -> Option<TextStep> {
    let (written, arg) = args.text("pattern", problems)?;
    let pattern = match Regex::new(written) {
        Ok(pattern) => pattern,
        Err(error) => {
            args.wrong(bad_pattern(arg.span.clone(), &error), problems);
            return None;
        }
    };
    let groups = pattern.captures_len() - 1;
    let Some(group) = args.by_name("group") else {
        return Some(TextStep::Regex(pattern, groups.min(1)));
    };
    match group.as_text().and_then(|text| text.parse::<usize>().ok()) {
        Some(number) if number <= groups => Some(TextStep::Regex(pattern, number)),
        _ => {
            let message =
                format!("`group` is a number from 0 to {groups}, as the pattern has groups");
            args.wrong(Problem::error(Code::Pattern, group.span.clone(), message), problems);
            None
        }
    }
}

/// That a pattern cannot be read; the library's text ends in the reason.
pub(in crate::mapping) fn bad_pattern(
    span: std::ops::Range<usize>,
    error: &regex::Error,
) -> Problem {
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default();
    let reason = reason.strip_prefix("error: ").unwrap_or(reason);
    Problem::error(Code::Pattern, span, format!("this is no regular expression: {reason}"))
}

/// An e-mail address: something, one `@`, a domain with a dot, and no blanks. It comes out trimmed.
pub(super) fn email(value: &Value) -> Changed {
    let written = text(value)?.trim();
    let is_domain = |domain: &str| {
        domain.contains('.')
            && domain.split('.').all(|label| {
                !label.is_empty()
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            })
    };
    let is_local = |local: &str| {
        !local.is_empty()
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && local.chars().all(|c| !c.is_whitespace() && !"@<>(),;:\\\"[]".contains(c))
    };
    match written.rsplit_once('@') {
        Some((local, domain)) if is_local(local) && is_domain(domain) => {
            Ok(Some(Value::text(written)))
        }
        _ => Err(Held::new(
            HeldReason::Step,
            "an e-mail address is expected, a text that is none was found",
        )),
    }
}

fn title(text: &str) -> String {
    let mut titled = String::with_capacity(text.len());
    let mut in_word = false;
    for c in text.chars() {
        if c.is_whitespace() {
            titled.push(c);
        } else if in_word {
            titled.extend(c.to_lowercase());
        } else {
            titled.extend(c.to_uppercase());
        }
        in_word = !c.is_whitespace();
    }
    titled
}

fn slug(text: &str) -> String {
    let plain = icu_normalizer::DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let mut slug = String::with_capacity(plain.len());
    for c in plain.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            slug.push(c);
        } else if !is_mark(c) && !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// Whether a character is a mark that stands on the letter before it.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}')
}

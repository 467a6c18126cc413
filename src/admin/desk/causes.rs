//! Dead letters by cause: what one mended rule, tag or setting would help.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::asked::Filter;
use super::{Desk, Refused};
use crate::store::{Page, UpdateRow};

/// So many updates are looked at.
const MOST: usize = 100_000;
/// So many at a time.
const PAGE: usize = 500;

/// Updates that stand where they stand for one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The state.
    pub state: String,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The status of the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The source.
    pub source: String,
    /// The rule.
    pub rule: String,
    /// What was expected and found, or the API's words; numbers and ids as `…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// How many there are.
    pub count: u64,
    /// One of them, the youngest that was seen.
    pub example: String,
}

/// The causes, the most frequent first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Causes {
    /// Each of them.
    pub causes: Vec<Cause>,
    /// How many updates were looked at.
    pub updates: u64,
    /// Whether that were all.
    pub complete: bool,
}

impl Desk {
    /// Groups what a filter finds, or what is held and dead, by cause.
    pub async fn causes(&self, filter: &Filter) -> Result<Causes, Refused> {
        let mut wanted = filter.wanted()?;
        if wanted.states.is_empty() {
            wanted.states = vec!["held".to_owned(), "dead".to_owned()];
        }
        let mut found = Causes::default();
        let mut places = HashMap::new();
        let mut before = None;
        while found.updates < MOST as u64 {
            let page = self.store.find(&wanted, Page { most: PAGE, before }).await?;
            for row in &page.rows {
                found.count(row, &mut places);
            }
            before = page.next;
            if before.is_none() {
                found.complete = true;
                break;
            }
        }
        found.causes.sort_by_key(|cause| std::cmp::Reverse(cause.count));
        Ok(found)
    }
}

/// All by which causes differ.
type Key = (&'static str, Option<String>, Option<u16>, String, String, Option<String>);

impl Causes {
    fn count(&mut self, row: &UpdateRow, places: &mut HashMap<Key, usize>) {
        self.updates += 1;
        let words = row.detail.as_deref().map(normalised);
        let (reason, source) = (row.reason.clone(), row.source.as_str().to_owned());
        let key = (row.state, reason, row.status, source, row.rule.clone(), words);
        if let Some(cause) = places.get(&key).and_then(|place| self.causes.get_mut(*place)) {
            cause.count += 1;
            return;
        }
        let (state, reason, status, source, rule, words) = key.clone();
        places.insert(key, self.causes.len());
        self.causes.push(Cause {
            state: state.to_owned(),
            reason,
            status,
            source,
            rule,
            words,
            count: 1,
            example: row.update.clone(),
        });
    }
}

/// Words that are longer are cut.
const LONGEST: usize = 200;

/// The same text for one cause: what differs from contact to contact is `…`.
fn normalised(words: &str) -> String {
    static VARIES: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?x) [\w.+-]+@[\w.-]+ | \b[0-9a-fA-F]{8,}(?:-[0-9a-fA-F]+)*\b | \+?\d[\d\ .:-]{3,}\d | \b\d{3,}\b").ok()
    });
    let one_line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut text = match &*VARIES {
        Some(varies) => varies.replace_all(&one_line, "…").into_owned(),
        None => one_line,
    };
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_one_cause_are_one_text() {
        for (words, text) in [
            ("tag `gold` does not exist", "tag `gold` does not exist"),
            ("contact 65f0c0ffee0123456789abcd not found", "contact … not found"),
            ("+1 202 555 0143 is no number", "… is no number"),
            ("ann@example.com\n  is taken", "… is taken"),
            ("expected 2 values, found 14", "expected 2 values, found 14"),
            ("no number for e164, 500 times", "no number for e164, … times"),
            ("request 00000000-0000-4000-8000-000000000000 failed", "request … failed"),
        ] {
            assert_eq!(normalised(words), text);
        }
        assert_eq!(normalised(&"ä".repeat(300)).chars().count(), LONGEST);
    }
}

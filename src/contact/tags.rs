//! Replace, add and remove of tags as one change.

use serde::{Deserialize, Serialize};

/// A change to a contact's tags. Either `replace`, or `add` and `remove`: one request never carries both.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TagChange {
    /// The whole new list; empty clears all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace: Option<Vec<String>>,
    /// Tags to add, without repeats and without any that is removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<String>,
    /// Tags to remove, without repeats.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

impl TagChange {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.replace.is_none() && self.add.is_empty() && self.remove.is_empty()
    }

    /// Makes one consistent change of what a rule says: a tag both added and removed is removed, and beside
    /// a replacement the changes become part of it.
    pub fn of(replace: Option<Vec<String>>, add: Vec<String>, remove: Vec<String>) -> Self {
        let remove = without_repeats(remove);
        let add: Vec<_> =
            without_repeats(add).into_iter().filter(|tag| !remove.contains(tag)).collect();
        match replace {
            None => Self { replace: None, add, remove },
            Some(tags) => {
                let mut tags = without_repeats(tags.into_iter().chain(add).collect());
                tags.retain(|tag| !remove.contains(tag));
                Self { replace: Some(tags), add: Vec::new(), remove: Vec::new() }
            }
        }
    }
}

fn without_repeats(tags: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    tags.into_iter().filter(|tag| seen.insert(tag.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(tags: &[&str]) -> Vec<String> {
        tags.iter().map(|&tag| tag.to_owned()).collect()
    }

    #[test]
    fn a_tag_both_added_and_removed_is_removed() {
        let change = TagChange::of(None, list(&["a", "b", "a"]), list(&["b", "b"]));

        assert_eq!(change, TagChange { replace: None, add: list(&["a"]), remove: list(&["b"]) });
    }

    #[test]
    fn beside_a_replacement_changes_become_part_of_it() {
        let change = TagChange::of(Some(list(&["a", "b"])), list(&["c"]), list(&["a"]));

        assert_eq!(change.replace, Some(list(&["b", "c"])));
        assert!(change.add.is_empty() && change.remove.is_empty());
    }
}

//! The mapping files of a folder, read and checked as one set.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::diagnostics::Report;
use super::syntax::{self, Code, LIBRARY, Problem};
use super::{Source, syntax::Base, syntax::Read as ReadFile};
use crate::event::SourceName;

/// All sources, by name.
#[derive(Debug, Clone)]
pub struct Set {
    sources: BTreeMap<SourceName, Arc<Source>>,
    hash: String,
}

/// What reading a set gives.
#[derive(Debug)]
pub struct Read {
    /// The set, where no file has an error.
    pub set: Option<Set>,
    /// All files in the order of their names, each with what is wrong with it: errors, warnings or nothing.
    pub reports: Vec<Report>,
}

impl Set {
    /// Reads files, given by the name they are shown under and their text. Their order makes no difference. One that is
    /// named `library:NAME` is no source: it is the shipped mapping of that name, for files that extend it; without it
    /// that of the program is.
    /// What stands under `verify:` and `respond:` is not looked into: see [`Self::read_with`].
    pub fn read(files: Vec<(String, String)>) -> Read {
        Self::read_with(files, &|_, _, _| {})
    }

    /// The same; `check` checks what stands under `verify:` and `respond:`, which have their meaning at the door.
    pub fn read_with(mut files: Vec<(String, String)>, check: syntax::Check<'_>) -> Read {
        files.sort();
        let hash = Self::hash_of(&files);
        let (bases, files): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|(name, _)| name.starts_with(LIBRARY));
        let mut sources: BTreeMap<SourceName, Source> = BTreeMap::new();
        let mut names: BTreeMap<SourceName, String> = BTreeMap::new();
        let mut reports = Vec::new();
        for (file, text) in files {
            let ReadFile { source, name, mut problems, hidden, base } =
                syntax::read(&file, &text, &bases, check);
            if let Some((name, span)) = name {
                if let Some(first) = names.get(&name) {
                    problems.push(
                        Problem::error(
                            Code::Name,
                            span,
                            format!("`{first}` and `{file}` both describe the source `{name}`"),
                        )
                        .help("another name under `source`, or one file of the two"),
                    );
                } else {
                    names.insert(name, file.clone());
                }
            }
            sources.extend(source.map(|source| (source.name.clone(), source)));
            let shipped = base.and_then(|(base, problems)| of_base(base, problems, &file));
            reports.push(Report { file, text: without(text, &hidden), problems });
            reports.extend(shipped);
        }
        let looked_up = Arc::new(looked_up(sources.values()));
        let known = |(name, source)| {
            let looked_up = Arc::clone(&looked_up);
            (name, Arc::new(Source { looked_up, ..source }))
        };
        let sources = sources.into_iter().map(known).collect();
        let whole = !reports.iter().any(Report::has_errors);
        Read { set: whole.then_some(Self { sources, hash }), reports }
    }

    /// The source of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Source>> {
        self.sources.get(&SourceName::try_from(name).ok()?)
    }

    /// All sources, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.sources.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// The hash that a set of these files has, in whatever order they come, fit or not.
    pub fn hash_of(files: &[(String, String)]) -> String {
        let mut files: Vec<_> = files.iter().collect();
        files.sort();
        hash(&files)
    }

    /// The hash of the names and texts of all files, in hexadecimal: the same for the same set.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// The attributes by which rules find contacts, of whatever source they are.
fn looked_up<'s>(sources: impl Iterator<Item = &'s Source>) -> BTreeSet<String> {
    let rules = sources.flat_map(|source| &source.compiled);
    rules.flat_map(|rule| rule.looks_up().map(str::to_owned)).collect()
}

/// What is wrong in a shipped mapping once `file` stands on top of it.
fn of_base(base: Base, mut problems: Vec<Problem>, file: &str) -> Option<Report> {
    for problem in &mut problems {
        problem.message = format!("{} (extended by `{file}`)", problem.message);
    }
    let is_worth_it = !problems.is_empty();
    is_worth_it.then_some(Report { file: base.name, text: base.text, problems })
}

fn hash(files: &[&(String, String)]) -> String {
    let mut hasher = Sha256::new();
    for part in files.iter().flat_map(|file| [&file.0, &file.1]) {
        // The length in front keeps two different sets from running into one text.
        hasher.update(part.len().to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hex::encode(hasher.finalize())
}

/// The text with secrets made unreadable, every other character in its place.
fn without(text: String, hidden: &[std::ops::Range<usize>]) -> String {
    if hidden.is_empty() {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if c != '\n' && hidden.iter().any(|span| span.contains(&at)) {
            (0..c.len_utf8()).for_each(|_| shown.push('*'));
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::plan::{Decision, Input};
    use crate::mapping::syntax::{Node, Problems};
    use crate::mapping::testing;

    const EMPTY: &str = "verify: { token: { in: path, secret: env:T } }\nevent: { id: none }\nrules: []\ntests: []\n";

    fn file(name: &str, text: &str) -> (String, String) {
        (name.to_owned(), text.to_owned())
    }

    #[test]
    fn a_set_is_found_by_name_and_known_by_its_hash() {
        let read = |files: &[(&str, &str)]| {
            Set::read(files.iter().map(|(name, text)| file(name, text)).collect()).set.unwrap()
        };
        let named = format!("source: shop\n{EMPTY}");
        let set = read(&[("b.yaml", EMPTY), ("a.yaml", &named)]);
        let other_order = read(&[("a.yaml", &named), ("b.yaml", EMPTY)]);
        let other_text = read(&[("a.yaml", EMPTY), ("b.yaml", EMPTY)]);

        assert_eq!(set.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["b", "shop"]);
        assert_eq!(set.get("shop").unwrap().file, "a.yaml");
        assert!(set.get("a").is_none() && set.get("No Name").is_none());
        assert_eq!(set.hash(), other_order.hash());
        assert_ne!(set.hash(), other_text.hash());
        assert_eq!(set.hash().len(), 64);
    }

    #[test]
    fn what_rules_of_any_file_find_contacts_by_is_a_key_in_the_updates_of_all() {
        let finds = "verify: none\nevent: { id: none }\nrules: [{ name: a, contact: { attribute: { name: email, value: $.e } }, update: { name: $.n } }]\n";
        let sets = "verify: none\nevent: { id: none }\nrules: [{ name: a, contact: { mobile: $.m }, update: { attributes: { email: $.e, city: $.c } } }]\n";
        let keys = |files: &[(&str, &str)]| {
            let files = files.iter().map(|(name, text)| file(name, text)).collect();
            let set = Set::read(files).set.unwrap();
            let document = |yaml: &str| {
                let node = Node::read(yaml).unwrap();
                testing::document(&node, &mut Problems::default()).unwrap()
            };
            let empty = document("{}");
            let document = document("{ m: '+12025550143', e: ann@example.com, c: Pune }");
            let input = Input {
                document: &document,
                headers: &empty,
                query: &empty,
                received_at: jiff::Timestamp::UNIX_EPOCH,
            };
            let mut planned = set.get("sets").unwrap().plan(&input).remove(0).planned;
            match planned.remove(0).decision {
                Decision::Update(update) => update.keys,
                other => panic!("{other:?}"),
            }
        };

        assert_eq!(keys(&[("finds.yaml", finds), ("sets.yaml", sets)]), ["email"]);
        assert_eq!(keys(&[("sets.yaml", sets)]), [""; 0]);
    }

    #[test]
    fn two_files_cannot_describe_one_source() {
        let shop = format!("source: shop\n{EMPTY}");
        let read = Set::read(vec![file("shop.yaml", EMPTY), file("a.yaml", &shop)]);

        assert!(read.set.is_none());
        let last = read.reports.last().unwrap();
        assert_eq!(last.file, "shop.yaml");
        assert_eq!(
            last.problems.last().unwrap().message,
            "`a.yaml` and `shop.yaml` both describe the source `shop`"
        );
    }

    #[test]
    fn one_wrong_file_spoils_the_set_and_every_file_is_reported() {
        let read = Set::read(vec![file("a.yaml", "rules: []"), file("b.yaml", "nonsense")]);

        assert!(read.set.is_none());
        assert_eq!(
            read.reports.iter().map(|r| r.file.as_str()).collect::<Vec<_>>(),
            ["a.yaml", "b.yaml"]
        );
    }

    #[test]
    fn a_secret_written_in_a_file_that_is_no_yaml_is_not_shown_either() {
        let text = EMPTY.replace("env:T", "pässword[1");
        let read = Set::read(vec![file("a.yaml", &text)]);

        assert!(!read.reports[0].text.contains("pässword"), "{}", read.reports[0].text);
        assert!(!format!("{:?}", read.reports[0].problems).contains("pässword"));
    }

    #[test]
    fn a_secret_written_in_the_file_is_never_shown() {
        let text = EMPTY.replace("env:T", "pässword-1");
        let read = Set::read(vec![file("a.yaml", &text)]);

        let report = &read.reports[0];
        assert!(read.set.is_some());
        assert!(!report.text.contains("pässword-1"), "{}", report.text);
        assert_eq!(report.text.len(), text.len());
        assert!(report.problems.iter().any(|p| p.code == Code::WrittenSecret));
    }
}

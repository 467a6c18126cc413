//! `test --update`: the expectations of failing tests, written anew into their files.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use super::test::{Files, named};
use crate::mapping::testing::{Test, rewritten, run};
use crate::mapping::{Set, Source};

/// Rewrites the files of a set in place; gives how many expectations are new. A test whose body cannot be read is
/// left as it is: there is nothing it could expect.
pub(super) fn rewrite(set: &Set, selects: impl Fn(&str) -> bool) -> anyhow::Result<usize> {
    let mut count = 0;
    for source in set.iter() {
        let changes = changes(source, &selects);
        if changes.is_empty() {
            continue;
        }
        let path = Path::new(&source.file);
        let text = fs::read_to_string(path).with_context(|| source.file.clone())?;
        let changes: Vec<_> = changes.iter().map(|(test, actual)| (*test, actual)).collect();
        let new = rewritten(&text, &changes).with_context(|| source.file.clone())?;
        replace(path, &new).with_context(|| format!("`{}` cannot be written", source.file))?;
        count += changes.len();
    }
    Ok(count)
}

/// The tests of a source that fail, and what they would have to expect.
fn changes<'s>(source: &'s Source, selects: &impl Fn(&str) -> bool) -> Vec<(&'s Test, Value)> {
    let mut outside = Files::beside(source);
    let selected = source.tests().iter().filter(|test| selects(&named(source, test)));
    selected
        .filter_map(|test| {
            let outcome = run(source, test, &mut outside);
            let actual = outcome.actual.filter(|_| outcome.misses_expect);
            actual.map(|actual| (test, actual))
        })
        .collect()
}

/// Puts a new text in the place of a file, whole or not at all.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let path = fs::canonicalize(path)?;
    let permissions = fs::metadata(&path)?.permissions();
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().set_permissions(permissions)?;
    new.as_file().sync_all()?;
    new.persist(&path)?;
    Ok(())
}

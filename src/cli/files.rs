//! Writing new files for a person, never over one that is there.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Files to write: their names below the folder.
pub(super) type Files = Vec<(String, Vec<u8>)>;

/// Those of these files that are there already.
pub(super) fn there<'f>(folder: &Path, files: &'f Files) -> Vec<&'f str> {
    let names = files.iter().map(|(name, _)| name.as_str());
    names.filter(|name| folder.join(name).symlink_metadata().is_ok()).collect()
}

/// Writes files that are not there yet, all of them or none; gives their paths.
pub(super) fn write_new(folder: &Path, files: &Files) -> anyhow::Result<Vec<PathBuf>> {
    let mut written: Vec<PathBuf> = Vec::new();
    for (name, content) in files {
        let path = folder.join(name);
        if let Err(error) = write_one(&path, content) {
            // What is half there is worse than nothing; what cannot be removed either is named by the error's path.
            for path in &written {
                drop(std::fs::remove_file(path));
            }
            return Err(error);
        }
        written.push(path);
    }
    Ok(written)
}

fn write_one(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)
            .with_context(|| format!("`{}` cannot be made", parent.display()))?;
    }
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.with_context(|| format!("`{}` cannot be written", path.display()))?;
    file.write_all(content).with_context(|| {
        drop(std::fs::remove_file(path));
        format!("`{}` cannot be written", path.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_are_written_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let files = |names: &[&str]| -> Files {
            names.iter().map(|name| ((*name).to_owned(), b"x".to_vec())).collect()
        };
        write_new(folder.path(), &files(&["a/b", "c"])).unwrap();
        assert_eq!(there(folder.path(), &files(&["a/b", "d", "c"])), ["a/b", "c"]);

        assert!(write_new(folder.path(), &files(&["d", "e/f", "c/under-a-file"])).is_err());
        assert!(write_new(folder.path(), &files(&["d", "c"])).is_err());

        assert!(!folder.path().join("d").exists() && !folder.path().join("e/f").exists());
        assert_eq!(std::fs::read(folder.path().join("c")).unwrap(), b"x");
    }
}

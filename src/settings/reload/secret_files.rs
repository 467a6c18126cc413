//! The secret files that sources were opened with, so that a change of one is seen.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::webhook::verify::SecretSource;

/// What stood in each secret file when it was read: a hash, never the secret itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SecretFiles(BTreeMap<PathBuf, Result<[u8; 32], io::ErrorKind>>);

impl SecretFiles {
    /// The same files as they are now.
    pub(super) fn now(&self, source: &dyn SecretSource) -> Self {
        let look = |path: &PathBuf| (path.clone(), content(&source.file(path)));
        Self(self.0.keys().map(look).collect())
    }

    /// Whether one of them is away, or empty.
    pub(super) fn lack_one(&self) -> bool {
        let empty = content(&Ok(String::new()));
        self.0.values().any(|content| content.is_err() || *content == empty)
    }
}

/// A source of secrets that remembers which files were asked for and what stood in them.
pub(super) struct Remembering<'s> {
    source: &'s dyn SecretSource,
    files: RefCell<SecretFiles>,
}

impl<'s> Remembering<'s> {
    pub(super) fn new(source: &'s dyn SecretSource) -> Self {
        Self { source, files: RefCell::default() }
    }

    pub(super) fn into_files(self) -> SecretFiles {
        self.files.into_inner()
    }
}

impl SecretSource for Remembering<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.source.variable(name)
    }

    fn file(&self, path: &Path) -> io::Result<String> {
        let text = self.source.file(path);
        self.files.borrow_mut().0.insert(path.to_owned(), content(&text));
        text
    }
}

fn content(text: &io::Result<String>) -> Result<[u8; 32], io::ErrorKind> {
    match text {
        Ok(text) => Ok(Sha256::digest(text.as_bytes()).into()),
        Err(error) => Err(error.kind()),
    }
}

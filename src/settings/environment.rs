//! What is taken from outside: the environment, the settings file, secrets, the mapping files. The one place that
//! reads them.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::Sources;
use crate::library;
use crate::mapping::{self, LIBRARY};
use crate::webhook::verify::SecretSource;

/// The settings file that is read when none is named.
pub const DEFAULT_FILE: &str = "chatflow-bridge.yaml";

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The settings file.
    #[error("the settings file `{}` cannot be read: {error}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The folder of the mappings.
    #[error(
        "the mappings folder `{}` cannot be read: {error}; name another with `--mappings DIR` or `mappings.dir`",
        path.display()
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A mapping file.
    #[error("the mapping file `{}` cannot be read: {error}", path.display())]
    Mapping {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A folder without a mapping file.
    #[error("no mapping file (`*.yaml`) stands in `{}`", path.display())]
    NoMapping {
        /// The folder.
        path: PathBuf,
    },
}

/// The variables of this process.
pub fn variables() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The settings file that is named, or the default one where it exists, beside the environment and the flags.
pub fn sources(
    file: Option<&Path>,
    flags: Vec<(&'static str, String, &'static str)>,
) -> Result<Sources, Unreadable> {
    let path = file.unwrap_or(Path::new(DEFAULT_FILE));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && file.is_none() => None,
        Err(error) => return Err(Unreadable::Settings { path: path.to_owned(), error }),
    };
    Ok(Sources { file: text.map(|text| (path.to_owned(), text)), environment: variables(), flags })
}

/// The mapping files of a folder, by name: the name as it is shown, and the text; after them the shipped mappings that
/// they extend, as `library:NAME`, so that a set that is kept or compared has all that it is made of.
pub fn mapping_files(folder: &Path) -> Result<Vec<(String, String)>, Unreadable> {
    let unreadable = |error| Unreadable::Folder { path: folder.to_owned(), error };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_hidden =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        // What has the name of a mapping and cannot be read is an error: passing it over would close its source.
        if path.extension().is_some_and(|extension| extension == "yaml") && !is_hidden {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(Unreadable::NoMapping { path: folder.to_owned() });
    }
    paths.sort();
    let read = |path: PathBuf| match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path.display().to_string(), text)),
        Err(error) => Err(Unreadable::Mapping { path, error }),
    };
    let mut files = paths.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let extended: BTreeSet<_> =
        files.iter().filter_map(|(_, text)| mapping::extends(text)).collect();
    let shipped = extended.iter().filter_map(|name| library::get(name));
    let shipped = shipped.map(|own| (format!("{LIBRARY}{}", own.name), own.text.to_owned()));
    files.extend(shipped.collect::<Vec<_>>());
    Ok(files)
}

/// The secrets that mapping files name: variables of the environment, or files.
#[derive(Debug, Clone, Default)]
pub struct Secrets(HashMap<String, String>);

impl Secrets {
    /// Secrets from these variables, and from files.
    pub fn new(variables: Vec<(String, String)>) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl SecretSource for Secrets {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn file(&self, path: &Path) -> std::io::Result<String> {
        std::fs::read_to_string(path)
    }
}

//! Files that may be put in force: read, checked as one set, and if they are not fit, why.

use std::path::Path;
use std::sync::Arc;

use crate::mapping::{Report, Set};
use crate::settings::environment::{self, Unreadable};
use crate::webhook::{Flaw, check_door};

/// Mapping files: the name each is shown under, and its text.
pub type Files = Vec<(String, String)>;

/// A log line names so many problems at most.
const MOST_PROBLEMS: usize = 20;

/// A set that can be put in force.
#[derive(Debug)]
pub struct Fit {
    /// The set.
    pub set: Arc<Set>,
    /// The files it was read from.
    pub files: Files,
    /// Each file with its warnings.
    pub reports: Vec<Report>,
}

/// Why files are not put in force.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// A file has an error.
    #[error("{}", first(.0))]
    Invalid(Vec<Report>),
    /// The `verify` of a source cannot be used.
    #[error("`verify` cannot be used: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Verify(Vec<Flaw>),
    /// There is no file: that is a mistake more often than a wish.
    #[error("there is no mapping file any more; to stop taking webhooks, stop the bridge")]
    Nothing,
    /// The folder or a file cannot be read.
    #[error(transparent)]
    Unreadable(Unreadable),
}

/// Files as they were found, and whether they are fit.
#[derive(Debug)]
pub struct Offered {
    /// The same for the same content, and for the same trouble with reading it.
    pub fingerprint: String,
    /// What they are good for.
    pub checked: Result<Fit, Unfit>,
}

impl Offered {
    /// Reads and checks the files of a folder.
    pub fn read(folder: &Path) -> Self {
        Self::of(environment::mapping_files(folder))
    }

    /// Checks what was read.
    pub(super) fn of(read: Result<Files, Unreadable>) -> Self {
        let fingerprint = fingerprint(&read);
        Self { fingerprint, checked: read.map_err(Unfit::Unreadable).and_then(Fit::check) }
    }
}

/// The hash of what was read, or what is wrong with reading it.
pub(super) fn fingerprint(read: &Result<Files, Unreadable>) -> String {
    match read {
        Ok(files) => Set::hash_of(files),
        Err(error) => error.to_string(),
    }
}

impl Fit {
    /// Checks files.
    pub fn check(files: Files) -> Result<Self, Unfit> {
        if files.is_empty() {
            return Err(Unfit::Nothing);
        }
        let read = Set::read_with(files.clone(), &check_door);
        match read.set {
            Some(set) => Ok(Self { set: Arc::new(set), files, reports: read.reports }),
            None => Err(Unfit::Invalid(read.reports)),
        }
    }
}

impl Unfit {
    /// Every error in a line of its own, `file:line:column: message`; the last line counts what was left out.
    pub(super) fn lines(&self) -> Vec<String> {
        let Self::Invalid(reports) = self else { return vec![self.to_string()] };
        let mut all = errors(reports);
        let left_out = all.len().saturating_sub(MOST_PROBLEMS);
        all.truncate(MOST_PROBLEMS);
        if left_out > 0 {
            all.push(format!("and {left_out} more"));
        }
        all
    }
}

/// The first error, and how many more there are.
fn first(reports: &[Report]) -> String {
    let mut all = errors(reports).into_iter();
    let first = all.next().unwrap_or_default();
    match all.len() {
        0 => first,
        more => format!("{first} (and {more} more; `chatflow-bridge check` shows them)"),
    }
}

fn errors(reports: &[Report]) -> Vec<String> {
    let diagnostics = reports.iter().flat_map(Report::diagnostics);
    diagnostics
        .filter(|diagnostic| diagnostic.severity == "error")
        .map(|diagnostic| {
            let (file, line, column) = (diagnostic.file, diagnostic.line, diagnostic.column);
            format!("{file}:{line}:{column}: {}: {}", diagnostic.code, diagnostic.message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: &str = "verify: none\nevent: { id: none }\n\
        rules: [{ name: a, contact: { mobile: $.m }, update: { name: $.n } }]\n";

    fn files(files: &[(&str, &str)]) -> Files {
        files.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect()
    }

    #[test]
    fn what_is_not_fit_is_named_with_its_place() {
        let typo = FINE.replace("update", "updat");
        for (given, words) in [
            (&[("a.yaml", FINE), ("b.yaml", typo.as_str())][..], "b.yaml:3:46: E002: "),
            (&[("a.yaml", FINE), ("b.yaml", "")], "b.yaml:1:1: "),
            (&[("a.yaml", &FINE.replace("none\nevent", "nonsense\nevent"))], "a.yaml:1:9: "),
            (&[], "no mapping file"),
        ] {
            let unfit = Fit::check(files(given)).unwrap_err();

            assert!(unfit.to_string().starts_with(words) || given.is_empty(), "{unfit}");
            assert!(unfit.lines().concat().contains(words), "{:?}", unfit.lines());
        }
    }

    #[test]
    fn a_secret_that_stands_in_a_file_is_not_told() {
        for spoilt in [
            "secret: tell-nobody, secrt: tell-nobody",
            "secret: [tell-nobody, [tell-nobody]]",
            "secret: tell-nobody",
        ] {
            let text =
                FINE.replace("none\nevent", &format!("{{ preset: github, {spoilt} }}\nevnt"));
            let unfit = Fit::check(files(&[("a.yaml", &text)])).unwrap_err();

            let told = format!("{unfit} {}", unfit.lines().concat());
            assert!(told.contains("a.yaml") && !told.contains("nobody"), "{told}");
        }
    }

    #[test]
    fn a_folder_or_a_dangling_link_with_the_name_of_a_mapping_is_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("a.yaml"), FINE).unwrap();
        assert!(Offered::read(folder.path()).checked.is_ok());

        std::fs::create_dir(at("b.yaml")).unwrap();
        assert!(matches!(Offered::read(folder.path()).checked, Err(Unfit::Unreadable(_))));
        std::fs::remove_dir(at("b.yaml")).unwrap();
        std::os::unix::fs::symlink("nowhere", at("b.yaml")).unwrap();
        let unfit = Offered::read(folder.path()).checked.unwrap_err().to_string();

        assert!(unfit.contains("b.yaml") && unfit.contains("cannot be read"), "{unfit}");
    }
}

//! Reading the mapping files for a command, and showing what is wrong with them.

use std::path::{Path, PathBuf};

use super::Common;
use super::style::Style;
use crate::mapping::diagnostics::{self, Colour};
use crate::mapping::{LIBRARY, Read, Report, Set};
use crate::settings::{environment, load};
use crate::webhook::check_door;

/// The mappings folder a command is about: the one that is named, or the settings' own.
pub(super) fn folder(named: Option<&Path>, common: &Common) -> anyhow::Result<PathBuf> {
    if let Some(folder) = named.or(common.mappings.as_deref()) {
        return Ok(folder.to_owned());
    }
    let sources = environment::sources(common.config.as_deref(), Vec::new())?;
    Ok(load(&sources)?.0.mappings.dir)
}

/// Reads a folder's mapping files.
pub(super) fn read(folder: &Path) -> anyhow::Result<Read> {
    Ok(Set::read_with(environment::mapping_files(folder)?, &check_door))
}

/// The shipped mappings that files extend, and the files.
pub(super) fn apart<T: Default + Extend<(String, String)>>(
    files: Vec<(String, String)>,
) -> (Vec<(String, String)>, T) {
    let (mut bases, mut own) = (Vec::new(), T::default());
    for file in files {
        if file.0.starts_with(LIBRARY) { bases.push(file) } else { own.extend([file]) }
    }
    (bases, own)
}

/// Prints every problem; gives how many errors and warnings there were.
pub(super) fn show(reports: &[Report], style: Style) -> (usize, usize) {
    let (mut errors, mut warnings) = (0, 0);
    for report in reports {
        for problem in &report.problems {
            match problem.severity() {
                crate::mapping::syntax::Severity::Error => errors += 1,
                crate::mapping::syntax::Severity::Warning => warnings += 1,
            }
        }
        if !report.problems.is_empty() {
            let colour = if style.is_coloured() { Colour::Always } else { Colour::Never };
            eprintln!("{}\n", diagnostics::render(report, colour));
        }
    }
    (errors, warnings)
}

//! `check`: every problem of every mapping file, each with its place.

use std::path::PathBuf;
use std::process::ExitCode;

use super::style::Style;
use super::{Common, mappings};
use crate::mapping::Report;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge check\n  chatflow-bridge check my-mappings --deny warnings\n  chatflow-bridge check --json | jq ."
)]
pub(super) struct Arguments {
    /// The folder with the mapping files [default: the settings' own]
    dir: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
    /// Have warnings count as problems: `warnings`
    #[arg(long, value_name = "WHAT", value_parser = ["warnings"])]
    deny: Option<String>,
    /// For a program: one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let folder = mappings::folder(arguments.dir.as_deref(), &arguments.common)?;
    let read = mappings::read(&folder)?;
    let (errors, warnings) = if arguments.json {
        let problems: Vec<_> = read.reports.iter().flat_map(Report::diagnostics).collect();
        println!("{}", serde_json::to_string_pretty(&serde_json::json!({ "problems": problems }))?);
        let warnings = problems.iter().filter(|problem| problem.severity == "warning").count();
        (problems.len() - warnings, warnings)
    } else {
        mappings::show(&read.reports, Style::of_stderr())
    };
    let summary = format!("{} files, {errors} errors, {warnings} warnings", read.reports.len());
    let is_fine = errors == 0 && (warnings == 0 || arguments.deny.is_none());
    let style = Style::of_stderr();
    eprintln!("{}", if is_fine { style.good(&summary) } else { style.bad(&summary) });
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

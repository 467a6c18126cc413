//! `check`: every problem of every mapping file, each with its place.

mod api;
mod codes;
mod github;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use super::style::Style;
use super::{Common, mappings};
use crate::mapping::syntax::Code;
use crate::mapping::{Read, Report, effective};
use crate::settings::environment;

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge check\n  chatflow-bridge check my-mappings --deny warnings\n  chatflow-bridge check --json | jq .\n  chatflow-bridge check --explain E012\n  chatflow-bridge check --show      the rules as they are in force\n  chatflow-bridge check --api       whether the tags exist in Chatflow's settings"
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
    /// For GitHub Actions: an annotation for each problem
    #[arg(long, conflicts_with = "json")]
    github: bool,
    /// Ask the API whether the tags that rules use exist; address and key are those of `serve`
    #[arg(long)]
    api: bool,
    /// Print each file as it is in force: `defaults` and `let` in the rules that they are for, without tests
    #[arg(long, conflicts_with_all = ["json", "github"])]
    show: bool,
    /// What a code means, such as E012: what is wrong, an example, what to write instead
    #[arg(long, value_name = "CODE", value_parser = code, exclusive = true)]
    explain: Option<Code>,
    /// Every code, with its meaning
    #[arg(long, exclusive = true)]
    list_codes: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let style = Style::of_stdout();
    if let Some(code) = arguments.explain {
        print!("{}", codes::explained(code, style));
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.list_codes {
        print!("{}", codes::list(style));
        return Ok(ExitCode::SUCCESS);
    }
    let folder = mappings::folder(arguments.dir.as_deref(), &arguments.common)?;
    let mut read = mappings::read(&folder)?;
    // In the texts of the reports secrets are unreadable, and so may be what stands around them.
    let (bases, texts): (Vec<_>, BTreeMap<_, _>) =
        mappings::apart(environment::mapping_files(&folder)?);
    let to_do = match (&read.set, arguments.api) {
        (Some(set), true) => api::ask(&arguments.common, set, &texts, &mut read.reports)?,
        (_, _) => Vec::new(),
    };
    let (errors, warnings) = show(arguments, &read, &to_do)?;
    if arguments.show && read.set.is_some() {
        for (file, text) in &texts {
            let shown =
                effective(text, &bases).map_err(|problem| anyhow::anyhow!(problem.message))?;
            println!("# {file} as it is in force\n{shown}");
        }
    }
    let summary = format!("{} files, {errors} errors, {warnings} warnings", read.reports.len());
    let is_fine = errors == 0 && (warnings == 0 || arguments.deny.is_none());
    let style = Style::of_stderr();
    eprintln!("{}", if is_fine { style.good(&summary) } else { style.bad(&summary) });
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Shows the problems in the form that is asked for; gives how many errors and warnings there are.
fn show(arguments: &Arguments, read: &Read, to_do: &[String]) -> anyhow::Result<(usize, usize)> {
    if !arguments.json && !arguments.github {
        let counts = mappings::show(&read.reports, Style::of_stderr());
        for line in to_do {
            eprintln!("{} {line}", Style::of_stderr().heading("to do:"));
        }
        return Ok(counts);
    }
    let problems: Vec<_> = read.reports.iter().flat_map(Report::diagnostics).collect();
    if arguments.github {
        for problem in &problems {
            println!("{}", github::annotation(problem));
        }
    } else {
        let shown = json!({ "problems": problems, "to_do": to_do });
        println!("{}", serde_json::to_string_pretty(&shown)?);
    }
    let warnings = problems.iter().filter(|problem| problem.severity == "warning").count();
    Ok((problems.len() - warnings, warnings))
}

fn code(text: &str) -> Result<Code, String> {
    Code::parse(text).ok_or_else(|| "no such code: `check --list-codes` prints them".to_owned())
}

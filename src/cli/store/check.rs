//! `store check`: whether the store is whole.

use std::process::ExitCode;

use serde_json::json;

use super::Which;
use crate::cli::style::Style;
use crate::store::sqlite::{Depth, Finding, check};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge store check\n  chatflow-bridge store check --whole --store sqlite:/data/bridge.db\n  chatflow-bridge store check --json | jq .whole\n\nNothing is changed, and no bridge may run on the store meanwhile. A quick check takes some seconds a gigabyte.\nExit codes: 0 it is whole, 1 it is not, 2 wrong usage."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Also hold every index against its table, and open everything that is encrypted
    #[arg(long)]
    whole: bool,
    /// For a program: one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (settings, path) = arguments.which.file(
        "the database looks after its own pages; `chatflow-bridge audit --offline` holds the ledger against the rows",
    )?;
    let depth = if arguments.whole { Depth::Whole } else { Depth::Quick };
    let key_file = settings.store.encryption_key_file.as_deref();
    let findings = check(&path, key_file, depth)?;
    let whole = findings.iter().all(|finding| finding.problems.is_empty());
    if arguments.json {
        let told = json!({ "store": path, "whole": whole, "findings": findings });
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        show(&findings, whole, Style::of_stdout());
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn show(findings: &[Finding], whole: bool, style: Style) {
    for Finding { rule, problems } in findings {
        let mark = if problems.is_empty() { style.good("✓") } else { style.bad("✗") };
        println!("{mark} {rule}");
        for problem in problems {
            println!("    {problem}");
        }
    }
    if whole {
        println!("{}", style.good("the store is whole"));
    } else {
        println!("{}", style.bad("the store is not whole"));
        println!("`chatflow-bridge store recover` makes a whole one of what can be read");
    }
}

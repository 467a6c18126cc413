//! `test`: the tests that stand inside the mapping files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use super::covered::Covered;
use super::explain::failure;
use super::style::Style;
use super::{Common, mappings};
use crate::document::Value;
use crate::mapping::Source;
use crate::mapping::testing::{Outside, run as run_test};
use crate::webhook::decode_for;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge test\n  chatflow-bridge test my-mappings --filter consent\n  chatflow-bridge test --coverage\n  chatflow-bridge test --json | jq ."
)]
pub(super) struct Arguments {
    /// The folder with the mapping files [default: the settings' own]
    dir: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
    /// Only tests whose source or name holds this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// List the rules and the branches of conditions that no test touches
    #[arg(long)]
    coverage: bool,
    /// For a program: one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let folder = mappings::folder(arguments.dir.as_deref(), &arguments.common)?;
    let read = mappings::read(&folder)?;
    let style = Style::of_stdout();
    let Some(set) = &read.set else {
        mappings::show(&read.reports, Style::of_stderr());
        anyhow::bail!("the mappings have errors, no test ran");
    };
    let (mut passed, mut failed, mut rows) = (0, 0, Vec::new());
    let mut covered = Covered::of(set);
    for source in set.iter() {
        let mut outside = Files { folder: parent(&source.file) };
        for test in source.tests() {
            let name = format!("{}: {}", source.name, test.name);
            if arguments.filter.as_ref().is_some_and(|text| !name.contains(text)) {
                continue;
            }
            let outcome = run_test(source, test, &mut outside);
            covered.add(source, &outcome.explained);
            let verdict = if outcome.passed { style.good("ok") } else { style.bad("FAILED") };
            passed += usize::from(outcome.passed);
            failed += usize::from(!outcome.passed);
            if !arguments.json {
                println!("{verdict} {name}");
                for failure in &outcome.failures {
                    println!("     {}", failure.replace('\n', "\n     "));
                }
                if !outcome.passed {
                    for line in failure::lines(&outcome, style) {
                        println!("     {line}");
                    }
                }
            }
            rows.push(json!({
                "source": source.name, "test": test.name,
                "passed": outcome.passed, "failures": outcome.failures,
            }));
        }
    }
    if arguments.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&json!({ "tests": rows, "coverage": covered.to_json() }))?
        );
    } else if arguments.coverage {
        covered.list(style).iter().for_each(|line| println!("{line}"));
    }
    let summary = format!("{passed} passed, {failed} failed");
    eprintln!("{}", if failed == 0 { style.good(&summary) } else { style.bad(&summary) });
    eprintln!("{}", Style::of_stderr().faint(&covered.summary()));
    if passed + failed == 0 {
        anyhow::bail!("no test ran: write some under `tests:`, or mend `--filter`");
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn parent(file: &str) -> PathBuf {
    Path::new(file).parent().map(Path::to_owned).unwrap_or_default()
}

/// Files from beside the mapping file, and bodies decoded as for a request.
pub(super) struct Files {
    pub(super) folder: PathBuf,
}

impl Outside for Files {
    fn read_file(&mut self, name: &str) -> Result<Vec<u8>, String> {
        std::fs::read(self.folder.join(name)).map_err(|error| error.to_string())
    }

    fn decode(
        &mut self,
        source: &Source,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Value, String> {
        decode_for(source, content_type, body).map_err(|error| error.to_string())
    }
}

//! `test`: the tests that stand inside the mapping files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;

use super::covered::Covered;
use super::explain::failure;
use super::style::Style;
use super::{Common, junit, mappings, rewriting};
use crate::document::Value;
use crate::mapping::Source;
use crate::mapping::diagnostics::{Place, place};
use crate::mapping::testing::{Outside, Test, run as run_test};
use crate::webhook::decode_for;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge test\n  chatflow-bridge test my-mappings --filter consent\n  chatflow-bridge test --coverage\n  chatflow-bridge test --json | jq .\n  chatflow-bridge test --junit results.xml\n  chatflow-bridge test --update     have every test expect what happens now: look at the change before you keep it"
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
    /// Write the results for a build server
    #[arg(long, value_name = "FILE", help = "Write the results as JUnit XML, for a build server")]
    junit: Option<PathBuf>,
    /// Rewrite `expect` of the tests that fail, so that they pass; all else in the files stays as it is
    #[arg(long)]
    update: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let folder = mappings::folder(arguments.dir.as_deref(), &arguments.common)?;
    let mut read = mappings::read(&folder)?;
    if arguments.update
        && let Some(set) = &read.set
    {
        let rewritten = rewriting::rewrite(set, |name| arguments.selects(name))?;
        eprintln!("{rewritten} expectations rewritten");
        read = mappings::read(&folder)?;
    }
    let style = Style::of_stdout();
    let Some(set) = &read.set else {
        mappings::show(&read.reports, Style::of_stderr());
        anyhow::bail!("the mappings have errors, no test ran");
    };
    let (mut passed, mut failed, mut rows) = (0, 0, Vec::new());
    let mut covered = Covered::of(set);
    for source in set.iter() {
        let mut outside = Files::beside(source);
        let text = read.reports.iter().find(|report| report.file == source.file);
        for test in source.tests() {
            let name = named(source, test);
            if !arguments.selects(&name) {
                continue;
            }
            let begun = Instant::now();
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
            rows.push(Row {
                source: source.name.to_string(),
                test: test.name.clone(),
                file: source.file.clone(),
                place: place(text.map_or("", |report| &report.text), test.span.start),
                passed: outcome.passed,
                failures: outcome.failures,
                elapsed: begun.elapsed(),
            });
        }
    }
    if arguments.json {
        let tests: Vec<_> = rows.iter().map(Row::to_json).collect();
        let summary = json!({
            "tests": tests, "passed": passed, "failed": failed, "coverage": covered.to_json(),
        });
        println!("{}", serde_json::to_string_pretty(&summary)?);
    } else if arguments.coverage {
        covered.list(style).iter().for_each(|line| println!("{line}"));
    }
    if let Some(file) = &arguments.junit {
        std::fs::write(file, junit::report(&rows))
            .with_context(|| format!("`{}` cannot be written", file.display()))?;
    }
    let summary = format!("{passed} passed, {failed} failed");
    eprintln!("{}", if failed == 0 { style.good(&summary) } else { style.bad(&summary) });
    eprintln!("{}", Style::of_stderr().faint(&covered.summary()));
    if passed + failed == 0 {
        anyhow::bail!("no test ran: write some under `tests:`, or mend `--filter`");
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

impl Arguments {
    /// Whether a test of this name is to run.
    fn selects(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|text| name.contains(text))
    }
}

/// What came of one test.
pub(super) struct Row {
    pub(super) source: String,
    pub(super) test: String,
    pub(super) file: String,
    pub(super) place: Place,
    pub(super) passed: bool,
    pub(super) failures: Vec<String>,
    pub(super) elapsed: Duration,
}

impl Row {
    fn to_json(&self) -> serde_json::Value {
        json!({
            "source": self.source, "test": self.test,
            "file": self.file, "line": self.place.line, "column": self.place.column,
            "passed": self.passed, "failures": self.failures,
        })
    }
}

/// A test's name as it is shown, and as `--filter` sees it.
pub(super) fn named(source: &Source, test: &Test) -> String {
    format!("{}: {}", source.name, test.name)
}

/// Files from beside the mapping file, and bodies decoded as for a request.
pub(super) struct Files {
    pub(super) folder: PathBuf,
}

impl Files {
    /// Those beside the file of a source.
    pub(super) fn beside(source: &Source) -> Self {
        let folder = Path::new(&source.file).parent().map(Path::to_owned).unwrap_or_default();
        Self { folder }
    }
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

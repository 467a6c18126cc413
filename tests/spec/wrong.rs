//! The corpus of wrong mappings: what is said of each, and where. Every file under `tests/fixtures/wrong` has its
//! diagnostics beside it; `UPDATE_WRONG=1` writes them anew, to be read before they are committed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chatflow_bridge::mapping::diagnostics::{Colour, render};
use chatflow_bridge::mapping::syntax::Code;
use chatflow_bridge::mapping::{Read, Report, Set};
use chatflow_bridge::webhook::check_door;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wrong")
}

fn read(files: Vec<(String, String)>) -> Read {
    Set::read_with(files, &check_door)
}

/// The places and codes for a program, and what a person sees.
fn shown(report: &Report) -> String {
    let mut text = String::new();
    for problem in report.diagnostics() {
        writeln!(
            text,
            "{} {}:{}-{}:{}",
            problem.code, problem.line, problem.column, problem.end.line, problem.end.column
        )
        .unwrap();
    }
    format!("{text}\n{}\n", render(report, Colour::Never).replace('\0', "\u{2400}"))
}

fn files() -> Vec<(String, String)> {
    let mut files: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (stem, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn every_wrong_mapping_is_refused_with_its_reasons_and_their_places() {
    let rewrite = std::env::var_os("UPDATE_WRONG").is_some();
    let (mut different, mut accepted) = (Vec::new(), Vec::new());
    let (mut codes, mut count) = (BTreeSet::new(), 0);
    for (name, text) in files() {
        count += 1;
        let Read { set, reports } = read(vec![(format!("{name}.yaml"), text)]);
        let report = &reports[0];
        let only_warnings = name.starts_with("warn-");
        if report.problems.is_empty() || set.is_some() != only_warnings {
            accepted.push(name.clone());
        }
        codes.extend(report.problems.iter().map(|problem| problem.code.as_str()));

        let (shown, file) = (shown(report), folder().join(format!("{name}.txt")));
        if rewrite {
            std::fs::write(&file, &shown).unwrap();
        } else if std::fs::read_to_string(&file).ok().as_deref() != Some(shown.as_str()) {
            different.push(format!("{name}\n{shown}"));
        }
    }
    assert_eq!(accepted, [""; 0], "files that are not judged as their names say");
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(count >= 90, "{count} files");
    // What only the API can tell is asked by `check --api`.
    let by_files = Code::ALL.iter().filter(|code| **code != Code::UnknownTag);
    let missing: Vec<_> =
        by_files.map(|code| code.as_str()).filter(|code| !codes.contains(code)).collect();
    assert_eq!(missing, [""; 0], "codes that no file of the corpus shows");
}

#[test]
fn a_huge_file_is_refused_at_the_place_where_it_becomes_too_large() {
    let text = format!("verify: none\nrules:\n{}", "  - a\n".repeat(100_000));

    let Read { set, reports } = read(vec![("huge.yaml".to_owned(), text)]);

    assert!(set.is_none());
    let found = reports[0].diagnostics();
    assert_eq!((found.len(), found[0].code), (1, "E001"));
    assert!(found[0].line > 99_000, "line {}", found[0].line);
    assert!(found[0].message.contains("too large"), "{}", found[0].message);
}

#[test]
fn a_source_that_two_files_describe_is_reported_where_the_second_one_says_its_name() {
    let text =
        "verify: none # check: allow W001 because of the test\nevent: { id: none }\nrules: []\n";
    let files =
        [("a.yaml", format!("source: shop\n{text}")), ("b.yaml", format!("{text}source: shop\n"))];

    let Read { set, reports } =
        read(files.map(|(name, text)| (name.to_owned(), text)).into_iter().collect());

    assert!(set.is_none());
    let found: Vec<_> = reports[1].diagnostics().into_iter().filter(|d| d.code == "E007").collect();
    assert_eq!((found.len(), found[0].line, found[0].column), (1, 4, 9));
}

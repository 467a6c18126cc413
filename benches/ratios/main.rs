//! The budgets, as ratios against a baseline of the same run: `make bench`.
//!
//! `cargo bench --bench ratios -- intake mapping` runs these sections alone, `-- abuse` the table of abuse, `-- abuse half heads` its
//! rows with these words, `-- replicas` what several processes on one PostgreSQL give. Every figure is the median of rounds in
//! which the variants take turns; only ratios are to be quoted, the machines are noisy.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its table")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark ends when something is not as it should be"
)]

mod abuse;
mod backlog;
mod bare;
mod delivery;
mod disk;
mod intake;
mod load;
mod mapping;
mod merging;
mod process;
mod replicas;
mod table;

use table::Table;

/// Measures something and adds its rows.
type Section = fn(&mut Table);

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if arguments.first().is_some_and(|word| word == bare::WORD) {
        return bare::serve();
    }
    if let Some((word, rest)) = arguments.split_first()
        && word == abuse::WORD
    {
        return abuse::attack(rest);
    }
    // Minutes by itself, and no ratio of anything: only by its name.
    if let Some((first, words)) = arguments.split_first()
        && first == "abuse"
    {
        return abuse::print(words);
    }
    if arguments.first().is_some_and(|word| word == "replicas") {
        return replicas::print();
    }
    let sections: [(&str, Section); 6] = [
        ("intake", intake::measure),
        ("delivery", delivery::measure),
        ("merging", merging::measure),
        ("mapping", mapping::measure),
        ("backlog", backlog::measure),
        ("binary", process::measure_binary),
    ];
    let mut table = Table::default();
    for (name, measure) in sections {
        if arguments.is_empty() || arguments.iter().any(|argument| argument == name) {
            eprintln!("measuring {name} …");
            measure(&mut table);
        }
    }
    println!("{table}");
}

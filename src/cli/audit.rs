//! `audit`: what came in against what became of it, counted row by row.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde_json::Value;

use super::door::{Door, DoorArguments};
use super::style::Style;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge audit\n  chatflow-bridge audit --offline --store sqlite:copy-of-the-store.db\n  chatflow-bridge audit --json | jq .holds\n\nFor each source: events received = duplicate + control + ignored + taken; updates planned = open (waiting or in flight) + held + delivered + skipped + dead + discarded. Each counter is held against the rows that are there.\nExit codes: 0 it holds, 1 it does not, 2 wrong usage."
)]
pub(super) struct Arguments {
    /// For a program: one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    door: DoorArguments,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let told = super::runtime()?.block_on(async {
        let door = Door::open(&arguments.door, None).await?;
        let told = door.audit().await;
        door.close().await;
        told
    })?;
    let holds = told.get("holds").and_then(Value::as_bool) == Some(true);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        show(&told, holds, Style::of_stdout());
    }
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// One balance: the sum and its parts.
const BALANCES: &[(&str, &[&str])] = &[
    ("received", &["duplicate", "control", "ignored", "taken"]),
    ("planned", &["open", "held", "delivered", "skipped", "dead", "discarded", "expired"]),
];

fn show(told: &Value, holds: bool, style: Style) {
    let mut sources: BTreeMap<&str, BTreeMap<&str, &Value>> = BTreeMap::new();
    for balance in told["balances"].as_array().into_iter().flatten() {
        let word = |name: &str| balance.get(name).and_then(Value::as_str).unwrap_or_default();
        sources.entry(word("source")).or_default().insert(word("what"), balance);
    }
    for (source, counts) in &sources {
        println!("{}", style.heading(source));
        for (sum, parts) in BALANCES {
            let counted = |what: &str| number(counts.get(what).copied(), "counted");
            let total: i64 = parts.iter().map(|part| counted(part)).sum();
            println!("  {sum:<10} {:>10}  {}", counted(sum), verdict(counted(sum) - total, style));
            for part in *parts {
                let Some(balance) = counts.get(part).copied() else { continue };
                let rows = balance.get("rows").and_then(Value::as_i64);
                let deleted = number(Some(balance), "deleted");
                let shown = match rows {
                    Some(rows) => {
                        let off = counted(part) - rows - deleted;
                        let gone = if deleted > 0 {
                            format!(" + {deleted} deleted")
                        } else {
                            String::new()
                        };
                        format!("{rows} rows{gone}  {}", verdict(off, style))
                    }
                    None => String::new(),
                };
                println!("    {part:<10} {:>8}  {shown}", counted(part));
            }
        }
    }
    println!(
        "{}",
        if holds {
            style.good("the ledger holds")
        } else {
            style.bad("the ledger does not hold: keep the store file and report it")
        }
    );
}

fn number(balance: Option<&Value>, name: &str) -> i64 {
    balance.and_then(|balance| balance.get(name)).and_then(Value::as_i64).unwrap_or(0)
}

fn verdict(off: i64, style: Style) -> String {
    if off == 0 { style.good("✓") } else { style.bad(&format!("off by {off}")) }
}

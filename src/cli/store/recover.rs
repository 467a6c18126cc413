//! `store recover`: a whole store of what can be read of a damaged one.

use std::process::ExitCode;

use super::Which;
use crate::cli::style::Style;
use crate::clock::{Clock, SystemClock};
use crate::store::sqlite::{Recovered, recover};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge store recover\n  chatflow-bridge store recover --store sqlite:/data/bridge.db --json\n\nThe damaged file stays beside the new one, under a name that ends in `.damaged-` and the time. It needs as much free disk as the store takes.\nExit codes: 0 all could be read, 1 something was lost, 2 wrong usage."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// For a program: one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (settings, path) = arguments.which.file("restore a backup of the database")?;
    let key_file = settings.store.encryption_key_file.as_deref();
    let now = SystemClock.now().as_millisecond();
    let recovered = recover(&path, key_file, now, |table| eprintln!("reading `{table}`"))?;
    let gaps: u64 = recovered.tables.iter().map(|table| table.gaps).sum();
    let whole = gaps == 0 && recovered.mended.is_empty();
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&recovered)?);
    } else {
        show(&recovered, whole, Style::of_stdout());
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn show(recovered: &Recovered, whole: bool, style: Style) {
    println!("{}", style.heading("read"));
    for table in &recovered.tables {
        let gaps = match table.gaps {
            0 => String::new(),
            gaps => style.bad(&format!("  {gaps} places could not be read")),
        };
        println!("  {:<10} {:>9} rows{gaps}", table.table, table.rows);
    }
    if !recovered.mended.is_empty() {
        println!("{}", style.heading("mended"));
    }
    for (what, count) in &recovered.mended {
        println!("  {count:>9} {what}");
    }
    if whole {
        println!("{}", style.good("all of it could be read"));
    } else {
        println!("{}", style.bad("something was lost"));
    }
    println!("the damaged file is kept as `{}`", recovered.damaged.display());
}

//! `config`: the settings in force, and where each came from.

use std::process::ExitCode;

use super::Common;
use super::serve::settings_of;
use crate::settings::reference;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// For a program: one JSON object
    #[arg(long)]
    json: bool,
    /// The reference of all settings, as Markdown
    #[arg(long, conflicts_with = "json")]
    reference: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.reference {
        print!("{}", reference());
        return Ok(ExitCode::SUCCESS);
    }
    let (_, effective) = settings_of(&arguments.common)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&effective.to_json())?);
    } else {
        print!("{effective}");
    }
    Ok(ExitCode::SUCCESS)
}

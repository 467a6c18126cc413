//! `schema`: the JSON Schema of a mapping file, for editors.

use std::process::ExitCode;

use crate::webhook::mapping_schema;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge schema > mappings/schema.json\n  and in a mapping's first line: # yaml-language-server: $schema=schema.json"
)]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments) -> anyhow::Result<ExitCode> {
    println!("{}", serde_json::to_string_pretty(&mapping_schema())?);
    Ok(ExitCode::SUCCESS)
}

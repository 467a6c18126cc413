//! `pause` and `resume`: an operator has delivery wait, over restarts too.

use std::process::ExitCode;

use serde_json::Value;

use super::door::{Door, DoorArguments};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge pause      nothing is sent until `resume`; webhooks are taken as before\n  chatflow-bridge resume\n\nThe pause outlasts restarts. `resume` takes back the pause of an operator, and ends one for a storm of refusals or an open circuit: all of it is sent, and answers that are no better pause again. A refused key is tried at once, and that pause ends when it is taken."
)]
pub(super) struct Arguments {
    /// For a program: one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    door: DoorArguments,
}

/// Pauses delivery (`true`) or has it go on.
pub(super) fn run(arguments: &Arguments, halted: bool) -> anyhow::Result<ExitCode> {
    let told = super::runtime()?.block_on(async {
        let door = Door::open(&arguments.door, None).await?;
        let told = door.halt(halted).await;
        door.close().await;
        told
    })?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&told)?);
        return Ok(ExitCode::SUCCESS);
    }
    let reasons = told.get("paused").and_then(Value::as_array).into_iter().flatten();
    let reasons: Vec<_> = reasons.filter_map(Value::as_str).collect();
    if reasons.is_empty() {
        println!("delivery goes on");
    } else {
        println!("delivery is paused: {}", reasons.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}

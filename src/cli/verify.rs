//! `verify`: whether a request would be believed, and what is wrong with it if not.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;

use super::Common;
use super::request::{Message, Sender};
use super::serve::settings_of;
use super::style::Style;
use crate::webhook::verify::Verdict;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge verify --source crm --request request.txt\n  chatflow-bridge verify --source crm --body body.json --header 'X-Hub-Signature-256: sha256=…'\n  chatflow-bridge verify --preset hubspot --secret env:HUBSPOT_SECRET --request request.txt --url https://hooks.example/hooks/hubspot\n  chatflow-bridge verify --source crm --request request.txt --at 2026-11-23T12:00:00Z --json | jq .\n\nIt ends with 0 where the request is believed, with 1 where it is not."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    sender: Sender,
    #[command(flatten)]
    message: Message,
    #[command(flatten)]
    common: Common,
    /// For a program: one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (settings, _) = settings_of(&arguments.common)?;
    let sender = &arguments.sender;
    let verifier = sender
        .spec(&settings)?
        .resolve(&Sender::secrets())
        .context("without its secret nothing can be judged; `--secret env:NAME` gives another")?;
    let given = arguments.message.read(sender.source.as_deref(), &settings)?;
    let diagnosis = verifier.diagnose(&given.head, &given.body, sender.now()?);
    let reason = match diagnosis.verdict {
        Verdict::Genuine => None,
        Verdict::NeedsBody => Some("signature_missing"),
        Verdict::Refused(reason) => Some(reason.label()),
    };
    let mut findings: Vec<String> = diagnosis.findings.iter().map(ToString::to_string).collect();
    findings.extend(given.note);
    if arguments.json {
        let told = json!({ "valid": reason.is_none(), "reason": reason, "findings": findings });
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        let style = Style::of_stdout();
        match reason {
            None => println!("{}: the request is believed", style.good("valid")),
            Some(reason) => println!("{}: {reason}", style.bad("invalid")),
        }
        for finding in findings {
            println!("  - {finding}");
        }
    }
    Ok(if reason.is_none() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

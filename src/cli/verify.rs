//! `verify`: whether a request would be believed, and what is wrong with it if not.

use std::process::ExitCode;

use anyhow::Context;
use jiff::Timestamp;
use serde_json::json;

use super::Common;
use super::rejected;
use super::request::{Given, Message, Sender};
use super::serve::settings_of;
use super::style::Style;
use crate::decode::{Coding, Error, inflate};
use crate::settings::Settings;
use crate::units::ByteSize;
use crate::webhook::verify::{Payload, Verdict, Verifier};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge verify --source crm --request request.txt\n  chatflow-bridge verify --source crm --body body.json --header 'X-Hub-Signature-256: sha256=…'\n  chatflow-bridge verify --preset hubspot --secret env:HUBSPOT_SECRET --request request.txt --url https://hooks.example/hooks/hubspot\n  chatflow-bridge verify --source crm --request request.txt --at 2026-11-23T12:00:00Z --json | jq .\n  chatflow-bridge verify --source crm --rejected      those that the running bridge refused (`server.keep_rejected`)\n  chatflow-bridge verify --source crm --rejected 17   what was wrong with one of them\n\nIt ends with 0 where the request is believed, with 1 where it is not."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    sender: Sender,
    #[command(flatten)]
    message: Message,
    /// List the requests that the running bridge has refused and kept, or examine one of them
    #[arg(
        long,
        value_name = "ID",
        num_args = 0..=1,
        default_missing_value = "list",
        requires = "source",
        conflicts_with_all = ["request", "body", "headers", "url", "client"]
    )]
    rejected: Option<Which>,
    #[command(flatten)]
    common: Common,
    /// For a program: JSON
    #[arg(long)]
    json: bool,
}

/// Which of the refused requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    List,
    One(u64),
}

impl std::str::FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(id) => Ok(Self::One(id)),
            Err(_) if text == "list" => Ok(Self::List),
            Err(_) => Err("the number is expected that the list shows".to_owned()),
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (settings, _) = settings_of(&arguments.common)?;
    let sender = &arguments.sender;
    let source = sender.source.as_deref().unwrap_or_default();
    if arguments.rejected == Some(Which::List) {
        return list(arguments, source, &settings);
    }
    let verifier = sender
        .spec(&settings)?
        .resolve(&Sender::secrets())
        .context("without its secret nothing can be judged; `--secret env:NAME` gives another")?;
    let (given, at) = match arguments.rejected {
        None | Some(Which::List) => {
            (arguments.message.read(sender.source.as_deref(), &settings)?, sender.now()?)
        }
        Some(Which::One(id)) => {
            let asked = rejected::one(&settings, source, id);
            let (given, came_at) = super::runtime()?.block_on(asked)?;
            (given, if sender.says_when() { sender.now()? } else { came_at })
        }
    };
    Ok(judge(&verifier, given, at, settings.intake.max_body_ceiling, arguments.json)?)
}

fn list(arguments: &Arguments, source: &str, settings: &Settings) -> anyhow::Result<ExitCode> {
    let rows = super::runtime()?.block_on(rejected::list(settings, source))?;
    if arguments.json {
        let row = |row: &rejected::Row| json!({ "id": row.id, "at": row.at, "reason": row.reason, "method": row.method, "body_bytes": row.body_bytes });
        println!("{}", serde_json::to_string_pretty(&rows.iter().map(row).collect::<Vec<_>>())?);
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        println!("no refused request of `{source}` is kept");
    }
    for rejected::Row { id, at, reason, method, body_bytes, .. } in rows {
        println!("{id:>6}  {at:.0}  {method}  {body_bytes:>8} bytes  {reason}");
    }
    Ok(ExitCode::SUCCESS)
}

fn judge(
    verifier: &Verifier,
    given: Given,
    at: Timestamp,
    most: ByteSize,
    as_json: bool,
) -> serde_json::Result<ExitCode> {
    let inflated = inflated(&given, most);
    let payload =
        Payload { as_sent: &given.body, inflated: inflated.as_deref().unwrap_or(&given.body) };
    let diagnosis = verifier.diagnose(&given.head, payload, at);
    let reason = match diagnosis.verdict {
        Verdict::Genuine => None,
        Verdict::NeedsBody => Some("signature_missing"),
        Verdict::Refused(reason) => Some(reason.label()),
    };
    let mut findings: Vec<String> = diagnosis.findings.iter().map(ToString::to_string).collect();
    findings.extend(given.note);
    if as_json {
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

/// The body without its `Content-Encoding`; nothing where it has none that is known, or is too large without it.
fn inflated(given: &Given, most: ByteSize) -> Option<Vec<u8>> {
    let coding = Coding::named(given.head.headers.first("content-encoding")?).ok()??;
    let mut size = 0;
    let room = |more: usize| {
        size += more as u64;
        if size > most.0 { Err(Error::UnsupportedContentType) } else { Ok(()) }
    };
    inflate(coding, &given.body, room).ok()
}

//! `events show`: one event or one update.

use std::process::ExitCode;

use serde_json::Value;

use super::outcome::{line, text, visible};
use crate::admin::desk::outcome::Request;
use crate::cli::door::{Door, DoorArguments};
use crate::cli::style::Style;
use crate::event::Named;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge events show 0000000000042\n  chatflow-bridge events show 0000000000042/lead/0\n  chatflow-bridge events show 0000000000042 --json | jq -r .request.body\n\nIt shows what the sender said: personal data."
)]
pub(super) struct Arguments {
    /// The event's id, or the update's name
    #[arg(value_name = "EVENT_ID|EVENT_ID/RULE/ITEM")]
    name: Named,
    /// For a program: one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    door: DoorArguments,
}

pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let door = Door::open(&arguments.door, None).await?;
    let found = match &arguments.name {
        Named::Event(id) => door.event(*id).await,
        Named::Update(name) => door.update(name).await,
    };
    door.close().await;
    let Some(found) = found? else {
        anyhow::bail!("`{}` is not here: it was never, or retention has taken it", arguments.name);
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
        return Ok(ExitCode::SUCCESS);
    }
    let style = Style::of_stdout();
    match &arguments.name {
        Named::Event(_) => show_event(&found, style),
        Named::Update(_) => show_update(&found, style),
    }
    Ok(ExitCode::SUCCESS)
}

fn pair(name: &str, value: &str, style: Style) {
    if !value.is_empty() {
        println!("{}  {}", style.faint(&format!("{name:<12}")), visible(value));
    }
}

fn show_event(found: &Value, style: Style) {
    let (event, request) = (&found["event"], &found["request"]);
    println!("{}", style.heading(text(event, "event_id")));
    for name in ["source", "received_at", "type", "outcome"] {
        pair(name, text(event, name), style);
    }
    pair("content type", text(request, "content_type"), style);
    pair("query", text(request, "query"), style);
    for header in request["headers"].as_array().into_iter().flatten() {
        let part = |place: usize| header.get(place).and_then(Value::as_str).unwrap_or_default();
        pair("header", &format!("{}: {}", part(0), part(1)), style);
    }
    match request["body"].as_str() {
        Some(body) => body.lines().for_each(|line| pair("body", line, style)),
        None => pair("body", &format!("{} (base64)", text(request, "body_base64")), style),
    }
    for update in found["updates"].as_array().into_iter().flatten() {
        println!();
        show_row(update, style);
    }
}

fn show_row(row: &Value, style: Style) {
    println!("{}", style.heading(&visible(text(row, "update"))));
    for name in ["state", "reason", "source", "received_at", "finished_at"] {
        pair(name, text(row, name), style);
    }
    pair("attempts", &row["attempts"].to_string(), style);
    if let Some(status) = row.get("status") {
        pair("status", &status.to_string(), style);
    }
    pair("detail", text(row, "detail"), style);
}

fn show_update(found: &Value, style: Style) {
    show_row(&found["update"], style);
    for (name, label) in [("planned", "planned"), ("sends", "sent of it")] {
        if !found[name].is_null() {
            pair(label, &found[name].to_string(), style);
        }
    }
    let requests = found["requests"].as_array().into_iter().flatten();
    for request in requests.filter_map(|one| serde_json::from_value::<Request>(one.clone()).ok()) {
        println!("{}  {}", style.faint("request     "), line(&request));
    }
}

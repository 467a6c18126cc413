//! `events list`: one line an update; one for an event that has none.

use std::process::ExitCode;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::filter::Flags;
use super::outcome::{text, visible};
use crate::admin::desk::asked::Filter;
use crate::admin::desk::causes::Causes;
use crate::cli::door::{Door, DoorArguments};
use crate::cli::style::Style;
use crate::clock::{Clock, SystemClock};
use crate::store::Page;

/// Rows that are asked for at a time.
const PAGE: usize = 200;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge events list --limit 20\n  chatflow-bridge events list --state dead --since 1d\n  chatflow-bridge events list --state held,dead --causes\n  chatflow-bridge events list --contact mobile:12025550143 --json | jq ."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// Group by cause, the most frequent first; without --state: what is held and dead
    #[arg(long)]
    causes: bool,
    /// As many lines at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// For a program: one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    door: DoorArguments,
}

pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let door = Door::open(&arguments.door, None).await?;
    let listed = list(arguments, &door).await;
    door.close().await;
    listed.map(|()| ExitCode::SUCCESS)
}

async fn list(arguments: &Arguments, door: &Door) -> anyhow::Result<()> {
    let filter = arguments.flags.filter();
    if arguments.causes {
        let causes = door.causes(&filter).await?;
        if arguments.json {
            println!("{}", serde_json::to_string_pretty(&causes)?);
        } else {
            show_causes(&causes, Style::of_stdout());
        }
        return Ok(());
    }
    let every_event = Filter { source: None, since: None, ..filter.clone() } == Filter::default();
    let (rows, more) = if every_event {
        events(door, &filter, arguments.limit).await?
    } else {
        updates(door, filter, arguments.limit).await?
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&json!({ "rows": rows, "more": more }))?);
        return Ok(());
    }
    for row in &rows {
        println!("{}", line(row, Style::of_stdout()));
    }
    if more {
        eprintln!("there are more: --limit says how many are shown");
    }
    Ok(())
}

/// Updates that a filter finds, and whether there may be more.
async fn updates(
    door: &Door,
    mut filter: Filter,
    limit: usize,
) -> anyhow::Result<(Vec<Value>, bool)> {
    let mut rows = Vec::new();
    loop {
        filter.limit = Some((limit - rows.len()).clamp(1, PAGE));
        let mut page = door.updates(&filter).await?;
        rows.extend(taken(&mut page, "updates"));
        filter.before = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if filter.before.is_none() || rows.len() >= limit {
            let more = filter.before.is_some() || rows.len() > limit;
            rows.truncate(limit);
            return Ok((rows, more));
        }
    }
}

/// Events, each with its updates, and whether there may be more.
async fn events(door: &Door, filter: &Filter, limit: usize) -> anyhow::Result<(Vec<Value>, bool)> {
    let not_before = filter.since.map(|since| {
        let since = SignedDuration::try_from(since.0).unwrap_or(SignedDuration::MAX);
        SystemClock.now().checked_sub(since).unwrap_or(Timestamp::MIN)
    });
    let (mut rows, mut before) = (Vec::new(), None);
    loop {
        let page = Page { most: limit.saturating_sub(rows.len()).clamp(1, PAGE), before };
        let mut page = door.events(filter.source.as_ref(), page).await?;
        for event in taken(&mut page, "events") {
            let received: Option<Timestamp> = text(&event, "received_at").parse().ok();
            if received.is_some_and(|at| not_before.is_some_and(|not_before| at < not_before)) {
                return Ok((rows, false));
            }
            if rows.len() >= limit {
                return Ok((rows, true));
            }
            if event.get("updates").and_then(Value::as_u64) == Some(0) {
                rows.push(event);
            } else {
                let event = text(&event, "event_id").parse().ok();
                let of_event = Filter { event, ..Filter::default() };
                rows.extend(taken(&mut door.updates(&of_event).await?, "updates"));
            }
        }
        before = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if before.is_none() {
            return Ok((rows, false));
        }
    }
}

fn taken(page: &mut Value, name: &str) -> Vec<Value> {
    match page.get_mut(name).map(Value::take) {
        Some(Value::Array(rows)) => rows,
        _ => Vec::new(),
    }
}

fn line(row: &Value, style: Style) -> String {
    let received = text(row, "received_at");
    let second = received.get(..19).unwrap_or(received);
    let source = text(row, "source");
    let Some(name) = row.get("update").and_then(Value::as_str) else {
        let (id, outcome) = (text(row, "event_id"), text(row, "outcome"));
        return format!("{second}  {source:<12}  {:<24}  {id}", style.faint(outcome));
    };
    let state = text(row, "state");
    let state = match text(row, "reason") {
        "" => state.to_owned(),
        reason => format!("{state} ({reason})"),
    };
    let padded = format!("{state:<24}");
    let coloured = match text(row, "state") {
        "delivered" => style.good(&padded),
        "dead" | "held" => style.bad(&padded),
        _ => padded,
    };
    let mut line = format!("{second}  {source:<12}  {coloured}  {name}");
    if let Some(status) = row.get("status") {
        line = format!("{line}  {status}");
    }
    let detail = text(row, "detail");
    if !detail.is_empty() {
        line = format!("{line}  {}", style.faint(&visible(detail)));
    }
    line
}

fn show_causes(causes: &Causes, style: Style) {
    for cause in &causes.causes {
        let why = match (&cause.reason, cause.status) {
            (Some(reason), Some(status)) => format!("{} ({reason}, {status})", cause.state),
            (Some(reason), None) => format!("{} ({reason})", cause.state),
            _ => cause.state.clone(),
        };
        println!(
            "{:>7}  {}  {} / {}",
            cause.count,
            style.heading(&why),
            cause.source,
            visible(&cause.rule)
        );
        if let Some(words) = &cause.words {
            println!("         {}", visible(words));
        }
        println!("         {}", style.faint(&format!("such as {}", visible(&cause.example))));
    }
    let (updates, kinds) = (causes.updates, causes.causes.len());
    let all = if causes.complete { "" } else { ", and there are more that were not looked at" };
    println!("{updates} updates, {kinds} causes{all}");
}

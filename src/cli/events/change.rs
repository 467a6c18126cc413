//! `events replay|remap|discard|purge`: some updates at a time, until all are done or somebody stops it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::ask::{Said, ask};
use super::filter::Flags;
use super::outcome::lines;
use crate::admin::desk::asked::ChangeAsked;
use crate::admin::desk::outcome::{Done, Outcome};
use crate::cli::door::{Action, Door, DoorArguments};
use crate::cli::style::Style;
use crate::event::Named;

/// So many updates are changed at a time.
const BATCH: usize = 100;

/// The flags of all commands that change something.
#[derive(Debug, clap::Args)]
pub(super) struct Changing {
    /// Events by id, updates by name
    #[arg(value_name = "EVENT_ID|EVENT_ID/RULE/ITEM")]
    names: Vec<Named>,
    #[command(flatten)]
    flags: Flags,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask first
    #[arg(long)]
    yes: bool,
    /// For a program: one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    door: DoorArguments,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge events replay --state dead --dry-run\n  chatflow-bridge events replay --reason refused --source crm --since 1d --yes\n  chatflow-bridge events replay 0000000000042/lead/0\n\nEach keeps the place its event had. Fields that a later event of the contact has set since are left out, and consent is not given back over a later withdrawal; where nothing is left the update is skipped (superseded). --overwrite sends all of it.\nExit codes: 0 done, 1 something was not changed, 2 wrong usage."
)]
pub(super) struct Replay {
    #[command(flatten)]
    pub(super) changing: Changing,
    /// Send also what later events have set since
    #[arg(long)]
    overwrite: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge events remap --state held --rule lead --dry-run\n  chatflow-bridge events remap --state held,dead --source crm --yes\n  chatflow-bridge events remap 0000000000042\n\nWhat is held or dead is replaced by what today's rules plan; what was delivered stays, unless --again. An event id means all that the rules make of the event, a name that update alone.\nExit codes: 0 done, 1 something was not changed, 2 wrong usage."
)]
pub(super) struct Remap {
    #[command(flatten)]
    pub(super) changing: Changing,
    /// Send also what later events have set since
    #[arg(long)]
    overwrite: bool,
    /// Replace also what was delivered, and send it once more
    #[arg(long)]
    again: bool,
    /// With --offline: the folder with the mappings [setting: mappings.dir]
    #[arg(long, value_name = "DIR", requires = "offline")]
    pub(super) mappings: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge events discard --state held --rule old-form\n  chatflow-bridge events discard 0000000000042/lead/0 --yes\n\nExit codes: 0 done, 1 something was not changed, 2 wrong usage."
)]
pub(super) struct Discard {
    #[command(flatten)]
    pub(super) changing: Changing,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge events purge --contact mobile:12025550143 --dry-run\n  chatflow-bridge events purge 0000000000042 --yes\n\nAn update stands for its whole event: its request, its other updates. Of an event something of which still waits nothing is forgotten. It cannot be undone.\nExit codes: 0 done, 1 something was not changed, 2 wrong usage."
)]
pub(super) struct Purge {
    #[command(flatten)]
    pub(super) changing: Changing,
}

impl Changing {
    pub(super) fn asked(&self) -> ChangeAsked {
        let filter = self.flags.filter();
        ChangeAsked {
            names: self.names.clone(),
            filter: (!filter.is_empty()).then_some(filter),
            dry_run: self.dry_run,
            ..ChangeAsked::default()
        }
    }
}

impl Replay {
    pub(super) fn asked(&self) -> ChangeAsked {
        ChangeAsked { overwrite: self.overwrite, ..self.changing.asked() }
    }
}

impl Remap {
    pub(super) fn asked(&self) -> ChangeAsked {
        ChangeAsked { overwrite: self.overwrite, again: self.again, ..self.changing.asked() }
    }
}

/// What came of all batches.
#[derive(Default)]
struct Sum {
    changed: usize,
    unchanged: usize,
    outcomes: Vec<Outcome>,
    is_stopped: bool,
}

pub(super) async fn run(
    action: Action,
    changing: &Changing,
    asked: ChangeAsked,
    mappings: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let style = Style::of_stderr();
    if asked.names.is_empty() == asked.filter.is_none() {
        let word = action.as_str();
        eprintln!(
            "{} say which: `events {word} EVENT_ID…` or `events {word} --state …`, not both",
            style.bad("error:")
        );
        return Ok(ExitCode::from(2));
    }
    let door = Door::open(&changing.door, mappings).await?;
    let done = go(action, changing, asked, &door).await;
    door.close().await;
    done
}

async fn go(
    action: Action,
    changing: &Changing,
    asked: ChangeAsked,
    door: &Door,
) -> anyhow::Result<ExitCode> {
    let word = action.as_str();
    if !changing.dry_run && !changing.yes {
        let dry = ChangeAsked { dry_run: true, ..asked.clone() };
        let sum = all(action, &dry, door, &mut |_| {}).await?;
        if sum.changed == 0 {
            return told(&sum, changing, action);
        }
        match ask(&format!("{word} {} updates?", sum.changed), changing.yes)? {
            Said::Yes => {}
            Said::No => return Ok(ExitCode::from(1)),
            Said::Nobody => {
                eprintln!(
                    "{} {} would be changed: --yes does it, --dry-run shows it; there is nobody to ask",
                    Style::of_stderr().bad("error:"),
                    sum.changed
                );
                return Ok(ExitCode::from(2));
            }
        }
    }
    let mut progress = |sum: &Sum| {
        if !asked.dry_run && sum.changed + sum.unchanged > BATCH {
            eprintln!("{word}: {} changed, {} not", sum.changed, sum.unchanged);
        }
    };
    let sum = all(action, &asked, door, &mut progress).await?;
    told(&sum, changing, action)
}

/// Does all of it, some at a time; Ctrl-C ends it between two batches.
async fn all(
    action: Action,
    asked: &ChangeAsked,
    door: &Door,
    progress: &mut dyn FnMut(&Sum),
) -> anyhow::Result<Sum> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let watching = async move {
        // Where the signal cannot be watched it ends the process as it always does.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        told.store(true, Ordering::SeqCst);
        eprintln!("stopping after this batch; once more does not wait for it");
        drop(tokio::signal::ctrl_c().await);
    };
    let working = batches(action, asked, door, &stop, progress);
    tokio::select! {
        sum = working => sum,
        () = watching => anyhow::bail!("stopped while a batch was under way: `events list` shows how it stands"),
    }
}

async fn batches(
    action: Action,
    asked: &ChangeAsked,
    door: &Door,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(&Sum),
) -> anyhow::Result<Sum> {
    let mut sum = Sum::default();
    let mut rest = asked.names.as_slice();
    let mut filter = asked.filter.clone();
    loop {
        let (names, others) = rest.split_at(rest.len().min(BATCH));
        rest = others;
        if let Some(filter) = &mut filter {
            filter.limit = Some(BATCH);
        }
        let part = ChangeAsked { names: names.to_vec(), filter: filter.clone(), ..asked.clone() };
        let Done { updates, next, .. } = door.change(action, &part).await?;
        let changed = updates.iter().filter(|outcome| outcome.changed).count();
        sum.changed += changed;
        sum.unchanged += updates.len() - changed;
        sum.outcomes.extend(updates);
        progress(&sum);
        let more = match &mut filter {
            Some(filter) => {
                filter.before = next;
                filter.before.is_some()
            }
            None => !rest.is_empty(),
        };
        if !more {
            return Ok(sum);
        }
        if stop.load(Ordering::SeqCst) {
            sum.is_stopped = true;
            return Ok(sum);
        }
    }
}

fn told(sum: &Sum, changing: &Changing, action: Action) -> anyhow::Result<ExitCode> {
    if changing.json {
        let told = json!({
            "dry_run": changing.dry_run,
            "changed": sum.changed,
            "unchanged": sum.unchanged,
            "stopped": sum.is_stopped,
            "updates": sum.outcomes,
        });
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        for outcome in &sum.outcomes {
            for line in lines(outcome, Style::of_stdout()) {
                println!("{line}");
            }
        }
        let would = if changing.dry_run { "would be changed" } else { "changed" };
        println!("{}: {} {would}, {} not", action.as_str(), sum.changed, sum.unchanged);
        if sum.is_stopped {
            eprintln!("stopped in between: run it again for the rest");
        }
    }
    let fine = sum.unchanged == 0 && !sum.is_stopped;
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

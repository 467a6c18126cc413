//! `init`: shipped mappings, their events and a settings file into a folder, and what is to be done next.

mod page;
mod settings_file;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};

use super::files::{self, Files};
use super::sender::Sender;
use super::style::Style;
use crate::library;
use crate::mapping::expr::nearest;
use crate::settings::environment::DEFAULT_FILE;
use crate::webhook::mapping_schema;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge init --list\n  chatflow-bridge init typeform woocommerce\n  chatflow-bridge init stripe --into /etc/chatflow-bridge\n\nWritten are `chatflow-bridge.yaml`, `mappings/SENDER.yaml`, the events its tests read, and the schema for editors;\nnever over a file. A mapping of your own can start from a shipped one instead: `extends: typeform`."
)]
pub(super) struct Arguments {
    /// The senders, by the names that `--list` shows
    #[arg(value_name = "SENDER", required_unless_present_any = ["list", "pages"])]
    senders: Vec<String>,
    /// The folder to write into
    #[arg(long, value_name = "DIR", default_value = ".")]
    into: PathBuf,
    /// Show every sender that there is a mapping for
    #[arg(long, conflicts_with = "senders")]
    list: bool,
    /// For a program: one JSON object
    #[arg(long)]
    json: bool,
    /// Write the page of every sender into this folder: for the documentation
    #[arg(long, value_name = "DIR", hide = true, conflicts_with_all = ["senders", "list", "json"])]
    pages: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if let Some(folder) = &arguments.pages {
        page::write_all(folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.list {
        return list(arguments.json);
    }
    let mut chosen: Vec<Sender> = Vec::new();
    for name in &arguments.senders {
        let Some(shipped) = library::get(name) else {
            eprintln!("{} {}", Style::of_stderr().bad("error:"), unknown(name));
            return Ok(ExitCode::from(2));
        };
        if !chosen.iter().any(|sender| sender.shipped.name == shipped.name) {
            chosen.push(Sender::of(shipped)?);
        }
    }
    write(&chosen, arguments)
}

fn list(as_json: bool) -> anyhow::Result<ExitCode> {
    let senders = Sender::all()?;
    if as_json {
        let all: Vec<_> = senders.iter().map(told).collect();
        println!("{}", serde_json::to_string_pretty(&json!({ "senders": all }))?);
        return Ok(ExitCode::SUCCESS);
    }
    let width = senders.iter().map(|sender| sender.shipped.name.len()).max().unwrap_or_default();
    let style = Style::of_stdout();
    for sender in &senders {
        let name = style.heading(&format!("{:width$}", sender.shipped.name));
        println!("{name}  {}: {}", sender.head.sender, sender.head.about);
    }
    Ok(ExitCode::SUCCESS)
}

fn unknown(name: &str) -> String {
    let names = library::all().iter().map(|shipped| shipped.name);
    let near = nearest(name, names);
    let hint = near.map_or_else(
        || "`chatflow-bridge init --list` shows those that there are; `chatflow-bridge suggest` makes one from an event".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    format!("no mapping named `{name}` is shipped: {hint}")
}

/// Writes what is not there, or says what is and writes nothing.
fn write(chosen: &[Sender], arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let folder = &arguments.into;
    let (needed, kept) = files_for(chosen, folder)?;
    let there = files::there(folder, &needed);
    anyhow::ensure!(
        there.is_empty(),
        "nothing was written: {} there already, and no file is written over; move what is there away, or name another folder with `--into`",
        in_words(&there)
    );
    let written = files::write_new(folder, &needed)?;
    if arguments.json {
        let shown = json!({
            "written": written.iter().map(|path| shown(path)).collect::<Vec<_>>(),
            "kept": kept,
            "senders": chosen.iter().map(told).collect::<Vec<_>>(),
        });
        println!("{}", serde_json::to_string_pretty(&shown)?);
        return Ok(ExitCode::SUCCESS);
    }
    for path in &written {
        println!("wrote {}", shown(path));
    }
    for name in &kept {
        println!("kept {name} as it is");
    }
    tell(chosen, arguments);
    Ok(ExitCode::SUCCESS)
}

/// The files for these senders, and those that may stay as they are where they are there already: the settings, and the
/// schema.
fn files_for(chosen: &[Sender], folder: &Path) -> anyhow::Result<(Files, Vec<String>)> {
    let schema = serde_json::to_string_pretty(&mapping_schema()).context("the schema")?;
    let common: Files = vec![
        (DEFAULT_FILE.to_owned(), settings_file::text(chosen).into_bytes()),
        ("mappings/schema.json".to_owned(), format!("{schema}\n").into_bytes()),
    ];
    let kept: Vec<_> = files::there(folder, &common).into_iter().map(str::to_owned).collect();
    let mut needed: Files = common.into_iter().filter(|(name, _)| !kept.contains(name)).collect();
    for sender in chosen {
        let (name, text) = (sender.shipped.name, sender.shipped.text);
        needed.push((format!("mappings/{name}.yaml"), text.as_bytes().to_vec()));
        let events = sender.shipped.fixtures();
        needed.extend(events.map(|own| (format!("mappings/{}", own.name), own.body.to_vec())));
    }
    Ok((needed, kept))
}

fn in_words(names: &[&str]) -> String {
    let list = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    format!("{list} {}", if names.len() == 1 { "is" } else { "are" })
}

fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

/// What is to be done, for a person.
fn tell(chosen: &[Sender], arguments: &Arguments) {
    let style = Style::of_stdout();
    for sender in chosen {
        println!("\n{}", style.heading(&format!("{}: {}", sender.head.sender, sender.head.about)));
        for (word, step) in sender.steps() {
            println!("  {word:10} {step}");
        }
    }
    let into = match shown(&arguments.into).as_str() {
        "" | "." => String::new(),
        folder => format!("cd {folder}; "),
    };
    let mut variables = vec!["BRIDGE_CHATFLOW__API_KEY=…".to_owned()];
    variables.extend(chosen.iter().flat_map(Sender::variables).map(|name| format!("{name}=…")));
    println!("\n{}", style.heading("next:"));
    println!("  {into}chatflow-bridge test");
    println!("  {} chatflow-bridge serve", variables.join(" "));
    println!("  a source whose variable is not set yet answers 503, the others go on");
}

/// The same for a program.
fn told(sender: &Sender) -> Value {
    json!({
        "name": sender.shipped.name,
        "sender": sender.head.sender,
        "about": sender.head.about,
        "url": sender.url(),
        "variables": sender.variables(),
        "requires": { "tags": sender.requires().tags, "attributes": sender.requires().attributes },
        "names_people": sender.head.missing.is_none(),
    })
}

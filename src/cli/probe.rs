//! `probe`: which wire forms the API understands, tried on a contact of one's own.

use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::Common;
use super::serve::settings_of;
use super::style::Style;
use crate::chatflow::probing::{Probed, Prober, Trials, Verdict, With};
use crate::chatflow::{
    AttributesForm, Client, Field, OnDuplicatePlace, TagChangesForm, WireSettings,
};
use crate::contact::ContactId;
use crate::server::api_key;
use crate::telemetry::metrics::Metrics;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge probe --contact 65f0c0ffee0123456789abcd\n  chatflow-bridge probe --contact 65f0c0ffee0123456789abcd --attribute city --tag lead --tag customer --yes\n\nTake a contact of your own: an attribute is set, tags are added and removed, and all of it is put back. Automations in Chatflow that listen for these tags start.\n\nExit codes: 0 the settings in force work, 1 one of them does not, or the contact could not be put back, 2 nothing could be tried."
)]
pub(super) struct Arguments {
    /// The contact, by Chatflow's own id
    #[arg(long, value_name = "ID", value_parser = |id: &str| ContactId::try_from(id.to_owned()))]
    contact: ContactId,
    /// An attribute that exists in Chatflow's settings [default: the contact's first]
    #[arg(long, value_name = "NAME")]
    attribute: Option<String>,
    /// A tag that exists in Chatflow's settings; better two [default: as the API says]
    #[arg(long = "tag", value_name = "NAME")]
    tags: Vec<String>,
    /// Do not ask first
    #[arg(long)]
    yes: bool,
    /// For a program: one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match probe(arguments) {
        Ok(Some((probed, in_force))) => {
            let told = Told::new(&probed, in_force);
            if arguments.json {
                println!("{}", serde_json::to_string_pretty(&told.json(&probed))?);
            } else {
                print!("{}", told.text(&probed, Style::of_stdout())?);
            }
            let fine = told.in_force_works && probed.left.is_empty();
            Ok(ExitCode::from(u8::from(!fine)))
        }
        Ok(None) => Ok(ExitCode::from(2)),
        Err(error) => {
            eprintln!("{} {error:#}", Style::of_stderr().bad("error:"));
            Ok(ExitCode::from(2))
        }
    }
}

/// Tries it; nothing where the person says no.
fn probe(arguments: &Arguments) -> anyhow::Result<Option<(Probed, WireSettings)>> {
    let (settings, _) = settings_of(&arguments.common)?;
    crate::chatflow::install_tls();
    let key = api_key(&settings.chatflow)?;
    let client = Client::new(&settings.chatflow, &key, 1, Arc::new(Metrics::new()?))?;
    let with = With { attribute: arguments.attribute.clone(), tags: arguments.tags.clone() };
    let runtime = super::runtime()?;
    let trial = runtime
        .block_on(Prober::prepare(client, &arguments.contact, with))
        .context("the contact could not be read")?;
    if !arguments.yes && !agreed(&arguments.contact, &trial.plan())? {
        return Ok(None);
    }
    let probed = runtime.block_on(trial.run()).context(
        "the trials were broken off; look at the contact, and try again once the API works",
    )?;
    Ok(Some((probed, settings.chatflow.wire)))
}

/// Whether the person at the terminal agrees to what will be done.
fn agreed(contact: &ContactId, plan: &[String]) -> anyhow::Result<bool> {
    let mut said = format!("On contact {}, each in every form and put back:\n", contact.as_str());
    for line in plan {
        writeln!(said, "  - {line}")?;
    }
    eprint!("{said}Automations in Chatflow may start. Go on? [y/N] ");
    if !std::io::stdin().is_terminal() {
        eprintln!();
        anyhow::bail!("nobody can be asked here: say `--yes`");
    }
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// One setting: its trials in words, the form in force and the one that is best.
struct Setting {
    name: &'static str,
    trials: Result<Vec<(&'static str, Verdict)>, String>,
    in_force: &'static str,
}

impl Setting {
    fn new<T: Copy>(
        name: &'static str,
        trials: &Trials<T>,
        word: impl Fn(T) -> &'static str,
        in_force: T,
    ) -> Self {
        let words = |trials: &Vec<_>| -> Vec<_> {
            let said = |trial: &crate::chatflow::probing::Trial<T>| {
                (word(trial.form), trial.verdict.clone())
            };
            trials.iter().map(said).collect()
        };
        let trials = trials.as_ref().map(words).map_err(String::clone);
        Self { name, trials, in_force: word(in_force) }
    }

    fn works(&self, form: &str) -> bool {
        let trials = self.trials.as_deref().unwrap_or_default();
        trials.iter().any(|(other, verdict)| *other == form && *verdict == Verdict::Works)
    }

    /// The form in force where it works or nothing could be tried; else the first that works.
    fn best(&self) -> Option<&'static str> {
        if self.works(self.in_force) || self.trials.is_err() {
            return Some(self.in_force);
        }
        let trials = self.trials.as_deref().unwrap_or_default();
        trials.iter().find(|(form, _)| self.works(form)).map(|(form, _)| *form)
    }
}

/// What is told.
struct Told {
    settings: [Setting; 3],
    in_force_works: bool,
}

impl Told {
    fn new(probed: &Probed, wire: WireSettings) -> Self {
        let settings = [
            Setting::new("attributes", &probed.attributes, AttributesForm::as_str, wire.attributes),
            Setting::new(
                "tag_changes",
                &probed.tag_changes,
                TagChangesForm::as_str,
                wire.tag_changes,
            ),
            Setting::new(
                "on_duplicate",
                &probed.on_duplicate,
                OnDuplicatePlace::as_str,
                wire.on_duplicate,
            ),
        ];
        let works = |setting: &Setting| setting.best() == Some(setting.in_force);
        let in_force_works = settings.iter().all(works);
        Self { settings, in_force_works }
    }

    fn json(&self, probed: &Probed) -> Value {
        let told = |setting: &Setting| {
            let tried = match &setting.trials {
                Ok(trials) => trials
                    .iter()
                    .map(|(form, verdict)| ((*form).to_owned(), Value::from(words(verdict))))
                    .collect::<serde_json::Map<_, _>>()
                    .into(),
                Err(why) => json!({ "not_tried": why }),
            };
            (
                setting.name.to_owned(),
                json!({"in_force": setting.in_force, "use": setting.best(), "tried": tried}),
            )
        };
        let wire: Value = self.settings.iter().map(told).collect::<serde_json::Map<_, _>>().into();
        let left: Vec<_> = probed.left.iter().map(|field| field.as_str()).collect();
        json!({"wire": wire, "in_force_works": self.in_force_works, "not_put_back": left})
    }

    fn text(&self, probed: &Probed, style: Style) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        for setting in &self.settings {
            match &setting.trials {
                Ok(trials) => {
                    for (form, verdict) in trials {
                        let said = words(verdict);
                        let said = if *verdict == Verdict::Works {
                            style.good(&said)
                        } else {
                            style.bad(&said)
                        };
                        writeln!(text, "{:<13} {form:<12} {said}", setting.name)?;
                    }
                }
                Err(why) => writeln!(text, "{:<13} not tried: {why}", setting.name)?,
            }
        }
        let heading = if self.in_force_works {
            "The settings in force work:"
        } else {
            "Put this into the settings:"
        };
        writeln!(text, "\n{}\n\nchatflow:\n  wire:", style.heading(heading))?;
        for setting in &self.settings {
            match setting.best() {
                Some(form) => writeln!(text, "    {}: {form}", setting.name)?,
                None => writeln!(text, "    # {}: no form works", setting.name)?,
            }
        }
        if probed.left.is_empty() {
            writeln!(text, "\nThe contact is as it was.")?;
        } else {
            let left: Vec<_> = probed.left.iter().copied().map(Field::as_str).collect();
            let said = format!("Not put back, mend it by hand: {}", left.join(", "));
            writeln!(text, "\n{}", style.bad(&said))?;
        }
        Ok(text)
    }
}

fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Works => "works".to_owned(),
        Verdict::PassedOver => "passed over: a success, and not what was asked for".to_owned(),
        Verdict::Refused(words) => format!("refused: {words}"),
    }
}

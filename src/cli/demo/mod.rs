//! `demo`: the whole way on this machine, for the newcomer. A mock Chatflow, shipped mappings, real-shaped webhooks;
//! no key, no server, nothing left behind.

mod samples;
mod show;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use super::serve::Stop;
use super::style::Style;
use crate::chatflow::mock::{MockChatflow, MockOptions};
use crate::clock::SystemClock;
use crate::event::EventId;
use crate::mapping::Set;
use crate::server::{Bridge, Mappings, Parts};
use crate::settings::{Secrets, Sources, load};
use crate::telemetry::log::{self, LogSettings};
use crate::webhook::check_door;
use samples::{KEY, SAMPLES, Sample};

/// How long a sample's updates may take.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chatflow-bridge demo\n  chatflow-bridge demo --once && echo it works here"
)]
pub(super) struct Arguments {
    /// End after the samples; the exit code is 0 only if every contact ended as expected
    #[arg(long)]
    once: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let folder = tempfile::Builder::new().prefix("chatflow-bridge-demo-").tempdir()?;
    let style = Style::of_stdout();
    let _log = log::begin(&LogSettings { level: "warn".to_owned(), ..LogSettings::default() })?;
    super::runtime()?.block_on(async {
        let mut stop = Stop::listen()?;
        let chatflow = MockChatflow::start(MockOptions {
            api_key: Some(KEY.to_owned()),
            ..MockOptions::default()
        })?;
        for seed in samples::known_contacts() {
            chatflow.add_contact(seed);
        }
        let bridge = start(folder.path(), &chatflow).await?;
        println!("{}", style.heading("chatflow-bridge demo"));
        println!(
            "The bridge, its store and a mock Chatflow run on this machine; nothing is kept.\n"
        );

        let mut fine = true;
        for (number, sample) in SAMPLES.iter().enumerate() {
            let played = tokio::select! {
                played = play(number + 1, sample, &bridge, &chatflow, style) => played?,
                () = stop.told() => return Ok(ExitCode::from(1)),
            };
            fine &= played;
        }
        let verdict = if fine {
            style.good("Every contact ended as expected.")
        } else {
            style.bad("Not every contact ended as expected.")
        };
        println!("{verdict}\n");
        if !arguments.once {
            show::addresses(&bridge, &chatflow, style);
            stop.told().await;
            println!("\nstopping; nothing is left behind");
        }
        bridge.stop().await;
        chatflow.stop().await;
        Ok(if fine { ExitCode::SUCCESS } else { ExitCode::from(1) })
    })
}

async fn start(folder: &std::path::Path, chatflow: &MockChatflow) -> anyhow::Result<Bridge> {
    let here = "127.0.0.1:0".to_owned();
    let store = format!("sqlite:{}", folder.join("demo.db").display());
    let flags = [
        ("server.hooks", here.clone()),
        ("server.metrics", here.clone()),
        ("server.admin", here),
        ("server.drain_delay", "0".to_owned()),
        ("chatflow.base_url", chatflow.base_url()),
        ("chatflow.api_key", KEY.to_owned()),
        ("store.url", store),
        ("store.min_free", "0".to_owned()),
    ];
    let sources = Sources {
        flags: flags.into_iter().map(|(key, value)| (key, value, "demo")).collect(),
        ..Sources::default()
    };
    let (settings, _) = load(&sources)?;
    let read = Set::read_with(samples::mapping_files(), &check_door);
    let set = read.set.context("a shipped mapping is wrong")?;
    let bridge = Bridge::start(Parts {
        settings,
        mappings: Mappings::Set(Arc::new(set)),
        secrets: Arc::new(Secrets::new(samples::secrets())),
        clock: Arc::new(SystemClock),
    })
    .await?;
    Ok(bridge)
}

/// Posts a sample, follows it to the contact, and says whether the contacts ended as expected.
async fn play(
    number: usize,
    sample: &Sample,
    bridge: &Bridge,
    chatflow: &MockChatflow,
    style: Style,
) -> anyhow::Result<bool> {
    show::incoming(number, sample, style);
    chatflow.forget_requests();
    let url = format!("http://{}/hooks/{}", bridge.addresses().hooks, sample.source);
    let mut request = reqwest::Client::builder().no_proxy().build()?.post(url).body(sample.body);
    for (name, value) in sample.headers()? {
        request = request.header(name, value);
    }
    let answer = request.send().await?;
    let (status, text) = (answer.status().as_u16(), answer.text().await?);
    show::answer(status, &text, style);
    let body: serde_json::Value = serde_json::from_str(&text).context("the answer is no JSON")?;
    let id: EventId = body["event_id"]
        .as_str()
        .context("the answer names no event")?
        .parse()
        .context("the answer names no event")?;
    let updates = settled(bridge, id).await?;
    show::rules(&updates, style);
    show::calls(&chatflow.requests(), style);
    Ok(show::contacts(sample, chatflow, style))
}

/// The event's updates, once none of them waits any more.
async fn settled(bridge: &Bridge, id: EventId) -> anyhow::Result<Vec<crate::store::UpdateRow>> {
    let waiting = async {
        loop {
            let event = bridge.store().event(id).await?.context("the event is not stored")?;
            let moving = |state: &str| matches!(state, "waiting" | "in_flight");
            if !event.updates.iter().any(|update| moving(update.state)) {
                return anyhow::Ok(event.updates);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .context("the updates were not delivered in time")?
}

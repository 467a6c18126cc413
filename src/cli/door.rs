//! Where commands for operators have things done: by the running bridge, or by themselves on a store that no bridge
//! holds.

use std::sync::Arc;

use anyhow::Context;
use serde_json::{Value, json};

use super::{Common, mappings, running};
use crate::admin::desk::Desk;
use crate::admin::desk::asked::{ChangeAsked, Filter};
use crate::admin::desk::causes::Causes;
use crate::admin::desk::outcome::Done;
use crate::admin::event::shown;
use crate::cli::serve::settings_of;
use crate::clock::SystemClock;
use crate::event::{EventId, SourceName, UpdateName};
use crate::mapping::Set;
use crate::server::open_offline;
use crate::settings::Settings;
use crate::store::{EventFilter, Letters, Page, StoredEvent};
use crate::webhook::{NotMapped, map_again};

/// The flags by which a door is found.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct DoorArguments {
    /// Open the store itself; no bridge may run on it, unless it is a PostgreSQL
    #[arg(long)]
    pub(super) offline: bool,
    /// The settings file [default: chatflow-bridge.yaml, where there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<std::path::PathBuf>,
    /// The store: `sqlite:PATH` or `postgres://…` [setting: store.url]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
}

/// What is done with updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Replay,
    Remap,
    Discard,
    Purge,
}

/// Whom a command asks.
pub(super) enum Door {
    Bridge(Box<Settings>),
    Store(Box<Opened>),
}

/// A store that this process has opened, and the desk before it.
pub(super) struct Opened {
    store: Arc<dyn Letters>,
    desk: Desk,
}

/// By whom a change was made, for the log.
const BY: &str = "command line, offline";

impl Action {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Remap => "remap",
            Self::Discard => "discard",
            Self::Purge => "purge",
        }
    }
}

impl Door {
    /// Finds the door; `mappings` is the folder to map with where the bridge's own is not meant.
    pub(super) async fn open(
        arguments: &DoorArguments,
        mappings: Option<&std::path::Path>,
    ) -> anyhow::Result<Self> {
        let common = Common {
            config: arguments.config.clone(),
            mappings: mappings.map(std::path::Path::to_owned),
            store: arguments.store.clone(),
        };
        let (settings, _) = settings_of(&common)?;
        if arguments.offline {
            Opened::open(&settings).await.map(|opened| Self::Store(Box::new(opened)))
        } else {
            Ok(Self::Bridge(Box::new(settings)))
        }
    }

    /// A page of updates, as `GET /api/updates` gives it.
    pub(super) async fn updates(&self, filter: &Filter) -> anyhow::Result<Value> {
        match self {
            Self::Bridge(settings) => running::find(settings, "/api/updates", filter).await,
            Self::Store(opened) => {
                let found = opened.desk.updates(filter).await?;
                Ok(json!({ "updates": found.rows, "next": found.next }))
            }
        }
    }

    /// One update; nothing where it is not there.
    pub(super) async fn update(&self, name: &UpdateName) -> anyhow::Result<Option<Value>> {
        match self {
            Self::Bridge(settings) => {
                let path = format!("/api/updates/{}", in_a_path(&name.to_string()));
                running::get(settings, &path).await.map(Some)
            }
            Self::Store(opened) => Ok(opened.desk.update(name).await?),
        }
    }

    /// A page of events, as `GET /api/events` gives it.
    pub(super) async fn events(
        &self,
        source: Option<&SourceName>,
        page: Page,
    ) -> anyhow::Result<Value> {
        match self {
            Self::Bridge(settings) => {
                let mut query = json!({ "limit": page.most });
                if let (Some(source), Some(query)) = (source, query.as_object_mut()) {
                    query.insert("source".to_owned(), json!(source));
                }
                if let (Some(before), Some(query)) = (page.before, query.as_object_mut()) {
                    query.insert("before".to_owned(), json!(before));
                }
                running::find(settings, "/api/events", &query).await
            }
            Self::Store(opened) => {
                let filter = EventFilter { source: source.cloned() };
                let rows = opened.store.events(&filter, page.clone()).await?;
                let next = rows.last().filter(|_| rows.len() == page.most).map(|row| &row.cursor);
                Ok(json!({ "events": rows, "next": next }))
            }
        }
    }

    /// One event; nothing where it is not there.
    pub(super) async fn event(&self, id: EventId) -> anyhow::Result<Option<Value>> {
        match self {
            Self::Bridge(settings) => {
                running::get(settings, &format!("/api/events/{id}")).await.map(Some)
            }
            Self::Store(opened) => Ok(opened.store.event(id).await?.as_ref().map(shown)),
        }
    }

    /// The causes of what a filter finds.
    pub(super) async fn causes(&self, filter: &Filter) -> anyhow::Result<Causes> {
        match self {
            Self::Bridge(settings) => {
                let told = running::find(settings, "/api/causes", filter).await?;
                serde_json::from_value(told).context("the bridge tells causes in another way")
            }
            Self::Store(opened) => Ok(opened.desk.causes(filter).await?),
        }
    }

    /// Changes some updates.
    pub(super) async fn change(&self, action: Action, asked: &ChangeAsked) -> anyhow::Result<Done> {
        match self {
            Self::Bridge(settings) => {
                let path = format!("/api/{}", action.as_str());
                let told = running::post(settings, &path, asked).await?;
                serde_json::from_value(told).context("the bridge tells of changes in another way")
            }
            Self::Store(opened) => Ok(match action {
                Action::Replay => opened.desk.replay(asked, BY).await,
                Action::Remap => opened.desk.remap(asked, BY).await,
                Action::Discard => opened.desk.discard(asked, BY).await,
                Action::Purge => opened.desk.purge(asked, BY).await,
            }?),
        }
    }

    /// Pauses delivery, or has it go on; why it is paused then.
    pub(super) async fn halt(&self, halted: bool) -> anyhow::Result<Value> {
        match (self, halted) {
            (Self::Bridge(settings), true) => running::post(settings, "/api/pause", &()).await,
            (Self::Bridge(settings), false) => running::post(settings, "/api/resume", &()).await,
            (Self::Store(opened), true) => {
                opened.desk.pause(BY).await?;
                Ok(json!({ "paused": ["operator"] }))
            }
            (Self::Store(opened), false) => {
                opened.desk.resume(BY).await?;
                Ok(json!({ "paused": [] }))
            }
        }
    }

    /// The rows of the store against its counters.
    pub(super) async fn audit(&self) -> anyhow::Result<Value> {
        match self {
            Self::Bridge(settings) => running::get(settings, "/api/audit").await,
            Self::Store(opened) => Ok(opened.desk.audit().await?),
        }
    }

    /// Lets go of the store.
    pub(super) async fn close(self) {
        if let Self::Store(opened) = self {
            opened.store.close().await;
        }
    }
}

impl Opened {
    async fn open(settings: &Settings) -> anyhow::Result<Self> {
        let store = open_offline(&settings.store, Arc::new(SystemClock)).await?;
        let folder = settings.mappings.dir.clone();
        let mut read: Option<Result<Set, String>> = None;
        let set = std::sync::Mutex::new(move |stored: &StoredEvent| {
            // The mappings are read when they are needed first.
            let set = read.get_or_insert_with(|| match mappings::read(&folder) {
                Ok(read) => read
                    .set
                    .ok_or_else(|| "the mappings have errors: `chatflow-bridge check`".to_owned()),
                Err(error) => Err(format!("{error:#}")),
            });
            let set = set.as_ref().map_err(Clone::clone)?;
            let name = stored.event.source.as_str();
            let source = set.get(name).ok_or_else(|| NotMapped::NoSource(name.to_owned()));
            let mapped = source.and_then(|source| map_again(source, stored));
            mapped.map_err(|not_mapped| not_mapped.to_string())
        });
        let map_again = move |stored: &StoredEvent| {
            (set.lock().unwrap_or_else(std::sync::PoisonError::into_inner))(stored)
        };
        let desk = Desk::new(
            Arc::clone(&store),
            Box::new(map_again),
            Box::new(|_| {}),
            settings.chatflow.clone(),
        );
        Ok(Self { store, desk })
    }
}

/// A text as part of a path of a URL, `/` as it is.
fn in_a_path(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(byte);
    text.bytes()
        .map(
            |byte| {
                if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
            },
        )
        .collect()
}

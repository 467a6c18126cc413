//! What an operator can have done with what is stored, whatever door it is asked through: the admin API of a running
//! bridge, or a command that has opened the store itself.
//!
//! [`asked`] is what may be asked, [`outcome`] what is told. `chosen` finds the updates that are meant, `replay`,
//! `remap` and `away` (discard, purge) change them, `late` leaves out what later events have set since, `causes`
//! groups.
//!
//! # Promises
//!
//! - A dry run changes nothing, and says what would be done by the code that does it.
//! - A call does a bounded number of updates and says where the next one begins.
//! - Each change is logged, with who and what, and without personal data.

pub mod asked;
mod away;
pub mod causes;
mod chosen;
mod late;
pub mod outcome;
mod remap;
mod replay;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Mutex;

use self::asked::{Filter, InvalidAsked};
use crate::chatflow::ChatflowSettings;
use crate::event::UpdateName;
use crate::store::letters::{Found, Halt, Letter};
use crate::store::{Error, Letters, NewUpdate, StoredEvent};

/// Maps a stored event again with the mappings in force; says why it cannot be.
pub type MapAgain = Box<dyn Fn(&StoredEvent) -> Result<Vec<NewUpdate>, String> + Send + Sync>;

/// Has delivery pause (`true`) or go on.
pub type Switch = Box<dyn Fn(bool) + Send + Sync>;

/// The operator's desk.
pub struct Desk {
    store: Arc<dyn Letters>,
    map_again: MapAgain,
    switch: Switch,
    /// By which the requests of a dry run are written.
    chatflow: ChatflowSettings,
    /// One change at a time: what a second one looks at stands.
    turn: Mutex<()>,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It was asked in a way that cannot be understood.
    #[error(transparent)]
    Asked(#[from] InvalidAsked),
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Desk {
    /// A desk before this store.
    pub fn new(
        store: Arc<dyn Letters>,
        map_again: MapAgain,
        switch: Switch,
        chatflow: ChatflowSettings,
    ) -> Self {
        Self { store, map_again, switch, chatflow, turn: Mutex::new(()) }
    }

    /// A page of updates.
    pub async fn updates(&self, filter: &Filter) -> Result<Found, Refused> {
        Ok(self.store.find(&filter.wanted()?, filter.page()).await?)
    }

    /// One update by name, with what it says; nothing where it is not there.
    pub async fn update(&self, name: &UpdateName) -> Result<Option<Value>, Refused> {
        let rows = chosen::of_event(&*self.store, name.event).await?;
        let Some(row) = rows.into_iter().find(|row| row.rule == name.rule && row.item == name.item)
        else {
            return Ok(None);
        };
        let found = self.store.letters(vec![row.id]).await?.pop();
        Ok(found.map(|letter| self.shown(&letter)))
    }

    fn shown(&self, letter: &Letter) -> Value {
        let sends = letter.part.as_ref().or(letter.planned.as_ref());
        json!({
            "update": letter.row,
            "planned": letter.planned,
            "sends": letter.part,
            "requests": sends.map(|planned| outcome::requests(planned, &self.chatflow)),
        })
    }

    /// Pauses delivery until [`resume`](Self::resume), over restarts too.
    pub async fn pause(&self, by: &str) -> Result<(), Refused> {
        self.store.halt(true).await?;
        (self.switch)(true);
        tracing::warn!(by, "delivery was paused by an operator");
        Ok(())
    }

    /// Has delivery go on: takes back the pause of an operator, and what the answers of the API have paused until
    /// answers that are no better pause it again; a refused key is tried at once.
    pub async fn resume(&self, by: &str) -> Result<(), Refused> {
        self.store.halt(false).await?;
        (self.switch)(false);
        tracing::info!(by, "an operator has had delivery go on");
        Ok(())
    }

    /// Since when an operator has paused delivery, if so.
    pub async fn halted(&self) -> Result<Option<Halt>, Error> {
        self.store.halted().await
    }

    /// By how many rows the store is off what was counted.
    pub async fn rows_off(&self) -> Result<i64, Error> {
        let balances = self.store.audit().await?;
        Ok(balances.iter().map(|balance| balance.off().abs()).sum())
    }

    /// Counts the rows of the store and holds them against the counters.
    pub async fn audit(&self) -> Result<Value, Refused> {
        let balances = self.store.audit().await?;
        let numbers = self.store.numbers().await?;
        let rows_off: i64 = balances.iter().map(|balance| balance.off().abs()).sum();
        Ok(json!({
            "holds": rows_off == 0 && numbers.imbalance() == 0,
            "rows_off": rows_off,
            "imbalance": numbers.imbalance(),
            "balances": balances,
        }))
    }
}

//! What operators ask of the store: `find` and `read` look in, `later` looks at what came after, `change` is what the
//! writer does, a transaction for each call; `audit` counts.

mod audit;
mod change;
mod find;
mod later;
mod read;

pub(super) use audit::audit;
pub(super) use find::find;

use async_trait::async_trait;
use rusqlite::OptionalExtension;

use super::connection::failed;
use super::{SqliteStore, connection, statements};
use crate::contact::Who;
use crate::event::{EventId, UpdateId};
use crate::store::form::changes::PreparedChange;
use crate::store::letters::{
    Balance, Change, Changed, Found, Halt, Later, Letter, Letters, Search,
};
use crate::store::{Error, Page};

/// The name in `meta` under which it stands since when an operator has paused delivery.
const HALTED: &str = "halted";

#[async_trait]
impl Letters for SqliteStore {
    async fn find(&self, wanted: &Search, page: Page) -> Result<Found, Error> {
        let wanted = wanted.clone();
        let lane = wanted.contact.as_ref().map(|who| self.keys.lane(who));
        let now = self.clock.now().as_millisecond();
        let read = move |connection: &rusqlite::Connection| {
            let lanes = lane.map(|lane| later::lanes_of(connection, lane)).transpose();
            let lanes = lanes.map_err(|error| failed(&error))?;
            find(connection, &wanted, lanes, now, &page)
        };
        self.readers.read(read).await
    }

    async fn letters(&self, updates: Vec<UpdateId>) -> Result<Vec<Letter>, Error> {
        self.readers.read(move |connection| read::letters(connection, &updates)).await
    }

    async fn later(&self, asked: Vec<(UpdateId, Who)>) -> Result<Later, Error> {
        let asked = asked.into_iter().map(|(id, who)| (id, self.keys.lane(&who)));
        later::later(&self.readers, asked.collect()).await
    }

    async fn change(&self, changes: Vec<Change>, upto: EventId) -> Result<Vec<Changed>, Error> {
        let prepare = |change| PreparedChange::new(&self.keys, change);
        let changes = changes.into_iter().map(prepare).collect::<Result<Vec<_>, _>>()?;
        self.rarely(move |writer| writer.change(&changes, upto.0)).await
    }

    async fn halt(&self, halted: bool) -> Result<(), Error> {
        self.rarely(move |writer| writer.halt(halted)).await
    }

    async fn halted(&self) -> Result<Option<Halt>, Error> {
        let read = |connection: &rusqlite::Connection| {
            let since: Option<i64> = connection
                .query_row(statements::GET_META, [HALTED], |row| row.get(0))
                .optional()
                .map_err(|error| connection::failed(&error))?;
            let moment = since.map(jiff::Timestamp::from_millisecond).transpose();
            let since = moment.map_err(|_| Error::Failed("its pause is damaged".to_owned()))?;
            Ok(since.map(|since| Halt { since }))
        };
        self.readers.read(read).await
    }

    async fn audit(&self) -> Result<Vec<Balance>, Error> {
        self.readers.read(audit::audit).await
    }
}

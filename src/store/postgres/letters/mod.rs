//! What operators ask of the store: `find` and `read` look in, `later` looks at what came after, `change` changes, a
//! transaction for each call; `audit` counts.

mod audit;
mod change;
mod find;
mod later;
mod read;
mod replace;

pub(super) use audit::balances;

use async_trait::async_trait;

use super::core::Core;
use super::transaction::{params, transacted};
use super::{PostgresStore, queries, schema};
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
impl Letters for PostgresStore {
    async fn find(&self, wanted: &Search, page: Page) -> Result<Found, Error> {
        self.core.find(wanted, &page).await
    }

    async fn letters(&self, updates: Vec<UpdateId>) -> Result<Vec<Letter>, Error> {
        self.core.letters(&updates).await
    }

    async fn later(&self, asked: Vec<(UpdateId, Who)>) -> Result<Later, Error> {
        let asked = asked.into_iter().map(|(id, who)| (id, self.core.keys.lane(&who)));
        self.core.later(asked.collect()).await
    }

    async fn change(&self, changes: Vec<Change>, upto: EventId) -> Result<Vec<Changed>, Error> {
        let prepare = |change| PreparedChange::new(&self.core.keys, change);
        let changes = changes.into_iter().map(prepare).collect::<Result<Vec<_>, _>>()?;
        self.core.change(&changes, upto.0).await
    }

    async fn halt(&self, halted: bool) -> Result<(), Error> {
        self.core.halt(halted).await
    }

    async fn halted(&self) -> Result<Option<Halt>, Error> {
        self.core.halted().await
    }

    async fn audit(&self) -> Result<Vec<Balance>, Error> {
        self.core.audit().await
    }
}

impl Core {
    /// Notes that an operator has paused delivery, or has it go on.
    async fn halt(&self, halted: bool) -> Result<(), Error> {
        self.noted(
            "change",
            transacted!(self.pool, |transaction| {
                if halted {
                    // Since when it is paused is when it was first.
                    let now = transaction.now(self.manual()).await?;
                    transaction.execute(queries::ADD_NUMBER, params![HALTED, now]).await?;
                } else {
                    transaction.execute(queries::FORGET_META, params![HALTED]).await?;
                }
                Ok(())
            }),
        )
    }

    async fn halted(&self) -> Result<Option<Halt>, Error> {
        let since =
            transacted!(self.pool, |transaction| schema::number(transaction, HALTED).await)?;
        let moment = since.map(jiff::Timestamp::from_millisecond).transpose();
        let since = moment.map_err(|_| Error::Failed("its pause is damaged".to_owned()))?;
        Ok(since.map(|since| Halt { since }))
    }
}

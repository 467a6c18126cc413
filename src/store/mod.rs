//! Where accepted work waits.
//!
//! [`Store`] is a list of promises; `conformance` (in tests) holds every store to them.

pub mod browse;
#[cfg(test)]
mod conformance;
pub mod copy;
mod entry;
mod error;
mod form;
mod lend;
pub mod letters;
mod marks;
pub mod postgres;
pub mod rekey;
pub mod settings;
pub mod sqlite;
mod url;

use async_trait::async_trait;

pub use browse::{EventFilter, EventRow, Numbers, Page, StoredEvent, UpdateFilter, UpdateRow};
pub use entry::{Dedupe, NewEvent, NewState, NewUpdate, Receipt, Request};
pub use error::Error;
pub use lend::{AfterDead, Claim, End, Fence, Joined, Lane, Lent, Run, Trouble, Wanted};
pub use letters::Letters;
pub use marks::Marked;
pub use settings::StoreSettings;
pub use sqlite::{OfflineStore, SqliteStore};

/// Keeps events and their updates, lends updates to delivery, and remembers what became of them.
///
/// A store has its own clock: instants never cross this trait, durations do.
///
/// # Promises
///
/// - What [`append`](Self::append) has returned survives the process, whole: the events, their updates and the
///   keys by which repeats are known.
/// - Of any number of events with one key at once, one is stored; the others get its id.
/// - An event of which something has come (an update that waits, was sent, skipped or died) is never mapped again by
///   [`remap`](Self::remap).
/// - A lane lends one run at a time, the oldest updates first, and the next only when all of that one are recorded.
/// - A fence that is no longer in force changes nothing.
/// - What a claim costs does not grow with what waits.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Keeps the events of one request and their updates, all or none; once this returns they survive the process.
    /// One receipt for each event, in order. An event whose key was seen within its window is not stored again.
    async fn append(&self, request: Request, events: Vec<NewEvent>) -> Result<Vec<Receipt>, Error>;

    /// Gives an event that stands wholly ignored or held these updates, in place of those that are held; its key, its
    /// request and its place among the events stay. `false` where it stands otherwise: nothing changed.
    async fn remap(
        &self,
        event: crate::event::EventId,
        updates: Vec<NewUpdate>,
    ) -> Result<bool, Error>;

    /// Lends what is due, never two runs of one lane, oldest due first; waits until there is one at least.
    /// Dropping the future gives back what it would have lent.
    async fn claim(&self, wanted: Wanted) -> Result<Vec<Run>, Error>;

    /// For how long from now what is lent under this fence is sure to stay lent; nothing where it is as long as the
    /// store is open. A request that takes longer may meet another one for the same contact.
    fn sure_for(&self, _fence: Fence) -> Option<std::time::Duration> {
        None
    }

    /// Says what became of updates that were lent in one run, all of them or some; the lane goes on when none of the
    /// run is left. `false` where one of them is no longer under its fence: nothing has changed for that one.
    async fn record(&self, ends: Vec<(Lent, End)>, after_dead: AfterDead) -> Result<bool, Error>;

    /// Has dead updates wait again, each at its old place in its lane and with the attempt in which it died uncounted;
    /// gives those that were dead. The others stay as they are.
    async fn revive(
        &self,
        updates: &[crate::event::UpdateId],
    ) -> Result<Vec<crate::event::UpdateId>, Error>;

    /// The lane of what names a contact, before anything is known about it.
    fn lane_of(&self, who: &crate::contact::Who) -> Lane;

    /// Says that what is left of a run belongs into another lane: into that of the contact's id, once it is known whom
    /// the run's key means; back into the key's own, where it means nobody. From now on, until the key joins yet
    /// another lane, whatever comes under it waits there, and so does what waits for it already, all by received
    /// order. What is [`Joined::Behind`] is no longer lent, and no attempt of it is counted.
    async fn join(&self, run: Vec<Lent>, lane: Lane) -> Result<Joined, Error>;

    /// When the event of an update happened, and what is marked of its contact: for sources that guard against older
    /// events.
    async fn marked(&self, update: crate::event::UpdateId) -> Result<Marked, Error>;

    /// What there is, by state; cheap enough to be asked at every scrape.
    async fn numbers(&self) -> Result<Numbers, Error>;

    /// Events, youngest first.
    async fn events(&self, filter: &EventFilter, page: Page) -> Result<Vec<EventRow>, Error>;

    /// Updates, youngest first; those in a state that is an end, last ended first.
    async fn updates(&self, filter: &UpdateFilter, page: Page) -> Result<Vec<UpdateRow>, Error>;

    /// One event with its request and its updates.
    async fn event(&self, id: crate::event::EventId) -> Result<Option<StoredEvent>, Error>;

    /// Keeps the mapping files that are in force, by name and text, in the place of those that were kept before.
    async fn keep_mappings(&self, files: Vec<(String, String)>) -> Result<(), Error>;

    /// The mapping files that were kept last, in the order of their names; none in a store that never kept any.
    async fn kept_mappings(&self) -> Result<Vec<(String, String)>, Error>;

    /// Keeps the secret that a source's sender gave, the first one and no other; gives the one that is kept.
    async fn adopt_secret(
        &self,
        source: &crate::event::SourceName,
        secret: &str,
    ) -> Result<String, Error>;

    /// The secret that was kept of a source's sender.
    async fn adopted_secret(
        &self,
        source: &crate::event::SourceName,
    ) -> Result<Option<String>, Error>;

    /// Forgets the secret that was kept of a source's sender; whether there was one.
    async fn forget_secret(&self, source: &crate::event::SourceName) -> Result<bool, Error>;

    /// Whether the store can be written now; what readiness asks.
    async fn check_writable(&self) -> Result<(), Error>;

    /// Returns when the store has given up: it failed again and again, and nothing can be asked of it any more. What
    /// it has answered is kept.
    async fn lost(&self) {
        std::future::pending::<()>().await;
    }

    /// Finishes what was begun, keeps it, and lets go of the files. Nothing can be asked afterwards.
    async fn close(&self);
}

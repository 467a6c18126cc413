//! The store in PostgreSQL, which several processes share.
//!
//! Whoever asks makes everything ready (`form`) and puts it where it waits (`inbox`, `queue`); four tasks take whatever
//! waits into one transaction each: `append` what comes in, `record` what became of it, `join` lanes that turn out to
//! be one, `lend` (with `claim`) what is due. `holder` says whose what is lent is, `listen` has processes wake each
//! other. `lanes` is how all of them lock what they change; `pool` and `transaction` are the way to the database,
//! `schema` its tables, `statements` every statement.
//!
//! # Promises
//!
//! - What is answered is committed, with `synchronous_commit`.
//! - Lanes are locked before numbers are drawn: in each lane numbers grow as transactions are committed.
//! - Only the database's clock counts.
//! - Nothing is kept in a session: a pooler may give each transaction another connection.

mod address;
mod append;
mod arrivals;
mod browse;
mod claim;
mod copied;
mod core;
mod ends;
mod failure;
mod holder;
mod house;
mod inbox;
mod join;
mod kept;
mod key_file;
mod lanes;
mod ledger;
mod lend;
mod letters;
mod listen;
mod marks;
mod names;
mod numbers;
mod pool;
mod queries;
mod queue;
mod record;
mod refusals;
mod rekey;
mod remap;
mod removal;
mod replicas;
mod retention;
mod revive;
mod rows;
mod schema;
mod sealing;
mod statements;
#[cfg(test)]
mod tests;
mod tls;
mod transaction;

pub use address::{Address, InvalidAddress, Place};
pub(in crate::store) use copied::{CopySource, copy_into};
pub(in crate::store) use rekey::rekey;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use self::core::Core;
use self::lend::ClaimOp;
use self::pool::Pool;
use self::queue::{AppendOp, JoinOp};
use super::form::cipher::Cipher;
use super::form::kept::LARGE_BODY;
use super::form::keys::Keys;
use super::form::lending::{Ending, RawRun, RecordOp};
use super::form::prepared::{Prepared, PreparedAgain};
use super::letters::{Letters, Search};
use super::settings::StoreSettings;
use super::{
    AfterDead, End, Error, EventFilter, EventRow, Fence, Joined, Lane, Lent, Marked, NewEvent,
    NewUpdate, Numbers, Page, Receipt, Refused, Request, Run, Store, StoredEvent, UpdateFilter,
    UpdateRow, Wanted,
};
use crate::clock::SharedClock;
use crate::contact::Who;
use crate::event::{EventId, SourceName, UpdateId};
use crate::telemetry::metrics::Metrics;

/// How long a sender waits for what it has sent to be stored.
const ANSWER: Duration = Duration::from_secs(5);

/// How long the store may take to say that it can be written.
const CHECK: Duration = Duration::from_secs(5);

/// The store in a database. Dropped, it ends as after a kill: what it holds goes back when its time is up.
pub struct PostgresStore {
    core: Arc<Core>,
    tasks: TaskTracker,
}

impl PostgresStore {
    /// Opens the store, or makes its tables; others may have it open too.
    ///
    /// # Errors
    ///
    /// [`Error::Newer`] says that a newer release wrote it, [`Error::Away`] that the database cannot be reached;
    /// anything else what is wrong and what to do. None shows a password.
    pub async fn open(
        place: &Place,
        settings: &StoreSettings,
        clock: SharedClock,
        metrics: Arc<Metrics>,
    ) -> Result<Arc<Self>, Error> {
        let schema = place.address.schema.clone();
        let pool = Pool::new(place)?;
        let cipher = Cipher::read(settings.encryption_key_file.as_deref())?;
        schema::migrate(&pool, &schema, schema::STEPS).await?;
        key_file::check(&pool, &cipher).await?;
        let keys = Keys::new(&schema::hash_key(&pool).await?);
        // A series that begins with its first failure does not rise: no alert would see that one.
        for operation in ["append", "record", "claim", "keep", "adopt", "change", "revive", "hold"]
        {
            for reason in ["full", "io", "connection"] {
                metrics.store_errors_total.with_label_values(&[operation, reason]);
            }
        }
        let limit = i64::try_from(settings.max_size.0).unwrap_or(i64::MAX);
        metrics.store_size_limit_bytes.with_label_values::<&str>(&[]).set(limit);
        let core = Core::new((pool, schema), (keys, cipher), settings, clock, metrics);
        let core = Arc::new(core);
        core.hold().await?;
        core.give_up_lapsed().await?;
        let woken = Arc::downgrade(&core);
        core.clock.on_jump(Box::new(move || {
            if let Some(core) = woken.upgrade() {
                core.jumped.notify_one();
                core.wake.now();
            }
        }));
        let tasks = TaskTracker::new();
        tasks.spawn(Arc::clone(&core).take_in());
        tasks.spawn(Arc::clone(&core).record());
        tasks.spawn(Arc::clone(&core).join());
        tasks.spawn(Arc::clone(&core).lend());
        let (holding, listening) = (Arc::clone(&core), Arc::clone(&core));
        tasks.spawn(async move { holding.keep_holding().await });
        tasks.spawn(async move { listening.listen().await });
        tasks.spawn(Arc::clone(&core).keep_house());
        tasks.spawn(Arc::clone(&core).follow_keys());
        Ok(Arc::new(Self { core, tasks }))
    }

    /// Whether there is a store at this place: its tables, of whatever release.
    ///
    /// # Errors
    ///
    /// [`Error::Away`] says that the database cannot be reached.
    pub async fn is_there(place: &Place) -> Result<bool, Error> {
        schema::is_there(&Pool::new(place)?, &place.address.schema).await
    }

    /// Reads what was lent; what this release cannot read is held instead. Nothing where nothing is left.
    fn readable(&self, run: RawRun) -> Option<Run> {
        let (run, unreadable) = run.read();
        if let Some(unreadable) = unreadable {
            self.core.give_back(unreadable);
        }
        run
    }

    /// Nothing more is taken.
    fn stop(&self) {
        self.core.closing.cancel();
        self.core.appends.close();
        self.core.joins.close();
        self.core.claims.close();
        self.core.records.close();
        self.tasks.close();
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn append(&self, request: Request, events: Vec<NewEvent>) -> Result<Vec<Receipt>, Error> {
        let prepared = if request.body.len() > LARGE_BODY {
            let keys = self.core.keys.clone();
            tokio::task::spawn_blocking(move || Prepared::new(&keys, request, events))
                .await
                .map_err(|_| Error::Failed("an event was not made ready".to_owned()))?
        } else {
            Prepared::new(&self.core.keys, request, events)
        }?;
        let (reply, receipts) = oneshot::channel();
        self.core
            .appends
            .put(AppendOp { prepared, reply })
            .inspect_err(|error| self.core.failed("append", error))?;
        in_time(async { receipts.await.map_err(|_| Error::Closed)? }).await
    }

    async fn remap(&self, event: EventId, updates: Vec<NewUpdate>) -> Result<bool, Error> {
        let again = PreparedAgain::new(&self.core.keys, event, updates)?;
        in_time(self.core.remap(&again)).await
    }

    async fn claim(&self, wanted: Wanted) -> Result<Vec<Run>, Error> {
        if wanted.runs == 0 {
            return Ok(Vec::new());
        }
        loop {
            let (reply, lending) = oneshot::channel();
            self.core.claims.put(ClaimOp { wanted, reply })?;
            let lent = lending.await.map_err(|_| Error::Closed)?.take();
            let runs: Vec<_> = lent.into_iter().filter_map(|run| self.readable(run)).collect();
            if !runs.is_empty() {
                return Ok(runs);
            }
        }
    }

    fn sure_for(&self, fence: Fence) -> Option<Duration> {
        Some(self.core.holder.sure_for(fence))
    }

    async fn record(&self, ends: Vec<(Lent, End)>, after_dead: AfterDead) -> Result<bool, Error> {
        let (reply, recorded) = oneshot::channel();
        let ends = ends.into_iter().map(|(lent, end)| (lent, Ending::Said(end))).collect();
        self.core.records.put(RecordOp { ends, after_dead, reply: Some(reply) })?;
        recorded.await.map_err(|_| Error::Closed)?
    }

    async fn revive(&self, updates: &[UpdateId]) -> Result<Vec<UpdateId>, Error> {
        self.core.revive(updates).await
    }

    async fn refusals(&self, within: Duration) -> Result<Vec<Refused>, Error> {
        self.core.refusals(within).await
    }

    fn lane_of(&self, who: &Who) -> Lane {
        Lane(self.core.keys.lane(who))
    }

    async fn join(&self, run: Vec<Lent>, lane: Lane) -> Result<Joined, Error> {
        let (reply, joined) = oneshot::channel();
        self.core.joins.put(JoinOp { run, to: lane.0, reply })?;
        joined.await.map_err(|_| Error::Closed)?
    }

    async fn marked(&self, update: UpdateId) -> Result<Marked, Error> {
        self.core.marked(update).await
    }

    async fn numbers(&self) -> Result<Numbers, Error> {
        self.core.numbers().await
    }

    async fn events(&self, filter: &EventFilter, page: Page) -> Result<Vec<EventRow>, Error> {
        self.core.is_open()?;
        self.core.events(filter, &page).await
    }

    async fn updates(&self, filter: &UpdateFilter, page: Page) -> Result<Vec<UpdateRow>, Error> {
        let UpdateFilter { state, source } = filter.clone();
        let states = state.into_iter().collect();
        let search = Search { states, source, ..Search::default() };
        Ok(self.find(&search, page).await?.rows)
    }

    async fn event(&self, id: EventId) -> Result<Option<StoredEvent>, Error> {
        self.core.is_open()?;
        self.core.event(id).await
    }

    async fn keep_mappings(&self, files: Vec<(String, String)>) -> Result<(), Error> {
        self.core.is_open()?;
        self.core.keep_mappings(&files).await
    }

    async fn kept_mappings(&self) -> Result<Vec<(String, String)>, Error> {
        self.core.is_open()?;
        self.core.kept_mappings().await
    }

    async fn adopt_secret(&self, source: &SourceName, secret: &str) -> Result<String, Error> {
        self.core.is_open()?;
        self.core.adopt_secret(source, secret).await
    }

    async fn adopted_secret(&self, source: &SourceName) -> Result<Option<String>, Error> {
        self.core.is_open()?;
        self.core.adopted_secret(source).await
    }

    async fn forget_secret(&self, source: &SourceName) -> Result<bool, Error> {
        self.core.is_open()?;
        self.core.forget_secret(source).await
    }

    async fn check_writable(&self) -> Result<(), Error> {
        if self.core.closing.is_cancelled() {
            return Err(Error::Closed);
        }
        let checked = tokio::time::timeout(CHECK, self.core.check()).await;
        checked.map_err(|_| Error::Away("PostgreSQL does not answer".to_owned()))?
    }

    async fn close(&self) {
        self.stop();
        self.tasks.wait().await;
        let untaken = self.core.untaken.lock().map(|mut ops| std::mem::take(&mut *ops));
        if let Some(untaken) = untaken.ok().filter(|ops| !ops.is_empty()) {
            self.core.record_all(untaken).await;
        }
        // What cannot be given back now goes back when this process's time is up.
        drop(self.core.give_up(self.core.holder.id(), true).await);
        self.core.pool.close();
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A sender is told to come again rather than kept waiting.
async fn in_time<T>(done: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match tokio::time::timeout(ANSWER, done).await {
        Ok(done) => done,
        Err(_) => Err(Error::Away("PostgreSQL does not answer in time".to_owned())),
    }
}

//! The store in one SQLite file, which one process holds.
//!
//! Whoever appends makes everything ready (`prepared`: hashed, written out, compressed) and puts it into a bounded
//! `queue`; one thread, the `writer`, takes whatever waits into one transaction, so that many share one sync to
//! disk. `append`, `remap`, `record` and `claim` are the parts of a transaction, `batch` is what it changes in `memory`
//! once it is committed; `letters` is what operators ask. `readers` look in beside it (`browse`, `numbers`). The tables are in `schema`, every
//! statement in `statements`. `offline` looks into a store that no bridge runs on.
//!
//! # Promises
//!
//! - What is answered is on disk: WAL with `synchronous=FULL`, one commit before the answer.
//! - A failed commit leaves nothing behind, in the file or in memory.
//! - No statement scans a table that grows.
//! - Memory grows by some 10 bytes a lane that waits, never by bodies or plans.

mod alone;
mod append;
mod backup;
mod batch;
mod blocked;
mod browse;
mod check;
mod claim;
mod connection;
mod copied;
#[cfg(test)]
mod faults;
mod follow;
mod house;
mod join;
mod lanes;
mod letters;
mod lock;
mod mappings;
mod marks;
mod memory;
mod numbers;
mod offline;
mod opening;
mod place;
mod queue;
mod readers;
mod record;
mod recover;
mod refusals;
mod rekey;
mod remap;
mod removal;
mod reserve;
mod retention;
mod revive;
mod room;
mod salvage;
mod schema;
mod sealing;
mod secrets;
mod seen;
mod statements;
mod steady;
mod strikes;
#[cfg(test)]
mod tests;
mod writer;

pub use check::{Depth, Finding, check};
pub(in crate::store) use copied::{CopySource, CopyTarget};
pub use offline::OfflineStore;
pub use recover::{Recovered, recover};
pub(in crate::store) use rekey::rekey;
pub use salvage::Salvaged;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{oneshot, watch};

use self::connection::StoreFile;
use self::follow::Followed;
use self::house::House;
use self::lock::LockFile;
use self::opening::Opened;
use self::place::place_for;
use self::queue::{AppendOp, ClaimOp, JoinOp, Queue};
use self::readers::Readers;
use self::room::{PAGE_SIZE, Room};
use self::steady::Steady;
use self::strikes::Strikes;
use self::writer::{Waits, Writer};
use super::letters::{Letters, Search};
use super::settings::StoreSettings;
use super::{
    AfterDead, End, Error, EventFilter, EventRow, Joined, Lane, Lent, Marked, NewEvent, NewUpdate,
    Numbers, Page, Receipt, Refused, Request, Run, Store, StoredEvent, UpdateFilter, UpdateRow,
    Wanted,
};
use crate::clock::SharedClock;
use crate::contact::Who;
use crate::event::{EventId, SourceName, UpdateId};
use crate::store::form::cipher::Cipher;
use crate::store::form::kept::LARGE_BODY;
use crate::store::form::keys::Keys;
use crate::store::form::lending::{Ending, RawRun, RecordOp};
use crate::store::form::prepared::{Incoming, Prepared, PreparedAgain};
use crate::telemetry::metrics::Metrics;

/// The store in one file. Dropping it is as good as [`close`](Store::close), but waits in place.
pub struct SqliteStore {
    queue: Arc<Queue>,
    readers: Arc<Readers>,
    keys: Keys,
    clock: SharedClock,
    steady: Arc<Steady>,
    metrics: Arc<Metrics>,
    /// For how long what is delivered is known.
    keeps_delivered: Duration,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Whether the writer has given up.
    lost: watch::Receiver<bool>,
}

impl SqliteStore {
    /// Opens the store at `path`, or makes it, and holds it until it is closed: a second process is refused. What
    /// was lent when the last process ended is due again.
    ///
    /// # Errors
    ///
    /// [`Error::Held`] names the process that holds the store; [`Error::Newer`] says that a newer release wrote it;
    /// [`Error::Damaged`] that something in it cannot be read; anything else says which file, what is wrong with it and what to do.
    pub fn open(
        path: &Path,
        settings: &StoreSettings,
        clock: SharedClock,
        metrics: Arc<Metrics>,
    ) -> Result<Arc<Self>, Error> {
        let named = |error: Error| match error {
            Error::Failed(why) => Error::Failed(format!("`{}`: {why}", path.display())),
            Error::Full(why) => Error::Full(format!("`{}`: {why}", path.display())),
            Error::Damaged(why) => Error::Damaged(format!("`{}`: {why}", path.display())),
            other => other,
        };
        place_for(path).map_err(named)?;
        let lock = LockFile::take(path)?;
        let max_pages = settings.max_size.0 / PAGE_SIZE;
        let cipher = Cipher::read(settings.encryption_key_file.as_deref())?;
        let file = StoreFile::new(path, &cipher);
        let mut room = Room::new(path, settings);
        let opened = opening::open(&file, max_pages, &clock, &mut room).map_err(named)?;
        let Opened { connection, memory, steady, fence, key } = opened;
        // A series that begins with its first failure does not rise: no alert would see that one.
        for operation in ["append", "record", "claim", "keep", "adopt", "change", "revive"] {
            for reason in ["full", "io"] {
                metrics.store_errors_total.with_label_values(&[operation, reason]);
            }
        }

        let limit = i64::try_from(settings.max_size.0).unwrap_or(i64::MAX);
        metrics.store_size_limit_bytes.with_label_values::<&str>(&[]).set(limit);
        let free = i64::try_from(room.free_bytes()).unwrap_or(i64::MAX);
        metrics.store_free_bytes.with_label_values::<&str>(&[]).set(free);
        let queue = Arc::new(Queue::default());
        let woken = Arc::downgrade(&queue);
        clock.on_jump(Box::new(move || {
            if let Some(queue) = woken.upgrade() {
                queue.jumped();
            }
        }));
        let (given_up, lost) = watch::channel(false);
        let writer = Writer {
            queue: Arc::clone(&queue),
            path: file.clone(),
            max_pages,
            connection: Some(connection),
            memory: Some(memory),
            room,
            clock: Arc::clone(&clock),
            steady: Arc::clone(&steady),
            metrics: Arc::clone(&metrics),
            fence,
            lock,
            waits: Waits::default(),
            house: House::new(settings.retention.clone(), clock.monotonic()),
            followed: Followed::new(),
            strikes: Strikes::default(),
            given_up,
        };
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| Error::Failed(format!("its thread did not start: {error}")))?;
        Ok(Arc::new(Self {
            queue,
            readers: Readers::new(file),
            keys: Keys::new(&key),
            clock,
            steady,
            metrics,
            keeps_delivered: settings.retention.delivered.0,
            writer: Mutex::new(Some(thread)),
            lost,
        }))
    }

    /// Reads what was lent; what this release cannot read is held instead. Nothing where nothing is left.
    fn readable(&self, run: RawRun) -> Option<Run> {
        let (run, unreadable) = run.read();
        if let Some(unreadable) = unreadable {
            // Where the store is closed, the next start finds it again.
            self.queue.record(unreadable).unwrap_or_default();
        }
        run
    }

    /// Nothing more is taken; the thread that does the rest, unless somebody waits for it already.
    fn stop(&self) -> Option<JoinHandle<()>> {
        self.readers.close();
        self.queue.close();
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn append(&self, request: Request, events: Vec<NewEvent>) -> Result<Vec<Receipt>, Error> {
        let prepared = if request.body.len() > LARGE_BODY {
            let keys = self.keys.clone();
            tokio::task::spawn_blocking(move || Prepared::new(&keys, request, events))
                .await
                .map_err(|_| Error::Failed("an event was not made ready".to_owned()))?
        } else {
            Prepared::new(&self.keys, request, events)
        }?;
        let (reply, receipts) = oneshot::channel();
        self.queue.append(AppendOp { incoming: Incoming::Request(prepared), reply }).inspect_err(
            |error| {
                self.metrics.store_errors_total.with_label_values(&["append", error.label()]).inc();
            },
        )?;
        receipts.await.map_err(|_| Error::Closed)?
    }

    async fn remap(&self, event: EventId, updates: Vec<NewUpdate>) -> Result<bool, Error> {
        let again = PreparedAgain::new(&self.keys, event, updates)?;
        let (reply, remapped) = oneshot::channel();
        self.queue.append(AppendOp { incoming: Incoming::Again(again), reply })?;
        let receipts = remapped.await.map_err(|_| Error::Closed)??;
        Ok(!receipts.is_empty())
    }

    async fn claim(&self, wanted: Wanted) -> Result<Vec<Run>, Error> {
        if wanted.runs == 0 {
            return Ok(Vec::new());
        }
        loop {
            let (reply, lending) = oneshot::channel();
            self.queue.claim(ClaimOp { wanted, reply })?;
            let lent = lending.await.map_err(|_| Error::Closed)?.take();
            let runs: Vec<_> = lent.into_iter().filter_map(|run| self.readable(run)).collect();
            if !runs.is_empty() {
                return Ok(runs);
            }
        }
    }

    async fn record(&self, ends: Vec<(Lent, End)>, after_dead: AfterDead) -> Result<bool, Error> {
        let (reply, recorded) = oneshot::channel();
        let ends = ends.into_iter().map(|(lent, end)| (lent, Ending::Said(end))).collect();
        self.queue.record(RecordOp { ends, after_dead, reply: Some(reply) })?;
        recorded.await.map_err(|_| Error::Closed)?
    }

    async fn revive(&self, updates: &[UpdateId]) -> Result<Vec<UpdateId>, Error> {
        let updates = updates.to_vec();
        self.rarely(move |writer| writer.revive(&updates)).await
    }

    async fn refusals(&self, within: Duration) -> Result<Vec<Refused>, Error> {
        let now = self.clock.now().as_millisecond();
        // Where what was delivered is not kept, nobody knows what was taken between two refusals.
        let within = within.min(self.keeps_delivered);
        self.readers.read(move |connection| refusals::read(connection, now, within)).await
    }

    fn lane_of(&self, who: &Who) -> Lane {
        Lane(self.keys.lane(who))
    }

    async fn join(&self, run: Vec<Lent>, lane: Lane) -> Result<Joined, Error> {
        let (reply, joined) = oneshot::channel();
        self.queue.join(JoinOp { run, to: lane.0, reply })?;
        joined.await.map_err(|_| Error::Closed)?
    }

    async fn marked(&self, update: UpdateId) -> Result<Marked, Error> {
        self.readers.read(move |connection| marks::marked(connection, update)).await
    }

    async fn numbers(&self) -> Result<Numbers, Error> {
        let now = self.steady.now().steady;
        let read = move |connection: &rusqlite::Connection| {
            numbers::numbers(connection, now).map_err(|error| connection::failed(&error))
        };
        self.readers.read(read).await
    }

    async fn events(&self, filter: &EventFilter, page: Page) -> Result<Vec<EventRow>, Error> {
        let filter = filter.clone();
        self.readers.read(move |connection| browse::events(connection, &filter, &page)).await
    }

    async fn updates(&self, filter: &UpdateFilter, page: Page) -> Result<Vec<UpdateRow>, Error> {
        let UpdateFilter { state, source } = filter.clone();
        let states = state.into_iter().collect();
        let search = Search { states, source, ..Search::default() };
        Ok(self.find(&search, page).await?.rows)
    }

    async fn event(&self, id: EventId) -> Result<Option<StoredEvent>, Error> {
        self.readers.read(move |connection| browse::event(connection, id)).await
    }

    async fn keep_mappings(&self, files: Vec<(String, String)>) -> Result<(), Error> {
        let keep = move |writer: &mut Writer| {
            writer.alone("keep", |batch, _| mappings::keep(batch.connection, &files))
        };
        self.rarely(keep).await
    }

    async fn kept_mappings(&self) -> Result<Vec<(String, String)>, Error> {
        self.readers.read(mappings::kept).await
    }

    async fn adopt_secret(&self, source: &SourceName, secret: &str) -> Result<String, Error> {
        let (name, secret) = (secrets::name_of(source), secret.to_owned());
        let adopt = move |writer: &mut Writer| {
            writer.alone("adopt", |batch, _| secrets::adopt(batch.connection, &name, &secret))
        };
        self.rarely(adopt).await
    }

    async fn adopted_secret(&self, source: &SourceName) -> Result<Option<String>, Error> {
        let name = secrets::name_of(source);
        self.readers.read(move |connection| secrets::adopted(connection, &name)).await
    }

    async fn forget_secret(&self, source: &SourceName) -> Result<bool, Error> {
        let name = secrets::name_of(source);
        let forget = move |writer: &mut Writer| {
            writer.alone("adopt", |batch, _| secrets::forget(batch.connection, &name))
        };
        self.rarely(forget).await
    }

    async fn check_writable(&self) -> Result<(), Error> {
        let (reply, checked) = oneshot::channel();
        self.queue.check(reply)?;
        checked.await.map_err(|_| Error::Closed)?
    }

    async fn lost(&self) {
        let mut lost = self.lost.clone();
        if lost.wait_for(|lost| *lost).await.is_err() {
            // It was closed, not lost.
            std::future::pending::<()>().await;
        }
    }

    async fn close(&self) {
        let Some(writer) = self.stop() else { return };
        // A thread that panicked has told so itself.
        drop(tokio::task::spawn_blocking(move || writer.join()).await);
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        if let Some(writer) = self.stop() {
            drop(writer.join());
        }
    }
}

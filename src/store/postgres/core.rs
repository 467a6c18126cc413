//! What all parts of the store share.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::holder::Holder;
use super::inbox::{Inbox, Limits};
use super::ledger::{Work, shard};
use super::lend::{ClaimOp, Wake};
use super::names::Names;
use super::pool::Pool;
use super::queue::{AppendOp, JoinOp};
use super::replicas::Ear;
use super::transaction::transacted;
use crate::clock::SharedClock;
use crate::store::Error;
use crate::store::form::cipher::Cipher;
use crate::store::form::keys::Keys;
use crate::store::form::lending::RecordOp;
use crate::store::settings::StoreSettings;
use crate::telemetry::metrics::Metrics;

/// At most so many requests wait to be stored, and at most so many bytes of them.
const APPENDS: Limits = Limits { waiting: 8192, bytes: 64 << 20, at_once: 512 };
/// Never refused for being too many: there are no more of them than updates lent.
const UNBOUNDED: Limits = Limits { waiting: usize::MAX, bytes: usize::MAX, at_once: 1024 };
/// So many runs join other lanes in one transaction.
const JOINS: Limits = Limits { at_once: 256, ..UNBOUNDED };

/// The parts of an open store.
pub(super) struct Core {
    pub(super) pool: Pool,
    /// The schema of the tables; also the channel on which replicas wake each other.
    pub(super) schema: String,
    pub(super) keys: Keys,
    pub(super) cipher: Arc<Cipher>,
    pub(super) names: Names,
    pub(super) clock: SharedClock,
    pub(super) metrics: Arc<Metrics>,
    pub(super) settings: StoreSettings,
    pub(super) holder: Holder,
    pub(super) ear: Ear,
    /// Another process has something to say.
    pub(super) news: Notify,
    pub(super) appends: Inbox<AppendOp>,
    pub(super) records: Inbox<RecordOp>,
    pub(super) joins: Inbox<JoinOp>,
    pub(super) claims: Inbox<ClaimOp>,
    pub(super) wake: Wake,
    /// What was lent and never left, where it could not be recorded any more.
    pub(super) untaken: Mutex<Vec<RecordOp>>,
    /// When other processes were woken last.
    pub(super) told: Mutex<Option<Instant>>,
    /// The clock of a test was moved.
    pub(super) jumped: Notify,
    /// There is hardly any room.
    pub(super) scarce: Notify,
    /// Nothing new is begun.
    pub(super) closing: CancellationToken,
}

impl Core {
    pub(super) fn new(
        (pool, schema): (Pool, String),
        (keys, cipher): (Keys, Arc<Cipher>),
        settings: &StoreSettings,
        clock: SharedClock,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            pool,
            schema,
            keys,
            cipher,
            names: Names::default(),
            clock,
            metrics,
            settings: settings.clone(),
            holder: Holder::default(),
            ear: Ear::default(),
            news: Notify::new(),
            appends: Inbox::new(APPENDS),
            records: Inbox::new(UNBOUNDED),
            joins: Inbox::new(JOINS),
            claims: Inbox::new(UNBOUNDED),
            wake: Wake::default(),
            untaken: Mutex::default(),
            told: Mutex::default(),
            jumped: Notify::new(),
            scarce: Notify::new(),
            closing: CancellationToken::new(),
        }
    }

    /// The time of a clock that a test moves; nothing where the database's own counts.
    pub(super) fn manual(&self) -> Option<i64> {
        self.clock.jumps().map(|_| self.clock.now().as_millisecond())
    }

    /// The shard in which this process counts.
    pub(super) fn shard(&self, work: Work) -> i16 {
        shard(self.holder.process(), work)
    }

    /// Whether anything may still be asked.
    pub(super) fn is_open(&self) -> Result<(), Error> {
        if self.closing.is_cancelled() { Err(Error::Closed) } else { Ok(()) }
    }

    /// Counts a failure. `operation` is its label in `store_errors_total`.
    pub(super) fn noted<T>(&self, operation: &str, done: Result<T, Error>) -> Result<T, Error> {
        done.inspect_err(|error| self.failed(operation, error))
    }

    /// Whether the store can be written now: this process says that it goes on, and there is room.
    pub(super) async fn check(&self) -> Result<(), Error> {
        self.hold().await?;
        let filled = transacted!(self.pool, |transaction| self.filled(transaction).await);
        match self.refusal(filled?, 0) {
            Some(refusal) => Err(Error::Full(refusal)),
            None => Ok(()),
        }
    }

    pub(super) fn failed(&self, operation: &str, error: &Error) {
        self.metrics.store_errors_total.with_label_values(&[operation, error.label()]).inc();
    }
}

//! The one thread that writes: one transaction for whatever waits, records first, then what came in, then claims.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::watch;

use super::batch::Batch;
use super::claim::Lending;
use super::connection::{StoreFile, failed};
use super::follow::Followed;
use super::house::House;
use super::lock::LockFile;
use super::memory::Memory;
use super::opening::ready;
use super::queue::{AppendOp, ClaimOp, JoinOp, Pace, Queue, Work};
use super::room::Room;
use super::statements;
use super::steady::{Now, Steady};
use super::strikes::Strikes;
use crate::clock::SharedClock;
use crate::store::form::lending::{RawRun, RecordOp};
use crate::store::{Error, Fence, Joined, Receipt};
use crate::telemetry::metrics::Metrics;

/// How long to rest before what could not be written is tried again, and how long the clock is trusted to go on
/// evenly.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// More than this is lent by several commits.
const MOST_CLAIMS_A_COMMIT: usize = 4096;

/// Everything the thread has.
pub(super) struct Writer {
    pub(super) queue: Arc<Queue>,
    pub(super) path: StoreFile,
    pub(super) max_pages: u64,
    /// Nothing after an error that leaves it in doubt: it is opened again.
    pub(super) connection: Option<Connection>,
    /// Nothing after a failed commit: it is loaded again.
    pub(super) memory: Option<Memory>,
    pub(super) room: Room,
    pub(super) clock: SharedClock,
    pub(super) steady: Arc<Steady>,
    pub(super) metrics: Arc<Metrics>,
    /// The fence of the last transaction, committed or not.
    pub(super) fence: i64,
    /// Held until the connection is closed.
    pub(super) lock: LockFile,
    pub(super) waits: Waits,
    pub(super) house: House,
    pub(super) followed: Followed,
    pub(super) strikes: Strikes,
    /// Whether the store is of no use any more.
    pub(super) given_up: watch::Sender<bool>,
}

/// What the thread still has to do.
#[derive(Default)]
pub(super) struct Waits {
    claims: VecDeque<ClaimOp>,
    /// Ends that nobody waits for and that could not be recorded yet.
    unrecorded: Vec<RecordOp>,
    /// When the next update is due, if somebody waits for it.
    next_due: Option<i64>,
    pace: Pace,
}

/// What a transaction did.
struct Done {
    recorded: Vec<bool>,
    joined: Vec<Joined>,
    appended: Vec<Result<Vec<Receipt>, Error>>,
    checked: Result<(), Error>,
    lent: Vec<RawRun>,
}

/// Lets whoever waits know that the thread has ended, however it did.
struct Ended(Arc<Queue>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Writer {
    /// Works until the queue is closed and everything in it is done.
    pub(super) fn run(mut self) {
        let _ended = Ended(Arc::clone(&self.queue));
        while let Some(work) = self.queue.take(self.waits.pace, self.idle()) {
            let quiet = work.is_empty();
            self.serve(work);
            self.keep_house(quiet);
            if self.strikes.are_out() {
                tracing::error!(
                    "the store failed again and again, also after it was opened anew: it is given up"
                );
                self.given_up.send_replace(true);
                break;
            }
        }
        // The last connection to go copies the log into the file; only then may another process have it.
        drop(self.connection.take());
        drop(self.lock);
    }

    /// How long to wait for work at most.
    fn idle(&self) -> Duration {
        let house = self.house.idle();
        let house = self.key_file_idle().map_or(house, |look| look.min(house));
        self.due().map_or(house, |due| due.min(house))
    }

    /// How long until something is to be done for those who wait.
    fn due(&self) -> Option<Duration> {
        if !self.waits.unrecorded.is_empty() {
            return Some(LOOK_AGAIN);
        }
        if self.waits.claims.is_empty() {
            return None;
        }
        if self.memory.is_none() {
            return Some(LOOK_AGAIN);
        }
        let left = self.waits.next_due? - self.now().steady;
        Some(Duration::from_millis(u64::try_from(left).unwrap_or(0)).min(LOOK_AGAIN))
    }

    pub(super) fn now(&self) -> Now {
        self.steady.now()
    }

    fn serve(&mut self, work: Work) {
        let Work { mut records, joins, mut appends, claims, checks, rare } = work;
        for act in rare {
            act(self);
        }
        records.append(&mut self.waits.unrecorded);
        self.waits.claims.extend(claims);
        self.waits.claims.retain(|claim| !claim.reply.is_closed());
        self.waits.pace.taken = records.len() + joins.len() + appends.len();
        let nothing =
            records.is_empty() && joins.is_empty() && appends.is_empty() && checks.is_empty();
        if nothing && self.waits.claims.is_empty() {
            return;
        }
        let started = Instant::now();

        let mut done = self.commit(&records, &joins, &appends, !checks.is_empty());
        if let Err(error) = &done
            && !(records.is_empty() && joins.is_empty())
            && !appends.is_empty()
        {
            // What came in may have been too much for the disk; what became of the rest may still fit.
            for append in appends.drain(..) {
                answer(append.reply, Err(error.clone()));
            }
            done = self.commit(&records, &joins, &appends, !checks.is_empty());
        }
        self.waits.pace.time = started.elapsed();
        match done {
            Ok(done) => {
                for (record, recorded) in records.into_iter().zip(done.recorded) {
                    if let Some(reply) = record.reply {
                        answer(reply, Ok(recorded));
                    }
                }
                for (join, joined) in joins.into_iter().zip(done.joined) {
                    answer(join.reply, Ok(joined));
                }
                for (append, receipts) in appends.into_iter().zip(done.appended) {
                    answer(append.reply, receipts);
                }
                self.hand_out(done.lent);
                for check in checks {
                    answer(check, done.checked.clone());
                }
            }
            Err(error) => {
                for record in records {
                    match record.reply {
                        Some(reply) => answer(reply, Err(error.clone())),
                        None => self.waits.unrecorded.push(record),
                    }
                }
                for join in joins {
                    answer(join.reply, Err(error.clone()));
                }
                for append in appends {
                    answer(append.reply, Err(error.clone()));
                }
                for check in checks {
                    answer(check, Err(error.clone()));
                }
            }
        }
    }

    /// One transaction; after an error nothing of it has happened.
    fn commit(
        &mut self,
        records: &[RecordOp],
        joins: &[JoinOp],
        appends: &[AppendOp],
        check: bool,
    ) -> Result<Done, Error> {
        let done = self.attempt(records, joins, appends, check);
        if let Err(error) = &done {
            let operation = match (appends, records, joins) {
                ([_, ..], _, _) => "append",
                ([], [_, ..], _) | ([], _, [_, ..]) => "record",
                ([], [], []) => "claim",
            };
            self.metrics.store_errors_total.with_label_values(&[operation, error.label()]).inc();
            self.doubt(error);
        }
        done
    }

    /// After a failed commit what is in memory is loaded again; where it is in doubt what is in the file, the file
    /// is opened again.
    pub(super) fn doubt(&mut self, error: &Error) {
        self.memory = None;
        self.waits.next_due = None;
        if matches!(error, Error::Full(_)) {
            self.room.was_full();
            return;
        }
        self.connection = None;
        if matches!(error, Error::Failed(_) | Error::Damaged(_)) && self.strikes.strike() {
            tracing::error!(%error, "the store could not be written: its file is opened anew");
        }
    }

    fn attempt(
        &mut self,
        records: &[RecordOp],
        joins: &[JoinOp],
        appends: &[AppendOp],
        check: bool,
    ) -> Result<Done, Error> {
        let now = self.now();
        let (connection, memory) = ready(
            (&mut self.connection, &mut self.memory),
            (&self.path, self.max_pages),
            self.fence,
            now,
        )?;
        let most = self.waits.claims.iter().map(|claim| claim.wanted.runs);
        let wanted = most.fold(0_usize, usize::saturating_add).min(MOST_CLAIMS_A_COMMIT);
        let merging = self.waits.claims.iter().all(|claim| claim.wanted.merging);
        self.fence += 1;
        let fence = Fence(self.fence);

        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| failed(&error))?;
        let mut batch = Batch::new(&transaction, memory, now);
        let work = Writing { records, joins, appends, check, wanted, merging, fence };
        let done = write(&mut batch, &mut self.room, &work).map_err(|error| failed(&error))?;
        let changes = batch.changes;
        let started = Instant::now();
        transaction.commit().map_err(|error| failed(&error))?;
        let took = started.elapsed();

        memory.apply(changes);
        self.strikes = Strikes::default();
        // It is committed: an error from here on must not deny it, so it only has the writer look again.
        let waits_on = wanted > done.lent.len() || wanted == MOST_CLAIMS_A_COMMIT;
        self.waits.next_due =
            if waits_on { next_due(connection).unwrap_or(Some(now.steady)) } else { None };
        self.observe(&done, took);
        Ok(done)
    }

    fn observe(&self, done: &Done, took: Duration) {
        let counts = [
            ("append", done.appended.len()),
            ("record", done.recorded.len()),
            ("claim", done.lent.len()),
        ];
        for (operation, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            let batch = self.metrics.store_batch_operations.with_label_values(&[operation]);
            batch.observe(f64::from(count));
        }
        if counts.iter().any(|(_, count)| *count > 0) {
            let commit = &self.metrics.store_commit_duration_seconds;
            commit.with_label_values::<&str>(&[]).observe(took.as_secs_f64());
        }
        let refused = done.appended.iter().filter_map(|receipts| receipts.as_ref().err());
        for error in refused {
            self.metrics.store_errors_total.with_label_values(&["append", error.label()]).inc();
        }
    }

    /// Hands out what was lent, to those who have waited longest. What nobody takes comes back by itself.
    fn hand_out(&mut self, lent: Vec<RawRun>) {
        let mut lent = lent.into_iter();
        while lent.len() > 0
            && let Some(claim) = self.waits.claims.pop_front()
        {
            let part = lent.by_ref().take(claim.wanted.runs).collect();
            answer(claim.reply, Lending::new(part, Arc::clone(&self.queue)));
        }
    }
}

/// What one transaction is to do.
struct Writing<'a> {
    records: &'a [RecordOp],
    joins: &'a [JoinOp],
    appends: &'a [AppendOp],
    check: bool,
    /// How many runs are wanted, and whether with what can go in one request.
    wanted: usize,
    merging: bool,
    fence: Fence,
}

fn write(batch: &mut Batch<'_>, room: &mut Room, work: &Writing<'_>) -> rusqlite::Result<Done> {
    let &Writing { records, joins, appends, check, wanted, merging, fence } = work;
    let recorded = records
        .iter()
        .map(|record| batch.record(&record.ends, record.after_dead))
        .collect::<Result<Vec<_>, _>>()?;
    let joined =
        joins.iter().map(|join| batch.join(&join.run, join.to)).collect::<Result<Vec<_>, _>>()?;
    let full = if appends.is_empty() && !check { None } else { room.refusal(batch.connection)? };
    let appended = appends
        .iter()
        .map(|append| batch.take_in(&append.incoming, full.as_deref(), room))
        .collect::<Result<Vec<_>, _>>()?;
    if check {
        let mut set = batch.connection.prepare_cached(statements::SET_META)?;
        set.execute(("checked_at", batch.now))?;
    }
    if !records.is_empty() || !appends.is_empty() {
        batch.finish(appends.len())?;
    }
    let lent = if wanted > 0 { batch.claim(wanted, merging, fence)? } else { Vec::new() };
    let checked = full.map_or(Ok(()), |full| Err(Error::Full(full)));
    Ok(Done { recorded, joined, appended, checked, lent })
}

fn next_due(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    connection.prepare_cached(statements::NEXT_DUE)?.query_row([], |row| row.get(0))
}

/// Who has hung up needs no answer: what was stored is stored, what was lent goes back.
pub(super) fn answer<T>(reply: tokio::sync::oneshot::Sender<T>, answer: T) {
    drop(reply.send(answer));
}

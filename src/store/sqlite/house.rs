//! What the writer does while nobody waits for it: delete what has come of age, give free pages back to the disk.
//!
//! One small transaction between two commits. Where somebody always waits, one is done each second all the same;
//! where room is scarce, one beside every commit.

use std::time::{Duration, Instant};

use rusqlite::TransactionBehavior;

use super::batch::{Batch, count};
use super::connection::failed;
use super::retention::{Round, Rounds};
use super::room::Scarce;
use super::writer::Writer;
use super::{room, statements};
use crate::store::Error;
use crate::store::form::state::outcome_word;
use crate::store::settings::Retention;

/// How often to look whether something has come of age, by the store's clock, where nothing is kept for less.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// The same while room is scarce: every delivery leaves something that may go.
const LOOK_EVERY_WHILE_SCARCE: Duration = Duration::from_secs(1);

/// How long nobody has to have come before something is done.
const QUIET: Duration = Duration::from_millis(2);

/// How long it may be put off because somebody always comes.
const AT_LEAST_EVERY: Duration = Duration::from_secs(1);

/// How often the log says that history is deleted before its time.
const SAY_EVERY: Duration = Duration::from_hours(1);

/// Free pages are given back where they are more than this and more than a quarter of the file.
const MANY_PAGES: u32 = 4096;

/// What is to be done, and when it was done last.
pub(super) struct House {
    rounds: Rounds,
    look_every: Duration,
    /// By the store's clock.
    looked: Duration,
    /// Whether something is left to do.
    busy: bool,
    worked: Instant,
    said: Option<Duration>,
}

impl House {
    pub(super) fn new(keep: Retention, clock: Duration) -> Self {
        // A start has better to do.
        let look_every = keep.shortest().clamp(LOOK_EVERY_WHILE_SCARCE, LOOK_EVERY);
        let rounds = Rounds::new(keep);
        Self { rounds, look_every, looked: clock, busy: false, worked: Instant::now(), said: None }
    }

    /// How long the writer may sleep.
    pub(super) const fn idle(&self) -> Duration {
        if self.busy { QUIET } else { self.look_every }
    }
}

impl Writer {
    /// Does the next small piece, where it is time; `quiet` says that nobody waits.
    pub(super) fn keep_house(&mut self, quiet: bool) {
        self.follow_keys();
        let clock = self.clock.monotonic();
        let scarce = self.room.scarce();
        let waited = clock.saturating_sub(self.house.looked);
        let is_time = match scarce {
            None => waited >= self.house.look_every,
            Some(_) => waited >= LOOK_EVERY_WHILE_SCARCE || self.room.has_grown(),
        };
        if !self.house.busy && !is_time {
            return;
        }
        let can_wait = scarce.is_none() && self.house.worked.elapsed() < AT_LEAST_EVERY;
        if !quiet && can_wait {
            self.house.busy = true;
            return;
        }
        if is_time {
            self.house.looked = clock;
        }
        if let Err(error) = self.work(is_time, scarce, clock) {
            tracing::warn!(%error, "what has come of age could not be deleted");
            self.metrics.store_errors_total.with_label_values(&["retain", error.label()]).inc();
            self.house.busy = false;
            self.doubt(&error);
        }
        self.house.worked = Instant::now();
    }

    fn work(&mut self, look: bool, scarce: Option<Scarce>, clock: Duration) -> Result<(), Error> {
        let now = self.now();
        // After an error the next commit opens the file and loads the memory again.
        let (Some(connection), Some(memory)) = (&mut self.connection, &mut self.memory) else {
            self.house.busy = false;
            return Ok(());
        };
        if look {
            self.house.rounds.look(connection, clock).map_err(|error| failed(&error))?;
            self.steady.note(connection)?;
            let free = i64::try_from(self.room.free_bytes()).unwrap_or(i64::MAX);
            self.metrics.store_free_bytes.with_label_values::<&str>(&[]).set(free);
        }
        // A clock that was set forward while the bridge runs makes nothing old: that could not be taken back.
        let ages = self.house.rounds.ages(now.wall.min(now.steady), scarce.is_some());
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| failed(&error))?;
        let mut batch = Batch::new(&transaction, memory, now);
        let round = self.house.rounds.round(&mut batch, ages).map_err(|error| failed(&error))?;
        count(&transaction, &batch.changes.ledger).map_err(|error| failed(&error))?;
        let changes = batch.changes;
        transaction.commit().map_err(|error| failed(&error))?;
        memory.apply(changes);
        self.house.rounds.reached(&round);
        self.room.look(connection).map_err(|error| failed(&error))?;
        self.room.mark();
        self.house.busy = !round.is_done;
        if round.is_done {
            let on_disk = scarce == Some(Scarce::Disk);
            self.house.busy =
                give_back_pages(connection, on_disk).map_err(|error| failed(&error))?;
        }
        self.tell(&round, scarce, clock);
        Ok(())
    }

    fn tell(&mut self, round: &Round, scarce: Option<Scarce>, clock: Duration) {
        if round.removed.is_empty() {
            return;
        }
        let cause = if scarce.is_some() { "room" } else { "age" };
        for removed in &round.removed {
            let outcome = outcome_word(removed.outcome).unwrap_or("taken");
            self.metrics.retention_deleted_total.with_label_values(&[outcome, cause]).inc();
            let expired = self.metrics.updates_finished_total.with_label_values(&["expired"]);
            expired.inc_by(removed.expired);
        }
        let count = u32::try_from(round.removed.len()).unwrap_or(u32::MAX);
        let batch = self.metrics.store_batch_operations.with_label_values(&["retain"]);
        batch.observe(f64::from(count));
        let told = self.house.said.is_some_and(|said| clock.saturating_sub(said) < SAY_EVERY);
        if let Some(scarce) = scarce
            && !told
        {
            self.house.said = Some(clock);
            tracing::warn!(
                why = scarce.as_str(),
                "the store is nearly full: delivered and ignored events are deleted before their time"
            );
        }
    }
}

/// Gives some free pages back to the disk where there are many; whether there are more.
fn give_back_pages(connection: &rusqlite::Connection, scarce: bool) -> rusqlite::Result<bool> {
    let (pages, free) = room::pages(connection)?;
    let many = free > MANY_PAGES && free > pages / 4;
    let wanted = many || (scarce && free > 0);
    if !wanted {
        return Ok(false);
    }
    let mut give_back = connection.prepare_cached(statements::GIVE_BACK_PAGES)?;
    let mut rows = give_back.query([])?;
    // Each step frees one page.
    while rows.next()?.is_some() {}
    Ok(true)
}

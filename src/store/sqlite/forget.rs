//! Deleting what is known of a contact, or events that are named.
//!
//! A pass over the lanes of all updates, a bounded piece at a time and away from the writer, finds the events of a
//! contact; the writer deletes them a hundred at a time, with their bytes overwritten, and at the end starts its log
//! over, so that the file and the log hold nothing of them.

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use super::batch::Batch;
use super::connection::failed;
use super::queue::ForgetOp;
use super::writer::{Writer, answer};
use super::{SqliteStore, statements};
use crate::contact::Who;
use crate::event::EventId;
use crate::store::{Error, Forgotten};

/// So many events are deleted in one transaction.
const EVENTS_A_COMMIT: usize = 100;

impl SqliteStore {
    /// Deletes what is kept of a contact.
    pub(super) async fn forget_contact(&self, who: &Who) -> Result<Forgotten, Error> {
        let lane = self.keys.lane(who);
        let (mut after, mut events) = (i64::MIN, Vec::new());
        loop {
            let piece = move |connection: &Connection| in_lane(connection, lane, after);
            let (found, last) = self.readers.read(piece).await?;
            events.extend(found);
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
        events.dedup();
        self.forget_events(&events).await
    }

    /// Deletes these events, but for those of which an update is open.
    pub(super) async fn forget_events(&self, events: &[EventId]) -> Result<Forgotten, Error> {
        let mut forgotten = Forgotten::default();
        let mut rest = events;
        while !rest.is_empty() {
            let (some, others) = rest.split_at(rest.len().min(EVENTS_A_COMMIT));
            rest = others;
            let (reply, deleted) = oneshot::channel();
            let is_last = rest.is_empty();
            self.queue.forget(ForgetOp { events: some.to_vec(), is_last, reply })?;
            let Forgotten { events, updates, open } =
                deleted.await.map_err(|_| Error::Closed)??;
            forgotten.events += events;
            forgotten.updates += updates;
            forgotten.open += open;
        }
        Ok(forgotten)
    }
}

/// The events with an update in this lane among the next updates, and the last of these, if there are any.
fn in_lane(
    connection: &Connection,
    lane: i64,
    after: i64,
) -> Result<(Vec<EventId>, Option<i64>), Error> {
    let read = || -> rusqlite::Result<_> {
        let mut lanes = connection.prepare_cached(statements::LANES)?;
        let mut rows = lanes.query([after])?;
        let (mut found, mut last) = (Vec::new(), None);
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            if row.get::<_, i64>(1)? == lane {
                found.push(EventId(id >> 16));
            }
            last = Some(id);
        }
        found.dedup();
        Ok((found, last))
    };
    read().map_err(|error| failed(&error))
}

impl Writer {
    /// Deletes the events that somebody asks to have deleted, in transactions of their own.
    pub(super) fn forget(&mut self, ops: Vec<ForgetOp>) {
        for ForgetOp { events, is_last, reply } in ops {
            let forgotten = self.forget_some(&events, is_last);
            if let Err(error) = &forgotten {
                let labels = ["forget", error.label()];
                self.metrics.store_errors_total.with_label_values(&labels).inc();
                self.doubt(error);
            }
            answer(reply, forgotten);
        }
    }

    fn forget_some(&mut self, events: &[EventId], is_last: bool) -> Result<Forgotten, Error> {
        let now = self.now();
        let (connection, memory) = self.ready()?;
        let delete = |connection: &mut Connection| -> rusqlite::Result<_> {
            connection.pragma_update(None, "secure_delete", true)?;
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut batch = Batch::new(&transaction, memory, now);
            let mut forgotten = Forgotten::default();
            for EventId(event) in events {
                let removed = batch.remove_event(*event, |_, _| true)?;
                forgotten.events += removed.events;
                forgotten.updates += removed.updates;
                let stays = removed.events == 0 && batch.is_there(*event)?;
                forgotten.open += u64::from(stays);
            }
            batch.changes.ledger.write(&transaction)?;
            let changes = batch.changes;
            transaction.commit()?;
            Ok((forgotten, changes))
        };
        let deleted = delete(connection);
        // What retention deletes need not be overwritten.
        let reset = connection.pragma_update(None, "secure_delete", false);
        let (forgotten, changes) = deleted.map_err(|error| failed(&error))?;
        memory.apply(changes);
        reset.map_err(|error| failed(&error))?;
        if is_last {
            start_log_over(connection).map_err(|error| failed(&error))?;
        }
        Ok(forgotten)
    }
}

/// Copies the log into the file and empties it. Somebody who reads just now may keep it from being emptied: then it
/// is written over in time.
fn start_log_over(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

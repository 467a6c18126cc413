//! What is done rarely: each in a transaction of its own, so that it cannot spoil what came in.

use rusqlite::TransactionBehavior;
use tokio::sync::oneshot;

use super::SqliteStore;
use super::batch::Batch;
use super::connection::failed;
use super::opening::ready;
use super::room::Room;
use super::strikes::Strikes;
use super::writer::{Writer, answer};
use crate::store::Error;

impl Writer {
    /// Does it; after an error nothing of it has happened. `operation` is its label in `store_errors_total`.
    pub(super) fn alone<T>(
        &mut self,
        operation: &str,
        act: impl FnOnce(&mut Batch<'_>, &Room) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let done = self.try_alone(act);
        if let Err(error) = &done {
            self.metrics.store_errors_total.with_label_values(&[operation, error.label()]).inc();
            if matches!(error, Error::Full(_)) {
                // Too much for the disk here may not be too much when something comes in.
                self.memory = None;
            } else {
                self.doubt(error);
            }
        }
        done
    }

    fn try_alone<T>(
        &mut self,
        act: impl FnOnce(&mut Batch<'_>, &Room) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let now = self.now();
        let (connection, memory) = ready(
            (&mut self.connection, &mut self.memory),
            (&self.path, self.max_pages),
            self.fence,
            now,
        )?;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| failed(&error))?;
        let mut batch = Batch::new(&transaction, memory, now);
        let done = act(&mut batch, &self.room).map_err(|error| failed(&error))?;
        batch.finish(0).map_err(|error| failed(&error))?;
        let changes = batch.changes;
        transaction.commit().map_err(|error| failed(&error))?;
        memory.apply(changes);
        self.strikes = Strikes::default();
        Ok(done)
    }
}

impl SqliteStore {
    /// Has the writer do something rare, and waits for what came of it.
    pub(super) async fn rarely<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Writer) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, done) = oneshot::channel();
        self.queue.rarely(Box::new(move |writer| answer(reply, act(writer))))?;
        done.await.map_err(|_| Error::Closed)?
    }
}

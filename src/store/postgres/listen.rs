//! Replicas wake each other: whoever has no room for what it has stored says so, and others look.
//!
//! It is a hint only; each looks by itself as well. A pooler that gives each transaction another connection lets nobody
//! listen: then looking is all there is.

use std::future::poll_fn;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use tokio_postgres::AsyncMessage;

use super::core::Core;
use super::pool::scattered;
use super::statements;
use super::transaction::{Fault, Transaction, params};
use crate::store::Error;

/// Not more often than this: it makes those who commit wait for each other.
const APART: Duration = Duration::from_millis(20);

/// How long to wait before it is tried again.
const AGAIN: Duration = Duration::from_secs(5);

impl Core {
    /// Whether what comes in now should wake other processes: this one has nobody who waits for it.
    pub(super) fn wake_others(&self) -> bool {
        if self.wake.waiting.load(Ordering::SeqCst) > 0 {
            return false;
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let is_time = told.is_none_or(|told| now.duration_since(told) >= APART);
        if is_time {
            *told = Some(now);
        }
        is_time
    }

    /// Wakes other processes once the transaction is committed.
    pub(super) async fn tell_others(
        &self,
        transaction: &Transaction<'_>,
        tell: bool,
    ) -> Result<(), Fault> {
        if tell {
            transaction.query(statements::NOTIFY, params![&*self.schema]).await?;
        }
        Ok(())
    }

    /// Listens for others, until the store is closed.
    pub(super) async fn listen(&self) {
        loop {
            let heard = async {
                if let Err(error) = self.hear().await {
                    tracing::debug!(%error, "nothing is heard of other processes: the store is looked at instead");
                }
                tokio::time::sleep(scattered(AGAIN)).await;
            };
            tokio::select! {
                () = self.closing.cancelled() => return,
                () = heard => {}
            }
        }
    }

    async fn hear(&self) -> Result<(), Error> {
        let (client, mut connection) = self.pool.connector.connect().await?;
        let listen = format!("LISTEN {}", self.schema);
        let mut asked = Box::pin(async { client.batch_execute(&listen).await });
        let mut listening = false;
        loop {
            let message = poll_fn(|context| connection.poll_message(context));
            let message = if listening {
                Either::Left(message.await)
            } else {
                match select(Box::pin(message), &mut asked).await {
                    futures_util::future::Either::Left((message, _)) => Either::Left(message),
                    futures_util::future::Either::Right((listens, _)) => Either::Right(listens),
                }
            };
            match message {
                Either::Left(Some(Ok(AsyncMessage::Notification(_)))) => self.wake.now(),
                Either::Left(Some(Ok(_))) => {}
                Either::Left(Some(Err(error))) => return Err(super::failure::failed(&error)),
                Either::Left(None) => return Ok(()),
                Either::Right(listens) => {
                    listens.map_err(|error| super::failure::failed(&error))?;
                    listening = true;
                    self.wake.now();
                }
            }
        }
    }
}

//! Replicas wake each other: whoever has no room for what it has stored says so, and others look.
//!
//! It is a hint only; each looks by itself as well. A pooler that gives each transaction another connection lets nobody
//! listen: then looking is all there is.

use std::pin::pin;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio_postgres::AsyncMessage;

use super::core::Core;
use super::failure::failed;
use super::pool::scattered;
use super::statements;
use super::transaction::{Fault, Transaction, params, transacted};
use crate::store::Error;

/// Not more often than this: it makes those who commit wait for each other.
const APART: Duration = Duration::from_millis(20);

/// What is told where another process has something to say about delivery.
const SAID: &str = "said";

/// How long to wait before it is tried again; longer each time.
const AGAIN: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_mins(10);

/// How long what was said may take to be heard.
const SILENCE: Duration = Duration::from_secs(5);

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
        let mut rest = AGAIN;
        loop {
            let began = Instant::now();
            let heard = tokio::select! {
                () = self.closing.cancelled() => return,
                heard = self.hear() => heard,
            };
            // What ends after a while has worked until then.
            rest = if began.elapsed() > LONGEST { AGAIN } else { (rest * 2).min(LONGEST) };
            if let Err(error) = heard {
                tracing::warn!(
                    %error,
                    "nothing is heard of other processes: the store is looked at once a second instead"
                );
            }
            tokio::select! {
                () = self.closing.cancelled() => return,
                () = tokio::time::sleep(scattered(rest)) => {}
            }
        }
    }

    async fn hear(&self) -> Result<(), Error> {
        let (client, mut connection) = self.pool.connector.connect().await?;
        let listen = format!("LISTEN {}", self.schema);
        let mut messages = stream::poll_fn(|context| connection.poll_message(context));
        let listens = async {
            client.batch_execute(&listen).await.map_err(|error| failed(&error))?;
            // What is said now has to be heard, or nothing ever is.
            transacted!(self.pool, |transaction| self.tell_others(transaction, true).await)?;
            tokio::time::sleep(SILENCE).await;
            Ok::<_, Error>(())
        };
        let mut listens = pin!(listens);
        let mut heard = false;
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    Some(Ok(AsyncMessage::Notification(of))) => {
                        heard = true;
                        match of.payload() {
                            SAID => self.news.notify_one(),
                            _ => self.wake.now(),
                        }
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(failed(&error)),
                    None => return Ok(()),
                },
                listens = &mut listens, if !heard => {
                    listens?;
                    return Err(Error::Away("nobody may listen: is there a pooler?".to_owned()));
                }
            }
        }
    }
}

//! What waits for one of the store's tasks; whatever waits goes into one transaction.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::store::Error;

/// How much may wait, and how much goes into one transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// More is [`Error::Busy`].
    pub(super) waiting: usize,
    /// The same in bytes; a single one is never too large.
    pub(super) bytes: usize,
    /// So many go into one transaction.
    pub(super) at_once: usize,
}

/// Something that waits.
pub(super) trait Waits {
    /// Roughly how much memory it takes.
    fn bytes(&self) -> usize {
        0
    }
}

struct Waiting<T> {
    all: VecDeque<T>,
    bytes: usize,
    closed: bool,
    /// The task is to be woken when so many wait.
    wake_at: usize,
}

/// How the last transaction went: who was answered by it comes back soon, so the next one waits for them a little.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    /// How many it took in.
    pub(super) taken: usize,
    /// How long it took.
    pub(super) time: Duration,
}

/// Where operations of one kind wait.
pub(super) struct Inbox<T> {
    waiting: Mutex<Waiting<T>>,
    wake: Notify,
    limits: Limits,
}

impl<T: Waits> Inbox<T> {
    pub(super) fn new(limits: Limits) -> Self {
        let waiting = Waiting { all: VecDeque::new(), bytes: 0, closed: false, wake_at: 1 };
        Self { waiting: Mutex::new(waiting), wake: Notify::new(), limits }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has it wait.
    pub(super) fn put(&self, one: T) -> Result<(), Error> {
        self.offer(one).map_err(|(error, _)| error)
    }

    /// The same; gives back what cannot wait.
    pub(super) fn offer(&self, one: T) -> Result<(), (Error, T)> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err((Error::Closed, one));
        }
        let bytes = waiting.bytes.saturating_add(one.bytes());
        let fits = bytes <= self.limits.bytes || waiting.all.is_empty();
        if waiting.all.len() >= self.limits.waiting || !fits {
            return Err((Error::Busy, one));
        }
        waiting.bytes = bytes;
        waiting.all.push_back(one);
        let wake = waiting.all.len() >= waiting.wake_at;
        drop(waiting);
        if wake {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Has them wait before all others, and however many there are: they have waited before.
    pub(super) fn put_back(&self, all: Vec<T>) {
        let mut waiting = self.lock();
        for one in all.into_iter().rev() {
            waiting.bytes = waiting.bytes.saturating_add(one.bytes());
            waiting.all.push_front(one);
        }
        drop(waiting);
        self.wake.notify_one();
    }

    /// Takes nothing more; what waits is still done.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    /// The same, and nobody will do what waits.
    pub(super) fn abandon(&self) {
        let left = {
            let mut waiting = self.lock();
            waiting.closed = true;
            waiting.bytes = 0;
            std::mem::take(&mut waiting.all)
        };
        // Whoever waits for one of them sees it dropped.
        drop(left);
    }

    /// The next ones, once there are any; nothing when it is closed and all is done.
    pub(super) async fn take(&self, pace: Pace) -> Option<Vec<T>> {
        loop {
            {
                let mut waiting = self.lock();
                waiting.wake_at = 1;
                if !waiting.all.is_empty() {
                    break;
                }
                if waiting.closed {
                    return None;
                }
            }
            self.wake.notified().await;
        }
        self.linger(pace).await;
        let mut waiting = self.lock();
        let count = waiting.all.len().min(self.limits.at_once);
        let taken: Vec<T> = waiting.all.drain(..count).collect();
        waiting.bytes -= taken.iter().map(Waits::bytes).sum::<usize>();
        Some(taken)
    }

    /// Those who were answered by the last transaction come back together: waiting for them a moment saves one.
    async fn linger(&self, pace: Pace) {
        let time = (pace.time / 8).min(Duration::from_millis(1));
        {
            let mut waiting = self.lock();
            waiting.wake_at = pace.taken.min(self.limits.at_once);
            if waiting.all.len() >= waiting.wake_at || waiting.closed {
                return;
            }
        }
        let enough = async {
            loop {
                self.wake.notified().await;
                let waiting = self.lock();
                if waiting.all.len() >= waiting.wake_at || waiting.closed {
                    return;
                }
            }
        };
        // Either way it is time to go.
        drop(tokio::time::timeout(time, enough).await);
    }
}

/// Lets whoever waits know that a task has ended, however it did.
pub(super) struct Ended<'a, T: Waits>(pub(super) &'a Inbox<T>);

impl<T: Waits> Drop for Ended<'_, T> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

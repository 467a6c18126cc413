//! Who holds what is lent: each process, as long as it says so again in time, by the database's clock.
//!
//! What a process holds that has not said so for a while goes back; its fences change nothing from then on. A process
//! that was only slow finds itself given up, and holds what it claims from then on under another number.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::core::Core;
use super::lanes::sorted;
use super::statements;
use super::transaction::{params, transacted};
use crate::store::{Error, Fence};

/// For how long a process holds what is lent without saying so again.
pub(super) const LEASE: Duration = Duration::from_secs(30);

/// How often it says so.
const AGAIN: Duration = Duration::from_secs(5);

/// So many lanes go back in one transaction.
const AT_ONCE: i64 = 500;

/// This process, as one that holds what is lent.
#[derive(Default)]
pub(super) struct Holder {
    id: AtomicI64,
    process: AtomicI64,
    /// The youngest fence that it has drawn, and the youngest of those that it has lost.
    drawn: AtomicI64,
    lost: AtomicI64,
    /// Until when it is sure to hold what it has, by this machine's monotonic clock.
    sure_until: Mutex<Option<Instant>>,
}

impl Holder {
    /// Its number now.
    pub(super) fn id(&self) -> i64 {
        self.id.load(Ordering::SeqCst)
    }

    /// The number with which it began.
    pub(super) fn process(&self) -> i64 {
        self.process.load(Ordering::SeqCst)
    }

    fn is(&self, id: i64, asked: Instant) {
        let before = self.id.swap(id, Ordering::SeqCst);
        if before == 0 {
            self.process.store(id, Ordering::SeqCst);
        } else if before != id {
            self.lost.store(self.drawn.load(Ordering::SeqCst), Ordering::SeqCst);
        }
        let mut sure = self.sure_until.lock().unwrap_or_else(PoisonError::into_inner);
        *sure = asked.checked_add(LEASE);
    }

    /// It lends under this fence.
    pub(super) fn draws(&self, Fence(fence): Fence) {
        self.drawn.fetch_max(fence, Ordering::SeqCst);
    }

    /// For how long from now what is lent under this fence is sure to stay lent.
    pub(super) fn sure_for(&self, Fence(fence): Fence) -> Duration {
        if fence <= self.lost.load(Ordering::SeqCst) {
            return Duration::ZERO;
        }
        let until = *self.sure_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }
}

impl Core {
    /// Says that this process goes on holding what it has; where it was given up, under a new number.
    pub(super) async fn hold(&self) -> Result<(), Error> {
        let asked = Instant::now();
        let (manual, known) = (self.manual(), self.holder.id());
        let lease = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
        let name: &str = &format!("{} {}", std::process::id(), host());
        let id = transacted!(self.pool, |transaction| {
            if known != 0 {
                let held = params![manual, lease, known];
                if transaction.execute(statements::HOLD, held).await? > 0 {
                    return Ok(known);
                }
            }
            let made = params![manual, lease, name];
            let made = transaction.query_opt(statements::NEW_HOLDER, made).await?;
            Ok(made.map_or(0, |row| row.get(0)))
        })?;
        if known != 0 && id != known {
            tracing::warn!(
                "this process was silent for too long: what it had claimed is lent to others"
            );
        }
        self.holder.is(id, asked);
        Ok(())
    }

    /// Has everything go back that lapsed processes hold.
    pub(super) async fn give_up_lapsed(&self) -> Result<(), Error> {
        let (manual, own) = (self.manual(), self.holder.id());
        let lapsed = transacted!(self.pool, |transaction| {
            transaction.query(statements::LAPSED_HOLDERS, params![manual, own]).await
        })?;
        for row in lapsed {
            let id: i64 = row.get(0);
            if self.give_up(id, false).await? {
                tracing::warn!(
                    replica = id,
                    "a process has gone: what it had claimed is due again"
                );
                self.wake.now();
            }
        }
        Ok(())
    }

    /// Has everything go back that a process holds, if it has lapsed or is `over`; whether it was so.
    pub(super) async fn give_up(&self, id: i64, over: bool) -> Result<bool, Error> {
        let manual = self.manual();
        loop {
            let left = transacted!(self.pool, |transaction| {
                let given_up = params![manual, id, over];
                if transaction.query(statements::GIVE_UP_HOLDER, given_up).await?.is_empty() {
                    return Ok(None);
                }
                let lanes =
                    transaction.query(statements::LANES_OF_HOLDER, params![id, AT_ONCE]).await?;
                let lanes = sorted(lanes.iter().map(|row| row.get(0)));
                let now = transaction.now(manual).await?;
                if !lanes.is_empty() {
                    transaction.execute(statements::TAKE_BACK, params![lanes]).await?;
                    let due: Vec<_> = lanes.iter().map(|lane| (*lane, now)).collect();
                    transaction.go_on(&due).await?;
                }
                transaction.execute(statements::DROP_HOLDER, params![id]).await?;
                Ok(Some(lanes.len()))
            })?;
            match left {
                None => return Ok(false),
                Some(count) if i64::try_from(count).unwrap_or(0) < AT_ONCE => return Ok(true),
                Some(_) => {}
            }
        }
    }

    /// Goes on saying that this process is there, and looks for those that are not, until the store is closed.
    pub(super) async fn keep_holding(&self) {
        loop {
            tokio::select! {
                biased;
                () = self.closing.cancelled() => return,
                () = tokio::time::sleep(super::pool::scattered(AGAIN)) => {}
                () = self.jumped.notified() => {}
            }
            let held = async {
                self.hold().await?;
                self.give_up_lapsed().await
            };
            if let Err(error) = held.await {
                self.failed("hold", &error);
                tracing::warn!(%error, "the store does not hear that this process is there");
            }
        }
    }
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

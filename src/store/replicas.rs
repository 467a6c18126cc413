//! What several processes on one store tell each other about delivery.

use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;

use super::error::Error;
use super::lend::Lane;

/// What one process has to say. It holds until the process says otherwise, or has been silent for so long that it is
/// taken to be gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Why it has paused delivery by itself.
    pub paused: Vec<&'static str>,
    /// For how long the API has asked everybody to wait, from now on.
    pub closed_for: Option<Duration>,
    /// The hash of its mappings.
    pub mappings: String,
    /// Keys that may lead to another contact than before, and contacts that other keys may lead to, since it spoke last.
    pub changed: Vec<Lane>,
    /// A person has had delivery go on, since it spoke last.
    pub resumes: bool,
}

/// What holds for a process that has spoken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// Why others have paused delivery.
    pub paused: Vec<String>,
    /// For how long nobody may send, from now on.
    pub closed_for: Option<Duration>,
    /// Whether an operator has paused delivery.
    pub halted: bool,
    /// How often a person has had delivery go on: counts up.
    pub resumed: i64,
    /// What others have said is changed, since this process spoke last.
    pub changed: Vec<Lane>,
    /// The others that are there.
    pub others: Vec<Replica>,
}

/// Another process on the same store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replica {
    /// Its name: that of its host, and something that no other process there has.
    pub replica: String,
    /// The hash of its mappings.
    pub mappings: String,
    /// Why it has paused delivery by itself.
    pub paused: Vec<String>,
}

/// One process among those that work on a store.
///
/// # Promises
///
/// - What is said is heard by every other process when that speaks next, or is silent for so long that it is gone.
/// - What a process has said that is gone no longer holds.
/// - Of the moments that are reserved, no two are nearer to each other than was asked for, whoever reserves them.
#[async_trait]
pub trait Replicas: Send + Sync + 'static {
    /// Says what this process has to say, and gives what holds.
    async fn exchange(&self, said: &Said) -> Result<Heard, Error>;

    /// Returns when another process may have something to say.
    async fn news(&self);

    /// Reserves the next moments to send at, `gap` apart; gives how long it is until the first of them.
    async fn reserve(&self, moments: u32, gap: Duration) -> Result<Duration, Error>;
}

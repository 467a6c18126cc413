//! What the doors show of the running bridge.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use jiff::Timestamp;
use serde::Serialize;

use super::desk::Desk;
use crate::clock::SharedClock;
use crate::store::{Replica, Store};
use crate::telemetry::metrics::Metrics;

/// A source of the set in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceStatus {
    /// Its name.
    pub source: String,
    /// Whether it takes webhooks: `false` while its secret is missing.
    pub up: bool,
    /// How many rules it has.
    pub rules: usize,
}

/// What is in force now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// The hash of the mappings in force; replicas that differ show up.
    pub mappings_hash: String,
    /// Since when they are in force.
    pub mappings_since: Timestamp,
    /// Why the mapping files that were seen last are not in force; nothing where they are.
    pub mappings_problem: Option<String>,
    /// The sources, by name.
    pub sources: Vec<SourceStatus>,
    /// Why delivery is paused; empty while it is not.
    pub paused: Vec<&'static str>,
    /// The other processes that deliver from the same store; nothing where there can be none.
    pub other_replicas: Option<Vec<Replica>>,
}

/// What every handler of the operator's doors reads.
pub struct State {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// The clock.
    pub clock: SharedClock,
    /// When the bridge started.
    pub started: Timestamp,
    /// Looks at what is in force.
    pub look: Box<dyn Fn() -> Overview + Send + Sync>,
    /// What operators can have done.
    pub desk: Desk,
    draining: AtomicBool,
    rows_off: AtomicI64,
}

impl State {
    /// The state of a bridge that has started now.
    pub fn new(
        store: Arc<dyn Store>,
        metrics: Arc<Metrics>,
        clock: SharedClock,
        look: Box<dyn Fn() -> Overview + Send + Sync>,
        desk: Desk,
    ) -> Self {
        for outcome in ["requeued", "failed"] {
            metrics.replays_total.with_label_values(&[outcome]);
        }
        let started = clock.now();
        let (draining, rows_off) = (AtomicBool::new(false), AtomicI64::new(0));
        Self { store, metrics, clock, started, look, desk, draining, rows_off }
    }

    /// Counts the rows of the store and remembers how many are off; what the metric shows from then on.
    pub async fn check_the_rows(&self) {
        match self.desk.rows_off().await {
            Ok(off) => {
                self.rows_off.store(off, Ordering::SeqCst);
                if off != 0 {
                    tracing::error!(off, "the store does not have the rows that were counted");
                }
            }
            Err(error) => tracing::warn!(%error, "the rows of the store were not counted"),
        }
    }

    /// How many rows were off when they were counted last.
    pub fn rows_off(&self) -> i64 {
        self.rows_off.load(Ordering::SeqCst)
    }

    /// Turns readiness off: the bridge is about to stop.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Whether the bridge is about to stop.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }
}

//! Saying to the store what became of an update, until it has it.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::tally::Tally;
use crate::clock::{self, SharedClock};
use crate::store::{self, AfterDead, End, Lent, Store};
use crate::telemetry::trace;

/// How long to wait after the store's first failure; then twice as long each time, up to [`LONGEST_WAIT`].
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(250);

const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How often it is tried while delivery stops: whatever is not recorded by then is sent again after the start.
const TRIES_WHILE_STOPPING: u32 = 5;

/// Waits between tries, longer each time.
pub(super) struct Patience {
    clock: SharedClock,
    wait: Duration,
}

impl Patience {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self { clock, wait: FIRST_WAIT }
    }

    pub(super) async fn wait(&mut self) {
        clock::sleep(&*self.clock, self.wait).await;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
    }
}

/// Records ends.
pub(super) struct Recorder {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: SharedClock,
    pub(super) tally: Arc<Tally>,
    pub(super) after_dead: AfterDead,
    pub(super) stop: CancellationToken,
}

impl Recorder {
    /// Records what became of updates of one run; a store that fails is asked again, since what is not recorded would
    /// be sent again.
    pub(super) async fn record(&self, ends: Vec<(Lent, End)>) {
        let Some(event) = ends.first().map(|(lent, _)| lent.update.event) else { return };
        let _step = trace::step("record");
        let mut patience = Patience::new(Arc::clone(&self.clock));
        let mut tries_left = TRIES_WHILE_STOPPING;
        loop {
            match self.store.record(ends.clone(), self.after_dead).await {
                Ok(true) => return ends.iter().for_each(|(_, end)| self.tally.recorded(end)),
                Ok(false) => {
                    tracing::warn!(event_id = %event, "a claim had run out before its update was recorded");
                    return;
                }
                Err(error) => {
                    tracing::error!(event_id = %event, %error, "an update could not be recorded");
                    if self.stop.is_cancelled() {
                        tries_left -= 1;
                    }
                    if matches!(error, store::Error::Closed) || tries_left == 0 {
                        return;
                    }
                }
            }
            patience.wait().await;
        }
    }
}

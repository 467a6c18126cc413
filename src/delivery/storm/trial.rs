//! What is done while a storm lasts: what was refused waits again, and one update a minute is tried.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::TaskTracker;

use crate::clock;
use crate::delivery::pause::PauseReason;
use crate::delivery::record::Patience;
use crate::delivery::worker::Worker;
use crate::event::UpdateId;
use crate::store::Wanted;

const STORM: PauseReason = PauseReason::Refusals;

/// How long to wait between two trials.
const BETWEEN_TRIALS: Duration = Duration::from_mins(1);

/// How often an update is looked for that was refused when the storm broke out: its end may not be recorded yet, and
/// a person may have put it away.
const LOOKS: u32 = 6;

/// For as long as it runs: sees storms through.
pub(in crate::delivery) async fn weather(worker: &Arc<Worker>, tasks: &TaskTracker) {
    let storm = &worker.storm;
    let pauses = &storm.outbound.pauses;
    loop {
        pauses.begun_for(STORM).await;
        revive(worker).await;
        loop {
            tokio::select! {
                () = clock::sleep(&*storm.clock, BETWEEN_TRIALS) => {}
                () = pauses.over_for(STORM) => break,
            }
            if pauses.reasons() == [STORM] {
                try_one(worker, tasks).await;
            }
        }
        storm.is_over();
    }
}

/// Has what was refused wait again.
async fn revive(worker: &Worker) {
    let storm = &worker.storm;
    let mut updates: Vec<UpdateId> = std::mem::take(&mut storm.state().to_revive);
    let mut patience = Patience::new(Arc::clone(&storm.clock));
    let mut looks = 0;
    while !updates.is_empty() && looks < LOOKS {
        match worker.recorder.store.revive(&updates).await {
            Ok(revived) => {
                updates.retain(|update| !revived.contains(update));
                looks += 1;
            }
            Err(crate::store::Error::Closed) => return,
            Err(error) => {
                tracing::error!(%error, "refused updates could not be made to wait again");
            }
        }
        if !updates.is_empty() {
            patience.wait().await;
        }
    }
}

/// Sends one update past the pause.
async fn try_one(worker: &Arc<Worker>, tasks: &TaskTracker) {
    let storm = &worker.storm;
    let claimed = tokio::select! {
        claimed = worker.recorder.store.claim(Wanted { runs: 1, merging: false }) => claimed,
        // Another reason or none: then this is no time for a trial.
        () = storm.outbound.pauses.other_than(STORM) => return,
    };
    let runs = match claimed {
        Ok(runs) => runs,
        Err(error) => return tracing::error!(%error, "updates could not be claimed"),
    };
    let now = storm.clock.monotonic();
    for run in runs {
        let worker = Arc::clone(worker);
        // A task of its own, which a stop does not cut off.
        let trial = tasks.spawn(async move {
            let _trying = worker.storm.try_now();
            worker.see_through(run, now, None).await;
        });
        // A panic is caught and counted within.
        drop(trial.await);
    }
}
